"""Modals and the Home tab as Slack wants them: pure, within its limits."""

import json
from collections.abc import Collection
from typing import Any

from bot.slack.blocks import drawn
from bot.slack.escape import plain
from bot.slack.pages import Block
from handlers.document import Document, Field, Form, Note
from handlers.markdown import excerpt, line
from handlers.surface import Press

BLOCKS = 100
TITLE = 24
METADATA = 3_000
LABEL = 2_000
OPTION = 75
INPUT = 3_000
TEXT = 30_000
"""Characters of text in a view; Slack names no limit, and refuses very large ones."""


def modal(press: Press, title: str, document: Document, form: Form | None, hosts: Collection[str]) -> dict[str, Any]:
    """A modal that answers `press`. What is too long for one says so at its end. Raises ValueError when the form's
    value leaves no room for where the press came from."""
    fields = [_input(field) for field in form.fields] if form else []
    view: dict[str, Any] = {
        "type": "modal",
        "title": _plain(title, TITLE),
        "blocks": [*_within(document, BLOCKS - len(fields), hosts), *fields],
    }
    if form is not None:
        told = {"value": form.value, "thread": press.thread, "message": press.message}
        metadata = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        if len(metadata) > METADATA:
            raise ValueError(f"the value of form {form.action!r} is longer than a modal can carry")
        view |= {"callback_id": form.action, "private_metadata": metadata, "submit": _plain(form.submit or "OK", TITLE)}
    return view


def home_view(document: Document, hosts: Collection[str]) -> dict[str, Any]:
    """The Home tab."""
    return {"type": "home", "blocks": _within(document, BLOCKS, hosts)}


def _within(document: Document, most: int, hosts: Collection[str]) -> list[Block]:
    blocks = list(drawn(document, hosts))
    if len(blocks) <= most:
        return blocks
    more = len(blocks) - most + 1
    return [*blocks[: most - 1], *drawn(Document("", (Note(f"… +{more}"),)), hosts)]


def _input(field: Field) -> Block:
    # the field's name twice: Slack gives what was entered back by block and by element
    options = [{"text": _plain(label, OPTION), "value": value} for label, value in field.options]
    element: dict[str, Any]
    if field.kind == "choice":
        element = {"type": "static_select", "action_id": field.name, "options": options}
        chosen = [option for option in options if option["value"] == field.initial]
        element |= {"initial_option": chosen[0]} if chosen else {}
    elif field.kind == "person":
        element = {"type": "users_select", "action_id": field.name}
        element |= {"initial_user": field.initial} if field.initial else {}
    else:
        element = {"type": "plain_text_input", "action_id": field.name, "multiline": field.kind == "multiline"}
        element |= {"initial_value": field.initial[:INPUT]} if field.initial else {}
    label = _plain(field.label, LABEL)
    return {"type": "input", "block_id": field.name, "label": label, "element": element, "optional": field.optional}


def _plain(text: str, most: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": excerpt(plain(line(text)), most) or "–", "emoji": False}
