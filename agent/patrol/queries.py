"""The patrol's SQL, built from our own constants only: times and metric names of the rules, never words from outside.

Every statement answers with rows in proportion to the clusters, not to the metrics or hours behind them."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from agent.patrol.query import stamp
from agent.patrol.rules import Rules, Series
from agent.patrol.seasons import AHEAD, ENOUGH, Occasion

SNAPSHOTS = "metrics.amv_hourly_snapshots_v1"
ACTIVE = "NOT COALESCE(c.stopped, FALSE) AND NOT COALESCE(c.deleted, FALSE)"
# A UTC time that lies farther ahead than this is not UTC.
_CLOCKS_DIFFER = timedelta(hours=3)
_ID = re.compile(r"[0-9A-Za-z_-]{1,128}")
_ACTIVE_IDS = f"SELECT c.biz_id FROM byoc.clusters AS c WHERE {ACTIVE}"

_TOTAL = "(SELECT COUNT(*) FROM byoc.clusters) AS total"
_COLUMNS = f"""
SELECT {_TOTAL}, c.biz_id AS cluster_id, c.cluster_name, c.account_id, c.cluster_type, c.created_at, i.sr_version,
  p.tier, COALESCE(p.customer_name, a.name) AS customer_name, r.state AS resource_state""".strip()
_SIDES = """
FROM byoc.clusters AS c
LEFT JOIN byoc.cluster_info AS i ON i.cluster_id = c.biz_id
LEFT JOIN metrics.dim_customer_profile AS p ON p.account_id = c.account_id
LEFT JOIN byoc.accounts AS a ON a.biz_id = c.account_id
LEFT JOIN byoc.resource AS r ON r.cluster_id = c.biz_id"""
# The machines that work on queries (front ends are of another type nearly everywhere), and how many there are of both.
_MACHINES = """
SELECT s.cluster_id, MAX(CASE WHEN n.type <> 'FE' THEN v.instance_type END) AS machine,
  SUM(CASE WHEN n.type = 'FE' THEN f.vm_count END) AS frontends,
  SUM(CASE WHEN n.type <> 'FE' THEN f.vm_count END) AS workers FROM byoc.resource AS s
