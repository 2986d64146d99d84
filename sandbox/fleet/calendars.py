"""Decoys of the calendar: load that only weeks of the past explain, and pasts that must not blur the present.

All of them are usual, or long over. The daily and the weekly ones run just now; what a holiday, a month's end or a bad
week left behind lies in the hours that a baseline is made of."""

import numpy as np
from numpy.typing import NDArray

from sandbox.fleet.chance import Bools
from sandbox.fleet.decoys import Decoy
from sandbox.fleet.seasons import local_clock
from sandbox.fleet.strike import Strike

WEEK = 168
_SPARED = 48
"""Newest hours that no month's end falls into: from four weeks nobody could know it."""


def run_every_week(s: Strike) -> None:
    """A batch of some hours on one day of the week, now and in all weeks before."""
    _batch(s, _weekly(s, skipped=0))


def run_every_week_but_the_last(s: Strike) -> None:
    """The same batch, left out a week ago: what the hour of last week was does not tell what is usual."""
    # Of two weeks one is no rule; the batch then has run in both.
    _batch(s, _weekly(s, skipped=1 if s.state.shape[1] >= 3 * WEEK + 24 else 0))


def rest_on_a_holiday(s: Strike) -> None:
    """Hardly any load for a day, a week ago: next to it today looks like an explosion."""
    back = _hours_back(s)
    day = np.abs(back - WEEK) <= 12
    for field in (s.state.qps, s.state.connections, s.state.txn_rate, s.state.compaction):
        field[s.row, day] *= 0.15
    s.state.cpu[s.row, day] = 1 + 0.2 * s.state.cpu[s.row, day]
    s.state.p99[s.row, day] *= 0.6


def close_the_month(s: Strike) -> None:
    """Books are closed on the last and the first day of a month: a day and a half of heavy load, weeks ago."""
    days = s.state.hours.astype("datetime64[D]")
    first = days == days.astype("datetime64[M]").astype("datetime64[D]")
    last = days + 1 == (days + 1).astype("datetime64[M]").astype("datetime64[D]")
    clock, _ = local_clock(s.state.hours, 0)
    _batch(s, (first | (last & (clock >= 12))) & (_hours_back(s) > _SPARED))


def have_had_a_bad_week(s: Strike) -> None:
    """An incident of some days that is over: it must neither be told again nor become what is usual."""
    # Half of a short past would be no exception but a habit.
    if s.state.shape[1] < 3 * WEEK:
        return
    back = _hours_back(s)
    begin = int(s.rng.integers(10 * 24, 17 * 24))
    bad = (back <= begin) & (back > begin - int(s.rng.integers(72, WEEK)))
    s.state.p99[s.row, bad] *= 5
    s.state.error_share[s.row, bad] = np.maximum(s.state.error_share[s.row, bad], 0.015)
    s.state.cpu[s.row, bad] = np.maximum(s.state.cpu[s.row, bad], 85)
    s.state.journal[s.row, bad] *= 20
    s.state.compaction[s.row, bad] *= 8


BAD_WEEK = Decoy("bad_week", have_had_a_bad_week)

CALENDARS: tuple[Decoy, ...] = (
    Decoy("weekly_batch", run_every_week),
    Decoy("skipped_batch", run_every_week_but_the_last),
    Decoy("holiday", rest_on_a_holiday),
    Decoy("month_end", close_the_month),
    BAD_WEEK,
)


def _hours_back(s: Strike) -> NDArray[np.int64]:
    return np.arange(s.state.shape[1] - 1, -1, -1)


def _weekly(s: Strike, skipped: int) -> Bools:
    length, since = int(s.rng.integers(4, 9)), int(s.rng.integers(3, 9))
    # Begun `since` hours ago: some of them are over, most still run.
    back = _hours_back(s)
    if len(back) < WEEK + 24:
        return np.zeros(len(back), dtype=np.bool_)
    into = (since - 1 - back) % WEEK
    weeks = np.floor((back - since) / WEEK) + 1
    return np.asarray((into < length) & ((weeks == 0) | (weeks > skipped)))


def _batch(s: Strike, when: Bools) -> None:
    noise = np.clip(s.rng.normal(1, 0.03, s.state.shape[1]), 0.92, 1.06)
    for field, target in ((s.state.cpu, 86.0), (s.state.compaction, 1500.0), (s.state.disk_io, 70.0)):
        field[s.row, when] = np.maximum(field[s.row, when], (target * noise)[when])
    s.state.p99[s.row, when] *= 3.5
    s.state.txn_rate[s.row, when] *= 3
    s.state.connections[s.row, when] *= 1.8
