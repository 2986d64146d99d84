"""The fleet at a glance: six counts taken in one batch, before anything is judged. Any of them may be missing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from agent.patrol.queries import ACTIVE, alerts_seen
from agent.patrol.query import Row, Rows, figure, read_all, stamp, words
from agent.tools import Tools
from agent.untrusted import visible

_TOP = 10
_REASONS = 3
_REASON_LENGTH = 120


@dataclass(frozen=True, slots=True)
class WorstCluster:
    """One row of the stored scores, worst first. `score` is 0..100, None where only a risk level is stored; texts are
    untrusted."""

    cluster_id: str
    name: str
    score: float | None
    risk: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FleetFacts:
    """The six pre-aggregates. Counts by name; `alert_rows` are rows and `alert_names` distinct cluster and alert pairs
    of 24 hours by state; `missing` names the parts that could not be read."""

    total: int = 0
    active: int = 0
    by_type: Mapping[str, int] = field(default_factory=dict)
    risk: Mapping[str, int] = field(default_factory=dict)
    health: Mapping[str, int] = field(default_factory=dict)
    alert_rows: Mapping[str, int] = field(default_factory=dict)
    alert_names: Mapping[str, int] = field(default_factory=dict)
    issues: Mapping[str, int] = field(default_factory=dict)
    worst: tuple[WorstCluster, ...] = ()
    missing: tuple[str, ...] = ()
    query_ids: tuple[str, ...] = ()


def _counts() -> str:
    return (
        f"SELECT COALESCE(c.cluster_type, 'unknown') AS cluster_type, COUNT(*) AS total,"
        f" SUM(CASE WHEN {ACTIVE} THEN 1 ELSE 0 END) AS active"
        " FROM byoc.clusters AS c GROUP BY COALESCE(c.cluster_type, 'unknown') ORDER BY total DESC LIMIT 20"
    )


def _newest(table: str, columns: str, since: datetime, until: datetime) -> str:
    return (
        f"SELECT s.cluster_id, {columns},"
        " ROW_NUMBER() OVER (PARTITION BY s.cluster_id ORDER BY s.computed_at DESC) AS nth"
        f" FROM {table} AS s JOIN byoc.clusters AS c ON c.biz_id = s.cluster_id"
        f" WHERE s.computed_at > '{stamp(since)}' AND s.computed_at <= '{stamp(until)}' AND {ACTIVE}"
    )


def _distribution(table: str, column: str, since: datetime, until: datetime) -> str:
    newest = _newest(table, f"s.{column} AS label", since, until)
    return (
        f"SELECT label, COUNT(*) AS clusters FROM ({newest}) AS n WHERE nth = 1 GROUP BY label ORDER BY clusters DESC"
    )


def _worst(since: datetime, until: datetime) -> str:
    scores = _newest("alerts.cluster_health_scores", "s.overall_score, c.cluster_name", since, until)
    risks = _newest("alerts.cluster_risk_snapshots", "s.risk_level, s.risk_reasons", since, until)
    return (
        "SELECT h.cluster_id, h.cluster_name, h.overall_score, r.risk_level, r.risk_reasons"
        f" FROM ({scores}) AS h LEFT JOIN ({risks}) AS r ON r.cluster_id = h.cluster_id AND r.nth = 1"
        f" WHERE h.nth = 1 ORDER BY h.overall_score, h.cluster_id LIMIT {_TOP}"
    )


def statements(as_of: datetime) -> tuple[str, ...]:
    """The six statements, as of an hour (naive UTC)."""
    until = as_of + timedelta(hours=1)
    since, day = until - timedelta(days=7), until - timedelta(days=1)
    return (
        _counts(),
        _distribution("alerts.cluster_risk_snapshots", "risk_level", since, until),
        _distribution("alerts.cluster_health_scores", "classification", since, until),
        "SELECT alert_status, COUNT(*) AS alert_rows,"
        " COUNT(DISTINCT CONCAT(cluster_id, '/', alert_name)) AS alert_names"
        f" FROM ({alerts_seen(day, until)}) AS s GROUP BY alert_status",
        "SELECT COALESCE(severity, 'unknown') AS label, COUNT(*) AS issues FROM alerts.issues WHERE status = 'Ongoing'"
        " GROUP BY COALESCE(severity, 'unknown') ORDER BY issues DESC",
        _worst(since, until),
    )


PARTS = ("cluster counts", "risk levels", "health classes", "alerts of 24 h", "open issues", "worst clusters")


def _count(row: Row, column: str) -> int:
    return int(figure(row.get(column)) or 0)


def _by_label(rows: Sequence[Row], column: str) -> dict[str, int]:
    return {visible(words(row["label"])) or "unknown": _count(row, column) for row in rows}


def _by_state(rows: Sequence[Row], column: str) -> dict[str, int]:
    """Rows that one ingestion path stores with joined states count for each state that they hold."""
    counts: dict[str, int] = {}
    for row in rows:
        for state in {part.strip() for part in words(row["alert_status"]).split("|")} & {"Firing", "Resolved"}:
            counts[state] = counts.get(state, 0) + _count(row, column)
    return counts


def _reasons(cell: object) -> tuple[str, ...]:
    try:
        parsed: Any = json.loads(cell) if isinstance(cell, str) else cell
    except json.JSONDecodeError:
        return ()
    listed = parsed if isinstance(parsed, list) else []
    return tuple(visible(str(reason))[:_REASON_LENGTH] for reason in listed[:_REASONS])


def _worst_cluster(row: Row) -> WorstCluster:
    return WorstCluster(
        words(row["cluster_id"]),
        visible(words(row["cluster_name"])),
        figure(row["overall_score"]),
        words(row["risk_level"]),
        _reasons(row["risk_reasons"]),
    )


def assemble(results: Sequence[Rows]) -> FleetFacts:
    """The facts from the results of the six statements, in their order."""
    counts, risk, health, alerts, issues, worst = (result.rows for result in results)
    return FleetFacts(
        total=sum(_count(row, "total") for row in counts),
        active=sum(_count(row, "active") for row in counts),
        by_type={words(row["cluster_type"]): active for row in counts if (active := _count(row, "active"))},
        risk=_by_label(risk, "clusters"),
        health=_by_label(health, "clusters"),
        alert_rows=_by_state(alerts, "alert_rows"),
        alert_names=_by_state(alerts, "alert_names"),
        issues=_by_label(issues, "issues"),
        worst=tuple(_worst_cluster(row) for row in worst),
        missing=tuple(part for part, result in zip(PARTS, results, strict=True) if result.failed),
        query_ids=tuple(result.query_id for result in results if result.query_id),
    )


async def gather(tools: Tools, as_of: datetime) -> FleetFacts:
    """The six pre-aggregates in one concurrent batch."""
    return assemble(await read_all(tools, statements(as_of)))
