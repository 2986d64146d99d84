"""A document as Lark cards (JSON 2.0): pure, complete and in order. Each card keeps within the limits of Lark; what
does not fit goes on in the next one, and a table too long for that goes into a file."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from typing import Any

from bot.lark import elements as el
from bot.lark.elements import Element, Origin
from bot.lark.escape import escape, letters, split
from bot.lark.markdown import Code, Grid, Piece, fenced, pieces
from bot.paging import pages
from handlers.document import (
    Actions,
    Chart,
    Divider,
    Document,
    Fields,
    File,
    Form,
    Heading,
    Note,
    Part,
    Prose,
    Table,
)
from handlers.markdown import excerpt, line
from handlers.spreadsheet import csv_bytes, csv_name
from handlers.words import Language, say

BYTES = 26_000
"""Bytes of a card's elements as they travel (JSON within JSON); Lark takes 30 KB with everything around them."""
ELEMENTS = 190
"""Lark takes 200 components and texts; the header and the line that counts the parts need a few."""
TABLES = 5
CHARTS = 5
TEXT = 6_000
"""Bytes of one piece of text, so that several stand in a card."""
TABLE = 8_000
TABLE_ROWS = 200
TABLE_COLUMNS = 50
LONGEST_TABLE = 3 * TABLE
"""Bytes of a table beyond which its beginning is shown and all of it goes into a file."""
POINTS = 400
"""Points of a chart that still make a card of their own."""
HEADER = 150
SUMMARY = 300
ROW = 10
"""Buttons and menus beside each other."""
_ENCODE = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class Block:
    """One component at the root of a card, and what it takes of the card's room."""

    element: Element
    size: int
    count: int

    @classmethod
    def of(cls, element: Element) -> "Block":
        """`element` measured."""
        told = _ENCODE(element)
        # within a text the quotes are escaped, so this counts names of members alone
        return cls(element, _in_request(told), told.count('"tag": '))


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a document becomes: `cards`, at least one, and the `files` that go behind them."""

    cards: tuple[dict[str, Any], ...]
    files: tuple[File, ...] = ()


def rendered(
    document: Document,
    hosts: Collection[str],
    *,
    origin: Origin | None = None,
    form: Form | None = None,
    pictures: Mapping[Chart, str] | None = None,
) -> Rendered:
    """The document as cards whose links lead to `hosts` only, our own words in its language. `origin` goes into the
    values of buttons, `form` below everything else. `pictures` are the keys of charts that were uploaded as such."""
    language = document.language
    drawing = _Drawing(hosts, origin or Origin(), language, pictures or {})
    parts = list(document.parts)
    heading = ""
    if parts and isinstance(first := parts[0], Heading) and len(title := letters(line(first.text))) <= HEADER:
        heading, parts = title, parts[1:]
    groups = [(_starts_group(part), tuple(map(Block.of, drawing.part(part)))) for part in parts]
    if form is not None:
        sent = say(language, "lark.send")
        groups.append((True, (Block.of(el.form(form, drawing.origin, sent)),)))
    filled = pages(groups, _fits) or ((),)
    summary = letters(excerpt(document.fallback, SUMMARY))
    cards = [
        card([block.element for block in page], summary, heading=heading if not number else "")
        for number, page in enumerate(filled)
    ]
    if len(cards) > 1:
        for number, one in enumerate(cards, start=1):
            counted = say(language, "lark.part" if number == len(cards) else "lark.part.more", n=number, of=len(cards))
            one["body"]["elements"].append(el.note(counted))
    return Rendered(tuple(cards), tuple(drawing.files))


def card(elements: Sequence[Element], summary: str, *, heading: str = "", streaming: bool = False) -> dict[str, Any]:
    """A whole card. `summary` is what the list of chats, notifications and screen readers give."""
    config: dict[str, Any] = {"update_multi": True, "width_mode": "fill", "summary": {"content": summary or "–"}}
    if streaming:
        config |= {"streaming_mode": True, "streaming_config": {"print_strategy": "fast"}}
    whole: dict[str, Any] = {"schema": "2.0", "config": config}
    if heading:
        whole["header"] = {"title": {"tag": "plain_text", "content": heading}}
    return whole | {"body": {"elements": list(elements) or [el.note("–")]}}


def words(shown: dict[str, Any]) -> str:
    """What is read in a card, for when Lark refuses the card itself."""
    heading = shown.get("header", {}).get("title", {}).get("content", "")
    found = [heading, *(text for element in shown["body"]["elements"] for text in _words(element))]
    # in text nothing is an entity any more, so what the entities stood for has to be harmless by itself
    return letters(unescape("\n".join(text for text in found if text)))


def too_large(chart: Chart) -> bool:
    """Whether a chart has too many points for a card, so that a picture of it is wanted."""
    return len(chart.categories) * len(chart.series) > POINTS


class _Drawing:
    """Draws the parts of one document, and collects what goes beside the cards."""

    def __init__(
        self, hosts: Collection[str], origin: Origin, language: Language, pictures: Mapping[Chart, str]
    ) -> None:
        self._hosts = hosts
        self._pictures = pictures
        self._language = language
        self.origin = origin
        self.files: list[File] = []

    def part(self, part: Part) -> Iterator[Element]:
        match part:
            case Heading():
                yield el.title(part.text)
            case Prose():
                yield from self._prose(part.markdown)
            case Fields():
                yield from _fields(part.items)
            case Table():
                yield from map(el.note, filter(None, [part.caption]))
                yield from self._table(part.columns, part.rows, part.caption)
            case Chart():
                yield from self._chart(part)
            case File():
                self.files.append(part)
                yield el.note(f"{part.title}: {part.name}")
            case Actions():
                rows = range(0, len(part.buttons), ROW)
                yield from (el.actions(part.buttons[start : start + ROW], self.origin) for start in rows)
            case Note():
                yield from map(el.note, split(letters(part.text), TEXT))
            case Divider():
                yield el.ruler()

    def _prose(self, markdown: str) -> Iterator[Element]:
        for piece in pieces(markdown, self._hosts):
            yield from self._piece(piece)

    def _piece(self, piece: Piece) -> Iterator[Element]:
        match piece:
            case Grid():
                yield from self._table(piece.rows[0], piece.rows[1:], "")
            case Code():
                for lines in split(piece.lines, TEXT):
                    yield el.markdown(fenced(lines))
            case _:
                for text in split(piece.written, TEXT):
                    yield el.markdown(text)

    def _table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> Iterator[Element]:
        header, body = [_cell(one) for one in columns], [[_cell(one) for one in row] for row in rows]
        if not 0 < len(header) <= TABLE_COLUMNS or any(len(row) > len(header) for row in body):
            for text in split("\n".join(escape(" · ".join(row)) for row in [header, *body]), TEXT):
                yield el.markdown(text)
            return
        chunks = list(_chunks(header, body))
        if sum(map(_travelling, body)) > LONGEST_TABLE:
            name = csv_name(caption or f"table-{len(self.files) + 1}")
            self.files.append(File(name, caption or name, csv_bytes(columns, rows)))
            yield el.table(header, chunks[0])
            values = {"shown": len(chunks[0]), "rows": len(body), "file": name}
            yield el.note(say(self._language, "lark.table.more", **values))
            return
        for chunk in chunks:
            yield el.table(header, chunk)

    def _chart(self, chart: Chart) -> Iterator[Element]:
        if (key := self._pictures.get(chart)) is not None:
            yield el.picture(key, chart.alt or chart.title)
        elif not too_large(chart):
            yield el.chart(chart)
        else:
            heads = ("", *(one.name for one in chart.series))
            values = zip(*(one.values for one in chart.series), strict=True)
            rows = [(name, *map(_figure, row)) for name, row in zip(chart.categories, values, strict=True)]
            yield from self._table(heads, rows, chart.title)
        yield from map(el.note, filter(None, [chart.alt]))


def _starts_group(part: Part) -> bool:
    return isinstance(part, Heading | Divider)


def _fits(blocks: Sequence[Block]) -> bool:
    tags = [block.element["tag"] for block in blocks]
    return (
        sum(block.count for block in blocks) <= ELEMENTS
        and sum(block.size for block in blocks) <= BYTES
        and tags.count("table") <= TABLES
        and tags.count("chart") <= CHARTS
    )


def _fields(items: Sequence[tuple[str, str]]) -> Iterator[Element]:
    texts = [f"**{escape(line(label))}**\n{escape(line(value)) or '–'}" for label, value in items]
    if len(texts) == 1 or any(len(text.encode()) > TEXT // 4 for text in texts):
        for text in split("\n".join(texts), TEXT):
            yield el.markdown(text)
        return
    for start in range(0, len(texts), 10):
        some = texts[start : start + 10]
        half = (len(some) + 1) // 2
        yield el.side_by_side(["\n".join(some[:half]), *(["\n".join(some[half:])] if some[half:] else [])])


def _chunks(header: Sequence[str], body: Sequence[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    """Rows in runs that each make one table; a row that alone is too long has one of its own."""
    page: list[Sequence[str]] = []
    size = 0
    for row in body:
        row_size = _travelling(row)
        if page and (len(page) == TABLE_ROWS or size + row_size > TABLE):
            yield page
            page, size = [], 0
        page.append(row)
        size += row_size
    yield page


def _cell(text: str) -> str:
    return letters(line(text)) or "–"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:,.4g}"


def _travelling(value: Any) -> int:
    """Bytes of a value in the request: JSON, written as a string into JSON."""
    return _in_request(_ENCODE(value))


def _in_request(inner: str) -> int:
    return len(inner.encode()) + inner.count('"') + inner.count("\\") + 2


def _words(element: Element) -> Iterator[str]:
    """The texts of a component, top to bottom, as they are in the card."""
    match element["tag"]:
        case "table":
            yield " · ".join(column["display_name"] for column in element["columns"])
            yield from (" · ".join(row.values()) for row in element["rows"])
        case "chart":
            yield element["chart_spec"]["title"]["text"]
            yield from (f"{one['s']} · {one['x']} · {one['y']}" for one in element["chart_spec"]["data"]["values"])
        case "img":
            yield element["alt"]["content"]
        case "markdown":
            yield element["content"]
        case "div":
            yield element["text"]["content"]
        case "column_set":
            for column in element["columns"]:
                for inner in column["elements"]:
                    yield from _words(inner)
