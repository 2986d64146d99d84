"""Which blocks Slack takes: the documented limits written out once more, and the SDK's own models as a second judge."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

Json = Mapping[str, Any]

KEYS = {
    "header": {"type", "text", "block_id"},
    "section": {"type", "text", "fields", "accessory", "expand", "block_id"},
    "context": {"type", "elements", "block_id"},
    "actions": {"type", "elements", "block_id"},
    "divider": {"type", "block_id"},
    "plan": {"type", "title", "tasks", "block_id"},
    "table": {"type", "rows", "column_settings", "block_id"},
    "data_visualization": {"type", "title", "chart", "block_id"},
}
BUTTON_KEYS = {"type", "text", "action_id", "value", "style", "url", "confirm", "accessibility_label"}
SELECT_KEYS = {"type", "action_id", "placeholder", "options", "initial_option", "confirm"}
TEXT_KEYS = {"plain_text": {"type", "text", "emoji"}, "mrkdwn": {"type", "text", "verbatim"}}


HEARD: list[Callable[[str, object], None]] = []
"""Told of every payload that was found good, with its kind: how other people's checkers come to see them."""


def problems(blocks: object) -> list[str]:
    """What Slack would refuse about the blocks of a message; empty when it takes them."""
    found = _problems(blocks)
    for hear in () if found else HEARD:
        hear("blocks", blocks)
    return found


def _problems(blocks: object) -> list[str]:
    if not isinstance(blocks, list):
        return ["blocks is no array"]
    found = [] if 0 < len(blocks) <= 50 else [f"{len(blocks)} blocks, 1 to 50 allowed"]
    for place, block in enumerate(blocks):
        found += [f"/blocks/{place}: {problem}" for problem in _block(block)]
    if found:
        return found
    tables = sum(_letters(block) for block in blocks if block["type"] == "table")
    found += [f"{tables} characters in tables"] if tables > 10_000 else []
    charts = sum(1 for block in blocks if block["type"] == "data_visualization")
    found += [f"{charts} charts, 2 allowed"] if charts > 2 else []
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    return found + (["block_id is not unique"] if len(set(ids)) < len(ids) else [])


def letters(blocks: Sequence[Json]) -> int:
    """Characters of text in all blocks."""
    return sum(_letters(block) for block in blocks)


def block_problems(block: object) -> Iterator[str]:
    """What Slack would refuse about one block."""
    yield from _block(block)


def _block(block: object) -> Iterator[str]:
    if not isinstance(block, dict) or block.get("type") not in KEYS:
        yield f"not a known block: {str(block)[:80]}"
        return
    if unknown := set(block) - KEYS[block["type"]]:
        yield f"unknown keys {sorted(unknown)}"
    if len(str(block.get("block_id", ""))) > 255:
        yield "block_id too long"
    match block["type"]:
        case "header":
            yield from _text(block.get("text"), 150, {"plain_text"})
        case "section":
            yield from _section(block)
        case "context":
            yield from _elements(block, 10)
            for element in block.get("elements", ()):
                yield from _text(element, 3000, {"plain_text", "mrkdwn"})
        case "actions":
            yield from _actions(block)
        case "table":
            yield from _table(block)
        case "data_visualization":
            yield from _chart(block)
        case "plan":
            yield from _plan(block)
    if block["type"] not in {"table", "data_visualization"}:
        yield from _by_the_models(block)


def _section(block: Json) -> Iterator[str]:
    if "text" not in block and "fields" not in block:
        yield "neither text nor fields"
    if "text" in block:
        yield from _text(block["text"], 3000, {"plain_text", "mrkdwn"})
    fields = block.get("fields", [{"type": "plain_text", "text": "x"}])
    if not 0 < len(fields) <= 10:
        yield f"{len(fields)} fields"
    for field in fields:
        yield from _text(field, 2000, {"plain_text", "mrkdwn"})


def _elements(block: Json, most: int) -> Iterator[str]:
    count = len(block.get("elements", ()))
    if not 0 < count <= most:
        yield f"{count} elements, 1 to {most} allowed"


def _actions(block: Json) -> Iterator[str]:
    yield from _elements(block, 25)
    elements = block.get("elements", ())
    ids = [element.get("action_id") for element in elements]
    if len(set(ids)) < len(ids):
        yield "action_id is not unique"
    for element in elements:
        if element.get("type") == "static_select":
            yield from _select(element)
            continue
        if element.get("type") != "button":
            yield "neither button nor menu"
            continue
        if unknown := set(element) - BUTTON_KEYS:
            yield f"unknown button keys {sorted(unknown)}"
        yield from _text(element.get("text"), 75, {"plain_text"})
        if not 0 < len(element.get("action_id", "")) <= 255:
            yield "bad action_id"
        if len(element.get("value", "")) > 2000:
            yield "value too long"
        if element.get("style", "primary") not in ("primary", "danger"):
            yield "bad style"


