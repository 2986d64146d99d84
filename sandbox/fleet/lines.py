"""Where trouble begins for a person, and which clusters therefore must, may or must not be flagged.

Read off the simulated state, not off what was meant: a passing spike that has lasted five hours counts, a fault that
nobody can see yet does not. The limits and hours are those of docs/patrol-quality.md, which gives their reasons."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from sandbox.fleet.chance import Bools, Floats
from sandbox.fleet.exporter import DESCRIPTOR_LIMIT
from sandbox.fleet.inventory import Cluster
from sandbox.fleet.state import State

WINDOW = 12
"""Hours that are looked at: the time between two patrols."""
ELASTIC_SCALE = 0.1
"""Compaction scores of data in the object store: 100 slows ingestion down, where local disks are well at 500."""
_SILENT = 4


class Demand(IntEnum):
    """What is asked of a patrol about one cluster."""

    MUST_NOT = 0
    MAY = 1
    MUST = 2


@dataclass(frozen=True, slots=True)
class Line:
    """The limits of one sign. `times` is how far from the usual it must be (0: does not matter), `severely` the same
    for severe trouble; `blur` the share around a limit where noise decides; `counted` the events an hour that stand
    behind a share, at least `events` of them."""

    field: str
    problem: float
    severe: float
    times: float
    dimensions: tuple[str, ...]
    blur: float = 0.1
    severely: float = 0.0
    falls: bool = False
    events: float = 0.0
    counted: Callable[[State], Floats] | None = None


def _rejected(state: State) -> Floats:
    return state.txn_rejects / np.maximum(state.txn_rate, 1e-9)


_DERIVED: dict[str, Callable[[State], Floats]] = {
    "reject_share": _rejected,
    # What the exporter shows as the hour's highest and as the fullest node's.
    "compaction_peak": lambda state: state.compaction * 1.2,
    "disk_fullest": lambda state: state.disk_used * 1.02 + 0.6,
    "descriptor_share": lambda state: state.descriptors / DESCRIPTOR_LIMIT,
}
"""Signs that are no field of the state themselves."""

LINES: tuple[Line, ...] = (
    Line("cpu", 80, 90, 1.25, ("cpu_util_pct",), blur=0.03),
    Line("p99", 400, 5_000, 2.3, ("p99_latency_ms",), severely=4.0),
    Line("error_share", 0.005, 0.02, 4, ("error_share_pct", "query_errors_7d"), events=20,
         counted=lambda state: state.qps * 3600 * state.error_share),
    Line("txn_fail_share", 0.05, 0.2, 4, ("txn_failure_pct", "txn_failures_7d"), events=10,
         counted=lambda state: state.txn_rate * state.txn_fail_share),
    Line("reject_share", 0.01, 0.1, 4, ("txn_rejects_7d",), events=10, counted=lambda state: state.txn_rejects),
    Line("compaction_peak", 1_000, 5_000, 2, ("compaction_score",)),
    Line("journal", 1_000, 10_000, 2.5, ("fe_journal_write_latency_ms",)),
    Line("connections", 500, 900, 2, ("fe_connection_total",)),
    Line("lag", 300_000, 3_000_000, 3, ("routine_load_lag",)),
    Line("paused", 1, np.inf, 0, ("routine_load_paused", "routine_load_lag")),
    Line("heap", 85, 95, 1.1, ("fe_heap_used_pct",), blur=0.015),
    Line("memory_available", 20, 10, 0, ("memory_available_pct",), blur=0.05, falls=True),
    Line("disk_fullest", 80, 90, 0, ("disk_used_pct",), blur=0.01),
    Line("descriptor_share", 0.75, 0.9, 0, ("be_fd_usage",), blur=0.02),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trouble:
    """One sign of one cluster that must or may be flagged. `began` counts the hours back to its first troubled hour
    in the window; `severe` is None where noise decides between Warning and Critical."""

    row: int
    sign: str
    dimensions: tuple[str, ...]
    demand: Demand
    severe: bool | None
    began: int


class Usual:
    """What the newest hours would be without trouble: the signs of a state, kept before trouble is laid on it."""

    def __init__(self, state: State) -> None:
        self.signs = {line.field: _sign(state, line.field) for line in LINES}

    def rescale(self, clusters: list[Cluster]) -> None:
        """Put the compaction scores of ELASTIC clusters on their scale, as the state's are."""
        self.signs["compaction_peak"] *= np.array([[ELASTIC_SCALE if one.elastic else 1.0] for one in clusters])


def troubles(state: State, usual: Usual, clusters: list[Cluster]) -> list[Trouble]:
    """Everything in the newest hours that must or may be flagged, by the lines and by missing nodes and data."""
    found = [trouble for line in LINES for trouble in _by(line, state, usual, clusters)]
    return [*found, *_nodes(state, clusters), *_silence(state)]


