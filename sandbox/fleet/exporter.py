"""Turns the physical state into hourly metrics: gauges with their spread, counters cumulated across restarts."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sandbox.fleet.ambience import GIB
from sandbox.fleet.chance import Bools, Floats, poisson, stream
from sandbox.fleet.state import State

SAMPLES_PER_HOUR = 60
DESCRIPTOR_LIMIT = 65_535.0
_COUNTERS_START_HOURS = 24 * 9
"""Counters have run for some days when the series begins."""


@dataclass(frozen=True, slots=True)
class Block:
    """One metric of all clusters; arrays of shape (clusters, hours), NaN where the metric is not exported."""

    metric: str
    mean: Floats
    high: Floats
    low: Floats
    last: Floats


class Export:
    """Everything that the processes of the fleet expose."""

    def __init__(self, state: State, seed: int) -> None:
        self._state = state
        self._rng = stream(seed, "exporter")
        self.rises: dict[str, Floats] = {name: np.round(rise) for name, rise in _rises(state, self._rng).items()}
        """Counter → rise in each hour, shape (clusters, hours)."""

    def blocks(self) -> Iterator[Block]:
        """Yield the block of every metric of the dictionary; hours without samples are for the caller to drop."""
        for name, (values, spread) in _gauges(self._state).items():
            yield _gauge(self._rng, name, values, spread)
        restarts = self._state.restarts
        # For each hour the newest restart so far, -1 before the first; without a loop over hours.
        starts = np.maximum.accumulate(np.where(restarts, np.arange(restarts.shape[1])[None, :], -1), axis=1)
        for name, rises in self.rises.items():
            yield _counter(name, rises, restarts, starts)


def _gauge(rng: np.random.Generator, name: str, values: Floats, spread: float) -> Block:
    """Spread is the usual half-width of an hour's samples as a share of their mean."""
    # Limits and shares are exact; noise on them would look like disks that breathe.
    if spread == 0:
        return Block(name, values, values, values, values)
    width = spread * np.abs(values)
    high = values + width * np.abs(rng.normal(1, 0.3, values.shape))
    # Drawn apart from the upper half: real hours are lopsided.
    low = np.maximum(values - width * np.abs(rng.normal(1, 0.3, values.shape)), 0)
    if name.endswith(("_percent", "_pct")):
        high = np.minimum(high, 100.0)
    last = low + (high - low) * rng.random(values.shape)
    return Block(name, *(_rounded(part) for part in (values, high, low, last)))


def _rounded(values: Floats) -> Floats:
    return np.round(values, 3)


def _counter(name: str, rises: Floats, restarts: Bools, starts: NDArray[np.int64]) -> Block:
    """Cumulate hourly rises; in the hour of a restart half of the rise is lost with the old process."""
    kept = np.where(restarts, np.round(rises / 2), rises)
    # A counter that begins at nought with the series would give away where the simulation begins.
    before = np.round(rises.mean(axis=1, keepdims=True) * _COUNTERS_START_HOURS)
    total = np.cumsum(kept, axis=1) + before
    # What had been counted when the newest restart so far began is subtracted again.
    lost = np.concatenate([np.zeros((len(total), 1)), total - kept], axis=1)
    last = total - np.take_along_axis(lost, starts + 1, axis=1) * (starts >= 0)
    first = last - kept
    return Block(
        name,
        # In an hour of a restart the samples of two processes mix; half way is all that can be said.
        mean=np.where(restarts, (first + last) / 2, last - rises / 2),
        high=np.where(restarts, np.maximum(last, np.roll(last, 1, axis=1) + rises - kept), last),
        low=np.where(restarts, 0.0, first),
        last=last,
    )


def _gauges(state: State) -> dict[str, tuple[Floats, float]]:
    """Return metric → (hourly means, spread within the hour)."""
    return {**_query_gauges(state), **_storage_gauges(state), **_memory_gauges(state), **_process_gauges(state)}


def _query_gauges(s: State) -> dict[str, tuple[Floats, float]]:
    return {
        "starrocks_fe_qps": (s.qps, 0.25),
        "starrocks_fe_query_latency_ms_p95": (s.p99 * s.p95_share, 0.18),
        "starrocks_fe_query_latency_ms_p99": (s.p99, 0.22),
        "starrocks_be_pip_query_ctx_cnt": (s.running, 0.5),
        "starrocks_fe_connection_total": (s.connections, 0.08),
        "starrocks_be_cpu_util_percent": (s.cpu, 0.12),
        "starrocks_be_max_network_receive_bytes_rate": (2e6 + s.cpu * 9e5, 0.3),
        "starrocks_be_max_network_send_bytes_rate": (1e6 + s.cpu * 6e5, 0.3),
    }


