"""The kinds of faults: what each does to a cluster's state, which dimensions it touches and what it sets off."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sandbox.fleet.exporter import DESCRIPTOR_LIMIT
from sandbox.fleet.strike import Strike


@dataclass(frozen=True, slots=True)
class Symptom:
    """An alert that a fault sets off once `after` (0..1) of its time so far has passed."""

    alert: str
    after: float = 0.1


@dataclass(frozen=True, slots=True)
class Kind:
    """A fault kind; `onset` is how many hours ago it can have begun."""

    name: str
    act: Callable[[Strike], None]
    dimensions: tuple[str, ...]
    onset: tuple[float, float]
    symptoms: tuple[Symptom, ...] = ()
    logs: tuple[tuple[str, str], ...] = ()
    """(level, message) of lines that its nodes write."""
    graded: bool = True
    """False for what is there or not: such a fault is never faint."""
    sudden: bool = False
    """True for what is there at once: such a fault can be seen when it is young, and it can come and go."""
    on_cache: bool = True
    """False for faults of disks that hold the data: the disks of an ELASTIC cluster are a cache."""
    flagged: bool = True
    """False when the metrics stay untouched: flagging it is neither asked nor forbidden."""


def fill_disk(s: Strike) -> None:
    """Data grow faster than the disks: hours to days until they are full."""
    s.climb(s.state.disk_used, s.level((70, 74), (80.8, 88.5), (90.6, 97)), wobble=0.002)
    s.climb(s.state.disk_io, 55, over=6, wobble=0.15)


def back_up_compaction(s: Strike) -> None:
    """Loads outrun compaction: versions pile up and queries read more of them."""
    s.climb(
        s.state.compaction, s.level((380, 480), (1100, 3000), (5300, 9000)), over=max(2, s.length * 0.6), wobble=0.06
    )
    s.climb(s.state.rowsets, s.level((220, 300), (520, 760), (800, 970)), over=max(2, s.length * 0.6))
    s.climb(s.state.apply_queue, s.level((4, 8), (20, 60), (80, 200)), over=4, wobble=0.2)
    s.multiply(s.state.p99, s.level((1.05, 1.15), (1.2, 1.5), (1.4, 2.0)))


def leak_memory(s: Strike) -> None:
    """A BE process keeps what it allocates."""
    s.climb(s.state.memory_available, s.level((29, 33), (11.5, 18.5), (4, 9.2)), wobble=0.03)


def saturate_cpu(s: Strike) -> None:
    """More work than cores: everything waits."""
    s.climb(s.state.cpu, s.level((62, 66), (80, 87), (92, 97)), over=2, wobble=0.015)
    s.climb(s.state.p99, s.usual(s.state.p99) * s.level((1.2, 1.5), (2, 4), (4, 7)), over=2, wobble=0.1)
    s.climb(s.state.running, s.usual(s.state.running) * 4 + 6, over=2, wobble=0.2)


def slow_down_after_upgrade(s: Strike) -> None:
    """A version plans some queries badly: the slow tail grows at once and stays."""
    usual = s.usual(s.state.p99)
    floor = s.level((0, 0), (600, 2200), (5300, 9000))
    target = max(floor, usual * s.level((1.4, 1.7), (2.6, 6), (9, 14)))
    s.climb(s.state.p99, target, over=1, wobble=0.12)
    s.climb(s.state.slow_share, s.level((0.002, 0.004), (0.02, 0.04), (0.05, 0.12)), over=1, wobble=0.1)


def fail_queries(s: Strike) -> None:
    """Queries of one application fail: a dropped column, a broken catalog, a wrong password downstream."""
    # With hardly any queries a share of errors means nothing, and rightly nobody would flag it.
    s.at_least(s.state.qps, 5.0)
    s.climb(s.state.error_share, s.level((0.0012, 0.002), (0.007, 0.019), (0.023, 0.12)), over=1, wobble=0.1)


def halt_routine_load(s: Strike) -> None:
    """Jobs paused after too many bad rows: the topic runs away."""
    # A cluster without routine load gets jobs for its whole past: they must have run before they can halt.
    if np.isnan(s.state.lag[s.row]).any():
        s.state.lag[s.row] = 1500 * np.exp(s.rng.normal(0, 0.3, s.state.shape[1]))
        s.state.routine_rows[s.row] = 2e6 * np.exp(s.rng.normal(0, 0.1, s.state.shape[1]))
    s.climb(s.state.lag, s.level((80_000, 150_000), (340_000, 950_000), (2e6, 2e7)), wobble=0.01)
    s.fill(s.state.paused, 0.0 if s.severity == "Info" else float(s.rng.integers(1, 4)))
    s.multiply(s.state.routine_rows, s.level((0.7, 0.8), (0.3, 0.5), (0.0, 0.05)))
    s.climb(s.state.routine_error_share, 0.004, over=1)


def fill_heap(s: Strike) -> None:
    """The FE holds too much metadata or too many profiles; garbage collection finds little."""
    s.climb(s.state.heap, s.level((72, 76), (85.8, 92.5), (95.5, 98.5)), over=max(2, s.length * 0.5), wobble=0.005)
    s.multiply(s.state.journal, s.level((1.0, 1.1), (1.2, 1.6), (1.5, 3)))


def slow_journal(s: Strike) -> None:
    """The FE's metadata disk is slow: every change of metadata waits for it."""
    s.climb(s.state.journal, s.level((180, 350), (1100, 3500), (10_700, 20_000)), over=2, wobble=0.12)
    s.climb(s.state.txn_fail_share, s.level((0.004, 0.006), (0.01, 0.02), (0.03, 0.06)), over=2)