def demanded(hours: Bools) -> Demand:
    """What a run of troubled hours (the newest last, `WINDOW` of them or fewer) asks for."""
    newest = hours[-6:]
    if newest.sum() >= 4 and hours[-2:].any():
        return Demand.MUST
    stretches = int(hours[0]) + int((hours[1:] & ~hours[:-1]).sum())
    if 2 * hours.sum() >= WINDOW and stretches > 1 and hours[-3:].any():
        return Demand.MUST
    over = 4 if newest.sum() >= 4 else 3
    return Demand.MAY if newest.sum() >= 3 and hours[-over:].any() else Demand.MUST_NOT


def pressing(hours: Bools) -> Demand:
    """The same for hours of severe trouble, for which nobody waits as long."""
    count = hours[-4:].sum()
    if count >= 3 and hours[-2:].any():
        return Demand.MUST
    return Demand.MAY if count >= 2 and hours[-2:].any() else Demand.MUST_NOT


def _by(line: Line, state: State, usual: Usual, clusters: list[Cluster]) -> list[Trouble]:
    problem, severe = _reached(line, state, usual, clusters)
    seen = state.present[:, -WINDOW:]
    rows = np.nonzero(((problem >= 1 - line.blur) & seen).any(axis=1))[0]
    return [one for row in rows if (one := _trouble(int(row), line, problem[row], severe[row], seen[row]))]


def _trouble(row: int, line: Line, problem: Floats, severe: Floats, seen: Bools) -> Trouble | None:
    def both(blur: float) -> Demand:
        return max(demanded((problem >= 1 + blur) & seen), pressing((severe >= 1 + blur) & seen))

    demand = Demand.MUST if both(line.blur) is Demand.MUST else min(both(-line.blur), Demand.MAY)
    if demand is Demand.MUST_NOT:
        return None
    surely, perhaps = (severe >= 1 + line.blur) & seen, (severe >= 1 - line.blur) & seen
    critical = max(demanded(surely), pressing(surely)) is Demand.MUST
    grave: bool | None = True if critical else None if perhaps[-4:].any() else False
    hours = np.nonzero((problem >= 1 - line.blur) & seen)[0]
    return Trouble(row, line.field, line.dimensions, demand, grave, int(len(problem) - hours[0]))


def _reached(line: Line, state: State, usual: Usual, clusters: list[Cluster]) -> tuple[Floats, Floats]:
    """How far each hour has come to the limits of trouble and of severe trouble: 1 is there. Shape (rows, hours)."""
    value, past = _sign(state, line.field), np.nan_to_num(usual.signs[line.field])
    scale = _scales(line.field, clusters)
    if line.falls:
        return line.problem / np.maximum(value, 1e-9), line.severe / np.maximum(value, 1e-9)
    problem, severe = value / (line.problem * scale), value / (line.severe * scale)
    if line.times:
        problem = np.minimum(problem, value / np.maximum(line.times * past, 1e-9))
        severe = np.minimum(severe, value / np.maximum((line.severely or line.times) * past, 1e-9))
    if line.counted:
        events = line.counted(state)[:, -WINDOW:] / line.events
        problem, severe = np.minimum(problem, events), np.minimum(severe, events)
    # Lags of clusters without routine load are not a number; they reach no limit.
    return np.nan_to_num(problem), np.nan_to_num(severe)


def _sign(state: State, name: str) -> Floats:
    values: Floats = _DERIVED[name](state) if name in _DERIVED else getattr(state, name)
    return values[:, -WINDOW:].copy()


def _scales(name: str, clusters: list[Cluster]) -> NDArray[np.float64]:
    """What the limits of a sign are multiplied with for each cluster, shape (rows, 1)."""
    if name == "connections":
        # each front end has its own limit
        return np.array([[float(cluster.fe_count)] for cluster in clusters])
    elastic = {"compaction_peak": ELASTIC_SCALE, "disk_fullest": np.inf}.get(name, 1.0)
    return np.array([[elastic if cluster.elastic else 1.0] for cluster in clusters])


def _nodes(state: State, clusters: list[Cluster]) -> list[Trouble]:
    """Nodes that do not answer: half a node or more, now or time and again. How grave is for its planner to say."""
    missing = (1 - state.up[:, -WINDOW:]) * np.array([[cluster.node_count] for cluster in clusters])
    found = []
    for row in np.nonzero((missing[:, -3:] > 0.2).any(axis=1))[0]:
        now = (missing[row, -2:] >= 0.5).all()
        demand = Demand.MUST if now else max(demanded(missing[row] >= 0.5), Demand.MAY)
        began = int(missing.shape[1] - np.nonzero(missing[row] > 0.2)[0][0])
        found.append(Trouble(int(row), "up", ("nodes_up",), demand, None, began))
    return found


def _silence(state: State) -> list[Trouble]:
    found = []
    for row in np.nonzero(~state.present[:, -_SILENT + 1 :].any(axis=1))[0]:
        demand = Demand.MAY if state.present[row, -_SILENT] else Demand.MUST
        found.append(Trouble(int(row), "present", ("freshness",), demand, None, _SILENT))
    return found
