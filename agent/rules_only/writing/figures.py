"""Figures, times and spans as people write them, and the words for how a value moved."""

import math

from agent.patrol.rules import quantity
from agent.rules_only.envelope import Failure, Outcome, Sheet
from agent.rules_only.writing.markdown import safe

_STEADY, _NOTABLE, _MANIFOLD = 5.0, 20.0, 10.0
NO_VALUE = "–"


def figure(value: float | None, unit: str = "") -> str:
    """A value with its unit as the patrol writes it: `81.2%`, `340 ms`, `1,204`; a dash when there is none."""
    return NO_VALUE if value is None or not math.isfinite(value) else quantity(value, unit)


def count(number: float | None, noun: str) -> str:
    """`1 cluster`, `12 clusters`."""
    whole = int(number or 0)
    return f"{whole:,} {noun}" + ("" if whole == 1 else "s")


def span(hours: int) -> str:
    """`24 hours`, `7 days`."""
    return f"{hours // 24} days" if hours >= 48 and hours % 24 == 0 else ("1 hour" if hours == 1 else f"{hours} hours")


def moment(text: str) -> str:
    """A warehouse time as `2026-03-01 14:00 UTC`."""
    return f"{safe(text[:16], 20)} UTC" if text else NO_VALUE


def move(first: float | None, last: float | None, unit: str = "") -> str:
    """How a value moved from `first` to `last`, in words with both figures; empty when one of them is missing."""
    if first is None or last is None:
        return ""
    ends = f"{figure(first, unit)} → {figure(last, unit)}"
    if unit == "%":
        points = last - first
        word = "steady" if abs(points) < 1 else ("up" if points > 0 else "down")
        return f"{word} ({ends})"
    if first == 0:
        return f"{'steady' if last == 0 else 'up from zero'} ({ends})"
    if last / first >= _MANIFOLD:
        return f"up {last / first:,.0f}-fold ({ends})"
    change = 100 * (last - first) / abs(first)
    if abs(change) < _STEADY:
        return f"steady ({ends})"
    strength = "" if abs(change) >= _NOTABLE else "slightly "
    return f"{strength}{'up' if change > 0 else 'down'} {abs(change):,.0f}% ({ends})"


def freshness(outcome: Outcome | None) -> str:
    """One line on how new the data is, from the freshness query; says so when that is not known."""
    if not isinstance(outcome, Sheet) or not outcome.first.text("newest_hour"):
        known = not isinstance(outcome, Failure) and outcome is not None
        return "*The warehouse holds no metrics at all.*" if known else ""
    row = outcome.first
    age = row.number("hours_old")
    old = f", {figure(age)} h old" if age is not None else ""
    warning = " Newer data is missing: read the figures as of then." if (age or 0) > 3 else ""
    return f"*Newest metrics: {moment(row.text('newest_hour'))}{old}.{warning}*"
