"""Trouble that comes and goes: gone in this very hour perhaps, but there in half of the hours since the last patrol."""

from dataclasses import dataclass
from itertools import pairwise

from agent.patrol.series import Hours


@dataclass(frozen=True, slots=True)
class Return:
    """What came back: the level that half of the looked-at hours have, in how many of them it was there, and how many
    hours ago its first stretch began."""

    level: float
    hours: int
    began: int


def returned(hours: Hours, base: float, reach: int, near: int, *, low: bool = False) -> Return | None:
    """What was there in at least half of the newest `reach` hours, in more than one stretch, the last of them within
    the newest `near` hours; None when nothing was. Hours nearer to the usual `base` than to that level part the
    stretches; hours that are missing do not."""
    bad = -1.0 if low else 1.0
    known = {at: value for at, value in hours.items() if 0 <= at < reach}
    worst = sorted(known.values(), reverse=not low)
    if 2 * len(worst) < reach:
        return None
    level = worst[(reach + 1) // 2 - 1]
    middle = (base + level) / 2
    if (level - base) * bad <= 0:
        return None
    there = sorted(at for at, value in hours.items() if (value - middle) * bad >= 0 and at >= 0)
    lately = [at for at in there if at < reach]
    if lately[0] >= near or not any(_calm(known, *pair) for pair in pairwise(lately)):
        return None
    return Return(level, len(lately), _first(there, reach))


def _calm(known: Hours, newer: int, older: int) -> bool:
    return any(newer < at < older for at in known)


def _first(there: list[int], reach: int) -> int:
    """The begin of the oldest stretch that no more than a third of `reach` parts from the next."""
    first = there[0]
    for at in there:
        if at - first > reach // 3 + 1:
            break
        first = at
    return first
