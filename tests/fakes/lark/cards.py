"""Which cards Lark takes: the documented components of JSON 2.0 with their properties and limits, written out once."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]

SCHEMA = {"schema", "config", "card_link", "header", "body"}
CONFIG = {
    "streaming_mode", "streaming_config", "summary", "locales", "enable_forward", "update_multi", "width_mode",
    "use_custom_translation", "enable_forward_interaction", "style",
}  # fmt: skip
HEADER = {"title", "subtitle", "text_tag_list", "i18n_text_tag_list", "template", "icon", "padding"}
LAYOUT = {"direction", "padding", "horizontal_spacing", "horizontal_align", "vertical_spacing", "vertical_align"}
COMMON = {"tag", "element_id", "margin"}
PRESSED = {"behaviors", "confirm", "disabled", "width"}

PROPERTIES: dict[str, set[str]] = {
    "plain_text": {"tag", "element_id", "content", "text_size", "text_color", "text_align", "lines", "i18n_content"},
    "markdown": COMMON | {"content", "text_size", "text_align", "icon"},
    "div": COMMON | {"text", "icon", "width"},
    "hr": COMMON,
    "img": COMMON | {"img_key", "alt", "title", "corner_radius", "scale_type", "size", "transparent", "preview"},
    "column_set": COMMON | {
        "horizontal_spacing", "horizontal_align", "flex_mode", "background_style", "columns", "action",
    },
    "column": COMMON | LAYOUT | {"width", "weight", "background_style", "elements", "action"},
    "table": COMMON | {
        "page_size", "row_height", "row_max_height", "freeze_first_column", "header_style", "columns", "rows",
    },
    "chart": COMMON | {"aspect_ratio", "color_theme", "chart_spec", "preview", "height"},
    "button": COMMON | PRESSED | {
        "type", "size", "text", "icon", "hover_tips", "disabled_tips", "name", "form_action_type", "required",
    },
    "select_static": COMMON | PRESSED | {
        "type", "name", "required", "initial_option", "initial_index", "placeholder", "options",
    },
    "select_person": COMMON | PRESSED | {"type", "name", "required", "initial_option", "placeholder", "options"},
    "overflow": COMMON | PRESSED | {"options"},
    "input": COMMON | PRESSED | {
        "name", "required", "placeholder", "default_value", "max_length", "input_type", "show_icon", "rows",
        "auto_resize", "max_rows", "label", "label_position", "value",
    },
    "form": COMMON | LAYOUT | {"name", "elements"},
}  # fmt: skip
"""Tag → properties; another tag or property is an error."""
TABLE_COLUMN = {
    "name", "display_name", "width", "vertical_align", "horizontal_align", "data_type", "format", "date_format",
}  # fmt: skip
OPTION = {"text", "value", "icon", "multi_url"}
ELEMENT_ID = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,19}")
ROOT_ONLY = {"table", "form"}
MOST = {"table": 5, "chart": 5}


def problems(card: object) -> list[str]:
    """What Lark would refuse about a card; empty when it takes it."""
    if not isinstance(card, dict) or card.get("schema") != "2.0":
        return ["schema is not 2.0"]
    found = list(_whole(card))
    tagged = list(_tagged(card))
    if len(tagged) > 200:
        found.append(f"{len(tagged)} elements, 200 allowed")
    for tag, most in MOST.items():
        count = sum(one["tag"] == tag for one in tagged)
        if count > most:
            found.append(f"card {tag} number over limit: {count}")
    for unique in ("element_id", "name"):
        values = [one[unique] for one in tagged if unique in one]
        if len(set(values)) < len(values):
            found.append(f"{unique} is not unique")
    if len(json.dumps(card, ensure_ascii=False).encode()) > 30 * 1024:
        found.append("card content over 30 KB")
    return found


def texts(card: Json) -> Iterator[str]:
    """Everything that Lark parses for tags of its own: the contents of Markdown."""
    for one in _tagged(card):
        if one["tag"] in ("markdown", "lark_md"):
            yield one["content"]


def shown(value: Json) -> str:
    """All that can be read in a card when it is open, one text a line."""
    return "\n".join(_shown({key: part for key, part in value.items() if key != "config"}))


def element(card: Json, element_id: str) -> dict[str, Any] | None:
    """The component with that id."""
    return next((one for one in _tagged(card) if one.get("element_id") == element_id), None)


def pressable(card: Json) -> list[dict[str, Any]]:
    """All components that answer when somebody presses them."""
    return [one for one in _tagged(card) if one["tag"] in ("button", "select_static", "overflow")]


def _whole(card: Json) -> Iterator[str]:
    yield from _unknown("card", card, SCHEMA)
    config = card.get("config", {})
    yield from _unknown("config", config, CONFIG)
    if config.get("update_multi") is False:
        yield "update_multi may only be true"
    if "header" in card:
        yield from _unknown("header", card["header"], HEADER)
        yield from _text(card["header"].get("title"), "header title")
    body = card.get("body", {})
    yield from _unknown("body", body, LAYOUT | {"elements"})
    for one in body.get("elements", ()):
        yield from _element(one, inside="")


def _element(one: Any, inside: str) -> Iterator[str]:
    if not isinstance(one, dict) or one.get("tag") not in PROPERTIES:
        yield f"not a known component: {str(one)[:80]}"
        return
    tag = one["tag"]
    yield from _unknown(tag, one, PROPERTIES[tag])
    if not ELEMENT_ID.fullmatch(one.get("element_id", "e")):
        yield f"bad element_id {one['element_id']!r}"
    if inside and tag in ROOT_ONLY:
        yield f"{tag} inside {inside}"
    if tag == "chart" and inside == "form":
        yield "chart inside form"
    yield from CHECKS.get(tag, _nothing)(one, inside)


def _nothing(one: Json, inside: str) -> Iterator[str]:
    yield from ()


def _markdown(one: Json, inside: str) -> Iterator[str]:
    if not isinstance(one.get("content"), str):
        yield "markdown without content"


def _div(one: Json, inside: str) -> Iterator[str]:
    yield from _text(one.get("text"), "div text", 10_000)


def _picture(one: Json, inside: str) -> Iterator[str]:
    if not str(one.get("img_key", "")).startswith("img_"):
        yield f"no image of that key: {one.get('img_key')!r}"
    yield from _text(one.get("alt"), "img alt", 10_000)


def _columns(one: Json, inside: str) -> Iterator[str]:
    if not one.get("columns"):
        yield "column_set without columns"
    for column in one.get("columns", ()):
        if column.get("tag") != "column" or not column.get("elements"):
            yield "a column without elements"
        yield from _unknown("column", column, PROPERTIES["column"])
        for inner in column.get("elements", ()):
            yield from _element(inner, inside or "column")


def _table(one: Json, inside: str) -> Iterator[str]:
    if not 1 <= one.get("page_size", 5) <= 10:
        yield "page_size must be 1 to 10"
    columns = one.get("columns") or []
    names = [column.get("name") for column in columns]
    if not 0 < len(columns) <= 50 or len(set(names)) < len(names) or not all(names):
        yield "1 to 50 columns with names of their own"
    for column in columns:
        yield from _unknown("table column", column, TABLE_COLUMN)
        if column.get("data_type") not in ("text", "lark_md", "options", "number", "persons", "date", "markdown"):
            yield "bad data_type"
    for row in one.get("rows", ()):
        yield from _unknown("row", row, set(names))
        if not all(isinstance(cell, str) for cell in row.values()):
            yield "a cell is no text"


def _chart(one: Json, inside: str) -> Iterator[str]:
    spec = one.get("chart_spec")
    if not isinstance(spec, dict) or spec.get("type") not in ("line", "area", "bar", "pie", "common"):
        yield "bad chart_spec"
    elif not isinstance(spec.get("data"), dict) or not isinstance(spec["data"].get("values"), list):
        yield "chart without values"
    if one.get("aspect_ratio", "16:9") not in ("1:1", "2:1", "4:3", "16:9"):
        yield "bad aspect_ratio"


def _button(one: Json, inside: str) -> Iterator[str]:
    yield from _text(one.get("text"), "button text")
    if one.get("type", "default") not in ("default", "primary", "danger", "text", "primary_filled", "danger_filled"):
        yield "bad button type"
    if inside == "form":
        if not one.get("name") or one.get("form_action_type") not in ("submit", "reset"):
            yield "a button in a form wants name and form_action_type"
    elif "form_action_type" in one:
        yield "form_action_type outside of a form"
    yield from _behaviors(one)


def _select(one: Json, inside: str) -> Iterator[str]:
    yield from _text(one.get("placeholder"), "placeholder")
    options = one.get("options") or []
    values = [option.get("value") for option in options]
    if not options or len(set(values)) < len(values) or not all(isinstance(value, str) for value in values):
        yield "options want values of their own"
    for option in options:
        yield from _unknown("option", option, OPTION)
        yield from _text(option.get("text"), "option")
    if inside == "form" and not one.get("name"):
        yield "a menu in a form wants a name"
    if inside != "form":
        yield from ("required outside of a form" for key in ("required",) if key in one)
        yield from _behaviors(one)


def _person(one: Json, inside: str) -> Iterator[str]:
    yield from _text(one.get("placeholder"), "placeholder")
    people = [option.get("value", "") for option in one.get("options", ())]
    if len(set(people)) < len(people) or not all(user.startswith("ou_") for user in people):
        yield "options of select_person want open ids, each once"
    for option in one.get("options", ()):
        yield from _unknown("option", option, {"value", "icon"})
    if inside != "form":
        yield from _behaviors(one)
    elif not one.get("name"):
        yield "a picker in a form wants a name"


def _input(one: Json, inside: str) -> Iterator[str]:
    if inside == "form" and not one.get("name"):
        yield "an input in a form wants a name"
    if not 1 <= one.get("max_length", 1000) <= 1000 or len(one.get("default_value", "")) > one.get("max_length", 1000):
        yield "more than 1,000 characters"
    if one.get("input_type", "text") not in ("text", "multiline_text", "password"):
        yield "bad input_type"


def _form(one: Json, inside: str) -> Iterator[str]:
    if not one.get("name"):
        yield "form without name"
    for inner in one.get("elements", ()):
        yield from _element(inner, "form")
    if not any(b.get("form_action_type") == "submit" for b in _tagged(one) if b["tag"] == "button"):
        yield "a form without a button that submits it"


CHECKS: dict[str, Callable[[Json, str], Iterator[str]]] = {
    "markdown": _markdown,
    "div": _div,
    "img": _picture,
    "column_set": _columns,
    "table": _table,
    "chart": _chart,
    "button": _button,
    "select_static": _select,
    "select_person": _person,
    "overflow": _select,
    "input": _input,
    "form": _form,
}


def _behaviors(one: Json) -> Iterator[str]:
    behaviors = one.get("behaviors")
    if not behaviors:
        yield f"{one['tag']} without behaviors"
    for behavior in behaviors or ():
        if behavior.get("type") == "callback":
            yield from _unknown("behavior", behavior, {"type", "value"})
            if not isinstance(behavior.get("value"), dict):
                yield "the value of a callback is no object"
        elif behavior.get("type") != "open_url":
            yield "bad behavior"


def _text(text: Any, where: str, most: int = 150) -> Iterator[str]:
    if not isinstance(text, dict) or text.get("tag") not in ("plain_text", "lark_md"):
        yield f"{where} is no text"
        return
    yield from _unknown(where, text, PROPERTIES["plain_text"])
    content = text.get("content")
    if not isinstance(content, str) or not 0 < len(content) <= most:
        yield f"{where}: {len(content) if isinstance(content, str) else content!r}, 1 to {most} characters allowed"


def _unknown(where: str, value: Json, known: set[str]) -> Iterator[str]:
    if unknown := set(value) - known:
        yield f"{where}: unknown property {sorted(unknown)}"


def _tagged(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "tag" in value:
            yield value
        for inner in value.values():
            yield from _tagged(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _tagged(inner)


def _shown(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if value.get("tag") == "table":
            yield from (column["display_name"] for column in value["columns"])
            yield from (cell for row in value["rows"] for cell in row.values())
            return
        for key, inner in value.items():
            if key == "content" and isinstance(inner, str):
                yield inner
            elif key == "chart_spec":
                yield inner.get("title", {}).get("text", "")
            else:
                yield from _shown(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _shown(inner)
