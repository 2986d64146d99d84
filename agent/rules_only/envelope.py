"""Tool results read back from the text a model sees: a sheet of typed columns, or a failure with its code."""

import csv
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from agent.charting import SHOWN

_COLUMNS = re.compile(r"^columns:\s*(.+)$", re.MULTILINE)
_FAILURE = re.compile(r"^\s*([a-z_]{3,30}):\s*(.*)", re.DOTALL | re.IGNORECASE)
_SHOWN = re.compile(r"-- shown \d+ of ")
_RESULT_ID = re.compile(r"\bq-[0-9a-f]{4,20}\b")
_NOTE = "-- "
# What the door says once above the rows instead of in each: constants, patterns with * for the cell, ids by beginning.
_CONSTANTS, _PATTERNS = "every row: ", "* is the cell: "
_IDS = re.compile(r"([A-Za-z_]\w*) in full: (.+)", re.ASCII)
_CAUTION = "caution: "
_NULLS = frozenset({"", "NULL", "null", "\\N"})
# A cell the door cut carries this mark; what stands before it is still good for reading, not for parsing as JSON.
_CUT = re.compile(r"…\[\+\d+ chars\]$")


@dataclass(frozen=True, slots=True)
class Row:
    """One row; a cell that is NULL, missing or of another type reads as None."""

    cells: Mapping[str, str]

    def text(self, *names: str) -> str:
        """The first of the named cells that holds something, else an empty string."""
        for name in names:
            value = self.cells.get(name, "")
            if value not in _NULLS:
                return _CUT.sub("…", value)
        return ""

    def number(self, name: str) -> float | None:
        """The named cell as a finite number."""
        try:
            value = float(self.cells.get(name, "").replace(",", ""))
        except ValueError:
            return None
        return value if math.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A result set as far as it was shown. `cut` is true when the warehouse held more rows than these; `note` is what
    the door said above the rows; `result_id` is under what the door keeps them."""

    columns: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    cut: bool = False
    note: str = ""
    result_id: str = ""

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def first(self) -> Row:
        """The first row, or an empty one when there is none."""
        return self.rows[0] if self.rows else Row({})


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that gave no data. `parts` are the pieces of the door's sentence after its code."""

    code: str
    parts: tuple[str, ...] = field(default=())

    @property
    def reason(self) -> str:
        """What the door said first."""
        return self.parts[0] if self.parts else ""


Outcome = Sheet | Failure


def read(text: str, is_error: bool) -> Outcome:
    """What a tool result says. Text that is neither a sheet nor a known failure is a failure `execution`."""
    if is_error:
        return _failure(text)
    if text.startswith(SHOWN):
        return Sheet(note=text)
    header = _COLUMNS.search(text)
    if header is None:
        return Failure("execution", ("the result had an unexpected form",))
    body = [line.replace("\0", "") for line in text[header.end() :].splitlines(keepends=True) if line.strip()]
    notes = [line[len(_NOTE) :].strip() for line in takewhile(_is_note, body)]
    cut = bool(body) and _SHOWN.match(body[-1]) is not None
    note = " ".join(filter(_is_remark, notes))
    lines = list(_records(body[len(notes) :]))
    if not lines:
        return Sheet(columns=tuple(_column_names(header.group(1))), note=note)
    folds = _folds(notes)
    constants = dict(pair for line in notes if line.startswith(_CONSTANTS) for pair in _pairs(line, _CONSTANTS))
    rows = tuple(
        Row(constants | {name: _unfolded(cell, folds.get(name)) for name, cell in zip(lines[0], line, strict=False)})
        for line in lines[1:]
    )
    return Sheet((*lines[0], *constants), rows, cut, note, _result_id(body[-1]))


def _result_id(count_line: str) -> str:
    found = _RESULT_ID.findall(count_line) if count_line.startswith(_NOTE) else []
    return found[-1] if found else ""


def _is_note(line: str) -> bool:
    return line.startswith(_NOTE)


def _is_remark(note: str) -> bool:
    return not note.startswith((_CONSTANTS, _PATTERNS, _CAUTION)) and _IDS.fullmatch(note) is None


def _folds(notes: Iterable[str]) -> dict[str, str | tuple[str, ...]]:
    """Column name → its pattern, or its ids in full."""
    folds: dict[str, str | tuple[str, ...]] = {}
    for note in notes:
        if note.startswith(_PATTERNS):
            folds |= _pairs(note, _PATTERNS)
        elif match := _IDS.fullmatch(note):
            folds[match.group(1)] = tuple(match.group(2).split())
    return folds


def _pairs(note: str, beginning: str) -> list[tuple[str, str]]:
    record = next(csv.reader([note[len(beginning) :]]), [])
    return [(name, value) for name, _, value in (pair.partition("=") for pair in record)]


def _unfolded(cell: str, fold: str | tuple[str, ...] | None) -> str:
    if fold is None or cell in _NULLS:
        return cell
    if isinstance(fold, str):
        return fold.replace("*", cell, 1)
    return next((whole for whole in fold if whole.startswith(cell)), cell)


def _failure(text: str) -> Failure:
    match = _FAILURE.match(text)
    if match is None:
        return Failure("execution", (" ".join(text.split())[:200],))
    parts = tuple(part.strip() for part in match.group(2).split(" | "))
    return Failure(match.group(1).lower(), parts)


def _column_names(line: str) -> Iterator[str]:
    for column in line.split(","):
        yield column.split(":")[0].strip()


def _records(body: Sequence[str]) -> Iterator[list[str]]:
    """CSV records above the count line. The csv module is left lenient: a stray quote must not lose the rest."""
    rows = body[:-1] if body and body[-1].startswith(_NOTE) else body
    try:
        yield from csv.reader(rows)
    except csv.Error:  # a field larger than the reader's limit; what was read so far stands
        return
