"""Receipts: each figure of an answer tied to a cell of a query's result, or to a calculation with such cells.

What a model writes as a figure and no result holds is marked for the reader, and counted."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import combinations
from typing import Any

from agent import cells
from agent.answer import Receipt, Receipts, ToolTrace
from agent.cells import Found, Table
from agent.messages import Message
from agent.numerals import SCALES, TIMES, Figure, figures, numbers

SIGN = "†"
"""Stands behind a figure that is in no result."""

_HALF = 0.55
"""Of the last digit's unit: half of it, and what rounding twice can add."""
_LOOSE = 5e-4
"""By how much a calculation may be off, relative: it was made with numbers that had been rounded to be read."""
_TOGETHER = 14
"""Figures of one line that are reckoned with among themselves."""
_MOST_ROWS = 20_000
_IN_SQL = re.compile(r"(?i)(?:[<>=]\s*|between\s+|and\s+|interval\s+|limit\s+|,\s*)([0-9]+(?:\.[0-9]+)?)")
# A calculation binds a figure only where the line says that there is one: otherwise chance would bind nearly anything.
_TOTAL = re.compile(r"(?i)\b(?:total|sum|all|together|combined|overall)\b|共|总|合计")
_MIDDLE = re.compile(r"(?i)\b(?:average|avg|mean|median|typical\w*|usual\w*)\b|平均|中位|通常")
_CHANGE = re.compile(
    r"(?i)\b(?:up|down|rose|risen|fell|fallen|grew|grown|growth|rises?|drop(?:ped|s)?|increased?|decreased?|chang\w+"
    r"|higher|lower|more|less|fewer|above|below|jumped|doubled|tripled|gained|lost|since|than|free|left|remaining"
    r"|between|gap|differ\w*)\b|[+→]|升|降|增|减|涨|跌|多|少|差|高出|低于|剩"
)
_MOST = re.compile(r"(?i)\b(?:\w+est|max\w*|min\w*|most|least|peak\w*|top|worst|next)\b|最|峰值")
_PART = re.compile(r"(?i)\b(?:of|share|part|rate|ratio|per|used|utili[sz]ation|failed|success\w*)\b|占|率|比|分之")


@dataclass(frozen=True)
class Grounds:
    """What the figures of a text may rest on: the tool calls of its turn, texts of earlier results, and what was given
    by others: the question, whose figures may be repeated, and `now` (naive UTC)."""

    tools: Sequence[ToolTrace] = ()
    earlier: Sequence[str] = ()
    asked: str = ""
    now: datetime | None = None

    @cached_property
    def tables(self) -> Sequence[Table]:
        """What the results hold, read once: a report has a hundred texts that rest on the same ones."""
        return cells.tables_of(self.tools, self.earlier)


@dataclass(frozen=True, slots=True)
class _Place:
    """A figure within its line (in lower case), and the rows of each table that the line names."""

    figure: Figure
    line: str
    named: Mapping[int, Sequence[int]]
    now: datetime | None


Origin = tuple[str, str]
"""Query id and place, as in a `Receipt`."""
_HERE: Origin = ("", "count of the lines here")


def receipts(text: str, grounds: Grounds) -> Receipts:
    """The receipts of a Markdown text, and the spans of its figures that have none."""
    stated = figures(text)
    if not stated:
        return Receipts()
    tables = grounds.tables
    given = {*numbers(grounds.asked), *_arguments(grounds.tools)}
    bound: dict[int, Origin] = {}
    for at, place in enumerate(_places(text, stated, tables, grounds.now)):
        if (origin := _origin(place, tables)) is not None:
            bound[at] = origin
    listed = _listed(text)
    bound |= {at: _HERE for at, one in enumerate(stated) if at not in bound and _is_plain(one) and one.value in listed}
    for block in _paragraphs(text, stated):
        _among(block, text, stated, bound, tables)
    ids = {name for table in tables for name in table.who if name.isdigit()}
    kept = [at for at, one in enumerate(stated) if at in bound or not _is_given(one, given, ids)]
    return Receipts(
        tuple(Receipt(stated[at].text, *bound[at]) for at in kept if at in bound),
        tuple((stated[at].start, stated[at].end) for at in kept if at not in bound),
    )


def marked(text: str, found: Receipts) -> str:
    """The text with the sign behind each figure that has no receipt."""
    for _, end in reversed(found.unbound):
        text = f"{text[:end]}{SIGN}{text[end:]}"
    return text


