"""When it was the same time before: the same hour of the week, and the same day of the month near its ends.

A batch that runs on Mondays, or on the last day of a month, is only usual beside other Mondays and month-ends."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta

WEEKS = 6
"""How many earlier weeks are looked at."""

ENOUGH = 3
"""From so many weeks on their median is the usual; below it one bad week would be half of it."""

AHEAD = 1
"""Hours after the present one that are looked at as well: what is due next may come early."""

_BEFORE = 2
_FIRST_DAYS = 3
_LAST_DAYS = 3


@dataclass(frozen=True, slots=True)
class Occasion:
    """An earlier time that stands for now: `at` is its newest hour, `run` the number of weeks back, 0 for a month."""

    run: int
    at: datetime

    def span(self, reach: int) -> tuple[datetime, datetime]:
        """The hours, after the first and up to the second, from `reach` hours back to those ahead, and before them some
        by which counters know what they gained."""
        return self.at - timedelta(hours=reach + 1 + _BEFORE), self.at + timedelta(hours=AHEAD)


def occasions(as_of: datetime) -> tuple[Occasion, ...]:
    """The same hour of the last weeks, newest first, and of the month before in the first and last days of a month."""
    weeks = tuple(Occasion(week, as_of - timedelta(weeks=week)) for week in range(1, WEEKS + 1))
    month = _a_month_ago(as_of)
    # four weeks before the end of a February is a month and a week at once
    return weeks if month is None or month in {one.at for one in weeks} else (*weeks, Occasion(0, month))


def _a_month_ago(as_of: datetime) -> datetime | None:
    last = as_of.replace(day=1) - timedelta(days=1)
    if as_of.day <= _FIRST_DAYS:
        return last.replace(day=as_of.day)
    to_end = monthrange(as_of.year, as_of.month)[1] - as_of.day
    return last - timedelta(days=to_end) if to_end < _LAST_DAYS else None
