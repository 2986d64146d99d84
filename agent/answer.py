"""The outcome of one turn: what the user reads, and the trail that shows where it came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.model import Analyst, Usage


@dataclass(frozen=True, slots=True)
class ToolTrace:
    """One tool call of a turn. `data` is the structured result when there was one; `seconds` is wall time."""

    name: str
    arguments: Mapping[str, Any]
    is_error: bool
    seconds: float
    data: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """`text` is Markdown and untrusted. `notice` tells the user of a degraded turn (Claude unavailable,
    rounds used up). `failed` means that there is no answer and the question was taken back out of the history.
    `dollars` is what the turn cost in all, broken tries included; None when that is not known."""

    text: str
    analyst: Analyst
    model: str
    rounds: int
    usage: Usage = field(default_factory=Usage)
    tools: tuple[ToolTrace, ...] = ()
    seconds: float = 0.0
    notice: str = ""
    failed: bool = False
    dollars: float | None = None
