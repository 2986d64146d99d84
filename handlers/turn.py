"""The turn that a handler works in: who it is, what it has written down, and what it has done so far."""

from dataclasses import dataclass, field

from agent.journal import UNWRITTEN, Journal


@dataclass(frozen=True, slots=True)
class Turn:
    """`id` is empty outside a queue. `repeated` = begun before and cut off. `steps` grows with what was shown to
    people as being done, oldest first, `tokens` with what each model's answer took."""

    id: str = ""
    journal: Journal = UNWRITTEN
    repeated: bool = False
    steps: list[str] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