def results_in(messages: Iterable[Message]) -> Iterator[str]:
    """The texts of tool results in a history, and of the reports that were put there by code."""
    for message in messages:
        for block in message["content"]:
            if block["type"] == "tool_result" and not block.get("is_error"):
                content = block.get("content", "")
                yield content if isinstance(content, str) else " ".join(str(one.get("text", "")) for one in content)
            elif message["role"] == "user" and "<report>" in str(block.get("text", "")):
                yield block["text"]


def words_in(trace: ToolTrace) -> Iterator[str]:
    """All words of a result, with its query id; without the SQL, which whoever asked has written."""
    yield trace.text
    data = trace.data or {}
    if isinstance(data.get("query_id"), str):
        yield data["query_id"]
    rows = data.get("rows")
    for row in rows[:_MOST_ROWS] if isinstance(rows, list) else ():
        yield from (cell for cell in row if isinstance(cell, str))


def _listed(text: str) -> set[float]:
    """How many lines the tables and lists of the text itself have: `10 of 23 shown`."""
    groups = [re.findall(r"(?m)^[ \t]*[-*•] ", block) for block in re.split(r"\n\s*\n", text)]
    tables = [re.findall(r"(?m)^\|(?![ :|-]+\|?$)", block) for block in re.split(r"\n\s*\n", text)]
    return {float(len(one)) for one in groups if one} | {float(len(one) - 1) for one in tables if len(one) > 1}


def _is_plain(figure: Figure) -> bool:
    return figure.unit == "" and figure.step == 1


def _line(text: str, figure: Figure) -> str:
    begin, end = text.rfind("\n", 0, figure.start) + 1, text.find("\n", figure.end)
    return text[begin : None if end < 0 else end].casefold()


def _places(text: str, stated: Sequence[Figure], tables: Sequence[Table], now: datetime | None) -> Iterator[_Place]:
    named: dict[str, dict[int, Sequence[int]]] = {}
    for figure in stated:
        line = _line(text, figure)
        if line not in named:
            named[line] = {at: table.named(line) for at, table in enumerate(tables)}
        yield _Place(figure, line, named[line], now)


def _origin(place: _Place, tables: Sequence[Table]) -> Origin | None:
    """Where the figure stands as it is, else what it was calculated from. Where a line names rows of a result, only
    those count: the figure of another cluster is a wrong one."""
    for at, table in enumerate(tables):
        if found := _as_it_is(place, table, place.named[at]):
            return table.query_id, found
    for at, table in enumerate(tables):
        if found := _calculated(place, table, place.named[at]):
            return table.query_id, found
    return None


def _as_it_is(place: _Place, table: Table, rows: Sequence[int]) -> str:
    figure = place.figure
    if figure.unit == "" and figure.step >= 1:
        for value, what in cells.counts(table, place.line, rows):
            if value == figure.value:
                return what
    for scale in SCALES[figure.unit]:
        low, high = _bounds(figure, scale, 0.0)
        if found := table.cell(low, high, rows):
            return found if scale == 1 else f"{found}, in {figure.unit}"
    if figure.unit in TIMES:
        # spans are counted in seconds
        return _first(figure, cells.spans(table, rows, place.now), (SCALES[figure.unit][3],))
    return ""


def _calculated(place: _Place, table: Table, rows: Sequence[int]) -> str:
    figure, scales = place.figure, SCALES[place.figure.unit]
    # the worst of all may stand beside the name of another, when the words say that it is the worst
    if (not rows or _MOST.search(place.line)) and (found := _first(figure, cells.extremes(table), scales)):
        return found
    if found := _first(figure, cells.sums(table, place.line), scales):
        return found
    if _MIDDLE.search(place.line) and (found := _first(figure, cells.middles(table), scales)):
        return found
    if figure.unit == "%" and (found := _first(figure, cells.shares(table, rows), (0.01,))):
        return found
    for first, second, what in cells.pairs(table, rows):
        if _CHANGE.search(place.line) and _first(figure, [(abs(second - first), "")], scales):
            return f"difference of {what}"
        for value, kind in _relations(figure, place.line, first, second):
            if _meets(figure, value, 0.01 if figure.unit == "%" else 1.0):
                return f"{kind} of {what}"
    return ""


def _relations(figure: Figure, line: str, first: float, second: float) -> Iterator[Found]:
    """Ratio and relative change of two numbers, 0.5 for 50 %, where the line speaks of one."""
    if not first or not second or figure.unit not in {"%", "x", ""}:
        return
    less, more = sorted((abs(first), abs(second)))
    if figure.unit == "%" and _PART.search(line):
        yield less / more, "ratio"
    if figure.unit == "x" or (figure.unit == "" and figure.step < 1 and _PART.search(line)):
        yield more / less, "ratio"
    if figure.unit == "%" and _CHANGE.search(line):
        yield abs(second - first) / abs(first), "change"


