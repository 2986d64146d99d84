"""The outcome of one turn: what the user reads, and the trail that shows where it came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.model import Analyst, Usage


@dataclass(frozen=True, slots=True)
class ToolTrace:
    """One tool call of a turn. `data` is the structured result when there was one; `seconds` is wall time; `text` is
    kept only of a result that is no table, since its figures stand nowhere else."""

    name: str
    arguments: Mapping[str, Any]
    is_error: bool
    seconds: float
    data: Mapping[str, Any] | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where one figure of an answer comes from: the query's id (empty when it follows of figures beside it) and the
    cell or the calculation in words."""

    figure: str
    query_id: str
    place: str


@dataclass(frozen=True, slots=True)
class Receipts:
    """The figures of a text that are bound, and the spans (start, end) of those that are not."""

    bound: tuple[Receipt, ...] = ()
    unbound: tuple[tuple[int, int], ...] = ()

    @property
    def stated(self) -> int:
        """How many figures there are in all."""
        return len(self.bound) + len(self.unbound)


@dataclass(frozen=True, slots=True)
class Answer:
    """`text` is Markdown and untrusted. `notice` tells the user of a degraded turn (Claude unavailable,
    rounds used up). `failed` means that there is no answer and the question was taken back out of the history.
    `dollars` is what the turn cost in all, broken tries included; None when that is not known. `receipts` tie the
    figures of the text to results; in the text itself those without one carry a sign."""

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
    receipts: Receipts = field(default_factory=Receipts)