def lose_nodes(s: Strike) -> None:
    """Machines that no longer answer; the others carry their load."""
    nodes = s.cluster.node_count
    lost = 1 if s.severity == "Warning" else max(2, round(nodes * 0.3))
    s.fill(s.state.up, 1 - lost / nodes)
    # Capped, or the survivors of a small cluster would look like a fault of their own.
    s.multiply(s.state.cpu, min(1.3, nodes / (nodes - lost)))


def break_in_many_places(s: Strike) -> None:
    """One cause, many symptoms, an alert for each."""
    s.at_least(s.state.qps, 3.0)
    s.climb(s.state.cpu, s.level((60, 64), (80, 86), (90, 96)), over=1, wobble=0.02)
    s.climb(s.state.p99, max(900, s.usual(s.state.p99) * s.level((1.5, 2), (4, 6), (8, 12))), over=1, wobble=0.1)
    s.climb(s.state.error_share, s.level((0.001, 0.002), (0.011, 0.018), (0.025, 0.06)), over=1, wobble=0.1)
    s.multiply(s.state.connections, 2.0)


def fall_silent(s: Strike) -> None:
    """No sample arrives any more: the agent, the network or everything is down."""
    s.state.present[s.row, s.since :] = False


def flap(s: Strike) -> None:
    """An alert comes and goes while the cluster is well; nothing is done to the state."""


def reject_transactions(s: Strike) -> None:
    """The leader refuses loads: too many running transactions, or a database over quota."""
    s.climb(s.state.txn_rejects, s.level((0.5, 1), (40, 90), (700, 1500)), over=1, wobble=0.2)
    s.climb(s.state.txn_fail_share, s.level((0.004, 0.006), (0.015, 0.03), (0.06, 0.12)), over=1)


def leak_descriptors(s: Strike) -> None:
    """A BE opens files and sockets and closes none."""
    s.climb(s.state.descriptors, DESCRIPTOR_LIMIT * s.level((0.26, 0.3), (0.77, 0.88), (0.915, 0.985)), wobble=0.004)


def exhaust_connections(s: Strike) -> None:
    """A client pool opens connections without end, spread over the front ends."""
    each = s.level((270, 330), (540, 850), (960, 3400))
    s.climb(s.state.connections, each * s.cluster.fe_count, over=max(2, s.length * 0.7), wobble=0.03)


_STORM = (
    "QueryLatencyP99TooHigh QueryErrorRateTooHigh BeCpuUsageTooHigh FeConnectionTooHigh SlowQueryTooMany "
    "BeAliveAbnormal ProcNotRunning OperationAbnormal HeapUsageTooHigh CompactionScore"
)

