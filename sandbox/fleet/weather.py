"""Everyday trouble of healthy clusters: what comes and goes by itself, and what has always been a little high.

Its amplitudes and lengths overlap those of the faults on purpose: neither how high nor how long tells them apart. What
has gone on for so long that a person wants to know is found afterwards, by lines.py, whatever was meant by it."""

from dataclasses import dataclass

import numpy as np

from sandbox.fleet.chance import Floats, stream
from sandbox.fleet.inventory import Cluster
from sandbox.fleet.lines import ELASTIC_SCALE
from sandbox.fleet.state import State


@dataclass(frozen=True, slots=True)
class Gust:
    """Something that passes by itself: `field` of the state reaches `low`..`high`, or that many times its course when
    `times`; `daily` is how often it happens to a cluster in a day, `alert` what it may set off."""

    field: str
    low: float
    high: float
    daily: float
    times: bool = False
    falls: bool = False
    alert: str = ""


GUSTS: tuple[Gust, ...] = (
    Gust("error_share", 0.004, 0.04, 0.08, alert="QueryErrorRateTooHigh"),
    Gust("txn_fail_share", 0.02, 0.12, 0.06),
    Gust("txn_rejects", 2, 60, 0.04, alert="TxnRejected"),
    Gust("p99", 1.8, 5.0, 0.25, times=True, alert="QueryLatencyP99TooHigh"),
    Gust("cpu", 74, 94, 0.15, alert="BeCpuUsageTooHigh"),
    Gust("compaction", 500, 2200, 0.10, alert="CompactionScore"),
    Gust("journal", 4, 90, 0.08, times=True, alert="FeJournalWriteSlow"),
    Gust("connections", 320, 760, 0.04, alert="FeConnectionTooHigh"),
    Gust("lag", 60_000, 900_000, 0.10, alert="RoutineLoadLagTooHigh"),
    Gust("paused", 1, 1, 0.03, alert="RoutineLoadPaused"),
    Gust("heap", 76, 90, 0.08, alert="HeapUsageTooHigh"),
    Gust("memory_available", 14, 30, 0.05, falls=True, alert="BeMemUsageTooHigh"),
    Gust("up", 0.965, 0.995, 0.05, falls=True),
)
LENGTHS = (1, 2, 3, 4, 5, 6)
"""Hours."""
LENGTH_SHARES = (0.42, 0.26, 0.14, 0.09, 0.06, 0.03)
"""The longer the rarer, without an end that would tell them from faults."""


@dataclass(frozen=True, slots=True)
class Blown:
    """One gust as it was: on which row, from which hour index on, for how many hours."""

    row: int
    start: int
    hours: int
    gust: Gust


@dataclass(frozen=True, slots=True)
class Habit:
    """A share of clusters that have always been like this: the course is lifted (or lowered) so that its median is
    `low`..`high`, and never passes `most`."""

    field: str
    low: float
    high: float
    share: float
    most: float = np.inf


HABITS: tuple[Habit, ...] = (
    Habit("disk_used", 69, 77, 0.10),
    Habit("memory_available", 25, 33, 0.08),
    Habit("heap", 70, 80, 0.08, most=83),
    Habit("cpu", 56, 70, 0.06, most=90),
    Habit("error_share", 0.0015, 0.008, 0.06),
    Habit("txn_fail_share", 0.01, 0.04, 0.06),
    Habit("compaction", 300, 1400, 0.06),
    Habit("journal", 150, 700, 0.06),
    Habit("connections", 260, 640, 0.06),
    Habit("descriptors", 32_000, 44_000, 0.05, most=47_500),
    Habit("lag", 60_000, 400_000, 0.06),
    Habit("p99", 900, 4000, 0.06),
)
_IN_POINTS = {"disk_used", "memory_available", "heap"}
_FULL_CACHES = 0.6
_MOST_REJECTED = 0.3
_GAPS_DAILY = 0.04
_LATE = 0.03
_DRIFTERS = 0.10
_DRIFT = (0.15, 0.6)
# The fullest node is some points above the mean; from 80 on it is a warning, whoever is used to it.
_DISK_CEILING = 76.5


def get_used_to(state: State, clusters: list[Cluster], seed: int) -> None:
    """Give clusters of a calm state their habits: what is always so, and therefore no news."""
    rng = stream(seed, "habits")
    for habit in HABITS:
        _settle(state, habit, rng)
    _drift(state, rng)
    _fill_caches(state, clusters, rng)


def disturb(state: State, seed: int) -> list[Blown]:
    """Blow over every cluster what comes and goes by itself; return what blew."""
    rng = stream(seed, "weather")
    blown = [one for gust in GUSTS for one in _blow(state, gust, rng)]
    # Who refuses most of its loads is not well, for however short a time.
    np.minimum(state.txn_rejects, _MOST_REJECTED * state.txn_rate, out=state.txn_rejects)
    _miss(state, rng)
    return blown


def rescale(state: State, clusters: list[Cluster]) -> None:
    """Put the compaction scores of ELASTIC clusters on the scale of theirs."""
    state.compaction[[cluster.elastic for cluster in clusters]] *= ELASTIC_SCALE


def _settle(state: State, habit: Habit, rng: np.random.Generator) -> None:
    field: Floats = getattr(state, habit.field)
    chosen = rng.random(len(field)) < habit.share
    target = rng.uniform(habit.low, habit.high, len(field))
    middle = np.median(field, axis=1)
    # Shares and times keep their rhythm in proportion, levels keep theirs in points.
    if habit.field in _IN_POINTS:
        field[chosen] += (target - middle)[chosen, None]
    else:
        field[chosen] *= (target / np.maximum(middle, 1e-9))[chosen, None]
    field[chosen] = np.minimum(field[chosen], habit.most)


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


def _fill_caches(state: State, clusters: list[Cluster], rng: np.random.Generator) -> None:
    """Local disks of most ELASTIC clusters: a cache that is as full as it may be, and stays so."""
    chosen = np.array([cluster.elastic for cluster in clusters]) & (rng.random(len(clusters)) < _FULL_CACHES)
    level = rng.uniform(82, 95, (len(clusters), 1)) + np.clip(rng.normal(0, 0.4, state.shape), -1, 1)
    state.disk_used[chosen] = level[chosen]


def _blow(state: State, gust: Gust, rng: np.random.Generator) -> list[Blown]:
    field: Floats = getattr(state, gust.field)
    begins = rng.random(field.shape) < gust.daily / 24
    lengths = rng.choice(LENGTHS, field.shape, p=LENGTH_SHARES)
    heights = rng.uniform(gust.low, gust.high, field.shape)
    # A job that does not exist cannot pause, and its lag stays unknown.
    if gust.field in {"lag", "paused"}:
        begins &= ~np.isnan(state.lag)
    worse = np.minimum if gust.falls else np.maximum
    usual = field.copy()
    for row, start in np.argwhere(begins):
        span = slice(start, start + lengths[row, start])
        peak = heights[row, start] * (usual[row, span] if gust.times else 1.0)
        field[row, span] = worse(field[row, span], peak)
    return [Blown(int(row), int(start), int(lengths[row, start]), gust) for row, start in np.argwhere(begins)]


def _miss(state: State, rng: np.random.Generator) -> None:
    """Hours in which nothing arrived, the newest one or two as well."""
    gaps = rng.random(state.shape) < _GAPS_DAILY / 24
    state.present &= ~gaps
    late = rng.random(state.shape[0])
    state.present[late < _LATE, -1] = False
    state.present[late < _LATE / 3, -2] = False
