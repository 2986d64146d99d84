"""The truth of a fleet in rough weather: what was planted and what blew, as far as either can be seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.fleet.inventory import Cluster
from sandbox.fleet.lines import Demand, Trouble, Usual, troubles
from sandbox.fleet.scenario import Plan, PlannedFault
from sandbox.fleet.state import State
from sandbox.fleet.truth import PASSING, Fault, Severity, Truth


@dataclass(frozen=True, slots=True)
class _Seen:
    """What can be seen of one cluster."""

    troubles: tuple[Trouble, ...]

    @property
    def demand(self) -> Demand:
        return max((one.demand for one in self.troubles), default=Demand.MUST_NOT)

    @property
    def musts(self) -> list[Trouble]:
        return [one for one in self.troubles if one.demand is Demand.MUST]

    @property
    def severity(self) -> tuple[Severity, bool]:
        """Return the severity of the worst, and whether noise decides it."""
        severe = {one.severe for one in self.musts}
        return ("Critical" if True in severe else "Warning"), None in severe and True not in severe


def rough_truth(plan: Plan, active: list[Cluster], onsets: Sequence[datetime], state: State, usual: Usual) -> Truth:
    """Return the truth as the lines have it; every cluster stands in one of its three lists."""
    found = troubles(state, usual, active)
    seen = [_Seen(tuple(one for one in found if one.row == row)) for row in range(len(active))]
    demands = [one.demand for one in seen]
    faults = []
    for fault, onset in zip(plan.faults, onsets, strict=True):
        planted = _planted(fault, active[fault.row], onset, seen[fault.row])
        faults.append(planted)
        # What was planted may be found, even where nobody need see it yet.
        least = Demand.MUST if fault.kind.name == "alert_storm" else Demand.MAY
        demands[fault.row] = max(demands[fault.row], least)
    told = {fault.cluster_id for fault in faults if fault.severity != "Info"}
    newest = state.hours[-1].astype("datetime64[us]").astype(datetime)
    for row, one in enumerate(seen):
        if one.musts and active[row].biz_id not in told:
            faults.append(_passing(active[row], newest, one))

    def of(demand: Demand) -> tuple[str, ...]:
        return tuple(cluster.biz_id for cluster, its in zip(active, demands, strict=True) if its is demand)

    return Truth(tuple(faults), of(Demand.MUST), of(Demand.MUST_NOT), of(Demand.MAY))


def _planted(fault: PlannedFault, cluster: Cluster, onset: datetime, seen: _Seen) -> Fault:
    """Return the fault with the severity that can be seen; Info where its own signs ask for nothing."""
    kind = fault.kind
    own = [one for one in seen.musts if set(one.dimensions) & set(kind.dimensions)]
    severity, border = seen.severity
    if kind.name == "alert_storm":
        # Ten alerts are seen whatever the metrics say; how grave they are is a matter of opinion.
        severity, border = "Critical", True
    elif not own:
        severity, border = "Info", False
    elif kind.name in {"node_down", "silent_cluster"}:
        severity, border = fault.severity, False
    return Fault(cluster.biz_id, kind.name, onset, kind.dimensions, severity, border)


def _passing(cluster: Cluster, newest: datetime, seen: _Seen) -> Fault:
    severity, border = seen.severity
    dimensions = tuple(dict.fromkeys(name for one in seen.musts for name in one.dimensions))
    began = newest - timedelta(hours=max(one.began for one in seen.musts) - 1)
    return Fault(cluster.biz_id, PASSING, began, dimensions, severity, border)
