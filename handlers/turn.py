"""The turn that a handler works in: who it is, what it has written down, and what it has done so far."""

from dataclasses import dataclass, field

from agent.journal import UNWRITTEN, Journal
from handlers.purse import Purse


@dataclass(frozen=True, slots=True)
class Turn:
    """`id` is empty outside a queue. `repeated` = begun before and cut off. `steps` grows with what was shown to
    people as being done, oldest first, `purse` is what it may spend and spent."""

    id: str = ""
    journal: Journal = UNWRITTEN
    repeated: bool = False
    steps: list[str] = field(default_factory=list)
    purse: Purse = field(default_factory=Purse)
