"""What a surface may show while a turn runs: small events in the order in which things happen."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.model import Usage


@dataclass(frozen=True, slots=True)
class RoundStarted:
    """A model call begins; `number` counts from 1, `last` means that it has to answer without tools."""

    number: int
    last: bool


@dataclass(frozen=True, slots=True)
class TextPiece:
    """The next piece of visible text of this round."""

    text: str


@dataclass(frozen=True, slots=True)
class TextDiscarded:
    """The text of this round so far is void: the reply broke off and is being asked for again."""


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """A tool call goes out. `call_id` ties it to its `ToolFinished`."""

    call_id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """A tool call is back after `seconds`."""

    call_id: str
    name: str
    is_error: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Spent:
    """A model call took these tokens, also one whose reply broke off or that was cancelled."""

    model: str
    usage: Usage


Progress = RoundStarted | TextPiece | TextDiscarded | ToolStarted | ToolFinished | Spent
OnProgress = Callable[[Progress], Awaitable[None]]
"""Receives each event in order. What it raises ends the turn, so a surface keeps its own faults to itself."""
