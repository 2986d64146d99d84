"""A document as Slack messages: pure, complete and in order. Each message keeps within the limits of Slack; what does
not fit goes on in the next one."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.slack.charts import figures, native, said
from bot.slack.escape import escape, plain, split
from bot.slack.markdown import Code, Grid, Piece, pieces
from bot.slack.pages import Block, pages
from bot.slack.tables import SECTION_TEXT, code, table
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
from handlers.words import Language, say

FIELD_TEXT = 2_000
FIELDS = 10
HEADER_TEXT = 150
CONTEXT_TEXT = 2_000
BUTTONS = 25
BUTTON_TEXT = 75
BUTTON_VALUE = 2_000
OPTIONS = 100
OPTION_VALUE = 150
FALLBACK_TEXT = 3_000


@dataclass(frozen=True, slots=True)
class Message:
    """One message to post: `text` for notifications and screen readers, `blocks` for everybody else; `files` are
    uploaded into the thread behind it."""

    text: str
    blocks: tuple[Block, ...]
    files: tuple[File, ...] = ()


def messages(document: Document, hosts: Collection[str]) -> tuple[Message, ...]:
    """The document as one or more messages, links leading to `hosts` only. At least one, never an empty one. Charts
    that Slack draws no block for are tables here; `bot.slack.charts.with_pictures` has made pictures of them before."""
    files: list[File] = []
    language = document.language
    filled = pages([(starts_group(part), tuple(_blocks(part, hosts, language, files))) for part in document.parts])
    text = escape(excerpt(document.fallback, FALLBACK_TEXT // 6))
    if len(filled) <= 1:
        return (Message(text, filled[0] if filled else (), tuple(files)),)
    counted = enumerate(filled, start=1)
    told = [
        Message(f"{text} ({n}/{len(filled)})", (*page, _page_note(n, len(filled), language))) for n, page in counted
    ]
    return (*told[:-1], replace(told[-1], files=tuple(files)))


def drawn(document: Document, hosts: Collection[str]) -> tuple[Block, ...]:
    """All blocks of the document, unpaged and without files: for views, which have limits of their own."""
    return tuple(block for part in document.parts for block in _blocks(part, hosts, document.language, None))


def starts_group(part: Part) -> bool:
    """Whether a message may better end before this part than after it."""
    return isinstance(part, Heading | Divider)


def readable(blocks: Sequence[Block]) -> str:
    """The words of blocks as mrkdwn, for when Slack refuses the blocks themselves."""
    return "\n".join(words for block in blocks if (words := "\n".join(_words(block))))


def _blocks(part: Part, hosts: Collection[str], language: Language, files: list[File] | None) -> Iterator[Block]:
    """What a part looks like; what goes beside the messages is added to `files`."""
    match part:
        case Heading():
            yield from _heading(part.text)
        case Prose():
            for piece in pieces(part.markdown, hosts):
                yield from _piece(piece, language, files)
        case Fields():
            yield from _fields(part.items)
        case Table():
            if part.caption:
                yield from _note(part.caption)
            yield from table((part.columns, *part.rows), part.caption, language, files)
        case Chart():
            yield from _chart(part, language, files)
        case File():
            if files is not None:
                files.append(part)
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


def _piece(piece: Piece, language: Language, files: list[File] | None) -> Iterator[Block]:
    match piece:
        case Grid():
            yield from table(piece.rows, "", language, files)
        case Code():
            yield from code(piece.lines)
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


def _chart(chart: Chart, language: Language, files: list[File] | None) -> Iterator[Block]:
    if (block := native(chart)) is not None:
        yield block
    else:
        yield from _note(f"{chart.title}, {chart.unit}" if chart.unit else chart.title)
        yield from table(figures(chart), chart.title, language, files)
    if chart.alt:
        yield from _note(chart.alt)


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


def _page_note(number: int, pages_in_all: int, language: Language) -> Block:
    key = "page.more" if number < pages_in_all else "page.last"
    return {"type": "context", "elements": [_plain_text(say(language, key, n=number, of=pages_in_all))]}


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
    if block["type"] == "data_visualization":
        yield from map(escape, said(block))
        return
    texts = [block.get("text"), *block.get("fields", ()), *block.get("elements", ())]
    for text in texts:
        if text is not None and text["type"] in ("mrkdwn", "plain_text"):
            yield text["text"] if text["type"] == "mrkdwn" else escape(text["text"])
