"""Rows as a CSV file that spreadsheets open as they are, and that starts nothing when they do."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

# wide signs start a formula too where people type them
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[+-]?\d[\d.,]*(?:[eE][+-]?\d+)?%?")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """UTF-8 with the mark by which spreadsheets know it. None is an empty cell. A text that a spreadsheet would take
    for a formula gets an apostrophe before it: names and alert texts are written by strangers."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_cell(name) for name in columns])
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig", "replace")


def csv_name(text: str) -> str:
    """A file name made of `text`: letters, digits, dots and dashes, `.csv` behind it."""
    return f"{_UNSAFE.sub('-', text).strip('-.')[:60] or 'rows'}.csv"


def _cell(cell: Any) -> str:
    if cell is None:
        return ""
    text = str(cell)
    # a negative number begins like a formula and is to stay one that can be added up
    harmless = not isinstance(cell, str) or not text.startswith(_FORMULA) or _NUMBER.fullmatch(text)
    return text if harmless else f"'{text}"