JOIN byoc.resource_node AS n ON n.resource_id = s.resource_id
JOIN byoc.resource_node_conf AS f ON f.resource_node_id = n.resource_node_id
LEFT JOIN byoc.vm_category AS v ON v.vm_category_id = f.vm_category_id
WHERE f.in_use GROUP BY s.cluster_id""".strip()

PLACED_ROSTER = f"""
{_COLUMNS}, g.display_name AS region, g.cloud AS provider, m.machine, m.frontends, m.workers{_SIDES}
LEFT JOIN byoc.region_details AS g ON g.region_id = c.region_id
LEFT JOIN ({_MACHINES}) AS m ON m.cluster_id = c.biz_id
WHERE {ACTIVE} ORDER BY c.biz_id""".strip()
"""Every active cluster with customer, tier, version and where it runs; a join may repeat a cluster."""

ROSTER = f"{_COLUMNS}{_SIDES}\nWHERE {ACTIVE} ORDER BY c.biz_id"
"""For warehouses that do not know where clusters run."""

BARE_ROSTER = f"""
SELECT {_TOTAL}, c.biz_id AS cluster_id, c.cluster_name, c.account_id, c.cluster_type
FROM byoc.clusters AS c WHERE {ACTIVE} ORDER BY c.biz_id""".strip()
"""For warehouses that lack all side tables."""


def last_data(since: datetime, until: datetime) -> str:
    """First and last hour with data of each cluster."""
    return (
        f"SELECT cluster_id, MIN(snapshot_hour) AS first_hour, MAX(snapshot_hour) AS last_hour FROM {SNAPSHOTS}"
        f" WHERE {_within(since, until)} GROUP BY cluster_id"
    )


def last_data_ever(until: datetime, days: int) -> str:
    """The same over the last `days` that have any data, for warehouses that have been still for longer than that."""
    return (
        f"SELECT cluster_id, MIN(snapshot_hour) AS first_hour, MAX(snapshot_hour) AS last_hour FROM {SNAPSHOTS}"
        f" WHERE snapshot_hour <= '{stamp(until)}' AND snapshot_hour > DATE_SUB((SELECT MAX(snapshot_hour) FROM"
        f" {SNAPSHOTS} WHERE snapshot_hour <= '{stamp(until)}'), INTERVAL {days} DAY) GROUP BY cluster_id"
    )


def metric_quality(as_of: datetime, silent_hours: int) -> str:
    """Metrics of the last two days with something odd: no longer sent (`gone` 1), hours `doubled`, `unusable` values,
    hours `ahead` of the fleet."""
    since, until = as_of - timedelta(days=2), as_of - timedelta(hours=silent_hours)
    doubled = "COUNT(*) - COUNT(DISTINCT snapshot_hour)"
    unusable = "SUM(CASE WHEN avg_value >= 0 AND avg_value < 1e300 THEN 0 ELSE 1 END)"
    # An hour more than the fleet's newest is an exporter that was quick.
    ahead = f"SUM(CASE WHEN snapshot_hour > '{stamp(as_of + timedelta(hours=1))}' THEN 1 ELSE 0 END)"
    return (
        "SELECT cluster_id, metric_name, MAX(snapshot_hour) AS last_hour,"
        f" CASE WHEN MAX(snapshot_hour) < '{stamp(until)}' THEN 1 ELSE 0 END AS gone,"
        f" {doubled} AS doubled, {unusable} AS unusable, {ahead} AS ahead FROM {SNAPSHOTS}"
        f" WHERE snapshot_hour > '{stamp(since)}' AND snapshot_hour <= '{stamp(as_of + timedelta(days=2))}'"
        f" GROUP BY cluster_id, metric_name HAVING MAX(snapshot_hour) < '{stamp(until)}' OR {doubled} > 0"
        f" OR {unusable} > 0 OR {ahead} > 0 ORDER BY cluster_id, metric_name LIMIT 5000"
    )


def without_meaning(since: datetime, until: datetime) -> str:
    """Metrics that are sent and have no row in the dictionary, with how many `clusters` send them."""
    return (
        "SELECT s.metric_name, s.clusters FROM (SELECT metric_name, COUNT(DISTINCT cluster_id) AS clusters"
        f" FROM {SNAPSHOTS} WHERE {_within(since, until)} GROUP BY metric_name) AS s"
        " LEFT JOIN metrics.metrics_dict_v2 AS d ON d.metric_name = s.metric_name"
        " WHERE d.metric_name IS NULL ORDER BY s.metric_name LIMIT 500"
    )


def operations(since: datetime, until: datetime) -> str:
    """What was done to clusters, newest first."""
    return (
        "SELECT cluster_id, type, state, created_at, detail FROM byoc.billing_order"
        f" WHERE created_at > '{stamp(since)}' AND created_at <= '{stamp(until)}' ORDER BY created_at DESC LIMIT 5000"
    )


def alert_moment(as_of: datetime) -> str:
    """When an alert happened, in UTC. A webhook's row may hold UTC in the Pacific column: its UTC is missing then, or
    still to come, and would make every other alert look long over."""
    ahead = stamp(as_of + _CLOCKS_DIFFER)
    return (
        f"CASE WHEN LEFT(message_id, 3) = 'wh_' AND (created_at_utc IS NULL OR created_at_utc > '{ahead}')"
        " THEN created_at"
        " WHEN created_at_utc IS NULL THEN CONVERT_TZ(created_at, 'America/Los_Angeles', 'UTC')"
        " ELSE created_at_utc END"
    )


def alerts_seen(since: datetime, until: datetime) -> str:
    """Alert rows with a state within (since, until], each with `seen_at`, the moment it happened in UTC."""
    # The first bound is on the column that the table is cut by; two days are more than zones can differ.
    return (
        f"SELECT cluster_id, alert_name, alert_status, seen_at FROM (SELECT cluster_id, alert_name, alert_status,"
        f" {alert_moment(until)} AS seen_at FROM alerts.lark_alerts"
        f" WHERE created_at > '{stamp(since - timedelta(days=2))}' AND alert_status IS NOT NULL) AS e"
        f" WHERE seen_at > '{stamp(since)}' AND seen_at <= '{stamp(until)}'"
    )


def alert_hours(since: datetime, until: datetime) -> str:
    """Alert rows folded by cluster, name, state and hour: copies from several ingestion paths and repeats collapse."""
    return (
        "SELECT cluster_id, alert_name, alert_status, DATE_TRUNC('hour', seen_at) AS alert_hour,"
        " MIN(seen_at) AS first_at, MAX(seen_at) AS last_at, COUNT(DISTINCT seen_at) AS times, COUNT(*) AS alert_rows"
        f" FROM ({alerts_seen(since, until)}) AS s"
        " GROUP BY cluster_id, alert_name, alert_status, DATE_TRUNC('hour', seen_at)"
        " ORDER BY alert_hour DESC"
    )


def _within(since: datetime, until: datetime) -> str:
    return f"snapshot_hour > '{stamp(since)}' AND snapshot_hour <= '{stamp(until)}'"


def _points(names: Iterable[str], when: str, *, growth: bool, among: str = _ACTIVE_IDS, run: str = "") -> str:
    """One row per cluster, metric and hour that fulfils `when`; `growth` is what a counter gained since the hour before
    it, within one `run` of hours. `among` are the clusters, as a SELECT or a list."""
    listed = ", ".join(f"'{name}'" for name in sorted(names))
    within = f", {run}" if run else ""
    gained = (
        ", COALESCE(last_value, max_value) - LAG(COALESCE(last_value, max_value))"
        f" OVER (PARTITION BY cluster_id, metric_name{within} ORDER BY snapshot_hour) AS growth"
        if growth
        else ""
    )
    # A restarted counter falls back, and its hour is left out by the reader (growth < 0); NaN fails both comparisons.
    return (
        f"SELECT cluster_id, snapshot_hour, metric_name, avg_value, max_value, min_value{gained} FROM {SNAPSHOTS}"
        f" WHERE {when} AND metric_name IN ({listed}) AND avg_value >= 0 AND avg_value < 1e300"
        f" AND cluster_id IN ({among})"
    )


_SOURCES = {"increase": "growth", "avg": "avg_value", "max": "max_value", "min": "min_value"}


def _known(source: str) -> str:
    # An impossible step back (restart) or a NaN peak is no measurement either.
    return f"{source} >= 0 AND {source} < 1e300"


def _column(series: Series, fold: str) -> str:
    """The series as one output column: the first of its names that the group has. `fold` has one `{}`."""
    source = _SOURCES[series.column]
    chosen = f"CASE WHEN metric_name = '{{}}' AND {_known(source)} THEN {source} END"
    folded = [fold.format(chosen.format(name)) for name in series.names]
    return folded[0] if len(folded) == 1 else f"COALESCE({', '.join(folded)})"


def _wide(
    chosen: dict[str, Series],
    bucket: str,
    fold: str,
    since: datetime,
    until: datetime,
    first: datetime,
    among: str = _ACTIVE_IDS,
) -> str:
    growth = any(series.column == "increase" for series in chosen.values())
    columns = ", ".join(f"{_column(series, fold)} AS {name}" for name, series in chosen.items())
    names = (name for series in chosen.values() for name in series.names)
    points = _points(names, _within(since, until), growth=growth, among=among)
    # The hours before `first` only serve to know what counters gained in it.
    return (
        f"SELECT cluster_id, {bucket} AS bucket, {columns} FROM ({points}) AS p"
        f" WHERE snapshot_hour > '{stamp(first)}' GROUP BY cluster_id, {bucket}"
    )


def hourly(rules: Rules, since: datetime, until: datetime) -> str:
    """Every series of the rules, one row per cluster and hour within (since, until]."""
    return _wide(dict(rules.series), "snapshot_hour", "MAX({})", since - timedelta(hours=3), until, since)


def hourly_of(chosen: dict[str, Series], clusters: Iterable[str], since: datetime, until: datetime) -> str:
    """Some series of some clusters, one row per cluster and hour within (since, until]. What does not look like an id
    names no cluster."""
    # Never empty: an empty list is no SQL.
    ids = sorted(one for one in clusters if _ID.fullmatch(one)) or [""]
    among = ", ".join(f"'{one}'" for one in ids)
    return _wide(chosen, "snapshot_hour", "MAX({})", since - timedelta(hours=3), until, since, among)


def counters(rules: Rules) -> dict[str, Series]:
    """The series that are growth of counters."""
    return {name: series for name, series in rules.series.items() if series.column == "increase"}


def gauges(rules: Rules) -> dict[str, Series]:
    """The series that are levels."""
    return {name: series for name, series in rules.series.items() if series.column != "increase"}


def profile(chosen: dict[str, Series], since: datetime, until: datetime, width: int = 1) -> str:
    """The usual day: the median of each series by cluster and hour of day (UTC) over (since, until]; `width` hours
    share a value, which stands at the first of them."""
    hour = "HOUR(snapshot_hour)"
    bucket = hour if width == 1 else f"FLOOR({hour} / {width}) * {width}"
    return _wide(chosen, bucket, "PERCENTILE_APPROX({}, 0.5)", since, until, since)


def daily(chosen: dict[str, Series], as_of: datetime, days: int) -> str:
    """One row per cluster and day back (0 = the 24 hours up to `as_of`): mean of levels, or sum of gains."""
    growth = any(series.column == "increase" for series in chosen.values())
    bucket = f"FLOOR(TIMESTAMPDIFF(HOUR, snapshot_hour, '{stamp(as_of)}') / 24)"
    since = as_of - timedelta(days=days)
    return _wide(chosen, bucket, "SUM({})" if growth else "AVG({})", since, as_of, since)


SHORT, SETTLED, MONTHLY = 0, 1, 2
"""What a row of `same_hours` is made from: too few weeks to be sure, enough of them, or the month before."""


def same_hours(rules: Rules, occasions: Sequence[Occasion], reach: int) -> str:
    """What was usual whenever it was this time: the median of each series over the weeks of `occasions`, one row per
    cluster, hours back (as if it were now, from the hour ahead to `reach`) and `kind`. A series that is known from too
    few weeks stands in a row of its own kind."""
    spans = {one: _within(*one.span(reach)) for one in occasions}
    when, run = f"({' OR '.join(spans.values())})", _by_span(spans, lambda one: str(one.run))
    back = _by_span(spans, lambda one: f"TIMESTAMPDIFF(HOUR, snapshot_hour, '{stamp(one.at)}')")
    sources = sorted({_SOURCES[series.column] for series in rules.series.values()})
    medians = ", ".join(f"PERCENTILE_APPROX(CASE WHEN {_known(one)} THEN {one} END, 0.5) AS {one}" for one in sources)
    points = _points(rules.metric_names, when, growth=bool(counters(rules)), run=run)
    placed = (
        f"SELECT cluster_id, metric_name, {', '.join(sources)}, {run} AS run, {back} AS bucket FROM ({points}) AS p"
    )
    kind = f"CASE WHEN MAX(run) = 0 THEN {MONTHLY} WHEN COUNT(DISTINCT run) >= {ENOUGH} THEN {SETTLED} ELSE {SHORT} END"
    columns = ", ".join(f"{_column(series, 'MAX({})')} AS {name}" for name, series in rules.series.items())
    return (
        f"SELECT cluster_id, bucket, kind, {columns} FROM (SELECT cluster_id, metric_name, bucket, {kind} AS kind,"
        f" {medians} FROM ({placed}) AS q WHERE bucket >= {-AHEAD} AND bucket <= {reach}"
        " GROUP BY cluster_id, metric_name, bucket, CASE WHEN run = 0 THEN 1 ELSE 0 END) AS m"
        " GROUP BY cluster_id, bucket, kind"
    )


def _by_span(spans: Mapping[Occasion, str], value: Callable[[Occasion], str]) -> str:
    return f"CASE {' '.join(f'WHEN {within} THEN {value(one)}' for one, within in spans.items())} END"
