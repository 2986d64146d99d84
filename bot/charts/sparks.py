"""A chart in the characters of a terminal: a course as a row of blocks, a comparison as lying bars."""

from collections.abc import Iterator, Sequence

from agent.untrusted import visible
from handlers.document import Chart, Series

WIDTH = 60
BARS = 40
"""Lying bars that are drawn; a terminal scrolls, so more would only push the words away."""

_STEPS = "▁▂▃▄▅▆▇█"
_EIGHTHS = " ▏▎▍▌▋▊▉"
_GAP = "·"
_NAME = 24


def sparks(chart: Chart, width: int = WIDTH) -> Iterator[str]:
    """The lines of the drawing, title first, without control characters; a course is at most `width` characters."""
    yield visible(f"{chart.title}, {chart.unit}" if chart.unit else chart.title)
    yield from _bars(chart, width) if chart.kind in {"bar", "pie"} else _courses(chart, width)


def figure(value: float | None) -> str:
    """A value as it is written beside a drawing."""
    return "–" if value is None else f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def _courses(chart: Chart, most: int) -> Iterator[str]:
    width = max(len(_name(one.name)) for one in chart.series)
    for one in chart.series:
        known = [value for value in one.values if value is not None]
        extent = f"{figure(min(known))} to {figure(max(known))}, last {figure(one.values[-1])}" if known else "no value"
        yield f"{_name(one.name):<{width}}  {_course(_condensed(one, most))}  {extent}"
    if chart.categories:
        yield visible(f"{'':<{width}}  {chart.categories[0]} … {chart.categories[-1]}")


def _course(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return _GAP * len(values)
    low, span = min(known), max(known) - min(known)

    def step(value: float | None) -> str:
        if value is None:
            return _GAP
        # one that never moves lies in the middle: neither low nor high
        return _STEPS[round((value - low) / span * (len(_STEPS) - 1)) if span > 0 else len(_STEPS) // 2]

    return "".join(map(step, values))


def _condensed(one: Series, most: int) -> list[float | None]:
    """At most so many values: the highest of each stretch, so that no peak is lost."""
    size = -(-len(one.values) // most) or 1
    stretches = (one.values[at : at + size] for at in range(0, len(one.values), size))
    return [max((value for value in stretch if value is not None), default=None) for stretch in stretches]


def _bars(chart: Chart, length: int) -> Iterator[str]:
    shown = min(len(chart.categories), BARS)
    width = max((len(_name(name)) for name in chart.categories[:shown]), default=0)
    most = max((abs(value) for one in chart.series for value in one.values if value is not None), default=0.0)
    for place in range(shown):
        for number, one in enumerate(chart.series):
            name = _name(chart.categories[place]) if number == 0 else ""
            value = one.values[place]
            told = f"{figure(value)} {_name(one.name)}" if len(chart.series) > 1 else figure(value)
            yield f"{name:<{width}}  {_bar(value, most, length / 2)} {told}"
    if shown < len(chart.categories):
        yield f"… the first {shown} of {len(chart.categories)}"


def _bar(value: float | None, most: float, length: float) -> str:
    if value is None or most <= 0:
        return ""
    eighths = round(abs(value) / most * length * 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _name(text: str) -> str:
    line = " ".join(visible(text).split())
    return line if len(line) <= _NAME else line[: _NAME - 1] + "…"
