"""A table of text as SHOW gives it."""

from __future__ import annotations

import re
from dataclasses import dataclass

Line = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """Columns and rows, all text."""

    columns: tuple[str, ...]
    rows: tuple[Line, ...] = ()

    def like(self, pattern: str | None, column: int = 0) -> Listing:
        """The rows whose `column` matches an SQL LIKE pattern; all when there is none."""
        if pattern is None:
            return self
        parts = ("." if char == "_" else ".*" if char == "%" else re.escape(char) for char in pattern)
        matcher = re.compile("".join(parts), re.IGNORECASE | re.DOTALL)
        return Listing(self.columns, tuple(row for row in self.rows if matcher.fullmatch(row[column] or "")))
