"""Made-up courses of one measure: a calm past with a daily rhythm, and what happens on top of it."""

import math
from collections.abc import Callable
from datetime import datetime

from agent.patrol.series import Track

AS_OF = datetime(2026, 11, 20, 12, 0)
HOURS = 48
Shape = Callable[[int], float]
"""A value by hours back; 0 is the newest hour."""


def rhythm(base: float, swing: float = 0.0) -> Shape:
    """A level that swings over the day, highest at 15:00 UTC."""
    return lambda back: base + swing * math.cos(2 * math.pi * (AS_OF.hour - back - 15) / 24)


def track(usual: Shape, now: Shape | None = None, *, past: bool = True) -> Track:
    """A course that was `usual` for two weeks and is `now` in the newest 48 hours."""
    newest = now or usual
    recent = {back: newest(back) for back in range(HOURS)}
    if not past:
        return Track(recent=recent)
    days = {day: sum(usual(day * 24 + hour) for hour in range(24)) / 24 for day in range(2, 14)}
    days |= {day: sum(newest(day * 24 + hour) for hour in range(24)) / 24 for day in range(2)}
    return Track(
        recent=recent,
        week={back: usual(168 + back) for back in range(-2, 12)},
        profile={hour: usual(AS_OF.hour - hour + 24 * 7) for hour in range(24)},
        days=days,
    )


def steps(usual: Shape, level: float, began: int) -> Shape:
    """`usual` until `began` hours ago, `level` since."""
    return lambda back: level if back < began else usual(back)


def ramps(usual: Shape, per_hour: float, began: int) -> Shape:
    """`usual`, and since `began` hours ago `per_hour` more in each hour."""
    return lambda back: usual(back) + per_hour * max(0, began - back)
