"""The `chart` tool: a stored result of the door and an encoding in, a chart below the answer out."""

from collections.abc import Mapping, Sequence
from typing import Any

from agent.plot import Encoding, Undrawable, plotted
from agent.tools import ToolResult, Tools, ToolSpec, failed
from agent.untrusted import visible

CHART = "chart"
SHOWN = "The chart is shown below your answer"
"""How the result of a chart that was drawn begins."""
MAX_POINTS = 5_000
"""Rows that are read for one chart; far more than anybody can see, and few enough to go through a journal."""
_TITLE = 100
_UNIT = 20

SPEC = ToolSpec(
    CHART,
    "Draw a chart below the answer from the stored rows of an earlier result, complete and exact, without copying a "
    "number. The rows need one row per point: shape them with query_result first if they are not. Use it when asked "
    "for a chart, or when a course over time or a comparison of many says more than a sentence.",
    {
        "type": "object",
        "properties": {
            "result_id": {"type": "string", "description": "q-… of an earlier result", "maxLength": 40},
            "kind": {"type": "string", "enum": ["line", "bar", "area", "pie"]},
            "x": {"type": "string", "description": "Column along the axis: a time, or names"},
            "y": {
                "type": "array",
                "items": {"type": "string"},
                "minItems": 1,
                "maxItems": 12,
                "description": "Columns of numbers; each is a series",
            },
            "series": {"type": "string", "description": "Column whose values part one y into series, e.g. a cluster"},
            "title": {"type": "string", "description": "What is shown, of whom", "maxLength": 200},
            "unit": {"type": "string", "description": "Unit of the values, e.g. ms or %", "maxLength": 40},
        },
        "required": ["result_id", "kind", "x", "y", "title"],
        "additionalProperties": False,
    },
)


class Charting:
    """Implements `agent.tools.Tools`: the door's tools, and the chart tool that reads through them."""

    def __init__(self, door: Tools) -> None:
        self._door = door

    async def specs(self) -> Sequence[ToolSpec]:
        """The door's tools and `chart`, by name."""
        return sorted((*await self._door.specs(), SPEC), key=lambda spec: spec.name)

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """See `agent.tools.Tools`. The data of a chart is `chart`: the plot's (`agent.plot`), with `title`, `unit`,
        `alt` and the `result_id` that it was drawn from."""
        return await (self._chart(arguments) if name == CHART else self._door.call(name, arguments))

    async def _chart(self, arguments: Mapping[str, Any]) -> ToolResult:
        result_id = str(arguments["result_id"])
        stored = await self._door.call(
            "query_result", {"result_id": result_id, "sql": "SELECT * FROM result", "max_rows": MAX_POINTS}
        )
        if stored.is_error or stored.data is None:
            return stored
        if stored.data["truncated"]:
            hint = "aggregate it with query_result, then chart what that gives"
            return failed("bad_argument", f"{result_id} has more than {MAX_POINTS} rows", hint)
        return _drawn(result_id, stored.data, arguments)


def _drawn(result_id: str, stored: Mapping[str, Any], arguments: Mapping[str, Any]) -> ToolResult:
    columns = [str(column["name"]) for column in stored["columns"]]
    encoding = Encoding(
        arguments["kind"], arguments["x"], tuple(dict.fromkeys(arguments["y"])), arguments.get("series", "")
    )
    try:
        plot = plotted(columns, stored["rows"], encoding)
    except Undrawable as problem:
        return failed("bad_argument", str(problem))
    title = _cut(arguments["title"], _TITLE)
    unit = _cut(arguments.get("unit", ""), _UNIT)
    alt = f"{title}: {plot.told()}"
    # the extremes are enough to speak of, and leave nothing to be retyped into a table
    told = f"{SHOWN}: {alt}. Say what it shows; do not list its numbers."
    return ToolResult(told, data={"chart": plot.data() | {"title": title, "unit": unit, "alt": alt, "of": result_id}})


def _cut(text: str, most: int) -> str:
    line = " ".join(visible(text).split())
    return line if len(line) <= most else line[: most - 1] + "…"
