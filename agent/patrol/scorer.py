"""How well a cluster is, 0..100: the weighted mean of its dimensions, held down by the worst of them.

A mean alone hides saturation: a full disk with everything else perfect would still count as healthy."""

from collections.abc import Mapping
from typing import Protocol

from agent.patrol.rules import Direction, Limits, Rules

CAP_AT_WORST = 40.0
# Half of the weight: below it two lucky dimensions could make a score.
_KNOWN_SHARE = 0.5


class Graded(Protocol):
    """Anything with limits."""

    @property
    def limits(self) -> Limits:
        """Green, yellow and red."""
        ...

    @property
    def direction(self) -> Direction:
        """Which way is bad."""
        ...


def points(rule: Graded, value: float) -> float:
    """A value as 0..100 points: 100 up to green, 50 at yellow, 0 from red, straight lines between."""
    sign = 1.0 if rule.direction == "up" else -1.0
    green, yellow, red = (sign * limit for limit in (rule.limits.green, rule.limits.yellow, rule.limits.red))
    at = sign * value
    if at <= green:
        return 100.0
    if at >= red:
        return 0.0
    if at < yellow:
        return 100.0 - 50.0 * (at - green) / (yellow - green)
    return 50.0 - 50.0 * (at - yellow) / (red - yellow)


def worst(rules: Rules, values: Mapping[str, float]) -> float | None:
    """The points of the worst of the known dimensions, also of those that have no weight; None when none is known."""
    return min((points(rule, values[name]) for name, rule in rules.dimensions.items() if name in values), default=None)


def overall(rules: Rules, values: Mapping[str, float]) -> float | None:
    """The score of a cluster from its levels by dimension; dimensions that are not known are left out of the mean.
    None when less than half of the weight is known: too little data is never a good score."""
    weighted = [(rule.weight, points(rule, values[name])) for name, rule in rules.dimensions.items() if name in values]
    known = sum(weight for weight, _ in weighted)
    if known < _KNOWN_SHARE:
        return None
    mean = sum(weight * score for weight, score in weighted) / known
    # What is bad by itself holds the score down, whether it counts in the mean or not: a dead node is no 98 of 100.
    deciding = (one for one in rules.dimensions.items() if one[1].weight > 0 or one[1].alone != "never")
    lowest = min(points(rule, values[name]) for name, rule in deciding if name in values)
    # One dimension at red holds the cluster at 40 or below, one at yellow at 70.
    return min(mean, CAP_AT_WORST + (100.0 - CAP_AT_WORST) * lowest / 100.0)
