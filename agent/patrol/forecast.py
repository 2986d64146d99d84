"""Where a course leads: a robust line through the newest hours, how sure it is, and when it meets a limit.

The interval is Sen's, widened because hours that follow each other are alike: a restless course says little."""

import math
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from agent.patrol.series import Hours, points, steps

_Z90 = 1.645
# Hours that follow each other are alike; beyond this they would count as next to nothing.
_MOST_ALIKE = 0.8
# Even a well-known pace is the pace of yesterday: somebody may stop the load, or double it.
_PACE_MAY_CHANGE = 0.15
_MAD_TO_DEVIATION = 1.4826
# Of what is still to come nothing is certain: the load may stop, and somebody may add disks.
_MOST_CERTAIN = 0.98


@dataclass(frozen=True, slots=True)
class Line:
    """A straight course, forward in time: `level` now, `per_hour` with its 90 % interval `low`..`high`, `spread` the
    usual distance of an hour from the line. All in the unit of the series."""

    level: float
    per_hour: float
    low: float
    high: float
    spread: float

    @property
    def deviation(self) -> float:
        """Standard deviation of the pace."""
        return (self.high - self.low) / (2 * _Z90)

    def deviation_ahead(self, hours: float) -> float:
        """Standard deviation of the value `hours` from now."""
        drift = _PACE_MAY_CHANGE * abs(self.per_hour) * hours
        return math.hypot(self.spread, self.deviation * hours, drift)


def line(hours: Hours, span: int) -> Line | None:
    """The Theil-Sen line over the newest `span` hours; None with too few of them."""
    known = points(hours, span)
    if known is None:
        return None
    slopes = sorted(steps(known))
    per_hour = median(slopes)
    level = median(value - per_hour * at for at, value in known)
    rest = [value - per_hour * at - level for at, value in known]
    low, high = _interval(slopes, len(known), _alikeness(rest))
    return Line(level, per_hour, low, high, _MAD_TO_DEVIATION * median(abs(one) for one in rest))


def _alikeness(rest: list[float]) -> float:
    """The correlation of each hour with the next, 0.._MOST_ALIKE."""
    power = sum(one * one for one in rest)
    if power == 0:
        return 0.0
    together = sum(one * other for one, other in pairwise(rest))
    return min(_MOST_ALIKE, max(0.0, together / power))


def _interval(slopes: list[float], count: int, alike: float) -> tuple[float, float]:
    """Sen's interval by the variance of Kendall's S, as if only so many hours were independent of each other."""
    inflated = (1 + alike) / (1 - alike)
    reach = _Z90 * math.sqrt(count * (count - 1) * (2 * count + 5) / 18 * inflated)
    first = max(0, math.floor((len(slopes) - reach) / 2))
    last = min(len(slopes) - 1, math.ceil((len(slopes) + reach) / 2))
    return slopes[first], slopes[last]


@dataclass(frozen=True, slots=True)
class Reach:
    """When a course meets a limit, in hours: `expected` if it goes on as it does, `soonest` and `latest` the ends of
    the 90 % interval around that, which allows for a pace that changes (infinity when the slow end never gets there).
    `chances` is the probability of having been there, by horizon in hours."""

    expected: float
    soonest: float
    latest: float
    chances: dict[int, float]


def reach(
    course: Line, usual: Hours, newest_hour: int, limit: float, *, down: bool, horizons: tuple[int, ...]
) -> Reach:
    """When the course, with its daily rhythm `usual` (by hour of day) laid on it again, meets `limit`."""
    bad = -1.0 if down else 1.0
    middle = median(usual.values()) if usual else 0.0
    chances: dict[int, float] = {}
    best, ahead = 0.0, 0
    for horizon in sorted(horizons):
        while ahead < horizon:
            ahead += 1
            value = course.level + course.per_hour * ahead + usual.get((newest_hour + ahead) % 24, middle)
            best = max(best, _beyond((value - limit) * bad, course.deviation_ahead(ahead)))
        # Having been there is enough, so the best of the hours counts and never falls with the horizon.
        chances[horizon] = min(best, _MOST_CERTAIN)
    left = (limit - course.level - usual.get(newest_hour, middle)) * bad
    pace, change = course.per_hour * bad, _Z90 * _PACE_MAY_CHANGE * abs(course.per_hour)
    slow, fast = sorted((course.low * bad, course.high * bad))
    # two doubts that know nothing of each other: how well the pace is known, and whether it stays
    fastest, slowest = pace + math.hypot(fast - pace, change), pace - math.hypot(pace - slow, change)
    return Reach(_hours(left, pace), _hours(left, fastest), _hours(left, slowest), chances)


def _beyond(distance: float, deviation: float) -> float:
    """The probability that a value which lies `distance` beyond the limit on average is beyond it."""
    if deviation == 0:
        return 1.0 if distance >= 0 else 0.0
    return 0.5 * math.erfc(-distance / deviation / math.sqrt(2))


def _hours(left: float, pace: float) -> float:
    if left <= 0:
        return 0.0
    return left / pace if pace > 0 else math.inf
