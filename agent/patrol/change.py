"""When a course left its usual: the change point of a step, a ramp, or a ramp that levels off, found robustly."""

from collections.abc import Iterator, Sequence
from statistics import median

from agent.patrol.series import Hours, slope

_BEFORE = 3
# Where a ramp has levelled off, as shares of the time since it began; 1 is a ramp that goes on, 0 a step.
_LEVELLED = (0.0, 0.25, 0.5, 0.75, 1.0)
_LONGEST = 14 * 24
_STRAIGHT = 0.6


def began(rest: Hours) -> int | None:
    """How many hours ago the present deviation began, from the deviations from the usual by hours back (bad is
    positive); None when there are too few hours, or when it began before them and is not still going on."""
    known = sorted(((-at, value) for at, value in rest.items() if at >= 0))
    if len(known) < 2 * _BEFORE:
        return None
    values = [value for _, value in known]
    now = median(values[-_BEFORE:])
    if now <= 0:
        return None
    if median(values[: 2 * _BEFORE]) > now / 2:
        return _extrapolated(rest, now, -known[0][0])
    at = min(range(1, len(known) - 1), key=lambda start: _cost(values, start))
    return -known[at][0]


def _extrapolated(rest: Hours, now: float, oldest: int) -> int | None:
    """All that is known is bad: only a course that has risen all the time tells when it began."""
    course = slope(rest, oldest + 1)
    if course is None or course.per_hour <= 0 or course.fit < _STRAIGHT:
        return None
    back = round(now / course.per_hour)
    return back if oldest <= back <= _LONGEST else None


def _cost(values: Sequence[float], start: int) -> float:
    """How far the hours lie from the best of the shapes that begin at `start`, in absolute terms: one wild hour must
    not buy a change point."""
    before, after = values[:start], values[start:]
    base = median(before)
    left = sum(abs(value - base) for value in before)
    return left + min(_distance(after, base, shape) for shape in _shapes(len(after)))


def _shapes(length: int) -> Iterator[list[float]]:
    for levelled in _LEVELLED:
        rise = max(1.0, levelled * length)
        yield [min(1.0, (at + 1) / rise) for at in range(length)]


def _distance(after: Sequence[float], base: float, shape: Sequence[float]) -> float:
    # The hours near the beginning of a ramp say little about its height.
    height = median((value - base) / share for value, share in zip(after, shape, strict=True) if share >= 0.3)
    return sum(abs(value - base - height * share) for value, share in zip(after, shape, strict=True))
