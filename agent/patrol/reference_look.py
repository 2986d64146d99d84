"""A look at the fleet through the reference platform's eyes: its own values, from the same snapshots, in one statement
each for metrics and alerts."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from agent.patrol.errors import WarehouseUnreadable
from agent.patrol.evidence import Evidence
from agent.patrol.finding import ClusterEvidence, Finding, Identity
from agent.patrol.predictions import Statement
from agent.patrol.queries import SNAPSHOTS, alerts_seen
from agent.patrol.query import Row, Rows, figure, read_all, stamp, words
from agent.patrol.reference import Measure, Reference, Standing, risks, standing
from agent.patrol.roster import newest_data, roster
from agent.tools import Tools

_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)
OVERALL = "overall_score"
"""The dimension of a finding that no single value explains."""


async def look(tools: Tools, rules: Reference, now: datetime, waiting: Sequence[Statement] = ()) -> Evidence:
    """The evidence as of `now` (naive UTC). `waiting` stays ungraded: the reference platform makes no predictions.

    Raises WarehouseUnreadable when clusters or measurements cannot be read."""
    newest, fleet = await asyncio.gather(newest_data(tools, now), roster(tools))
    metrics, alerts = await read_all(tools, (values_of(rules, newest.at), firing_rows(newest.at)))
    if metrics.failed:
        raise WarehouseUnreadable(f"measurements cannot be read: {metrics.error}")
    values = {words(row["cluster_id"]): dict(_values(rules, row)) for row in metrics.rows}
    firing = {words(row["cluster_id"]): int(figure(row["firing"]) or 0) for row in alerts.rows}
    clusters = (
        _cluster(rules, one, values.get(one.cluster_id, {}), firing.get(one.cluster_id, 0), metrics.query_id)
        for one in fleet.clusters
    )
    return Evidence(
        now,
        newest.at,
        clusters=tuple(sorted(clusters, key=lambda one: one.rank)),
        notes=("classified by the rules of the reference platform", *_failed(alerts)),
        query_ids=tuple(one.query_id for one in (metrics, alerts) if one.query_id),
        statements=newest.statements + fleet.statements + 2,
        receipts={metrics.query_id: metrics.sql},
    )


def _failed(alerts: Rows) -> tuple[str, ...]:
    return ("could not be read: alerts",) if alerts.failed else ()


def values_of(rules: Reference, as_of: datetime) -> str:
    """One row per cluster with a column per dimension, over the seven days up to `as_of`."""
    names = {
        name for one in rules.dimensions.values() for name in (one.series, one.part, one.whole) if name is not None
    }
    listed = ", ".join(f"'{name}'" for name in sorted(names))
    columns = ", ".join(f"{_outer(one, name, as_of)} AS {name}" for name, one in rules.dimensions.items())
    inner = ", ".join(f"{_inner(one)} AS {name}" for name, one in rules.dimensions.items())
    hours = (
        f"SELECT cluster_id, snapshot_hour, {inner} FROM {SNAPSHOTS}"
        f" WHERE snapshot_hour >= '{stamp(as_of - _WEEK)}' AND snapshot_hour <= '{stamp(as_of)}'"
        f" AND metric_name IN ({listed}) AND avg_value >= 0 AND avg_value < 1e300"
        " GROUP BY cluster_id, snapshot_hour"
    )
    return f"SELECT cluster_id, {columns} FROM ({hours}) AS h GROUP BY cluster_id"


def _inner(one: Measure) -> str:
    """The value of one hour."""
    column = {"max": "max_value", "min": "min_value", "rise": "last_value", "growth": "avg_value"}[one.kind]
    if one.series is not None:
        return f"MAX(CASE WHEN metric_name = '{one.series}' THEN {column} END)"
    part, whole = (f"MAX(CASE WHEN metric_name = '{name}' THEN avg_value END)" for name in (one.part, one.whole))
    return f"100 - 100 * {part} / {whole}" if one.invert else f"100 * {part} / {whole}"


def _outer(one: Measure, name: str, as_of: datetime) -> str:
    if one.kind == "rise":
        # Wrong after a restart, and known to be: that is how the reference platform counts.
        return f"MAX({name}) - MIN({name})"
    if one.kind == "growth":
        now, then = (f"MAX(CASE WHEN snapshot_hour = '{stamp(at)}' THEN {name} END)" for at in (as_of, as_of - _WEEK))
        return f"100 * ({now} / {then} - 1)"
    return f"{one.kind.upper()}(CASE WHEN snapshot_hour > '{stamp(as_of - _DAY)}' THEN {name} END)"


def firing_rows(as_of: datetime) -> str:
    """How many rows fired in seven days, by cluster: every repeat is a row."""
    seen = alerts_seen(as_of - _WEEK, as_of + timedelta(hours=1))
    return f"SELECT cluster_id, COUNT(*) AS firing FROM ({seen}) AS s WHERE alert_status = 'Firing' GROUP BY cluster_id"


def _values(rules: Reference, row: Row) -> Iterator[tuple[str, float]]:
    for name, one in rules.dimensions.items():
        cell = row.get(name)
        # Data that became less is no growth; any other negative figure is no measurement.
        value = 0.0 if one.kind == "growth" and isinstance(cell, float) and cell < 0 else figure(cell)
        if value is not None:
            yield name, value / one.scale


def _cluster(
    rules: Reference, identity: Identity, values: Mapping[str, float], firing: int, query_id: str
) -> ClusterEvidence:
    graded = standing(rules, values, firing, identity.tier)
    findings = [
        Finding(
            identity.cluster_id,
            one.dimension,
            one.severity,
            one.value,
            one.unit,
            one.reason,
            threshold=one.limit,
            query_id=query_id,
            down=rules.dimensions[one.dimension].direction == "down",
            rule=rules.explain(one.dimension),
        )
        for one in risks(rules, values)
    ]
    if graded is not None and graded.overall < rules.problem_below and not findings:
        findings.append(_low(rules, identity, graded, firing, query_id))
    return ClusterEvidence(identity, values, graded.overall if graded else None, tuple(findings), firing_rows=firing)


def _low(rules: Reference, identity: Identity, graded: Standing, firing: int, query_id: str) -> Finding:
    reason = (
        f"overall score {graded.overall:.1f}: metrics {graded.metrics:.1f},"
        f" alerts {graded.alerts:.0f} ({firing} firing rows in 7 days), tier {graded.tier:.1f}"
    )
    return Finding(
        identity.cluster_id,
        OVERALL,
        "Critical" if graded.classification == "Critical" else "Warning",
        graded.overall,
        "",
        reason,
        threshold=rules.problem_below,
        query_id=query_id,
        down=True,
    )
