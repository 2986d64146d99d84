"""What a result looks like: compact honest text for the model, everything for code."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mcp_server.cells import NULL, clean, shown
from mcp_server.executor import Column
from mcp_server.folding import Fold, folded
from mcp_server.values import Scalar

TEXT_CHARS = 12_000
_MOST_ROWS = 1_000
_ORDER_CHARS = 100
_NOTE = "-- "


@dataclass(frozen=True, slots=True)
class Result:
    """One statement's result.

    `sql` is the text as run; `truncated` says that the warehouse had more rows; `order` is its ORDER BY as text;
    `caveats` are what to keep in mind when reading the rows; `stored` says that query_result can read it.
    """

    columns: tuple[Column, ...]
    rows: list[list[Scalar]]
    truncated: bool
    query_id: str
    sql: str
    seconds: float
    tables: tuple[str, ...]
    order: str = ""
    caveats: tuple[str, ...] = ()
    stored: bool = False

    def data(self) -> dict[str, Any]:
        """Structured content: `columns`, `rows`, `row_count`, `truncated`, `query_id`, `result_id` (None when the rows
        are not kept), `sql`, `seconds`, `tables`, `caveats`."""
        return {
            "columns": [{"name": column.name, "type": column.type} for column in self.columns],
            "rows": self.rows,
            "row_count": len(self.rows),
            "truncated": self.truncated,
            "query_id": self.query_id,
            "result_id": self.query_id if self.stored else None,
            "sql": self.sql,
            "seconds": round(self.seconds, 3),
            "tables": list(self.tables),
            "caveats": list(self.caveats),
        }

    def text(self, note: str = "") -> str:
        """Types, what to know, CSV, and a last line that counts; at most about 12,000 characters, rows dropped whole.

        Above the CSV, lines that begin with `-- ` say what the rows would repeat; see docs/results.md.
        """
        names = [clean(column.name) for column in self.columns]
        leading = self.rows[:_MOST_ROWS]
        folds = [folded(name, shown([row[place] for row in leading])) for place, name in enumerate(names)]
        constants, folds = _parted(folds)
        lines = list(map(_line, zip(*(fold.cells for fold in folds), strict=True)))
        count = _fitting([len(line) + 1 + extra for line, extra in zip(lines, _id_sizes(folds), strict=True)])
        types = _csv(f"{name}:{column.type}" for name, column in zip(names, self.columns, strict=True))
        return "\n".join(
            [
                f"columns: {types}",
                *([f"{_NOTE}{note}"] if note else []),
                *(f"{_NOTE}caution: {clean(caveat)}" for caveat in self.caveats),
                *_legend(constants, folds, count),
                _line([fold.name for fold in folds]),
                *lines[:count],
                self._count_line(count),
            ]
        )

    def _count_line(self, count: int) -> str:
        read = f"from {', '.join(self.tables)}, " if self.tables else ""
        came = f"{read}{self.seconds:.2f} s, {self.query_id}"
        if not self.rows:
            return f"{_NOTE}no rows, {came}"
        order = f", ordered by {clean(self.order)[:_ORDER_CHARS]}" if self.order else ""
        if count == len(self.rows) and not self.truncated:
            return f"{_NOTE}{_rows(count)}{order}, {came}"
        total = f"more than {len(self.rows)}" if self.truncated else str(len(self.rows))
        stored = ", or read the stored rows with query_result" if self.stored and count < len(self.rows) else ""
        return f"{_NOTE}shown {count} of {total} rows{order}, {came}; for the rest aggregate or filter{stored}"


def plain(text: str) -> str:
    """The text without characters that hide or reorder others; line breaks become spaces."""
    return clean(text)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _parted(folds: Sequence[Fold]) -> tuple[list[Fold], list[Fold]]:
    """The constant columns and those that are left for the rows, at least one."""
    constants = [fold for fold in folds if fold.constant is not None]
    if len(constants) == len(folds):
        constants = constants[1:]
    return constants, [fold for fold in folds if fold not in constants]


def _id_sizes(folds: Sequence[Fold]) -> list[int]:
    """Per row, the characters that its ids add to the legend when no row before had them."""
    sizes = [0] * len(folds[0].cells) if folds else []
    for fold in folds:
        seen: set[str] = set()
        for place, cell in enumerate(fold.cells if fold.ids else ()):
            if cell not in seen:
                seen.add(cell)
                sizes[place] += len(fold.ids[0]) + 1
    return sizes


def _fitting(sizes: Sequence[int]) -> int:
    """How many leading rows fit into the text, at least one where there are any."""
    budget = TEXT_CHARS
    for count, size in enumerate(sizes):
        budget -= size
        if budget < 0 and count:
            return count
    return len(sizes)


def _legend(constants: Sequence[Fold], folds: Sequence[Fold], count: int) -> Iterator[str]:
    """The lines that undo the folds of the rows that are shown."""
    if constants:
        yield f"{_NOTE}every row: {_csv(f'{fold.name}={fold.constant}' for fold in constants)}"
    patterns = [f"{fold.name}={fold.pattern}" for fold in folds if fold.pattern]
    if patterns:
        yield f"{_NOTE}* is the cell: {_csv(patterns)}"
    for fold in (fold for fold in folds if fold.ids):
        cells = tuple(set(fold.cells[:count]) - {NULL})
        yield f"{_NOTE}{fold.name} in full: {' '.join(whole for whole in fold.ids if whole.startswith(cells))}"


def _line(cells: Sequence[str]) -> str:
    """A CSV line that no reader takes for a note or for nothing."""
    line = _csv(cells)
    if line.startswith("--") or not line.strip():
        return f'"{cells[0]}"{line[len(cells[0]) :]}'
    return line


def _csv(cells: Iterator[str] | Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells)
    return out.getvalue()
