"""What the tools of a turn gave, as tables of numbers to hold a figure against, and what is calculated with them."""

import re
import statistics
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations
from typing import Any

from agent.answer import ToolTrace
from agent.numerals import numbers

_MOST_CELLS = 40_000
_FEW = 3
"""Rows of a result so small that each of them is meant."""
_NAMED = 6
"""Rows named in one line that are reckoned with among themselves."""
_LABEL = 4
"""Characters of a name that can be looked for in a text."""
_MOST_KINDS = 60
_TEXT = 2_000
_DEEP = 6
_LARGEST = 1e300
"""Beyond it a column could not be summed up."""
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{20,}")
_WHO = re.compile(r"(?:cluster|customer|account|region|version|host|node|name|id)$")
"""Columns that say what a row is about."""

Row = Sequence[Any]
Found = tuple[float, str]
"""A number without its sign, and the cell or the calculation that it is of, in words."""


@dataclass(slots=True)
class Table:
    """One result. `cells` are its numbers by size with their row; `numeric` its columns of numbers by row; `who` the
    rows that a name stands for, in lower case; `times` the moments by row; `counts` how many there are of something."""

    query_id: str
    rows: int = 0
    cells: list[tuple[float, int, str]] = field(default_factory=list)
    numeric: dict[str, dict[int, float]] = field(default_factory=dict)
    who: dict[str, set[int]] = field(default_factory=dict)
    times: dict[str, list[tuple[int, datetime]]] = field(default_factory=dict)
    counts: list[Found] = field(default_factory=list)
    kinds: dict[str, list[Found]] = field(default_factory=dict)
    """How many rows hold a word, by the word in lower case."""
    groups: dict[str, list[Found]] = field(default_factory=dict)
    """Sums of the rows that hold a word."""

    def named(self, line: str) -> list[int]:
        """The rows that a line (in lower case) names; all of a small result where it names none."""
        rows = {row for name, rows in self.who.items() if name in line for row in rows}
        return sorted(rows)

    def cell(self, low: float, high: float, rows: Sequence[int]) -> str:
        """The place of a number between two bounds, of these rows only if there are any; empty when there is none."""
        among = set(rows)
        at = bisect_left(self.cells, low, key=lambda one: one[0])
        while at < len(self.cells) and self.cells[at][0] <= high:
            _, row, place = self.cells[at]
            if not among or row in among:
                return place
            at += 1
        return ""


def tables_of(tools: Iterable[ToolTrace], earlier: Iterable[str] = ()) -> list[Table]:
    """The results of a turn, and as the last one the numbers in the texts of earlier results."""
    found: list[Table] = []
    left = _MOST_CELLS
    for trace in tools:
        data = trace.data or {}
        if trace.is_error:
            continue
        if not _is_table(data):
            found.append(_loose(trace.name, _leaves(data, "", 0), trace.text))
        # A statement without a table proves nothing: whoever wrote it chose its figures.
        elif data.get("tables") or "sql" not in data:
            found.append(_table(data, str(data.get("query_id") or trace.name), left))
            left -= len(found[-1].cells)
    found.append(_loose("", (), "\n".join(earlier)))
    return found


def _is_table(data: Mapping[str, Any]) -> bool:
    rows, columns = data.get("rows"), data.get("columns")
    return isinstance(rows, Sequence) and isinstance(columns, Sequence) and not isinstance(rows, str)


def _loose(source: str, leaves: Iterable[tuple[str, float]], text: str) -> Table:
    """A result that is no table: whatever numbers it holds."""
    table = Table(source)
    table.cells = [(abs(value), 0, place) for place, value in leaves]
    table.cells += [(value, 0, "its text" if source else "a result of an earlier turn") for value in numbers(text)]
    table.cells.sort(key=lambda one: one[0])
    return table


def _leaves(value: Any, path: str, depth: int) -> Iterator[tuple[str, float]]:
    if depth > _DEEP or isinstance(value, bool):
        return
    if isinstance(value, int | float):
        if (found := _number(value)) is not None:
            yield path, found
    elif isinstance(value, str):
        yield from ((path, one) for one in numbers(value[:_TEXT]))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, str(key)[:60], depth + 1)
    elif isinstance(value, Sequence):
        yield path, float(len(value))
        for inner in value[:_MOST_CELLS]:
            yield from _leaves(inner, path, depth + 1)


