"""The state of a fleet in which nothing is wrong: levels differ, load drives the rest, noise is honest."""

import numpy as np
from numpy.typing import NDArray

from sandbox.fleet.chance import Bools, Floats, stream, wander
from sandbox.fleet.inventory import Cluster
from sandbox.fleet.seasons import WORKLOAD_SHARES, WORKLOADS, load_curve
from sandbox.fleet.state import State

GIB = 1024.0**3
GB = 1e9
_QUIET_HOURS = 4
"""No gap and no restart falls into the newest hours: a healthy cluster's last word is always there."""


def calm(seed: int, clusters: list[Cluster], hours: NDArray[np.datetime64]) -> State:
    """Return the healthy state of `clusters` over `hours` (UTC)."""
    rng = stream(seed, "ambience")
    load = _load(rng, clusters, hours)
    shape = load.shape
    level = _Levels(rng, shape)
    queries = _queries(rng, level, load)
    memory = np.array([[cluster.machine.memory_gb * GIB] for cluster in clusters])
    be_count = np.array([[float(cluster.be_count)] for cluster in clusters])
    volume = np.array([[cluster.volume_gb * GB * cluster.be_count] for cluster in clusters])
    elastic = np.array([[cluster.elastic] for cluster in clusters])
    return State(
        hours=hours,
        **queries,
        **_loads(rng, level, load),
        **_storage(level, load, elastic),
        disk_bytes=level.constant(volume),
        memory_available=np.clip(level.draw(46, 70) - 7 * load + level.noise(0.8, 0.9), 37.5, 88),
        memory_bytes=level.constant(memory * be_count),
        node_memory=level.constant(memory),
        heap=np.clip(level.draw(32, 54) + 4 * load + level.noise(2.2, 0.5), 12, 68),
        heap_bytes=level.constant(level.pick((8, 16, 24, 32)) * GIB),
        journal=level.lognormal(14, 0.5, 3, 70) * (0.85 + 0.3 * load) * level.factor(0.18),
        connections=np.round(level.lognormal(45, 0.7, 5, 190) * (0.55 + 0.5 * load) * level.factor(0.06)),
        descriptors=np.round(level.draw(2500, 11500) * (0.92 + 0.1 * load) * level.factor(0.02)),
        threads=np.round(level.draw(350, 900) * (0.9 + 0.15 * load) * level.factor(0.02)),
        up=np.ones(shape),
        present=_arrivals(rng, shape),
        restarts=_restarts(rng, shape),
    )


class _Levels:
    """Draws per-cluster levels and hourly noise of the right shape."""

    def __init__(self, rng: np.random.Generator, shape: tuple[int, int]) -> None:
        self._rng, self._shape = rng, shape

    def draw(self, low: float, high: float) -> Floats:
        return self._rng.uniform(low, high, (self._shape[0], 1))

    def lognormal(self, median: float, sigma: float, low: float, high: float) -> Floats:
        drawn = median * np.exp(sigma * self._rng.standard_normal((self._shape[0], 1)))
        return np.clip(drawn, low, high)

    def pick(self, choices: tuple[float, ...]) -> Floats:
        return self._rng.choice(np.array(choices, dtype=np.float64), (self._shape[0], 1))

    def noise(self, size: float, keep: float = 0.8) -> Floats:
        return size * wander(self._rng, *self._shape, keep)

    def factor(self, sigma: float, keep: float = 0.75) -> Floats:
        return np.exp(self.noise(sigma, keep))

    def constant(self, values: Floats) -> Floats:
        return np.broadcast_to(values, self._shape).copy()

    def ramp(self) -> Floats:
        """Days since the first hour, shape (1, hours)."""
        return (np.arange(self._shape[1]) / 24.0)[None, :]


def _load(rng: np.random.Generator, clusters: list[Cluster], hours: NDArray[np.datetime64]) -> Floats:
    kinds = rng.choice(WORKLOADS, len(clusters), p=WORKLOAD_SHARES)
    curves = [load_curve(str(kind), hours, c.region.offset) for kind, c in zip(kinds, clusters, strict=True)]
    return np.clip(np.array(curves) * np.exp(0.10 * wander(rng, len(clusters), len(hours))), 0.02, 1.35)


