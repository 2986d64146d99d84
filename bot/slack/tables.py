"""A table as Slack can show it: a table block, else aligned text, else its beginning and all of it in a file."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from bot.slack.escape import escape, plain, split
from bot.slack.pages import TABLE_TEXT, Block
from handlers.document import File
from handlers.markdown import excerpt, line
from handlers.spreadsheet import csv_bytes
from handlers.words import Language, say

ROWS = 100
COLUMNS = 20
SECTION_TEXT = 3_000
FENCE = "```"
"""What stands around text that is to keep its columns."""
WIDTH = 100
"""Characters of a line of aligned text; a longer one wraps on most screens, and is a table no more."""
TEXT = 8_000
SHOWN = 50
SHOWN_TEXT = 5_000
LONG = 40
"""Characters of a cell that is wrapped."""
CELL = 200
"""Characters of a cell in a beginning."""

# A number with its unit, as `1,234.5 ms` or `-3%`; an id that begins with digits is none.
_FIGURE = re.compile(r"[-+]?\$?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?(?: ?(?:%|[a-zA-Z/]{1,12}))?")

Rows = Sequence[Sequence[str]]


def table(rows: Rows, caption: str, language: Language, files: list[File] | None) -> Iterator[Block]:
    """Blocks of a table, its header first. What is not shown of it goes whole into a file that `files` gets; without
    `files` there is nowhere to put one, and the table goes on in further blocks."""
    header, body = [_cell(cell) for cell in rows[0]], [[_cell(cell) for cell in row] for row in rows[1:]]
    if _native(header, body):
        yield _block(header, body)
    elif text := _aligned(header, body):
        yield from code(text)
    elif files is None:
        yield from _continued(header, body)
    else:
        file = File(f"table-{len(files) + 1}.csv", caption or f"table-{len(files) + 1}", csv_bytes(rows[0], rows[1:]))
        files.append(file)
        yield from _beginning(header, body, file, language)


def code(lines: str) -> Iterator[Block]:
    """Preformatted lines, escaped already, in as many sections as they need."""
    for piece in split(lines, SECTION_TEXT - 2 * len(FENCE) - 2):
        text = {"type": "mrkdwn", "text": f"{FENCE}\n{piece}\n{FENCE}", "verbatim": True}
        yield {"type": "section", "text": text}


def _native(header: Sequence[str], body: Rows) -> bool:
    fits = 0 < len(header) <= COLUMNS and len(body) < ROWS and all(len(row) == len(header) for row in body)
    return fits and _letters([header, *body]) <= TABLE_TEXT


def _block(header: Sequence[str], body: Rows) -> Block:
    # raw text is the one kind of cell that Slack parses nothing in
    rows = [[{"type": "raw_text", "text": cell} for cell in row] for row in [header, *body]]
    settings = [_setting([row[place] for row in body]) for place in range(len(header))]
    return {"type": "table", "rows": rows} | ({"column_settings": settings} if any(settings) else {})


def _setting(cells: Sequence[str]) -> dict[str, Any]:
    """Figures stand below each other; what is long is wrapped, which Slack would cut off otherwise."""
    filled = [cell for cell in cells if cell != "–"]
    if filled and all(map(_is_figure, filled)):
        return {"align": "right"}
    return {"is_wrapped": True} if any(len(cell) > LONG for cell in filled) else {}


def _is_figure(cell: str) -> bool:
    return len(cell) <= LONG and cell[:1] in "-+$0123456789" and _FIGURE.fullmatch(cell) is not None


def _aligned(header: Sequence[str], body: Rows) -> str:
    """The table in columns of equal width, escaped; empty when it would not be read as one."""
    rows = [header, *body]
    if _letters(rows) > TEXT or any(len(row) != len(header) for row in body):
        return ""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    if sum(widths) + 2 * len(widths) > WIDTH or sum(map(len, lines)) > TEXT:
        return ""
    ruled = [lines[0], "  ".join("-" * width for width in widths), *lines[1:]]
    return escape("\n".join(ruled)).replace(FENCE, "'''")


def _padded(cell: str, width: int) -> str:
    blank = " " * (width - _width(cell))
    return blank + cell if _is_figure(cell) else cell + blank


def _width(text: str) -> int:
    """Columns of a screen: Chinese letters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _beginning(header: Sequence[str], body: Rows, file: File, language: Language) -> Iterator[Block]:
    head = [excerpt(cell, CELL) for cell in header[:COLUMNS]]
    shown: list[list[str]] = []
    room = SHOWN_TEXT - _letters([head])
    for row in body[:SHOWN]:
        cells = [excerpt(cell, CELL) for cell in [*row, *[""] * len(header)][: len(head)]]
        room -= _letters([cells])
        if room < 0 and shown:
            break
        shown.append([cell or "–" for cell in cells])
    yield _block(head, shown)
    told: dict[str, Any] = {"shown": len(shown), "rows": len(body), "file": file.name}
    whole = len(head) == len(header) and all(list(cells) == list(row) for cells, row in zip(shown, body, strict=False))
    key = "table.beginning" if whole else "table.cut"
    text = say(language, key, columns=len(head), width=len(header), **told)
    yield {"type": "context", "elements": [{"type": "plain_text", "text": plain(text), "emoji": False}]}


def _continued(header: Sequence[str], body: Rows) -> Iterator[Block]:
    """Further tables with the same header; a table that no block can hold as lines."""
    size = _letters([header])
    fits = 0 < len(header) <= COLUMNS and all(len(row) == len(header) for row in body)
    if not fits or any(size + _letters([row]) > SHOWN_TEXT for row in [*body, []]):
        for text in split("\n".join(escape(" · ".join(row)) for row in [header, *body]), SECTION_TEXT):
            yield {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}
        return
    page: list[Sequence[str]] = []
    used = size
    for row in body:
        if len(page) == ROWS - 1 or used + _letters([row]) > SHOWN_TEXT:
            yield _block(header, page)
            page, used = [], size
        page.append(row)
        used += _letters([row])
    yield _block(header, page)


def _letters(rows: Rows) -> int:
    return sum(len(cell) for row in rows for cell in row)


def _cell(text: str) -> str:
    return plain(line(text)) or "–"
