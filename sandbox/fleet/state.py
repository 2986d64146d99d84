"""The physical state of every active cluster hour by hour, before it is exported as metrics; faults act on it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sandbox.fleet.chance import Bools, Floats


@dataclass(slots=True)
class State:
    """Arrays of shape (clusters, hours); percent fields are 0..100, shares are 0..1, times in ms."""

    hours: NDArray[np.datetime64]
    """Start of each hour, UTC; shape (hours,)."""
    qps: Floats
    cpu: Floats
    """Percent of the cores, mean over the hour."""
    p99: Floats
    p95_share: Floats
    """p95 as share of p99."""
    error_share: Floats
    timeout_share: Floats
    """Share of the errors that are time-outs."""
    internal_share: Floats
    """Share of the errors that are internal."""
    slow_share: Floats
    """Share of the queries."""
    running: Floats
    """Queries running at the same time."""
    txn_rate: Floats
    """Load transactions per hour."""
    txn_fail_share: Floats
    txn_rejects: Floats
    """Refused load transactions per hour."""
    compaction: Floats
    rowsets: Floats
    apply_queue: Floats
    disk_used: Floats
    """Percent of the disks."""
    disk_bytes: Floats
    disk_io: Floats
    """Percent."""
    memory_available: Floats
    """Percent of the nodes' memory."""
    memory_bytes: Floats
    """Memory of all nodes."""
    node_memory: Floats
    """Memory of one node."""
    heap: Floats
    """Percent."""
    heap_bytes: Floats
    journal: Floats
    connections: Floats
    descriptors: Floats
    threads: Floats
    lag: Floats
    """Messages behind; NaN where the cluster has no routine load."""
    paused: Floats
    routine_rows: Floats
    """Rows per hour."""
    routine_error_share: Floats
    up: Floats
    """Share of the nodes that answer."""
    present: Bools
    """False where no sample of the cluster arrived in that hour."""
    restarts: Bools
    """True in hours in which the processes restarted: counters begin at 0 again."""

    @property
    def shape(self) -> tuple[int, int]:
        """Return (clusters, hours)."""
        rows, hours = self.qps.shape
        return rows, hours

    def hours_ago(self, hours: float) -> int:
        """Return the index of the hour that began `hours` before the end of the series, at least 0."""
        return max(0, self.shape[1] - round(hours))
