"""A document as Slack messages: pure, complete and in order. Each message keeps within the limits of Slack; what does
not fit goes on in the next one."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.slack.escape import escape, plain, split
from bot.slack.markdown import Code, Grid, Piece, pieces
from bot.slack.pages import Block, pages
from handlers.document import (
    Actions,
    Button,
    Chart,
    Divider,
    Document,
    Fields,
    File,
    Heading,
    Menu,
    Note,
    Part,
    Prose,
    Table,
)
from handlers.markdown import excerpt, line

SECTION_TEXT = 3_000
FIELD_TEXT = 2_000
FIELDS = 10
HEADER_TEXT = 150
CONTEXT_TEXT = 2_000
BUTTONS = 25
BUTTON_TEXT = 75
BUTTON_VALUE = 2_000
OPTIONS = 100
OPTION_VALUE = 150
TABLE_ROWS = 100
TABLE_COLUMNS = 20
TABLE_TEXT = 5_000
"""Slack allows 10,000 characters over the tables of a message; half of it per table lets two stand together."""
FALLBACK_TEXT = 3_000

_FENCE = "```"


@dataclass(frozen=True, slots=True)
class Message:
    """One message to post: `text` for notifications and screen readers, `blocks` for everybody else; `files` are
    uploaded into the thread behind it."""

    text: str
    blocks: tuple[Block, ...]
    files: tuple[File, ...] = ()


def messages(document: Document, hosts: Collection[str]) -> tuple[Message, ...]:
    """The document as one or more messages, links leading to `hosts` only. At least one, never an empty one."""
    filled = pages([(starts_group(part), tuple(_blocks(part, hosts))) for part in document.parts])
    text = escape(excerpt(document.fallback, FALLBACK_TEXT // 6))
    files = tuple(part for part in document.parts if isinstance(part, File))
    if len(filled) <= 1:
        return (Message(text, filled[0] if filled else (), files),)
    counted = enumerate(filled, start=1)
    told = [Message(f"{text} ({n}/{len(filled)})", (*page, _page_note(n, len(filled)))) for n, page in counted]
    return (*told[:-1], replace(told[-1], files=files))


def drawn(document: Document, hosts: Collection[str]) -> tuple[Block, ...]:
    """All blocks of the document, unpaged: for views, which have limits of their own."""
    return tuple(block for part in document.parts for block in _blocks(part, hosts))


def starts_group(part: Part) -> bool:
    """Whether a message may better end before this part than after it."""
    return isinstance(part, Heading | Divider)


def readable(blocks: Sequence[Block]) -> str:
    """The words of blocks as mrkdwn, for when Slack refuses the blocks themselves."""
    return "\n".join(words for block in blocks if (words := "\n".join(_words(block))))


def _blocks(part: Part, hosts: Collection[str]) -> Iterator[Block]:
    match part:
        case Heading():
            yield from _heading(part.text)
        case Prose():
            for piece in pieces(part.markdown, hosts):
                yield from _piece(piece)
        case Fields():
            yield from _fields(part.items)
        case Table():
            if part.caption:
                yield from _note(part.caption)
            yield from _grid(((part.columns), *part.rows))
        case Chart():
            yield from _chart(part)
        case File():
            yield from _note(f"{part.title}: {part.name}")
        case Actions():
            yield from _actions(part.buttons)
        case Note():
            yield from _note(part.text)
        case Divider():
            yield {"type": "divider"}


def _heading(text: str) -> Iterator[Block]:
    title = plain(line(text))
    if 0 < len(title) <= HEADER_TEXT:
        yield {"type": "header", "text": _plain_text(title)}
    else:
        yield from _sections(escape(line(text)))


def _piece(piece: Piece) -> Iterator[Block]:
    match piece:
        case Grid():
            yield from _grid(piece.rows)
        case Code():
            for lines in split(piece.lines, SECTION_TEXT - 2 * len(_FENCE) - 2):
                yield {"type": "section", "text": _mrkdwn(f"{_FENCE}\n{lines}\n{_FENCE}")}
        case _:
            yield from _sections(piece.written)


def _sections(mrkdwn: str) -> Iterator[Block]:
    for text in split(mrkdwn, SECTION_TEXT):
        yield {"type": "section", "text": _mrkdwn(text)}


def _fields(items: Sequence[tuple[str, str]]) -> Iterator[Block]:
    waiting: list[dict[str, Any]] = []
    for label, value in items:
        text = f"*{escape(line(label))}*\n{escape(line(value)) or '–'}"
        if len(text) > FIELD_TEXT:
            yield from _fields_section(waiting)
            yield from _sections(text)
            waiting = []
            continue
        waiting.append(_mrkdwn(text))
        if len(waiting) == FIELDS:
            yield from _fields_section(waiting)
            waiting = []
    yield from _fields_section(waiting)


def _fields_section(fields: list[dict[str, Any]]) -> Iterator[Block]:
    if fields:
        yield {"type": "section", "fields": list(fields)}


def _note(text: str) -> Iterator[Block]:
    for piece in split(plain(text), CONTEXT_TEXT):
        yield {"type": "context", "elements": [_plain_text(piece)]}


def _chart(chart: Chart) -> Iterator[Block]:
    yield from _note(f"{chart.title}, {chart.unit}" if chart.unit else chart.title)
    heads = ("", *(one.name for one in chart.series))
    yield from _grid([heads, *zip(chart.categories, *(map(_figure, one.values) for one in chart.series), strict=True)])


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:,.4g}"


def _actions(buttons: Sequence[Button | Menu]) -> Iterator[Block]:
    for start in range(0, len(buttons), BUTTONS):
        row = [
            _button(one, place) if isinstance(one, Button) else _menu(one, place)
            for place, one in enumerate(buttons[start : start + BUTTONS])
        ]
        yield {"type": "actions", "elements": row}


def _button(button: Button, place: int) -> dict[str, Any]:
    """Raises ValueError for a value that Slack would refuse; it cannot be cut without changing what it says."""
    if len(button.value) > BUTTON_VALUE:
        raise ValueError(f"the value of button {button.action!r} is longer than {BUTTON_VALUE} characters")
    style = {"style": button.style} if button.style else {}
    return {
        "type": "button",
        "action_id": _action_id(button, place),
        "text": _label(button.label),
        "value": button.value,
        **style,
    }


def _menu(menu: Menu, place: int) -> dict[str, Any]:
    """Raises ValueError like `_button`, and for a menu without options or with more than Slack takes."""
    if not 0 < len(menu.options) <= OPTIONS or any(not 0 < len(value) <= OPTION_VALUE for _, value in menu.options):
        raise ValueError(f"menu {menu.action!r}: 1 to {OPTIONS} options of 1 to {OPTION_VALUE} characters are allowed")
    options = [{"text": _label(text), "value": value} for text, value in menu.options]
    placeholder = _label(menu.label)
    return {
        "type": "static_select",
        "action_id": _action_id(menu, place),
        "placeholder": placeholder,
        "options": options,
    }


def _action_id(element: Button | Menu, place: int) -> str:
    # Slack wants each id once in a row; the listener takes the action with any number behind it
    return element.action if place == 0 else f"{element.action}:{place}"


def _label(text: str) -> dict[str, Any]:
    return _plain_text(excerpt(plain(text), BUTTON_TEXT) or "–")


def _grid(rows: Sequence[Sequence[str]]) -> Iterator[Block]:
    """Table blocks that repeat the header; a table that is too wide for one is written as lines instead."""
    header = [_cell(cell) for cell in rows[0]]
    body = [[_cell(cell) for cell in row] for row in rows[1:]]
    fits = 0 < len(header) <= TABLE_COLUMNS and all(len(row) == len(header) for row in body)
    head_size = sum(map(len, header))
    if not fits or any(head_size + sum(map(len, row)) > TABLE_TEXT for row in [*body, []]):
        yield from _records(header, body)
        return
    page, size = [header], head_size
    for row in body:
        row_size = sum(map(len, row))
        if len(page) == TABLE_ROWS or size + row_size > TABLE_TEXT:
            yield _table(page)
            page, size = [header], head_size
        page.append(row)
        size += row_size
    yield _table(page)


def _table(rows: Sequence[Sequence[str]]) -> Block:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": cell} for cell in row] for row in rows]}


def _records(header: Sequence[str], body: Sequence[Sequence[str]]) -> Iterator[Block]:
    yield from _sections("\n".join(escape(" · ".join(row)) for row in [header, *body]))


def _cell(text: str) -> str:
    return plain(line(text)) or "–"


def _page_note(number: int, pages_in_all: int) -> Block:
    more = "; continues in the thread" if number < pages_in_all else ""
    return {"type": "context", "elements": [_plain_text(f"Part {number} of {pages_in_all}{more}")]}


def _plain_text(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _mrkdwn(text: str) -> dict[str, Any]:
    # verbatim: Slack makes no link, channel or mention out of words that look like one
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _words(block: Block) -> Iterator[str]:
    """The texts of a block, top to bottom; what Slack would take letter by letter is escaped first."""
    if block["type"] == "table":
        for row in block["rows"]:
            yield escape(" · ".join(cell["text"] for cell in row))
        return
    texts = [block.get("text"), *block.get("fields", ()), *block.get("elements", ())]
    for text in texts:
        if text is not None and text["type"] in ("mrkdwn", "plain_text"):
            yield text["text"] if text["type"] == "mrkdwn" else escape(text["text"])
