"""What can go wrong at the door, in words a model can act on.

DoorError                one refusal or failure: code, reason, offending part, nearest names, what to try
├── Refusal              the guard or a tool did not let it pass; nothing reached the warehouse
│   └── RateLimited      too many calls of one caller or of all; says after how many seconds to come again
└── WarehouseError       the warehouse answered with an error, or did not answer
    └── ConnectionLost   the connection died under a statement; a read may be tried once more
ScopesInvalid            the file of scopes cannot be used; the operator reads it at the start, no caller ever
EndpointsInvalid         the file of the clusters' own front ends cannot be used; read likewise
"""

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

_PART_CHARS = 160


class Code(StrEnum):
    """The kinds of failure a caller can tell apart."""

    SYNTAX = "syntax"
    UNKNOWN_COLUMN = "unknown_column"
    UNKNOWN_TABLE = "unknown_table"
    PERMISSION = "permission"
    TIMEOUT = "timeout"
    TYPE_MISMATCH = "type_mismatch"
    READ_ONLY = "read_only"
    UNAVAILABLE = "unavailable"
    EXECUTION = "execution"
    BAD_ARGUMENT = "bad_argument"
    RATE_LIMITED = "rate_limited"


_HINTS = {
    Code.SYNTAX: "write StarRocks SQL, one SELECT",
    Code.UNKNOWN_COLUMN: "look at the columns with describe_table",
    Code.UNKNOWN_TABLE: "look at the tables with discover_schema",
    Code.PERMISSION: "read what discover_schema lists",
    Code.TIMEOUT: "read fewer hours or clusters, or aggregate",
    Code.TYPE_MISMATCH: "compare values of one type, with CAST where needed",
    Code.READ_ONLY: "send one SELECT",
    Code.UNAVAILABLE: "ask again in a moment; until then say so and guess no figures",
    Code.EXECUTION: "simplify the statement",
    Code.BAD_ARGUMENT: "look at the tool's arguments",
    Code.RATE_LIMITED: "ask fewer questions at a time",
}
"""What to try where whoever raises the error knows nothing better."""


class DoorError(Exception):
    """A failure whose parts are fit to be shown to a model: no DSN, no credentials, no stack."""

    def __init__(self, code: Code, reason: str, *, part: str = "", near: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
        self.part = _shortened(part)
        self.near = tuple(near)
        self.hint = hint or _HINTS[code]

    def about(self, part: str) -> None:
        """Take this for the offending part, unless one is named already."""
        self.part = self.part or _shortened(part)

    def text(self) -> str:
        """`CODE: reason | offending part | near: names | try: …`, without the fields that are empty."""
        near = f"near: {', '.join(self.near)}" if self.near else ""
        hint = f"try: {self.hint}" if self.hint else ""
        fields = [field for field in (self.reason, self.part, near, hint) if field]
        return f"{self.code.upper()}: {' | '.join(fields)}"

    def data(self) -> dict[str, Any]:
        """The same parts for code: `{"code", "reason", "part", "near", "hint"}`."""
        return {
            "code": str(self.code),
            "reason": self.reason,
            "part": self.part,
            "near": list(self.near),
            "hint": self.hint,
        }


class Refusal(DoorError):
    """A statement or an argument that may not pass; `rule` names what refused it."""

    def __init__(
        self, rule: str, code: Code, reason: str, *, part: str = "", near: Sequence[str] = (), hint: str = ""
    ) -> None:
        super().__init__(code, reason, part=part, near=near, hint=hint)
        self.rule = rule

    def data(self) -> dict[str, Any]:
        return {**super().data(), "rule": self.rule}


class RateLimited(Refusal):
    """A call too many; `seconds` is when the next one may pass."""

    def __init__(self, reason: str, seconds: float) -> None:
        self.seconds = max(1, math.ceil(seconds))
        super().__init__("limits", Code.RATE_LIMITED, reason, hint=f"wait {self.seconds} s, then ask again")

    def data(self) -> dict[str, Any]:
        return {**super().data(), "retry_after_seconds": self.seconds}


class WarehouseError(DoorError):
    """The warehouse refused, failed or did not answer in time."""


class ConnectionLost(WarehouseError):
    """The connection ended while a statement ran on it."""


class ScopesInvalid(ValueError):
    """One line that names the file, the key and the fix."""


class EndpointsInvalid(ValueError):
    """One line that names the file, the cluster and the fix."""


def _shortened(part: str) -> str:
    one_line = " ".join(part.split())
    printable = "".join(character for character in one_line if character.isprintable())
    return printable if len(printable) <= _PART_CHARS else f"{printable[:_PART_CHARS]}…"
