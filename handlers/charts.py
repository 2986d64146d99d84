"""The charts that a turn drew, out of the trail of its tool calls, with times as their reader's clock shows them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from agent.answer import ToolTrace
from agent.charting import CHART
from agent.plot import are_days, short_moments
from handlers.document import Chart, Series
from handlers.locale import ENGLISH, Locale


def charts(tools: Sequence[ToolTrace], locale: Locale = ENGLISH) -> tuple[Chart, ...]:
    """The charts in the order in which they were drawn, each once."""
    drawn = (trace.data["chart"] for trace in tools if trace.name == CHART and not trace.is_error and trace.data)
    return tuple(dict.fromkeys(_chart(data, locale) for data in drawn))


def _chart(data: Mapping[str, Any], locale: Locale) -> Chart:
    labels, zone = _times(data["moments"], locale) if data["moments"] else (tuple(data["categories"]), "")
    return Chart(
        data["kind"],
        f"{data['title']} ({zone})" if zone and zone not in data["title"] else data["title"],
        labels,
        tuple(Series(series["name"], tuple(series["values"])) for series in data["series"]),
        data["unit"],
        data["alt"],
    )


def _times(moments: Sequence[str], locale: Locale) -> tuple[tuple[str, ...], str]:
    """Labels of moments, and the name of the zone that they are in."""
    if not are_days(moments) and (local := _local(moments, locale)):
        labels = short_moments([f"{moment:%Y-%m-%d %H:%M:%S}" for moment in local])
        # an hour that a clock shows twice in autumn would be two points of one name
        if len(set(labels)) == len(labels):
            return labels, f"{local[-1]:%Z}"
    return short_moments(moments), "UTC"


def _local(moments: Sequence[str], locale: Locale) -> Sequence[datetime]:
    """The moments in the reader's zone; none where the calendar ends before one of them."""
    try:
        return [datetime.fromisoformat(text).replace(tzinfo=UTC).astimezone(locale.zone) for text in moments]
    except OverflowError:
        return ()