def _first(figure: Figure, known: Iterable[Found], scales: Sequence[float]) -> str:
    return next((what or "it" for value, what in known if any(_meets(figure, value, scale) for scale in scales)), "")


def _meets(figure: Figure, value: float, scale: float) -> bool:
    # whole numbers are never rounded to be read
    low, high = _bounds(figure, scale, 0.0 if float(value).is_integer() else _LOOSE)
    return low <= value <= high


def _bounds(figure: Figure, scale: float, loose: float) -> tuple[float, float]:
    slack = figure.step * _HALF + figure.value * max(loose, 1e-6)
    return (figure.value - slack) * scale, (figure.value + slack) * scale


def _arguments(tools: Iterable[ToolTrace]) -> Iterator[float]:
    """What was asked of the tools: windows, limits of rows, limits in a WHERE."""
    for trace in tools:
        yield from _asked(trace.arguments)


def _asked(arguments: Mapping[str, Any]) -> Iterator[float]:
    for name, value in arguments.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield value
        elif isinstance(value, str) and name == "sql":
            yield from (float(match[1]) for match in _IN_SQL.finditer(value))


def _is_given(figure: Figure, given: set[float], ids: set[str]) -> bool:
    """Whether it is no statement about the data: a limit, a window, or an id that happens to be all digits."""
    hours = {"h": 1.0, "d": 24.0, "week": 168.0}.get(figure.unit)
    same = figure.value in given or (hours is not None and figure.value * hours in given)
    return figure.given or same or figure.text in ids


def _paragraphs(text: str, stated: Sequence[Figure]) -> Iterator[list[int]]:
    """The figures that stand together, as indexes, where there are several."""
    breaks = [match.start() for match in re.finditer(r"\n\s*\n", text)]
    groups: dict[int, list[int]] = {}
    for at, figure in enumerate(stated):
        groups.setdefault(sum(one < figure.start for one in breaks), []).append(at)
    yield from (group for group in groups.values() if len(group) > 1)


def _among(
    block: Sequence[int], text: str, stated: Sequence[Figure], bound: dict[int, Origin], tables: Sequence[Table]
) -> None:
    """Bind what follows of other figures beside it: `from 12 to 18, up 50 %`; `3 above 90 %`."""
    known = [stated[at] for at in block if at in bound]
    limits = [stated[at] for at in block if stated[at].given]
    for at in block:
        if at in bound:
            continue
        figure, line = stated[at], _line(text, stated[at])
        beside = [one for one in known if _line(text, one) == line][:_TOGETHER]
        origin = _of_two(figure, line, beside) or _beyond(figure, limits, tables)
        if origin is not None:
            bound[at] = origin


def _of_two(figure: Figure, line: str, others: Sequence[Figure]) -> Origin | None:
    for one, other in combinations(others, 2):
        if one.unit != other.unit:
            continue
        # both ends were rounded to be written, and so what follows of them is uncertain by as much
        off = (one.step + other.step) / 2
        near = off + figure.step * _HALF if figure.unit == one.unit else -1.0
        if _CHANGE.search(line) and abs(abs(one.value - other.value) - figure.value) <= near:
            return "", f"difference of {one.text} and {other.text}"
        if _TOTAL.search(line) and abs(one.value + other.value - figure.value) <= near:
            return "", f"sum of {one.text} and {other.text}"
        scale = 0.01 if figure.unit == "%" else 1.0
        relative = off / max(min(one.value, other.value), 1e-9)
        for value, what in _relations(figure, line, one.value, other.value):
            if abs(value - figure.value * scale) <= figure.step * scale * _HALF + relative * max(1.0, value):
                return "", f"{what} of {one.text} and {other.text}"
    return None


def _beyond(figure: Figure, limits: Sequence[Figure], tables: Sequence[Table]) -> Origin | None:
    """A count of the cells of one column that lie beyond a limit beside it."""
    if not _is_plain(figure):
        return None
    for limit in limits:
        for table in tables:
            for name, values in table.numeric.items():
                for scale in SCALES[limit.unit]:
                    above = sum(value >= limit.value * scale for value in values.values())
                    if figure.value in {above, len(values) - above}:
                        return table.query_id, f"count of rows by {name} against {limit.text}"
    return None