def _queries(rng: np.random.Generator, level: _Levels, load: Floats) -> dict[str, Floats]:
    peak = level.lognormal(9, 1.25, 0.4, 400)
    qps = peak * load * level.factor(0.05, 0.3)
    # Busy applications are well-kept ones: the share of failing queries falls with the volume.
    tidy = np.clip((peak / 4) ** -0.55, 0.12, 1.0)
    share = level.lognormal(5e-4, 0.5, 1e-4, 9e-4) * tidy * level.factor(0.35, 0.5)
    # Bursts of errors happen everywhere now and then; a patrol that flags each is of no use.
    bursts = rng.random(load.shape) < 0.0015
    p99 = level.lognormal(170, 0.6, 35, 650)
    return {
        "qps": qps,
        "cpu": np.clip(level.draw(3, 9) + level.lognormal(24, 0.45, 8, 46) * load + level.noise(1.6, 0.5), 1, 62),
        "p99": p99 * (0.8 + 0.35 * load**2) * level.factor(0.13, 0.6),
        "p95_share": np.clip(level.draw(0.35, 0.6) + level.noise(0.02), 0.2, 0.8),
        "error_share": np.where(bursts, share * rng.uniform(2, 5, load.shape), share),
        "timeout_share": level.constant(level.draw(0.005, 0.05)),
        "internal_share": level.constant(level.draw(0.01, 0.08)),
        "slow_share": level.lognormal(8e-4, 0.7, 5e-5, 6e-3) * tidy * level.factor(0.25, 0.5),
        "running": np.clip(qps * p99 * 0.25 / 1000 + level.draw(0.2, 2.0) * load, 0, None),
    }


def _loads(rng: np.random.Generator, level: _Levels, load: Floats) -> dict[str, Floats]:
    streams = rng.random((load.shape[0], 1)) < 0.55
    rows = level.lognormal(4e6, 1.0, 1e5, 4e7) * (0.4 + 0.7 * load) * level.factor(0.10)
    lag = level.lognormal(1500, 1.0, 50, 20_000) * (0.5 + load) * level.factor(0.45, 0.6)
    return {
        "txn_rate": level.lognormal(240, 0.9, 20, 3000) * (0.5 + 0.6 * load) * level.factor(0.06),
        "txn_fail_share": level.lognormal(1.5e-3, 0.5, 3e-4, 4e-3) * level.factor(0.3),
        "txn_rejects": level.constant(level.draw(0.0, 0.02)),
        "lag": np.where(streams, np.minimum(lag, 60_000), np.nan),
        "paused": np.zeros(load.shape),
        "routine_rows": np.where(streams, rows, 0.0),
        "routine_error_share": level.constant(level.lognormal(2e-5, 0.8, 1e-6, 2e-4)),
    }


def _storage(level: _Levels, load: Floats, elastic: Bools) -> dict[str, Floats]:
    compaction = np.where(elastic, level.lognormal(24, 0.5, 8, 120), level.lognormal(48, 0.6, 10, 190))
    # CLASSIC disks hold the data and fill slowly; ELASTIC disks hold a cache that stays where it is.
    growth = np.where(elastic, level.draw(-0.02, 0.02), level.draw(-0.03, 0.22)) * level.ramp()
    end = level.draw(30, 63)
    used = end + growth - growth[:, -1:] + level.noise(0.5, 0.95)
    return {
        "compaction": compaction * (0.55 + 0.6 * load) * level.factor(0.22, 0.7),
        "rowsets": level.draw(25, 160) * (0.8 + 0.3 * load) * level.factor(0.08),
        "apply_queue": level.draw(0.0, 3.0) * load * level.factor(0.4),
        "disk_used": np.clip(used, 12, 68),
        "disk_io": np.clip(level.draw(6, 26) * (0.5 + 0.8 * load) * level.factor(0.15), 0.5, 62),
    }


def _arrivals(rng: np.random.Generator, shape: tuple[int, int]) -> Bools:
    present = rng.random(shape) >= 0.002
    present[:, -_QUIET_HOURS:] = True
    return present


def _restarts(rng: np.random.Generator, shape: tuple[int, int]) -> Bools:
    restarts = rng.random(shape) < 1 / (24 * 18)
    restarts[:, -_QUIET_HOURS:] = False
    # The first hour has no hour before it from which a counter could fall.
    restarts[:, 0] = False
    return restarts
