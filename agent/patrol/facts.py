"""The fleet at a glance: what is stored about it and what alerts, before anything is judged. Parts may be missing."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from agent.patrol.queries import ACTIVE
from agent.patrol.query import Row, Rows, figure, moment, stamp, words
from agent.patrol.roster import Roster
from agent.untrusted import visible

_TOP = 10
_DAY = timedelta(days=1)
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
    """The pre-aggregates. Counts by name; `alert_rows` are rows and `alert_names` distinct cluster and alert pairs of
    24 hours by state; `missing` names the parts that could not be read."""

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


def _newest(table: str, columns: str, since: datetime, until: datetime) -> str:
    return (
        f"SELECT cluster_id, {columns} FROM (SELECT s.cluster_id, {columns},"
        " ROW_NUMBER() OVER (PARTITION BY s.cluster_id ORDER BY s.computed_at DESC) AS nth"
        f" FROM {table} AS s JOIN byoc.clusters AS c ON c.biz_id = s.cluster_id"
        f" WHERE s.computed_at > '{stamp(since)}' AND s.computed_at <= '{stamp(until)}' AND {ACTIVE}) AS n"
        " WHERE nth = 1 ORDER BY cluster_id"
    )


def statements(as_of: datetime) -> tuple[str, ...]:
    """The statements, one for each of PARTS, as of an hour (naive UTC); the first two give one row per cluster."""
    until = as_of + timedelta(hours=1)
    since = until - timedelta(days=7)
    return (
        _newest("alerts.cluster_risk_snapshots", "risk_level, risk_reasons, computed_at", since, until),
        _newest("alerts.cluster_health_scores", "classification, overall_score, computed_at", since, until),
        "SELECT COALESCE(severity, 'unknown') AS label, COUNT(*) AS issues, MAX(last_seen) AS newest"
        " FROM alerts.issues WHERE status = 'Ongoing'"
        " GROUP BY COALESCE(severity, 'unknown') ORDER BY issues DESC",
    )


PARTS = ("risk levels", "health classes", "open issues")


def _count(row: Row, column: str) -> int:
    return int(figure(row.get(column)) or 0)


def _by_label(rows: Sequence[Row], label: str) -> dict[str, int]:
    return dict(Counter(visible(words(row[label])) or "unknown" for row in rows).most_common())


def _alerts(rows: Sequence[Row], since: datetime) -> tuple[dict[str, int], dict[str, int]]:
    """Rows, and distinct pairs of cluster and alert, by state, in the rows of `queries.alert_hours` since then."""
    counts: Counter[str] = Counter()
    pairs: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        at = moment(row["last_at"])
        if at is None or at < since:
            continue
        # Rows that one ingestion path stores with joined states count for each state that they hold.
        for state in {part.strip() for part in words(row["alert_status"]).split("|")} & {"Firing", "Resolved"}:
            counts[state] += int(figure(row.get("alert_rows")) or 1)
            pairs.setdefault(state, set()).add((words(row["cluster_id"]), words(row["alert_name"])))
    return dict(counts), {state: len(found) for state, found in pairs.items()}


def _reasons(cell: object) -> tuple[str, ...]:
    try:
        parsed: Any = json.loads(cell) if isinstance(cell, str) else cell
    except json.JSONDecodeError:
        return ()
    listed = parsed if isinstance(parsed, list) else []
    return tuple(visible(str(reason))[:_REASON_LENGTH] for reason in listed[:_REASONS])


def _worst(health: Sequence[Row], risk: Sequence[Row], names: Mapping[str, str]) -> Iterator[WorstCluster]:
    risks = {words(row["cluster_id"]): row for row in risk}
    known = [(score, words(row["cluster_id"])) for row in health if (score := figure(row["overall_score"])) is not None]
    for score, cluster in sorted(known)[:_TOP]:
        row = risks.get(cluster, {})
        yield WorstCluster(
            cluster, names.get(cluster, ""), score, words(row.get("risk_level")), _reasons(row.get("risk_reasons"))
        )


def assemble(fleet: Roster, results: Sequence[Rows], alerts: Rows, as_of: datetime) -> FleetFacts:
    """The facts from the roster, the results of the statements in order, and the rows of `queries.alert_hours`."""
    risk, health, issues = (result.rows for result in results)
    rows, pairs = _alerts(alerts.rows, as_of + timedelta(hours=1) - _DAY)
    return FleetFacts(
        total=fleet.total,
        active=len(fleet.clusters),
        by_type=fleet.by_type,
        risk=_by_label(risk, "risk_level"),
        health=_by_label(health, "classification"),
        alert_rows=rows,
        alert_names=pairs,
        issues={visible(words(row["label"])) or "unknown": _count(row, "issues") for row in issues},
        worst=tuple(_worst(health, risk, {one.cluster_id: one.name for one in fleet.clusters})),
        missing=tuple(part for part, result in zip(PARTS, results, strict=True) if result.failed),
        query_ids=tuple(result.query_id for result in results if result.query_id),
    )
