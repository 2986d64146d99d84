"""A chart as a Vega-Lite specification: pure, with its data inside and no address anywhere."""

from collections.abc import Iterator
from typing import Any

from handlers.document import Chart
from handlers.markdown import excerpt

WIDTH = 720
HEIGHT = 320
BAR = 24
"""Pixels of the row of one lying bar."""
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
"""A name that the library knows, not an address that it reads."""

_FONT = "Liberation Sans, DejaVu Sans, Noto Sans CJK SC, sans-serif"
# as many as a chart may have series: two lines of one colour could not be told apart
_COLOURS = (
    *("#2f6fde", "#e8793a", "#2c9c6a", "#b4435c", "#7a5bc7", "#8a6d3b"),
    *("#1f9fb5", "#c24fa3", "#6b7785", "#a3a51f", "#e3b505", "#0b4f4a"),
)
_DOTTED = 40
"""Points up to which each one gets a dot."""
_LABEL = 32
_NAME = 40
_LABELS = 12
"""Labels written along one axis."""
_LONG = 12
"""Characters of a label from which standing bars would have to turn it."""


def specification(chart: Chart) -> dict[str, Any]:
    """What is drawn, as JSON: at most a line per series and a label per category, all within fixed pixels."""
    spec: dict[str, Any] = {
        "$schema": SCHEMA,
        "description": chart.alt,
        "background": "white",
        "padding": 16,
        "title": {"text": excerpt(chart.title, 90), "anchor": "start", "offset": 14},
        "data": {"values": list(_values(chart))},
        "config": _config(),
    }
    match chart.kind:
        case "pie":
            return spec | _pie(chart)
        case "bar" if _lies(chart):
            return spec | _lying(chart)
        case "bar":
            return spec | _standing(chart)
        case _:
            return spec | _course(chart)


def _values(chart: Chart) -> Iterator[dict[str, Any]]:
    # Places stand for names in the drawing: two that look the same when cut stay two.
    for series, one in enumerate(chart.series):
        for place, value in enumerate(one.values):
            yield {"x": place, "y": value, "s": series}


def _course(chart: Chart) -> dict[str, Any]:
    mark: dict[str, Any] = {"type": chart.kind}
    if chart.kind == "area":
        mark |= {"opacity": 0.35, "line": True}
    else:
        mark |= {"strokeWidth": 2.5, "point": {"size": 28} if len(chart.categories) <= _DOTTED else False}
    # areas on top of each other would show sums that nobody asked for
    y = _figures(chart, zero=chart.kind == "area") | {"stack": None}
    return {"width": WIDTH, "height": HEIGHT, "mark": mark, "encoding": {"x": _along(chart), "y": y} | _colour(chart)}


def _standing(chart: Chart) -> dict[str, Any]:
    beside = {"xOffset": {"field": "s", "type": "nominal"}} if len(chart.series) > 1 else {}
    encoding = {"x": _along(chart), "y": _figures(chart, zero=True)} | beside | _colour(chart)
    return {"width": WIDTH, "height": HEIGHT, "mark": {"type": "bar", "cornerRadiusEnd": 2}, "encoding": encoding}


def _lying(chart: Chart) -> dict[str, Any]:
    beside = {"yOffset": {"field": "s", "type": "nominal"}} if len(chart.series) > 1 else {}
    encoding = {"y": _along(chart), "x": _figures(chart, zero=True)} | beside | _colour(chart)
    height = BAR * len(chart.categories) * min(len(chart.series), 4)
    mark = {"type": "bar", "cornerRadiusEnd": 2}
    return {"width": WIDTH - 120, "height": min(max(height, 80), 1_600), "mark": mark, "encoding": encoding}