def _select(element: Json) -> Iterator[str]:
    if unknown := set(element) - SELECT_KEYS:
        yield f"unknown menu keys {sorted(unknown)}"
    if not 0 < len(element.get("action_id", "")) <= 255:
        yield "bad action_id"
    yield from _text(element.get("placeholder"), 150, {"plain_text"})
    options = element.get("options", ())
    if not 0 < len(options) <= 100:
        yield f"{len(options)} options, 1 to 100 allowed"
    for option in options:
        if not {"text", "value"} <= set(option) <= {"text", "value", "description"}:
            yield f"option keys {sorted(option)}"
        yield from _text(option.get("text"), 75, {"plain_text"})
        if not 0 < len(option.get("value", "")) <= 150:
            yield "bad option value"


def _plan(block: Json) -> Iterator[str]:
    if not 0 < len(block.get("title", "")) <= 256:
        yield "bad title"
    tasks = block.get("tasks", [])
    if not 0 < len(tasks) <= 50 or len({task["task_id"] for task in tasks}) < len(tasks):
        yield f"{len(tasks)} tasks, or one twice"
    for task in tasks:
        if set(task) - {"task_id", "title", "status", "details", "output", "sources"} or not task["title"]:
            yield f"bad task {task}"
        if task.get("status") not in ("pending", "in_progress", "complete", "error"):
            yield f"bad status {task.get('status')}"


def _table(block: Json) -> Iterator[str]:
    rows = block.get("rows")
    if not isinstance(rows, list) or not 0 < len(rows) <= 100:
        yield "1 to 100 rows allowed"
        return
    for row in rows:
        if not 0 < len(row) <= 20 or len(row) != len(rows[0]):
            yield f"a row of {len(row)} cells"
        for cell in row:
            if set(cell) != {"type", "text"} or cell["type"] != "raw_text" or not cell["text"]:
                yield f"bad cell {cell}"
    settings = block.get("column_settings", [])
    if len(settings) > 20:
        yield f"{len(settings)} column settings"
    for setting in settings:
        if not set(setting) <= {"align", "is_wrapped"} or setting.get("align", "left") not in {
            "left",
            "center",
            "right",
        }:
            yield f"bad column setting {setting}"


def _chart(block: Json) -> Iterator[str]:
    """The limits of a chart; the SDK has no model of it."""
    if not isinstance(block.get("title"), str) or not 0 < len(block["title"]) <= 50:
        yield "bad chart title"
    chart = block.get("chart")
    if not isinstance(chart, dict) or chart.get("type") not in {"line", "bar", "area", "pie"}:
        yield "no known chart"
    elif chart["type"] == "pie":
        yield from _segments(chart)
    else:
        yield from _series(chart)


def _segments(chart: Json) -> Iterator[str]:
    segments = chart.get("segments", ())
    if set(chart) != {"type", "segments"} or not 0 < len(segments) <= 12:
        yield f"a pie of {len(segments)} segments"
    yield from _points(segments, [segment.get("label") for segment in segments])
    if any(segment.get("value", 0) <= 0 for segment in segments):
        yield "a segment of nothing"


def _series(chart: Json) -> Iterator[str]:
    axis, series = chart.get("axis_config", {}), chart.get("series", ())
    if set(chart) != {"type", "series", "axis_config"} or not set(axis) <= {"categories", "x_label", "y_label"}:
        yield "unknown keys in a chart"
    categories = axis.get("categories", ())
    if not 0 < len(categories) <= 20 or not 0 < len(series) <= 12:
        yield f"{len(series)} series of {len(categories)} categories"
    names = [one.get("name") for one in series]
    if len(set(names)) < len(names) or any(not isinstance(one, str) or not 0 < len(one) <= 20 for one in names):
        yield "bad names of series"
    for one in series:
        yield from _points(one.get("data", ()), categories)


def _points(points: Sequence[Json], labels: Sequence[object]) -> Iterator[str]:
    if [point.get("label") for point in points] != list(labels) or len(set(labels)) < len(labels):
        yield "points that do not match their categories"
    for point in points:
        if set(point) != {"label", "value"} or not 0 < len(str(point["label"])) <= 20:
            yield f"bad point {point}"
        if isinstance(point.get("value"), bool) or not isinstance(point.get("value"), int | float):
            yield f"no number {point}"


def _text(text: object, most: int, kinds: set[str]) -> Iterator[str]:
    if not isinstance(text, dict) or text.get("type") not in kinds:
        yield f"text is no {' or '.join(sorted(kinds))}"
        return
    if unknown := set(text) - TEXT_KEYS[text["type"]]:
        yield f"unknown text keys {sorted(unknown)}"
    words = text.get("text")
    if not isinstance(words, str) or not 0 < len(words) <= most:
        yield f"text of {len(words) if isinstance(words, str) else words!r}, 1 to {most} characters allowed"


def _by_the_models(block: Json) -> Iterator[str]:
    """The SDK's judgement; it logs about unknown keys, which are looked for above."""
    logging.getLogger("slack_sdk").setLevel(logging.ERROR)
    try:
        parsed = Block.parse(dict(block))
        if parsed is None or parsed.to_dict() is None:
            yield "unknown to the SDK"
    except (SlackObjectFormationError, TypeError, AttributeError) as error:
        yield str(error)


def _letters(value: Any) -> int:
    if isinstance(value, dict):
        own = len(value["text"]) if isinstance(value.get("text"), str) else 0
        return own + sum(_letters(inner) for inner in value.values())
    return sum(map(_letters, value)) if isinstance(value, list) else 0
