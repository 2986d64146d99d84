"""What a turn may spend on models, and what it spent; and the gate's word on whether it may begin at all."""

from dataclasses import dataclass, field
from typing import Literal

from agent.progress import Spent
from handlers.locale import Locale

Thrift = Literal["", "cheaper", "rules"]
"""How much has to be saved: nothing, by a cheaper model, or by the rules-only analyst, who costs nothing."""


@dataclass(slots=True)
class Purse:
    """One turn's. `spent` grows with each model call, in the order in which they end."""

    thrift: Thrift = ""
    spent: list[Spent] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Leave:
    """Whether an event's turn may begin. If not, `say` is the key of what is said instead, empty for silence."""

    allowed: bool = True
    say: str = ""
    thrift: Thrift = ""


def with_thrift(notice: str, purse: Purse, locale: Locale) -> str:
    """A notice with the word before it that the turn had to save."""
    saved = locale.say(f"thrift.{purse.thrift}") if purse.thrift else ""
    return " ".join(filter(None, (saved, notice)))
