"""A chart as Slack's own block where it keeps within that block's limits; others become pictures before."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.charts.picture import NoPicture, Painter
from bot.slack.escape import escape, plain
from bot.slack.pages import Block
from bot.slack.tables import code
from handlers.document import Chart, Document, File, Note, Part
from handlers.markdown import excerpt, line

KIND = "data_visualization"
TITLE = 50
SERIES = 12
CATEGORIES = 20
LABEL = 20


def native(chart: Chart) -> Block | None:
    """The block, None when Slack would not take it: too many points, long labels, or a gap in a series."""
    labels = [_words(name) for name in chart.categories]
    names = [_words(one.name) for one in chart.series]
    if not (_readable(labels, CATEGORIES) and _readable(names, SERIES)):
        return None
    # Slack wants every series to have every category, and a 0 in place of a gap would be a lie
    if any(value is None for one in chart.series for value in one.values):
        return None
    title = excerpt(_words(chart.title), TITLE) or "–"
    points = [
        [{"label": label, "value": value} for label, value in zip(labels, one.values, strict=True)]
        for one in chart.series
    ]
    if chart.kind == "pie":
        if len(labels) > SERIES or any(not value or value < 0 for value in chart.series[0].values):
            return None
        return {"type": KIND, "title": title, "chart": {"type": "pie", "segments": points[0]}}
    axis: dict[str, object] = {"categories": labels}
    if unit := excerpt(_words(chart.unit), LABEL):
        axis["y_label"] = unit
    series = [{"name": name, "data": data} for name, data in zip(names, points, strict=True)]
    drawn = {"type": chart.kind, "series": series, "axis_config": axis}
    return {"type": KIND, "title": title, "chart": drawn}


def figures(chart: Chart) -> list[tuple[str, ...]]:
    """The chart's values as a table, its header first: for when it can be drawn in no way."""
    heads = ("", *(one.name for one in chart.series))
    rows = zip(chart.categories, *(map(_figure, one.values) for one in chart.series), strict=True)
    return [heads, *rows]


def said(block: Block) -> Iterator[str]:
    """What a chart block shows, in lines."""
    chart = block["chart"]
    yield block["title"]
    for one in chart.get("series", [{"name": "", "data": chart.get("segments", ())}]):
        values = ", ".join(f"{point['label']} {_figure(point['value'])}" for point in one["data"])
        yield f"{one['name']}: {values}" if one["name"] else values


def has_chart(blocks: Sequence[Block]) -> bool:
    """Whether a chart is among the blocks."""
    return any(block["type"] == KIND for block in blocks)


def spelled(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """The blocks with the figures of a chart as text in its place, for a Slack that takes no charts."""
    return tuple(
        shown
        for block in blocks
        for shown in (code(escape("\n".join(said(block)))) if block["type"] == KIND else (block,))
    )


async def with_pictures(document: Document, painter: Painter, *, drawn: bool = True) -> Document:
    """The document with files of pictures in place of those charts that have no block of their own; of all charts where
    Slack draws none. One that cannot be painted stays as it is."""
    if not any(isinstance(part, Chart) and not (drawn and native(part)) for part in document.parts):
        return document
    parts: list[Part] = []
    for number, part in enumerate(document.parts):
        if isinstance(part, Chart) and not (drawn and native(part)):
            parts.extend(await _painted(part, number, painter))
        else:
            parts.append(part)
    return replace(document, parts=tuple(parts))


async def _painted(chart: Chart, number: int, painter: Painter) -> Sequence[Part]:
    try:
        picture = await painter.png(chart)
    except NoPicture:
        return (chart,)
    return Note(chart.alt or chart.title), File(f"chart-{number}.png", chart.title, picture)


def _readable(labels: Sequence[str], most: int) -> bool:
    return 0 < len(labels) <= most and len(set(labels)) == len(labels) and all(0 < len(one) <= LABEL for one in labels)


def _words(text: str) -> str:
    return plain(line(text))


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
