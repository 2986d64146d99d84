"""Rows of a result as what is drawn of them; pure. No number passes through a model on its way into a picture."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from agent.untrusted import visible

Kind = Literal["line", "bar", "area", "pie"]
Cell = str | int | float | bool | None

MAX_SERIES = 12
MAX_CATEGORIES = 400
MAX_SEGMENTS = 12
_LABEL = 60
_MISSING = "–"


class Undrawable(ValueError):
    """These rows make no such chart; the text tells a model why and what to do."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """What of the rows is drawn: `x` names the categories, each column of `y` is a series, or the one column is parted
    by the values of the column `series`."""

    kind: Kind
    x: str
    y: tuple[str, ...]
    series: str = ""


@dataclass(frozen=True, slots=True)
class Plot:
    """Labels along the axis and, per series, a value for each of them, None where no row has one. `moments` are the
    cells behind the labels where these are times (UTC), `YYYY-MM-DD HH:MM:SS`; empty otherwise."""

    kind: Kind
    categories: tuple[str, ...]
    series: tuple[tuple[str, tuple[float | None, ...]], ...]
    moments: tuple[str, ...] = ()

    def data(self) -> dict[str, Any]:
        """The plot as JSON: `kind`, `categories`, `series` (each with `name` and `values`), `moments`."""
        series = [{"name": name, "values": list(values)} for name, values in self.series]
        return {"kind": self.kind, "categories": list(self.categories), "series": series, "moments": list(self.moments)}

    def told(self) -> str:
        """The plot in words, for who cannot see it."""
        zone = " UTC" if self.moments else ""
        span = f"{len(self.categories)} points from {self.categories[0]} to {self.categories[-1]}{zone}"
        parts = (f"{name} {extent}" for name, values in self.series if (extent := _extent(values, self.categories)))
        return f"{self.kind} chart, {span}; {'; '.join(parts)}"


def plotted(columns: Sequence[str], rows: Sequence[Sequence[Cell]], encoding: Encoding) -> Plot:
    """The plot of these rows. Raises Undrawable."""
    # of two columns with one name the first counts, as a reader would take it
    places = {name: place for place, name in reversed(list(enumerate(columns)))}
    wanted = [encoding.x, *encoding.y, *([encoding.series] if encoding.series else [])]
    if unknown := [name for name in wanted if name not in places]:
        raise Undrawable(f"the result has no column {', '.join(unknown)}; it has {', '.join(columns)}")
    if not rows:
        raise Undrawable("the result has no rows; say so instead of drawing")
    if encoding.series and len(encoding.y) != 1:
        raise Undrawable("with a series column there is one y column")
    points: dict[str, dict[Cell, float | None]] = {}
    xs: dict[Cell, None] = {}
    for row in rows:
        xs.setdefault(row[places[encoding.x]])
        for name in encoding.y:
            label = _label(row[places[encoding.series]]) if encoding.series else name
            _put(points.setdefault(label, {}), row[places[encoding.x]], row[places[name]], f"{name} of {label}")
    return _checked(encoding.kind, _ordered(encoding.kind, list(xs)), points)


def _put(series: dict[Cell, float | None], x: Cell, cell: Cell, what: str) -> None:
    # to add them up or to take the last would show a number that stands nowhere
    if x in series:
        raise Undrawable(
            f"two rows for {_label(x)} ({what}): make it one row per point with query_result (GROUP BY), or name the"
            " series column"
        )
    series[x] = _number(cell, what)


def _checked(kind: Kind, xs: Sequence[Cell], points: Mapping[str, Mapping[Cell, float | None]]) -> Plot:
    if len(points) > MAX_SERIES:
        raise Undrawable(f"{len(points)} series, {MAX_SERIES} at most: keep the ones that matter with query_result")
    if len(xs) > MAX_CATEGORIES:
        raise Undrawable(f"{len(xs)} points, {MAX_CATEGORIES} at most: group by day or hour with query_result")
    values = tuple((name, tuple(series.get(x) for x in xs)) for name, series in points.items())
    if all(value is None for _, series in values for value in series):
        raise Undrawable("all values are NULL; say so instead of drawing")
    if kind == "pie":
        _require_pie(values)
    moments = tuple(str(x) for x in xs) if all(_moment(x) is not None for x in xs) else ()
    return Plot(kind, _labels(xs, moments), values, moments)


def _require_pie(values: Sequence[tuple[str, Sequence[float | None]]]) -> None:
    if len(values) != 1 or len(values[0][1]) > MAX_SEGMENTS:
        raise Undrawable(f"a pie has one series of at most {MAX_SEGMENTS} rows: use bars, or sum up the small ones")
    if any(value is None or value <= 0 for value in values[0][1]):
        raise Undrawable("a pie has values above 0 only: use bars")


def _ordered(kind: Kind, xs: list[Cell]) -> list[Cell]:
    """Moments, and the numbers under a line, from the left to the right; anything else as the rows came."""
    if all(_moment(x) is not None for x in xs):
        return sorted(xs, key=str)
    numbers = [x for x in xs if isinstance(x, (int, float))]
    return [*sorted(numbers)] if kind in {"line", "area"} and len(numbers) == len(xs) else xs


def _number(cell: Cell, what: str) -> float | None:
    if cell is None:
        return None
    try:
        # decimals travel as text, so text may be a number; true and false are none
        value = math.nan if isinstance(cell, bool) else float(cell)
    except (ValueError, OverflowError):
        value = math.nan
    if not math.isfinite(value):
        raise Undrawable(f"{what} holds {_label(cell)!r}, which is no number")
    return value


def _moment(cell: Cell) -> datetime | None:
    if not isinstance(cell, str) or not 10 <= len(cell) <= 26:
        return None
    try:
        return datetime.fromisoformat(cell)
    except ValueError:
        return None


def _labels(xs: Sequence[Cell], moments: Sequence[str]) -> tuple[str, ...]:
    """Texts that differ where the cells do."""
    labels = short_moments(moments) if moments else tuple(map(_label, xs))
    if len(set(labels)) < len(labels):
        raise Undrawable("two labels of the x column read the same; choose another column")
    return labels


def are_days(moments: Sequence[str]) -> bool:
    """Whether all of them are days, which begin at midnight UTC whatever a reader's clock shows."""
    return all(text[10:] in {"", " 00:00:00", "T00:00:00"} for text in moments)


def short_moments(moments: Sequence[str]) -> tuple[str, ...]:
    """Moments without what all of them share: seconds and times of zero, the year."""
    if are_days(moments):
        return tuple(text[:10] for text in moments)
    # within one year nobody needs to be told which
    first = 5 if len({text[:4] for text in moments}) == 1 else 0
    return tuple(text.replace("T", " ")[first:].removesuffix(":00") for text in moments)


def _label(cell: Cell) -> str:
    text = " ".join(visible(_MISSING if cell is None else str(cell)).split()) or _MISSING
    return text if len(text) <= _LABEL else text[: _LABEL - 1] + "…"


def _extent(values: Sequence[float | None], categories: Sequence[str]) -> str:
    known = [(value, category) for value, category in zip(values, categories, strict=True) if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    return f"{low[0]:,.4g} to {high[0]:,.4g} (highest at {high[1]})"
