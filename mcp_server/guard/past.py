"""Narrowing a statement to the past: rows that came later are not there, and the present is the moment that is given.

For replays, where whoever asks must not know how it went on."""

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlglot import exp

from mcp_server.guard.statement import Statement

MOMENTS: Mapping[str, str] = {
    "alerts.lark_alerts": "coalesce(created_at_utc, convert_tz(created_at, 'America/Los_Angeles', 'UTC'))",
    "alerts.alert_recommendations": "convert_tz(days_add(report_date, 1), 'America/Los_Angeles', 'UTC')",
    "alerts.issues": "first_seen",
    "alerts.cluster_health_scores": "computed_at",
    "alerts.cluster_risk_snapshots": "computed_at",
    "alerts.agent_investigations": "created_at",
    "alerts.patrol_reports": "created_at",
    "byoc.organizations": "created_at",
    "byoc.clusters": "created_at",
    "byoc.resource": "created_at",
    "byoc.resource_node_conf": "created_at",
    "byoc.bill_detail": "days_add(bill_day, 1)",
    "byoc.billing_order": "created_at",
    "byoc.ccu_weekly": "days_add(week_start, 7)",
    "byoc.scaling_policy": "updated_at",
    "byoc.cluster_log": "log_time",
    "metrics.metrics_table": "event_time",
    "metrics.amv_hourly_snapshots_v1": "snapshot_hour",
    "metrics.metrics_hourly_view_v6": "snapshot_hour",
    "metrics.v_customer_daily_360_v2": "days_add(report_day, 1)",
}
"""Table → when a row of it came to be, UTC; what tells of a whole day or week, when that was over. Who was active when
is not kept, nor what a row said before it was changed: of clusters only those that were made later are left out."""

_NOW = (exp.CurrentTimestamp, exp.UtcTimestamp, exp.Localtimestamp, exp.Localtime)
_TODAY = (exp.CurrentDate, exp.UtcDate)
_NAMED_NOW = frozenset({"now", "current_timestamp", "localtimestamp", "localtime", "utc_timestamp", "sysdate"})


def condition(table: str, until: datetime) -> str:
    """The condition that keeps what was there at `until` (aware), and what has no time. Raises KeyError for tables
    whose rows have none."""
    when = MOMENTS[table]
    return f"({when} <= '{_text(until)}' OR {when} IS NULL)"


def set_present(statement: Statement, until: datetime) -> None:
    """Put the moment in the place of whatever asks for the present one."""
    for node in statement.of(*_NOW):
        node.replace(_cast(_text(until), "DATETIME"))
    for node in statement.of(*_TODAY):
        node.replace(_cast(_text(until)[:10], "DATE"))
    for node in statement.of(exp.Anonymous):
        if node.name.lower() in _NAMED_NOW:
            node.replace(_cast(_text(until), "DATETIME"))
        elif node.name.lower() == "unix_timestamp" and not node.expressions:
            node.replace(exp.Literal.number(int(until.timestamp())))


def _cast(text: str, kind: str) -> exp.Expr:
    return exp.cast(exp.Literal.string(text), kind)


def _text(until: datetime) -> str:
    return f"{until.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
