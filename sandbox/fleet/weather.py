"""Everyday trouble of healthy clusters: what comes and goes by itself, and what has always been a little high.

Its amplitudes overlap those of the faults on purpose. What tells them apart is what tells them apart for a person: how
long it lasts, whether it is usual for this cluster, and whether it goes anywhere."""

from dataclasses import dataclass

import numpy as np

from sandbox.fleet.chance import Floats, stream
from sandbox.fleet.state import State


@dataclass(frozen=True, slots=True)
class Gust:
    """Something that passes within an hour or two: `field` of the state reaches `low`..`high`, or that many times its
    course when `times`; `daily` is how often it happens to a cluster in a day."""

    field: str
    low: float
    high: float
    daily: float
    times: bool = False


GUSTS: tuple[Gust, ...] = (
    Gust("error_share", 0.004, 0.04, 0.08),
    Gust("txn_fail_share", 0.02, 0.12, 0.06),
    Gust("txn_rejects", 2, 60, 0.04),
    Gust("p99", 1.8, 5.0, 0.25, times=True),
    Gust("cpu", 74, 94, 0.15),
    Gust("compaction", 500, 2200, 0.10),
    Gust("journal", 4, 60, 0.08, times=True),
    Gust("connections", 320, 640, 0.04),
    Gust("lag", 60_000, 600_000, 0.10),
    Gust("heap", 76, 88, 0.08),
)
LENGTHS = (1, 2)
"""Hours; what lasts three hours and more is trouble."""


@dataclass(frozen=True, slots=True)
class Habit:
    """A share of clusters that have always been like this: the course is lifted (or lowered) so that its median is
    `low`..`high`."""

    field: str
    low: float
    high: float
    share: float


HABITS: tuple[Habit, ...] = (
    Habit("disk_used", 69, 77, 0.10),
    Habit("memory_available", 25, 33, 0.08),
    Habit("heap", 70, 79, 0.08),
    Habit("error_share", 0.0015, 0.0035, 0.06),
    Habit("compaction", 300, 700, 0.06),
    Habit("connections", 260, 420, 0.06),
    Habit("p99", 900, 2600, 0.06),
)
_MOST_REJECTED = 0.3
_GAPS_DAILY = 0.04
_LATE = 0.03
_DRIFTERS = 0.10
_DRIFT = (0.15, 0.6)
# The fullest node is some points above the mean; from 80 on it is a warning, whoever is used to it.
_DISK_CEILING = 76.5


def disturb(state: State, seed: int) -> None:
    """Lay everyday trouble on every cluster of a calm state."""
    rng = stream(seed, "weather")
    for habit in HABITS:
        _settle(state, habit, rng)
    _drift(state, rng)
    for gust in GUSTS:
        _blow(state, gust, rng)
    # Who refuses most of its loads is not well, for however short a time.
    np.minimum(state.txn_rejects, _MOST_REJECTED * state.txn_rate, out=state.txn_rejects)
    _miss(state, rng)


def _settle(state: State, habit: Habit, rng: np.random.Generator) -> None:
    field: Floats = getattr(state, habit.field)
    chosen = rng.random(len(field)) < habit.share
    target = rng.uniform(habit.low, habit.high, len(field))
    middle = np.nanmedian(field, axis=1)
    # Shares and times keep their rhythm in proportion, levels keep theirs in points.
    if habit.field in {"disk_used", "memory_available", "heap"}:
        field[chosen] += (target - middle)[chosen, None]
    else:
        field[chosen] *= (target / np.maximum(middle, 1e-9))[chosen, None]


def _drift(state: State, rng: np.random.Generator) -> None:
    """Disks that grow by some tenths of a percent a day, as most disks do."""
    rows, hours = state.shape
    chosen = rng.random(rows) < _DRIFTERS
    daily = rng.uniform(*_DRIFT, rows)
    back = np.arange(hours, 0, -1) / 24.0
    state.disk_used[chosen] -= daily[chosen, None] * back[None, :]
    np.clip(state.disk_used, 5, None, out=state.disk_used)
    over = np.maximum(state.disk_used.max(axis=1) - _DISK_CEILING, 0)
    state.disk_used -= over[:, None]


def _blow(state: State, gust: Gust, rng: np.random.Generator) -> None:
    field: Floats = getattr(state, gust.field)
    begins = rng.random(field.shape) < gust.daily / 24
    lengths = rng.choice(LENGTHS, field.shape)
    heights = rng.uniform(gust.low, gust.high, field.shape)
    usual = field.copy()
    for after in range(max(LENGTHS)):
        rows, hours = np.nonzero(begins & (lengths > after))
        there = hours + after < field.shape[1]
        row, at = rows[there], hours[there] + after
        peak = heights[row, at - after] * (usual[row, at] if gust.times else 1.0)
        # Lags of clusters without routine load stay unknown: NaN wins the comparison.
        field[row, at] = np.maximum(field[row, at], peak)


def _miss(state: State, rng: np.random.Generator) -> None:
    """Hours in which nothing arrived, the newest ones too, but never three in a row by this."""
    gaps = rng.random(state.shape) < _GAPS_DAILY / 24
    state.present &= ~gaps
    late = rng.random(state.shape[0]) < _LATE
    state.present[late, -1] = False
