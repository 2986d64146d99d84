"""The charts that a turn drew, out of the trail of its tool calls."""

from collections.abc import Mapping, Sequence
from typing import Any

from agent.answer import ToolTrace
from agent.charting import CHART
from handlers.document import Chart, Series


def charts(tools: Sequence[ToolTrace]) -> tuple[Chart, ...]:
    """The charts in the order in which they were drawn, each once."""
    drawn = (trace.data["chart"] for trace in tools if trace.name == CHART and not trace.is_error and trace.data)
    return tuple(dict.fromkeys(_chart(data) for data in drawn))


def _chart(data: Mapping[str, Any]) -> Chart:
    title = f"{data['title']} (UTC)" if data["is_time"] and "UTC" not in data["title"] else data["title"]
    return Chart(
        data["kind"],
        title,
        tuple(data["categories"]),
        tuple(Series(series["name"], tuple(series["values"])) for series in data["series"]),
        data["unit"],
        data["alt"],
    )
