"""Which modals and Home tabs Slack takes."""

from collections.abc import Iterator
from typing import Any

from tests.fakes.slack.validity import HEARD, block_problems

KEYS = {
    "modal": {"type", "title", "close", "submit", "blocks", "callback_id", "private_metadata"},
    "home": {"type", "blocks", "callback_id", "private_metadata"},
}
INPUT_KEYS = {"type", "block_id", "label", "element", "optional", "hint"}
ELEMENT_KEYS = {
    "plain_text_input": {"type", "action_id", "multiline", "initial_value", "max_length", "placeholder"},
    "static_select": {"type", "action_id", "options", "initial_option", "placeholder"},
    "users_select": {"type", "action_id", "initial_user", "placeholder"},
}


def view_problems(view: object) -> list[str]:
    """What Slack would refuse about a view; empty when it takes it."""
    if not isinstance(view, dict) or view.get("type") not in KEYS:
        return ["not a view"]
    found = list(_view(view))
    for hear in () if found else HEARD:
        hear(view["type"], view)
    return found


def _view(view: dict[str, Any]) -> Iterator[str]:
    if unknown := set(view) - KEYS[view["type"]]:
        yield f"unknown keys {sorted(unknown)}"
    blocks = view.get("blocks", [])
    if not 0 < len(blocks) <= 100:
        yield f"{len(blocks)} blocks, 1 to 100 allowed"
    if len(view.get("private_metadata", "")) > 3000:
        yield "private_metadata too long"
    if len(view.get("callback_id", "")) > 255:
        yield "callback_id too long"
    if view["type"] == "modal":
        for name in ("title", "close", "submit"):
            if name in view and not 0 < len(view[name]["text"]) <= 24:
                yield f"{name} of {len(view[name]['text'])} characters"
        if "title" not in view:
            yield "no title"
    inputs = [block for block in blocks if block.get("type") == "input"]
    if inputs and "submit" not in view:
        yield "inputs without submit"
    ids = [block["block_id"] for block in inputs]
    if len(set(ids)) < len(ids):
        yield "block_id is not unique"
    for block in blocks:
        yield from _input(block) if block.get("type") == "input" else block_problems(block)


def _input(block: dict[str, Any]) -> Iterator[str]:
    if unknown := set(block) - INPUT_KEYS:
        yield f"unknown input keys {sorted(unknown)}"
    if not 0 < len(block["label"]["text"]) <= 2000:
        yield "bad label"
    element = block["element"]
    if unknown := set(element) - ELEMENT_KEYS.get(element["type"], set()):
        yield f"unknown keys of {element['type']}: {sorted(unknown)}"
    if element["type"] == "static_select":
        options = element["options"]
        if not 0 < len(options) <= 100:
            yield f"{len(options)} options"
        if any(len(o["text"]["text"]) > 75 or not 0 < len(o["value"]) <= 150 for o in options):
            yield "bad option"
        if "initial_option" in element and element["initial_option"] not in options:
            yield "initial_option is no option"
    if element["type"] not in ELEMENT_KEYS:
        yield f"no element of an input: {element['type']}"
    if len(element.get("initial_value", "")) > 3000:
        yield "initial_value too long"