def _table(data: Mapping[str, Any], query_id: str, left: int) -> Table:
    """One table, at most about `left` cells of it."""
    names = [str(column.get("name", "")) if isinstance(column, Mapping) else str(column) for column in data["columns"]]
    rows: list[Row] = [row for row in data["rows"] if isinstance(row, Sequence) and len(row) == len(names)]
    rows = rows[: max(left, 0) // max(len(names), 1)]
    table = Table(query_id, len(rows))
    table.counts = [(float(len(rows)), "count of its rows")]
    if isinstance(data.get("row_count"), int) and (count := _number(data["row_count"])) is not None:
        table.counts.append((count, "count of its rows"))
    for at, name in enumerate(names):
        _read(table, name, [row[at] for row in rows])
    for at, name in enumerate(names):
        if name not in table.numeric:
            _group(table, name, [str(row[at]) for row in rows])
    table.cells.sort(key=lambda one: one[0])
    return table


def _read(table: Table, name: str, column: Sequence[Any]) -> None:
    kinds = Counter(map(str, column))
    table.counts.append((float(len(kinds)), f"count of different {name}"))
    tells_who = bool(_WHO.search(name.lower())) or len(kinds) == len(column)
    for at, cell in enumerate(column):
        if cell is None or isinstance(cell, bool):
            continue
        if (value := _number(cell)) is not None:
            table.numeric.setdefault(name, {})[at] = value
            table.cells.append((abs(value), at, f"row {at + 1} {name}"))
        elif isinstance(cell, str):
            _words(table, name, at, cell, tells_who=tells_who)


def _words(table: Table, name: str, at: int, cell: str, *, tells_who: bool) -> None:
    if (moment := _moment(cell)) is not None:
        table.times.setdefault(name, []).append((at, moment))
        return
    is_id = _UUID.fullmatch(cell) is not None
    if tells_who and len(cell) >= _LABEL:
        table.who.setdefault((cell[:8] if is_id else cell).casefold(), set()).add(at)
    if not is_id:
        table.cells.extend((value, at, f"row {at + 1} {name}") for value in numbers(cell[:_TEXT]))


def _group(table: Table, name: str, column: Sequence[str]) -> None:
    """Counts and sums of the rows that hold the same word."""
    members: dict[str, list[int]] = {}
    for at, word in enumerate(column):
        members.setdefault(word, []).append(at)
    if len(members) > _MOST_KINDS:
        return
    for word, rows in members.items():
        key, where = word.casefold(), f"rows where {name} is {word[:40]}"
        table.kinds.setdefault(key, []).append((float(len(rows)), f"count of {where}"))
        if len(rows) > 1:
            table.groups.setdefault(key, []).extend(
                (abs(sum(values.get(at, 0.0) for at in rows)), f"sum({other}) of {where}")
                for other, values in table.numeric.items()
            )


def _number(cell: object) -> float | None:
    """A number, also one that is written as text, as decimals come."""
    if not isinstance(cell, int | float | str):
        return None
    try:
        value = float(cell)
    except (ValueError, OverflowError):
        return None
    return value if abs(value) < _LARGEST else None


def _moment(cell: str) -> datetime | None:
    if len(cell) < 10 or not cell[:4].isdigit():
        return None
    try:
        return datetime.fromisoformat(cell).replace(tzinfo=None)
    except ValueError:
        return None


def counts(table: Table, line: str, rows: Sequence[int]) -> Iterator[Found]:
    """How many there are of something: rows, different values, rows that hold a word of the line."""
    yield from table.counts
    if rows:
        yield float(len(rows)), "count of the rows that are named"
    for word, found in table.kinds.items():
        if word and word in line:
            yield from found


def spans(table: Table, rows: Sequence[int], now: datetime | None) -> Iterator[Found]:
    """Seconds between the times of a column, and from them to now."""
    for name, known in table.times.items():
        moments = [moment for at, moment in known if not rows or at in rows]
        if not moments:
            continue
        ends = [min(moments), max(moments), *([] if now is None else [now])]
        for moment in moments:
            for end in ends:
                yield abs((end - moment).total_seconds()), f"time from {name} {moment:%Y-%m-%d %H:%M}"


def sums(table: Table, line: str) -> Iterator[Found]:
    """The sum of each column, and of the rows that hold a word of the line."""
    for name, values in table.numeric.items():
        if len(values) > 1:
            yield abs(sum(values.values())), f"sum({name})"
    for word, found in table.groups.items():
        if len(word) > 1 and word in line:
            yield from found


def middles(table: Table) -> Iterator[Found]:
    """Mean and median of each column."""
    for name, values in table.numeric.items():
        if len(values) > 1:
            yield abs(statistics.fmean(values.values())), f"avg({name})"
            yield abs(statistics.median(values.values())), f"median({name})"


def extremes(table: Table) -> Iterator[Found]:
    """The least and the greatest of each column."""
    for name, values in table.numeric.items():
        yield abs(min(values.values())), f"min({name})"
        yield abs(max(values.values())), f"max({name})"


def pairs(table: Table, rows: Sequence[int]) -> Iterator[tuple[float, float, str]]:
    """Two numbers that may be compared: of one row, of one column in two rows, of the first and last row."""
    chosen = list(rows)[:_NAMED] or (list(range(table.rows)) if table.rows <= _FEW else [])
    for at in chosen:
        known = [(name, values[at]) for name, values in table.numeric.items() if at in values]
        for (one, first), (other, second) in combinations(known, 2):
            yield first, second, f"row {at + 1} {one} and {other}"
    for name, values in table.numeric.items():
        known_rows = [at for at in chosen if at in values]
        for one_row, other_row in combinations(known_rows, 2):
            yield values[one_row], values[other_row], f"{name}, rows {one_row + 1} and {other_row + 1}"
        ends = list(values.values())
        if not rows and len(ends) > _FEW:
            yield ends[0], ends[-1], f"{name}, first and last row"
            yield min(ends), max(ends), f"{name}, least and greatest"


def shares(table: Table, rows: Sequence[int]) -> Iterator[Found]:
    """What part of a column's sum one row is."""
    for name, values in table.numeric.items():
        total = sum(values.values())
        for at in rows:
            if total and at in values:
                yield abs(values[at] / total), f"row {at + 1} {name} / sum({name})"