KINDS: tuple[Kind, ...] = (
    Kind(
        "disk_filling", fill_disk, ("disk_used_pct",), (40, 120),
        (Symptom("BeDiskUsageTooHigh", 0.75),),
        (("WARN", "disk /data1 used capacity over the soft limit"), ("ERROR", "load rejected: disks are full")),
        on_cache=False,
    ),
    Kind(
        "compaction_backlog", back_up_compaction, ("compaction_score",), (10, 40),
        (Symptom("CompactionScore", 0.2), Symptom("FEMaxTabletCompaction", 0.3)),
        (("WARN", "too many versions in tablet, compaction score keeps rising"),),
    ),
    Kind(
        "memory_leak", leak_memory, ("memory_available_pct",), (30, 90),
        (Symptom("BeMemUsageTooHigh", 0.7),),
        (("WARN", "process memory is close to its limit"), ("ERROR", "Memory of process exceed limit, cancelled")),
    ),
    Kind(
        "cpu_saturation", saturate_cpu, ("cpu_util_pct", "p99_latency_ms"), (6, 20),
        (Symptom("BeCpuUsageTooHigh", 0.1), Symptom("QueryLatencyP99TooHigh", 0.2)),
        (("WARN", "pipeline driver queue is long, executors are all busy"),),
        sudden=True,
    ),
    Kind(
        "p99_regression", slow_down_after_upgrade, ("p99_latency_ms",), (10, 36),
        (Symptom("QueryLatencyP99TooHigh", 0.1),),
        (("WARN", "query took longer than expected, plan changed after upgrade"),),
        sudden=True,
    ),
    Kind(
        "error_burst", fail_queries, ("error_share_pct", "query_errors_7d"), (4, 12),
        (Symptom("QueryErrorRateTooHigh", 0.1),),
        (("ERROR", "Getting analyzing error. Detail message: Column 'device_os' cannot be resolved"),),
        sudden=True,
    ),
    Kind(
        "routine_load_stuck", halt_routine_load, ("routine_load_lag", "routine_load_paused"), (6, 24),
        (Symptom("RoutineLoadPaused", 0.02), Symptom("RoutineLoadLagTooHigh", 0.4)),
        (("ERROR", "routine load job paused: current error rows is more than max error num"),),
    ),
    Kind(
        "fe_heap", fill_heap, ("fe_heap_used_pct",), (8, 30),
        (Symptom("HeapUsageTooHigh", 0.45),),
        (("WARN", "JVM old generation over 90 percent after full GC"),),
    ),
    Kind(
        "journal_latency", slow_journal, ("fe_journal_write_latency_ms",), (5, 24),
        (Symptom("FeJournalWriteSlow", 0.1),),
        (("WARN", "write bdbje journal took too long"),),
        sudden=True,
    ),
    Kind(
        "node_down", lose_nodes, ("nodes_up",), (4, 18),
        (Symptom("BeAliveAbnormal", 0.01), Symptom("ProcNotRunning", 0.01)),
        (("ERROR", "heartbeat to backend failed: connection refused"),),
        graded=False, sudden=True,
    ),
    Kind(
        "alert_storm", break_in_many_places, ("alerts", "cpu_util_pct", "p99_latency_ms", "error_share_pct"), (3.5, 7),
        tuple(Symptom(name, 0.02 + 0.05 * i) for i, name in enumerate(_STORM.split(" "))),
        (("ERROR", "thrift rpc error: connection timed out"), ("WARN", "too many queued queries")),
        graded=False, sudden=True,
    ),
    Kind("silent_cluster", fall_silent, ("freshness",), (5, 20), graded=False),
    Kind(
        "flapping_alert", flap, ("alerts",), (8, 30), (Symptom("OperationAbnormal", 0.0),),
        graded=False, flagged=False,
    ),
    Kind(
        "tier_s_warning", fill_disk, ("disk_used_pct",), (50, 130),
        (Symptom("BeDiskUsageTooHigh", 0.8),),
        (("WARN", "disk /data1 used capacity over the soft limit"),),
        graded=False,
        on_cache=False,
    ),
    Kind(
        "txn_rejects", reject_transactions, ("txn_rejects_7d",), (8, 24),
        (Symptom("TxnRejected", 0.05),),
        (("WARN", "begin transaction rejected: current running txns is larger than limit"),),
        sudden=True,
    ),
    Kind(
        "fd_leak", leak_descriptors, ("be_fd_usage",), (30, 90),
        (Symptom("BeFdUsageTooHigh", 0.8),),
        (("WARN", "open file descriptors close to the soft limit"),),
    ),
    Kind(
        "connection_exhaustion", exhaust_connections, ("fe_connection_total",), (4, 16),
        (Symptom("FeConnectionTooHigh", 0.5),),
        (("WARN", "Reach limit of connections"),),
    ),
)  # fmt: skip

BY_NAME: dict[str, Kind] = {kind.name: kind for kind in KINDS}