def _storage_gauges(s: State) -> dict[str, tuple[Floats, float]]:
    used = s.disk_bytes * s.disk_used / 100
    tablets = np.round(s.disk_bytes / 2.5e9)
    return {
        "starrocks_fe_max_tablet_compaction_score": (s.compaction, 0.2),
        "starrocks_be_max_tablet_rowset_num": (np.round(s.rowsets), 0.1),
        "starrocks_be_disks_total_capacity": (np.round(s.disk_bytes), 0),
        "starrocks_be_disks_avail_capacity": (np.round(s.disk_bytes - used), 0.002),
        # A little of what is taken on the disks is not data: logs, spill, system.
        "starrocks_be_disks_data_used_capacity": (np.round(used * 0.96), 0.002),
        "starrocks_be_disks_data_used_pct": (np.minimum(s.disk_used * 1.02 + 0.6, 99.6), 0.004),
        "starrocks_be_max_disk_io_util_percent": (s.disk_io, 0.35),
        "starrocks_fe_tablet_num": (tablets, 0.001),
        "starrocks_fe_scheduled_pending_tablet_num": (np.round((1 - s.up) * tablets * 0.2), 0.1),
        "starrocks_be_update_apply_queue_count": (s.apply_queue, 0.4),
        "starrocks_be_publish_version_queue_count": (s.apply_queue * 0.6, 0.4),
    }


def _memory_gauges(s: State) -> dict[str, tuple[Floats, float]]:
    alive = s.memory_bytes * s.up
    # The operating system and the page cache take a few percent beside the BE process.
    process = s.node_memory * np.clip(96 - s.memory_available, 4, 96) / 100
    return {
        "node_memory_MemAvailable_bytes": (np.round(alive * s.memory_available / 100), 0.02),
        # A dead node sends nothing, so it is missing from the sum; the ratio to what is available stays true.
        "node_memory_MemTotal_bytes": (np.round(alive), 0),
        "starrocks_be_process_mem_bytes": (np.round(process), 0.02),
        "starrocks_be_jemalloc_resident_bytes": (np.round(process * 0.97), 0.02),
        "starrocks_be_query_mem_bytes": (np.round(process * 0.004 * np.clip(s.cpu, 1, 90)), 0.4),
        "starrocks_be_load_mem_bytes": (np.round(process * 0.03), 0.4),
        "starrocks_be_compaction_mem_bytes": (np.round(0.05 * GIB + s.compaction * 2e6), 0.3),
        "jvm_heap_size_bytes_used": (np.round(s.heap_bytes * s.heap / 100), 0.03),
        "jvm_heap_size_bytes_max": (np.round(s.heap_bytes), 0),
    }


def _process_gauges(s: State) -> dict[str, tuple[Floats, float]]:
    age = np.arange(s.shape[1])[None, :] * np.clip(s.txn_rate, 0, 4000)
    return {
        "up": (s.up, 0),
        "starrocks_fe_journal_write_latency_ms_p99": (s.journal, 0.2),
        "starrocks_fe_editlog_write_latency_ms_p99": (s.journal * 1.15 + 1, 0.2),
        "starrocks_fe_meta_log_count": (np.round(age % 42_000), 0.01),
        "starrocks_be_process_fd_num_used": (np.round(s.descriptors), 0.01),
        "starrocks_be_process_fd_num_limit_soft": (np.full(s.shape, DESCRIPTOR_LIMIT), 0),
        "starrocks_be_process_thread_num": (np.round(s.threads), 0.02),
        "starrocks_fe_thread_pool": (np.round(s.threads * 0.8 + s.connections), 0.02),
        "starrocks_fe_routine_load_max_lag_of_partition": (np.round(s.lag), 0.15),
        # No job, no metric: a 0 would say that there are jobs and none is paused.
        "starrocks_fe_routine_load_paused": (np.where(np.isnan(s.lag), np.nan, s.paused), 0),
    }


def _rises(s: State, rng: np.random.Generator) -> dict[str, Floats]:
    """Return counter → rise in each hour."""
    queries = poisson(rng, s.qps * 3600)
    # Drawn by themselves the parts could exceed the whole, which no exporter would ever show.
    errors = np.minimum(poisson(rng, queries * s.error_share), queries)
    begun = poisson(rng, s.txn_rate)
    failed = np.minimum(poisson(rng, begun * s.txn_fail_share), begun)
    mean_latency = s.p99 * s.p95_share * 0.3
    return {
        "starrocks_fe_query_total": queries,
        "starrocks_fe_query_success": queries - errors,
        "starrocks_fe_query_err": errors,
        "starrocks_fe_query_timeout": np.minimum(poisson(rng, errors * s.timeout_share), errors),
        "starrocks_fe_query_internal_err": np.minimum(poisson(rng, errors * s.internal_share), errors),
        "starrocks_fe_slow_query": poisson(rng, queries * s.slow_share),
        "starrocks_fe_query_latency_ms_sum": queries * mean_latency,
        "starrocks_fe_query_latency_ms_count": queries,
        "starrocks_fe_txn_begin": begun,
        "starrocks_fe_txn_success": begun - failed,
        "starrocks_fe_txn_failed": failed,
        "starrocks_fe_txn_reject": poisson(rng, s.txn_rejects),
        "starrocks_fe_routine_load_rows": s.routine_rows,
        "starrocks_fe_routine_load_error_rows": poisson(rng, s.routine_rows * s.routine_error_share),
        "starrocks_be_streaming_load_bytes": s.txn_rate * 2.4e6,
    }