def _pie(chart: Chart) -> dict[str, Any]:
    names = _expression(_shares(chart))
    legend = {
        "title": None,
        "labelExpr": f"{names}[datum.value]",
        "orient": "right",
        "symbolLimit": 0,
        "labelLimit": 360,
    }
    colour = {"field": "x", "type": "nominal", "scale": {"range": list(_COLOURS)}, "legend": legend, "sort": None}
    encoding = {"theta": {"field": "y", "type": "quantitative", "stack": True}, "order": {"field": "x"}}
    return {
        "width": HEIGHT,
        "height": HEIGHT,
        "mark": {"type": "arc", "innerRadius": 60, "stroke": "white"},
        "encoding": encoding | {"color": colour},
    }


def _shares(chart: Chart) -> list[str]:
    """The names with their values and what part of the whole that is: angles alone read badly."""
    values = [value or 0.0 for value in chart.series[0].values]
    whole = sum(values) or 1.0
    return [
        f"{excerpt(name, _LABEL)}: {value:,.6g} ({value / whole:.0%})"
        for name, value in zip(chart.categories, values, strict=True)
    ]


def _along(chart: Chart) -> dict[str, Any]:
    """The axis of the categories, in their own order; a few of many labels are written."""
    names = _expression([excerpt(name, _LABEL) for name in chart.categories])
    axis: dict[str, Any] = {"title": None, "labelExpr": f"{names}[datum.value]", "labelLimit": 260}
    if not _lies(chart):
        step = -(-len(chart.categories) // _LABELS)
        axis |= {"values": list(range(0, len(chart.categories), step)), "labelOverlap": "greedy", "labelSeparation": 8}
        axis |= {"labelAngle": 0 if max(map(len, chart.categories), default=0) <= _LONG else -30}
    return {"field": "x", "type": "ordinal", "sort": None, "axis": axis}


def _figures(chart: Chart, *, zero: bool) -> dict[str, Any]:
    axis = {"title": excerpt(chart.unit, 40) or None, "titleAnchor": "end"} | _written_short(chart)
    return {"field": "y", "type": "quantitative", "scale": {"zero": zero, "nice": True}, "axis": axis}


def _colour(chart: Chart) -> dict[str, Any]:
    if len(chart.series) == 1:
        return {"color": {"value": _COLOURS[0]}}
    names = _expression([excerpt(one.name, _NAME) for one in chart.series])
    legend = {
        "title": None,
        "orient": "bottom",
        "columns": 4,
        "labelExpr": f"{names}[datum.value]",
        "symbolLimit": 0,
        "labelLimit": 360,
    }
    domain = list(range(len(chart.series)))
    colours = [_COLOURS[place % len(_COLOURS)] for place in domain]
    return {"color": {"field": "s", "type": "nominal", "scale": {"domain": domain, "range": colours}, "legend": legend}}


def _expression(names: list[str]) -> str:
    """The names as a list in Vega's expression language, every character by its number: nothing in a name is code."""
    return "[" + ", ".join("'" + "".join(_written(character) for character in name) + "'" for name in names) + "]"


def _written(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))


def _lies(chart: Chart) -> bool:
    """Bars lie where their names would not fit below them."""
    return chart.kind == "bar" and max(map(len, chart.categories), default=0) > _LONG


def _written_short(chart: Chart) -> dict[str, str]:
    """How large figures are written along an axis: `1.5M`, and with a power of ten where even that has no letter."""
    most = max((abs(value) for one in chart.series for value in one.values if value is not None), default=0.0)
    return {} if most < 100_000 else {"format": "~s" if most < 1e18 else ".2e"}


def _config() -> dict[str, Any]:
    label = {"labelFontSize": 12, "titleFontSize": 12, "labelColor": "#3b424c", "titleColor": "#3b424c"}
    return {
        "font": _FONT,
        "title": {"fontSize": 16, "fontWeight": 600, "color": "#1d2229"},
        "axis": label | {"gridColor": "#e4e7eb", "domainColor": "#9aa3ad", "tickColor": "#9aa3ad"},
        "axisX": {"grid": False},
        "legend": label,
        "view": {"stroke": None},
    }
