"""A table of text as SHOW gives it."""

from __future__ import annotations

import re
from dataclasses import dataclass

Line = tuple[str | None, ...]

_LETTER = re.compile(r"\\([_%\\])|(.)", re.DOTALL)
"""Of a LIKE pattern: one that a backslash makes itself, or any."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Columns and rows, all text."""

    columns: tuple[str, ...]
    rows: tuple[Line, ...] = ()

    def like(self, pattern: str | None, column: int = 0) -> Listing:
        """The rows whose `column` matches an SQL LIKE pattern; all when there is none."""
        if pattern is None:
            return self
        matcher = _matcher(pattern)
        return Listing(self.columns, tuple(row for row in self.rows if matcher.fullmatch(row[column] or "")))


def _matcher(pattern: str) -> re.Pattern[str]:
    """The pattern as a regular expression that takes no longer for many `%` than for one."""
    pieces = [""]
    for escaped, char in _LETTER.findall(pattern):
        if char == "%":
            pieces.append("")
        else:
            pieces[-1] += "." if char == "_" else re.escape(escaped or char)
    first, *between = pieces
    if not between:
        return re.compile(first, re.IGNORECASE | re.DOTALL)
    # the first place where a piece fits is as good as any later one, so none of them is tried again
    middle = "".join(f"(?>.*?{piece})" for piece in between[:-1])
    return re.compile(f"{first}{middle}.*{between[-1]}", re.IGNORECASE | re.DOTALL)
