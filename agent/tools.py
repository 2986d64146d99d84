"""What a tool is to the loop, whichever server it lives in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Effect:
    """What a tool that changes something says of itself: its server, its description, whether it may destroy or
    overwrite, and whether doing it twice is as doing it once."""

    server: str
    told: str
    destructive: bool = True
    idempotent: bool = False


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the model sees it; `input_schema` is a JSON schema of type object. One with an `effect` changes
    something, and is called only once people have approved the call."""

    name: str
    description: str
    input_schema: Mapping[str, Any]
    effect: Effect | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call gave back: `text` for the model, `data` (the same result, structured) for code."""

    text: str
    is_error: bool = False
    data: Mapping[str, Any] | None = None


def failed(code: str, reason: str, hint: str = "") -> ToolResult:
    """A failure in the form in which the warehouse's tools tell theirs: `CODE: reason | try: hint`."""
    text = f"{code.upper()}: {reason}" + (f" | try: {hint}" if hint else "")
    return ToolResult(text, is_error=True, data={"code": code, "reason": reason, "hint": hint})


class Tools(Protocol):
    """A set of tools that may be called concurrently."""

    async def specs(self) -> Sequence[ToolSpec]:
        """The tools, in an order that does not change while the process lives."""
        ...

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """The tool's result. A failing, unknown or unreachable tool is a result with `is_error`, never an exception."""
        ...
