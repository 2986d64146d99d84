"""Reports to compare and to show: clusters with findings, made in a line."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from agent.patrol.report import FlaggedCluster, FlaggedFinding, PatrolReport, RecommendedAction, Severity
from tests.fakes.thinking import report

MOMENT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
ID = "{:08x}-aaaa-4bbb-8ccc-000000000000"
COURSE = (10.0, None, 20.0, 40.0, 85.0)


def finding(value: float = 85.0, severity: Severity = "Warning", dimension: str = "disk_used_pct", **more: Any):
    """A disk that fills, unless told otherwise."""
    told = {"unit": "%", "reason": f"disk used {value:g}%", "baseline": 40.0, "threshold": 80.0}
    told |= {"since": "2026-11-18 08:00", "query_id": "q-1", "course": COURSE, "rule": "disk: 80 is too much"}
    return FlaggedFinding(dimension, severity, value, **(told | more))


def flagged(number: int, *findings: FlaggedFinding, **more: Any) -> FlaggedCluster:
    """A cluster `prod-N` with findings, as bad as the worst of them."""
    found = findings or (finding(),)
    order = ("Critical", "Warning", "Unknown")
    worst = min((one.severity for one in found), key=order.index)
    cluster = FlaggedCluster(
        cluster_id=ID.format(number),
        cluster_name=f"prod-{number}",
        severity=worst,
        reason="; ".join(one.reason for one in found),
        key_metrics={one.dimension: one.value for one in found},
        customer="Acme & Sons",
        tier="A",
        since="2026-11-18 08:00",
        findings=found,
    )
    return replace(cluster, **more)


def patrolled(report_id: str, *clusters: FlaggedCluster, judged: int = 60, **more: Any) -> PatrolReport:
    """A report in which the clusters 0 … `judged` could be judged."""
    everybody = tuple(ID.format(number) for number in range(judged))
    told = {"recommended_actions": (RecommendedAction("Today", "grow the disk"),), "as_of": "2026-11-20 07:00"}
    told |= {"judged": everybody, "receipts": {"q-1": "SELECT 1 FROM metrics.amv_hourly_snapshots_v1"}}
    return report(report_id=report_id, flagged_clusters=clusters, **(told | more))
