"""The turn that a handler works in: who it is, what it has written down, and what it has done so far."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from agent.journal import UNWRITTEN, Journal
from handlers.purse import Purse

Park = Callable[[str], Awaitable[None]]
"""Ends the attempt at a turn until people have decided on an approval, or it expires; the turn is then begun again, by
whatever process. Raises CancelledError."""


async def nowhere(approval: str) -> None:
    """The `Turn.park` of a turn that ends with its process."""
    raise RuntimeError("a turn of this process cannot wait for an approval")


@dataclass(frozen=True, slots=True)
class Turn:
    """`id` is empty outside a queue. `repeated` = begun before and cut off. `steps` grows with what was shown to
    people as being done, oldest first, `purse` is what it may spend and spent."""

    id: str = ""
    journal: Journal = UNWRITTEN
    repeated: bool = False
    steps: list[str] = field(default_factory=list)
    purse: Purse = field(default_factory=Purse)
    park: Park = nowhere
