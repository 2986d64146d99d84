"""Statistics on short hourly series, pure and robust: a spike, a gap or one bad hour must not decide anything."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from statistics import median

Hours = Mapping[int, float]
"""Values by how many hours back they lie; 0 is the newest hour. Missing hours are missing keys."""

WEEK = 168
_DRAWN = 3


@dataclass(frozen=True, slots=True)
class Track:
    """The course of one measure of one cluster, in one unit. `recent` holds the newest hours, `week` the same hours of
    the last week or two (keyed as if they were recent), `profile` the usual value by hour of day (UTC), `days` daily
    values by days back (0 = the newest 24 hours). `season` is the median of the same hours of several weeks, which
    makes `week` and `profile` needless; `month` are the same hours a month before, where a month begins or ends."""

    recent: Hours = field(default_factory=dict)
    week: Hours = field(default_factory=dict)
    profile: Hours = field(default_factory=dict)
    days: Hours = field(default_factory=dict)
    season: Hours = field(default_factory=dict)
    month: Hours = field(default_factory=dict)

    def mapped(self, scale: float) -> "Track":
        """The same course in another unit: every value times `scale`."""
        return self.each(lambda value: value * scale)

    def each(self, change: Callable[[float], float]) -> "Track":
        """The same course with every value changed."""
        return Track(*({at: change(value) for at, value in part.items()} for part in self.parts))

    @property
    def parts(self) -> tuple[Hours, ...]:
        """The courses, in the order of the fields."""
        return (self.recent, self.week, self.profile, self.days, self.season, self.month)


@dataclass(frozen=True, slots=True)
class Slope:
    """A straight course: `per_hour` in the unit of the series, `fit` 0..1 (1 = every hour on the line)."""

    per_hour: float
    fit: float


def ratio(part: Hours, whole: Hours) -> dict[int, float]:
    """100 * part / whole wherever both are known and the whole is not zero."""
    # A whole of zero is a stopped exporter or an idle hour: no share, rather than nought or a hundred.
    return {at: 100 * value / whole[at] for at, value in part.items() if whole.get(at)}


def whole_nodes(percent: float, nodes: int) -> float:
    """A share of nodes as so many whole ones of them: a part of a node is a gap in the scrape, or one that began within
    the hour; half a node and more is one."""
    missing = math.floor((100 - min(100.0, max(0.0, percent))) / 100 * nodes + 0.5)
    return 100 * (nodes - missing) / nodes


def ratio_track(part: Track, whole: Track, *, invert: bool = False) -> Track:
    """A share as a course, in percent within 0..100; `invert` turns free into used."""

    def share(one: Hours, other: Hours) -> dict[int, float]:
        plain = ratio(one, other)
        return {at: min(100.0, max(0.0, 100 - value if invert else value)) for at, value in plain.items()}

    return Track(*(share(one, other) for one, other in zip(part.parts, whole.parts, strict=True)))


def worst_of(one: Track, other: Track) -> Track:
    """The higher of two courses wherever both are known, else the one that is."""
    return Track(
        *(
            {at: max(a.get(at, b.get(at, 0)), b.get(at, 0)) for at in a.keys() | b.keys()}
            for a, b in zip(one.parts, other.parts, strict=True)
        )
    )


def newest(hours: Hours, count: int, reach: int) -> list[float]:
    """Up to `count` newest values that are less than `reach` hours old, newest first."""
    return [hours[at] for at in sorted(hours) if at < reach][:count]


def drawn(hours: Hours, count: int) -> tuple[float | None, ...]:
    """The newest `count` hours, oldest first, to four significant digits; None for a missing one. Empty when fewer than
    three are known: that draws no course."""
    values = tuple(float(f"{hours[at]:.4g}") if at in hours else None for at in range(count - 1, -1, -1))
    return values if sum(value is not None for value in values) >= _DRAWN else ()


def level(hours: Hours, count: int) -> float | None:
    """The level of now: median of the newest `count` values of the last `2 * count` hours."""
    values = newest(hours, count, 2 * count)
    # Of three hours one may be wild and the median does not move; a mean would.
    return median(values) if values else None


def lasting(hours: Hours, count: int, reach: int, *, low: bool = False) -> float | None:
    """The level that at least `count` of the newest `reach` hours have; with fewer known the mildest of them."""
    values = sorted(newest(hours, reach, 2 * reach), reverse=not low)
    return values[min(count, len(values)) - 1] if values else None


def total(hours: Hours, count: int) -> float:
    """Sum over the newest `count` hours; missing hours add nothing."""
    return sum(value for at, value in hours.items() if 0 <= at < count)


def hour_of_day(newest_hour: int, back: int) -> int:
    """The hour of the day (0..23) that lies `back` hours before the hour of day `newest_hour`."""
    return (newest_hour - back) % 24


def usual(profile: Hours, newest_hour: int, count: int, *, low: bool = False) -> float | None:
    """What is usual at this time of day: the profile over the newest `count` hours and one hour on either side, at its
    worse end (highest, or lowest when `low`): a nightly batch may start an hour early."""
    # One hour ahead as well: what is due next may come early.
    around = [profile.get(hour_of_day(newest_hour, back)) for back in range(-1, count + 1)]
    known = [value for value in around if value is not None]
    if not known:
        return None
    return min(known) if low else max(known)


def same_hours(earlier: Hours, count: int, *, low: bool = False) -> float | None:
    """The worse end of the same hours at an earlier time, one hour on either side."""
    known = [value for at, value in earlier.items() if -1 <= at <= count]
    if not known:
        return None
    return min(known) if low else max(known)


def sums(hours: Hours, count: int) -> dict[int, float]:
    """Sums of `count` hours that end at each hour from one ahead to one back: a batch may come early or late."""
    ends = (-1, 0, 1)
    return {end: sum(value for at, value in hours.items() if end <= at < end + count) for end in ends if hours}


def residuals(hours: Hours, profile: Hours, newest_hour: int) -> dict[int, float]:
    """What is left when the usual course of a day is taken away. Hours without a usual value are left out."""
    usual_at = {at: profile.get(hour_of_day(newest_hour, at)) for at in hours}
    return {at: value - base for at, value in hours.items() if (base := usual_at[at]) is not None}


def wander(hours: Hours, since: int) -> float:
    """How far the hours from `since` on usually stray from their middle: the median absolute deviation, 0 when there
    are too few to tell."""
    known = [value for at, value in hours.items() if at >= since]
    # From so few hours the deviation is mostly luck; 0 leaves the decision to the other conditions.
    if len(known) < 6:
        return 0.0
    middle = median(known)
    return median(abs(value - middle) for value in known)


def points(hours: Hours, span: int) -> list[tuple[int, float]] | None:
    """The newest `span` hours as pairs of time and value, oldest first, with times before now as negative numbers;
    None with fewer than six of them, or fewer than half of the span."""
    known = sorted((-at, value) for at, value in hours.items() if 0 <= at < span)
    return None if len(known) < max(6, span // 2) else known


def steps(known: list[tuple[int, float]]) -> list[float]:
    """The slopes of all pairs of points: up to a quarter of the hours may be wild without turning their median."""
    return [(right[1] - left[1]) / (right[0] - left[0]) for left, right in combinations(known, 2)]


def slope(hours: Hours, span: int) -> Slope | None:
    """The Theil-Sen slope over the newest `span` hours, forward in time; None with fewer than six hours, or fewer than
    half of the span. `fit` is Kendall's tau: how many pairs of hours agree with the direction."""
    known = points(hours, span)
    if known is None:
        return None
    slopes = steps(known)
    agreeing = sum((step > 0) - (step < 0) for step in slopes) / len(slopes)
    return Slope(median(slopes), abs(agreeing))


def onset(hours: Hours, threshold: float, *, low: bool = False) -> int | None:
    """How many hours ago the present bad run began: walks back from now while values are at or beyond `threshold`,
    forgiving single good hours. None when neither of the two newest hours is bad."""
    began: int | None = None
    good = 0
    for at in sorted(hours):
        bad = hours[at] <= threshold if low else hours[at] >= threshold
        # A restart or a gap in the scrape makes one good hour in the middle of a bad run.
        good = 0 if bad else good + 1
        if good > 1:
            break
        if bad:
            began = at
    return began
