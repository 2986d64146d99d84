"""Saying once what a column would repeat in every row. A fold is told above the rows and can be undone exactly."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from mcp_server.cells import NULL

_LEAST_ROWS = 3
_LEAST_PREFIX = 5
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_WORD = re.compile(r"[\w.:/-]+", re.ASCII)
_DATETIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_MIDNIGHT, _HOUR, _MINUTE = " 00:00:00", ":00:00", ":00"
# Six characters of a cluster's id are enough for every tool that takes one; in long results each character counts.
_ID_LENGTHS = (6, 8, 13, 18, 23)
_LONG_ROWS, _LEAST_ID = 60, 4


@dataclass(frozen=True, slots=True)
class Fold:
    """A column's cells as shown, and the words to put above them: a constant, a pattern, or ids in full."""

    name: str
    cells: Sequence[str]
    constant: str | None = None
    pattern: str = ""
    ids: tuple[str, ...] = ()


def folded(name: str, cells: Sequence[str]) -> Fold:
    """The column with its repetition taken out, or as it is when that would save nothing or be ambiguous.

    A constant column; a common prefix of words and a common beginning and end of datetimes (pattern, `*` is the cell);
    repeated UUIDs (the cell is the beginning of one of `ids`).
    """
    if len(cells) < _LEAST_ROWS or not _NAME.fullmatch(name):
        return Fold(name, cells)
    if len(set(cells)) == 1:
        return Fold(name, cells, constant=cells[0])
    values = [cell for cell in cells if cell != NULL]
    if len(values) < _LEAST_ROWS:
        return Fold(name, cells)
    if all(map(_UUID.fullmatch, values)):
        return _shortened(name, cells, tuple(sorted(set(values))))
    if all(map(_DATETIME.fullmatch, values)):
        return _between(name, cells, _prefix(values, "- "), _suffix(values))
    if all(map(_WORD.fullmatch, values)):
        return _between(name, cells, _prefix(values, "_-./:"), "")
    return Fold(name, cells)


def _shortened(name: str, cells: Sequence[str], ids: tuple[str, ...]) -> Fold:
    lengths = (_LEAST_ID, *_ID_LENGTHS) if len(cells) > _LONG_ROWS else _ID_LENGTHS
    length = next((length for length in lengths if len({whole[:length] for whole in ids}) == len(ids)), 0)
    if not length or len(ids) * 2 > len(cells):
        return Fold(name, cells)
    return Fold(name, [cell if cell == NULL else cell[:length] for cell in cells], ids=ids)


def _between(name: str, cells: Sequence[str], prefix: str, suffix: str) -> Fold:
    inner = [cell if cell == NULL else cell[len(prefix) : len(cell) - len(suffix)] for cell in cells]
    saved = sum(map(len, cells)) - sum(map(len, inner)) - len(f", {name}={prefix}*{suffix}")
    if saved <= 0 or any(not cell for cell in inner) or inner.count(NULL) != cells.count(NULL):
        return Fold(name, cells)
    return Fold(name, inner, pattern=f"{prefix}*{suffix}")


def _prefix(values: Sequence[str], borders: str) -> str:
    """The common beginning up to a border character, so that the cell begins with a whole word."""
    # What the first and the last in alphabetic order share, all between them share.
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(min(values), max(values), strict=False))
    common = "".join(first for first, _ in pairs)
    end = max(common.rfind(border) for border in borders) + 1
    return common[:end] if end >= _LEAST_PREFIX else ""


def _suffix(values: Sequence[str]) -> str:
    for ending in (_MIDNIGHT, _HOUR, _MINUTE):
        if all(value.endswith(ending) for value in values):
            return ending
    return ""
