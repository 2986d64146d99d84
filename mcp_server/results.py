"""What a result looks like: compact honest text for the model, everything for code."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mcp_server.executor import Column
from mcp_server.values import Scalar

TEXT_CHARS = 12_000
CELL_CHARS = 200
_DIGITS = 4

# Letters and marks that count as printable but show nothing: fillers, joiners, variation selectors.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


@dataclass(frozen=True, slots=True)
class Result:
    """One statement's result. `sql` is the text as run; `truncated` says that the warehouse had more rows."""

    columns: tuple[Column, ...]
    rows: list[list[Scalar]]
    truncated: bool
    query_id: str
    sql: str
    seconds: float
    tables: tuple[str, ...]

    def data(self) -> dict[str, Any]:
        """Structured content: `columns`, `rows`, `row_count`, `truncated`, `query_id`, `sql`, `seconds`, `tables`."""
        return {
            "columns": [{"name": column.name, "type": column.type} for column in self.columns],
            "rows": self.rows,
            "row_count": len(self.rows),
            "truncated": self.truncated,
            "query_id": self.query_id,
            "sql": self.sql,
            "seconds": round(self.seconds, 3),
            "tables": list(self.tables),
        }

    def text(self, note: str = "") -> str:
        """A types line, CSV and a last line that counts; at most about 12,000 characters, rows dropped whole."""
        head = ["columns: " + ",".join(f"{_clean(column.name)}:{column.type}" for column in self.columns)]
        if note:
            head.append(f"-- {note}")
        head.append(_csv_line([_clean(column.name) for column in self.columns]))
        lines = _fitting([_csv_line([_shown(cell) for cell in row]) for row in self.rows], TEXT_CHARS)
        return "\n".join([*head, *lines, self._count_line(len(lines))])

    def _count_line(self, shown: int) -> str:
        took = f"{self.seconds:.2f} s, {self.query_id}"
        if not self.rows:
            return f"-- no rows, {took}"
        if self.truncated:
            total = f"more than {len(self.rows)}"
        elif shown < len(self.rows):
            total = str(len(self.rows))
        else:
            return f"-- {_rows(shown)}, {took}"
        return f"-- {shown} of {total} rows shown, {took}; to see the rest aggregate, filter or order"


def plain(text: str) -> str:
    """The text without characters that hide or reorder others; line breaks become spaces."""
    return _clean(text)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _fitting(lines: Sequence[str], budget: int) -> list[str]:
    """The leading lines that fit into the budget of characters, always at least one."""
    fitting: list[str] = []
    for line in lines:
        budget -= len(line) + 1
        if budget < 0 and fitting:
            break
        fitting.append(line)
    return fitting


def _shown(cell: Scalar) -> str:
    """NULL as `NULL` (an empty text stays empty), numbers short, text cleaned and cut."""
    if cell is None:
        return "NULL"
    if isinstance(cell, float):
        return _number(cell)
    if isinstance(cell, int):
        return str(cell)
    return _cut(_clean(cell))


def _number(value: float) -> str:
    """Four significant digits, but never fewer than the whole part: 12345.678 → 12346, 0.0123456 → 0.01235."""
    if value == 0:
        return "0"
    if abs(value) >= 10 ** (_DIGITS - 1):
        return f"{value:.0f}" if abs(value) < 1e15 else f"{value:.6g}"
    return f"{value:.{_DIGITS}g}"


def _clean(text: str) -> str:
    """One line of characters that show: other white space becomes a space, what hides or reorders text is dropped."""
    if text.isprintable() and text.isascii():
        return text
    spaced = (" " if character.isspace() else character for character in text)
    return _BLANK.sub("", "".join(character for character in spaced if character.isprintable()))


def _cut(text: str) -> str:
    return text if len(text) <= CELL_CHARS else f"{text[:CELL_CHARS]}…[+{len(text) - CELL_CHARS} chars]"


def _csv_line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells)
    return out.getvalue()
