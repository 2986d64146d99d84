"""The SELECTs of the rules-only analyst. Only our own words, checked ids and whole numbers are put into them."""

import re
from collections.abc import Iterable, Mapping

from agent.rules_only.measures import VITALS, Measure
from agent.rules_only.thresholds import Thresholds

SNAPSHOTS = "metrics.amv_hourly_snapshots_v1"
# Windows end at the newest hour the warehouse holds, not at the wall clock: late data must not look like no data.
NEWEST = f"(SELECT max(snapshot_hour) AS newest_hour FROM {SNAPSHOTS})"
RECENT_HOURS = 3
_ACTIVE = """active AS (
  SELECT c.biz_id AS cluster_id, c.cluster_name AS cluster_name, coalesce(p.customer_name, a.name) AS customer,
         p.tier AS tier
  FROM byoc.clusters c
  LEFT JOIN byoc.accounts a ON c.account_id = a.biz_id
  LEFT JOIN metrics.dim_customer_profile p ON c.account_id = p.account_id
  WHERE NOT coalesce(c.stopped, false) AND NOT coalesce(c.deleted, false))"""
_STANDING = """risks AS (
  SELECT cluster_id, risk_level, risk_reasons, computed_at,
         row_number() OVER (PARTITION BY cluster_id ORDER BY computed_at DESC) AS place
  FROM alerts.cluster_risk_snapshots),
scores AS (
  SELECT cluster_id, overall_score, classification,
         row_number() OVER (PARTITION BY cluster_id ORDER BY computed_at DESC) AS place
  FROM alerts.cluster_health_scores)"""
_IMPORTANT = " AND a.tier IN ('S', 'A')"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_cluster_id(value: str) -> bool:
    """Whether `value` is a whole cluster id, the only text from outside that may enter a statement."""
    return _UUID.fullmatch(value) is not None


def _since(hours: int, column: str = "snapshot_hour") -> str:
    return f"{column} > date_sub({NEWEST}, INTERVAL {int(hours)} HOUR)"


def _within(hours: int) -> str:
    """A condition on rows that carry `newest_hour`."""
    return f"snapshot_hour > date_sub(newest_hour, INTERVAL {int(hours)} HOUR)"


def _names(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _only(cluster_ids: Iterable[str]) -> str:
    checked = [value for value in cluster_ids if is_cluster_id(value)]
    return f" AND cluster_id IN ({_names(checked)})" if checked else ""


def freshness() -> str:
    """One row: newest_hour, hours_old, clusters (with any snapshot in the last day)."""
    return (
        "SELECT max(snapshot_hour) AS newest_hour,"
        " timestampdiff(HOUR, max(snapshot_hour), utc_timestamp()) AS hours_old,"
        f" count(DISTINCT cluster_id) AS clusters FROM {SNAPSHOTS} WHERE {_since(24)}"
    )


def _hourly(measure: Measure, hours: int, cluster_ids: Iterable[str] = ()) -> str:
    """CTEs ending in `hourly(cluster_id, snapshot_hour, value, part, whole)`."""
    # An increase needs the hour before it.
    window = _since(hours + 1 if measure.is_counter else hours)
    rows = f"metric_name IN ({_names(measure.metrics)}) AND {window}{_only(cluster_ids)}"
    if not measure.is_counter:
        return f"""hourly AS (
  SELECT cluster_id, snapshot_hour, {measure.value} AS value
  FROM {SNAPSHOTS} WHERE {rows} GROUP BY cluster_id, snapshot_hour)"""
    part = f"sum(CASE WHEN metric_name = '{measure.metrics[0]}' THEN increase END)"
    whole = f"sum(CASE WHEN metric_name = '{measure.metrics[-1]}' THEN increase END)"
    value = f"100 * {part} / nullif({whole}, 0)" if len(measure.metrics) > 1 else part
    return f"""{_increases(rows)},
hourly AS (
  SELECT cluster_id, snapshot_hour, {value} AS value, {part} AS part, {whole} AS whole
  FROM increases GROUP BY cluster_id, snapshot_hour)"""


def _increases(rows: str) -> str:
    # A counter that fell was reset by a restart: what it shows since then is the increase.
    return f"""steps AS (
  SELECT cluster_id, metric_name, snapshot_hour, last_value AS reading,
         lag(last_value) OVER (PARTITION BY cluster_id, metric_name ORDER BY snapshot_hour) AS earlier
  FROM {SNAPSHOTS} WHERE {rows}),
increases AS (
  SELECT cluster_id, metric_name, snapshot_hour,
         CASE WHEN reading >= earlier THEN reading - earlier ELSE reading END AS increase
  FROM steps WHERE earlier IS NOT NULL)"""


def _mean(measure: Measure, condition: str = "") -> str:
    def pick(column: str) -> str:
        return f"CASE WHEN {condition} THEN {column} END" if condition else column

    if len(measure.metrics) > 1 and measure.is_counter:
        return f"100 * sum({pick('part')}) / nullif(sum({pick('whole')}), 0)"
    return f"avg({pick('value')})"


def ranking(measure: Measure, hours: int, limit: int, *, ascending: bool = False) -> str:
    """Active clusters by their last hours: cluster_name, cluster_id, customer, tier, latest, peak (the window's worst
    hour), first_day, last_day (means of the window's first and last 24 h), clusters (how many were ranked)."""
    worst = "min" if ascending else "max"
    return f"""WITH {_ACTIVE},
{_hourly(measure, hours)},
dated AS (SELECT h.*, max(snapshot_hour) OVER () AS newest_hour FROM hourly h),
ranked AS (
  SELECT cluster_id, {_mean(measure, _within(RECENT_HOURS))} AS latest, {worst}(value) AS peak,
         {_mean(measure, f"NOT {_within(max(hours - 24, 1))}")} AS first_day, {_mean(measure, _within(24))} AS last_day
  FROM dated GROUP BY cluster_id)
SELECT a.cluster_name, a.cluster_id, a.customer, a.tier, r.latest, r.peak, r.first_day, r.last_day,
       count(*) OVER () AS clusters
FROM ranked r JOIN active a ON r.cluster_id = a.cluster_id WHERE r.latest IS NOT NULL
ORDER BY r.latest {"ASC" if ascending else "DESC"}, a.cluster_id LIMIT {int(limit)}"""


def course(measure: Measure, hours: int, cluster_id: str = "") -> str:
    """The measure over time, oldest first: period, mean, peak, lowest, clusters, hours (with data). The periods are
    hours up to two days, days beyond."""
    period = "snapshot_hour" if hours <= 48 else "date_trunc('day', snapshot_hour)"
    only = (cluster_id,) if cluster_id else ()
    return f"""WITH {_ACTIVE},
{_hourly(measure, hours, only)}
SELECT {period} AS period, {_mean(measure)} AS mean, max(h.value) AS peak, min(h.value) AS lowest,
       count(DISTINCT h.cluster_id) AS clusters, count(DISTINCT h.snapshot_hour) AS hours
FROM hourly h JOIN active a ON h.cluster_id = a.cluster_id GROUP BY {period} ORDER BY period LIMIT 60"""


def vitals(cluster_ids: Iterable[str]) -> str:
    """One row per cluster and part of the last week: cluster_id, days_back (-1 is the last hours, 0 the last 24 h, …),
    newest_hour and one column per vital measure."""
    metrics = sorted({metric for measure in VITALS for metric in measure.metrics})
    values = ", ".join(f"{measure.value} AS {measure.key}" for measure in VITALS)
    rows = f"metric_name IN ({_names(metrics)}){_only(cluster_ids)}"
    return f"""WITH newest AS (SELECT max(snapshot_hour) AS newest_hour FROM {SNAPSHOTS}),
readings AS (
  SELECT s.*, n.newest_hour, floor(timestampdiff(HOUR, s.snapshot_hour, n.newest_hour) / 24) AS days_back
  FROM {SNAPSHOTS} s JOIN newest n ON s.snapshot_hour <= n.newest_hour WHERE {rows} AND {_since(192)})
SELECT cluster_id, -1 AS days_back, max(snapshot_hour) AS newest_hour, {values}
FROM readings WHERE {_within(RECENT_HOURS)} GROUP BY cluster_id
UNION ALL
SELECT cluster_id, days_back, max(snapshot_hour) AS newest_hour, {values}
FROM readings GROUP BY cluster_id, days_back
ORDER BY cluster_id, days_back"""


def traffic(cluster_ids: Iterable[str], hours: int = 168) -> str:
    """Increases of the counters per cluster over the window: queries, errors, timeouts, slow, internal, failed,
    rejected, error_share_pct."""
    columns = {
        "queries": "starrocks_fe_query_total",
        "errors": "starrocks_fe_query_err",
        "timeouts": "starrocks_fe_query_timeout",
        "slow": "starrocks_fe_slow_query",
        "internal": "starrocks_fe_query_internal_err",
        "failed": "starrocks_fe_txn_failed",
        "rejected": "starrocks_fe_txn_reject",
    }
    sums = {name: f"sum(CASE WHEN metric_name = '{metric}' THEN increase END)" for name, metric in columns.items()}
    share = f"100 * {sums['errors']} / nullif({sums['queries']}, 0) AS error_share_pct"
    listed = ", ".join(f"{text} AS {name}" for name, text in sums.items())
    rows = f"metric_name IN ({_names(columns.values())}) AND {_since(hours + 1)}{_only(cluster_ids)}"
    return f"WITH {_increases(rows)}\nSELECT cluster_id, {listed}, {share} FROM increases GROUP BY cluster_id"


def judged(thresholds: Thresholds) -> tuple[Measure, ...]:
    """The vital measures that the rules judge by their value alone."""
    return tuple(measure for measure in VITALS if measure.key in thresholds)


def breaches(thresholds: Thresholds, limit: int = 40, *, important: bool = False) -> str:
    """Active clusters with a vital measure beyond its warning limit in the last hours: cluster_name, cluster_id,
    customer, tier, red (how many are beyond red), clusters (how many such clusters), one column per judged measure."""
    measures = judged(thresholds)
    tiers = _IMPORTANT if important else ""
    values = ", ".join(f"{measure.value} AS {measure.key}" for measure in measures)
    metrics = sorted({metric for measure in measures for metric in measure.metrics})
    warned = " OR ".join(_beyond(measure, thresholds, red=False) for measure in measures)
    red = " + ".join(f"CASE WHEN {_beyond(measure, thresholds, red=True)} THEN 1 ELSE 0 END" for measure in measures)
    shown = ", ".join(f"n.{measure.key}" for measure in measures)
    return f"""WITH {_ACTIVE},
recent AS (
  SELECT cluster_id, {values}
  FROM {SNAPSHOTS} WHERE metric_name IN ({_names(metrics)}) AND {_since(RECENT_HOURS)} GROUP BY cluster_id)
SELECT a.cluster_name, a.cluster_id, a.customer, a.tier, {red} AS red, count(*) OVER () AS clusters, {shown}
FROM recent n JOIN active a ON n.cluster_id = a.cluster_id WHERE ({warned}){tiers}
ORDER BY red DESC, a.tier DESC, a.cluster_id LIMIT {int(limit)}"""


def _beyond(measure: Measure, thresholds: Thresholds, *, red: bool) -> str:
    threshold = thresholds[measure.key]
    limit = threshold.red if red else threshold.warning
    return f"n.{measure.key} {'<=' if threshold.falling else '>='} {limit:g}"


def standing(limit: int = 40, *, important: bool = False) -> str:
    """Active clusters by stored risk and score, worst first: cluster_name, cluster_id, customer, tier, risk_level,
    overall_score, risk_reasons, computed_at, clusters. `important` keeps tiers S and A only."""
    tiers = _IMPORTANT if important else ""
    return f"""WITH {_ACTIVE},
{_STANDING}
SELECT a.cluster_name, a.cluster_id, a.customer, a.tier, r.risk_level, s.overall_score, r.risk_reasons, r.computed_at,
       count(*) OVER () AS clusters
FROM active a
LEFT JOIN risks r ON a.cluster_id = r.cluster_id AND r.place = 1
LEFT JOIN scores s ON a.cluster_id = s.cluster_id AND s.place = 1
WHERE (r.risk_level IN ('Critical', 'Warning') OR (r.risk_level IS NULL AND s.overall_score < 80)){tiers}
ORDER BY CASE r.risk_level WHEN 'Critical' THEN 0 WHEN 'Warning' THEN 1 ELSE 2 END, s.overall_score, a.cluster_id
LIMIT {int(limit)}"""


def silent(limit: int = 40) -> str:
    """Active clusters without a snapshot in the last hours: cluster_name, cluster_id, customer, tier, last_hour (NULL
    when none at all is kept), hours_silent, clusters."""
    return f"""WITH {_ACTIVE},
seen AS (SELECT cluster_id, max(snapshot_hour) AS last_hour FROM {SNAPSHOTS} WHERE {_since(1080)} GROUP BY cluster_id),
ages AS (
  SELECT a.*, s.last_hour, max(s.last_hour) OVER () AS newest_hour
  FROM active a LEFT JOIN seen s ON a.cluster_id = s.cluster_id)
SELECT cluster_name, cluster_id, customer, tier, last_hour,
       timestampdiff(HOUR, last_hour, newest_hour) AS hours_silent, count(*) OVER () AS clusters
FROM ages WHERE last_hour IS NULL OR last_hour <= date_sub(newest_hour, INTERVAL {RECENT_HOURS} HOUR)
ORDER BY last_hour, cluster_id LIMIT {int(limit)}"""


def alerts(hours: int, *, by_cluster: bool, limit: int = 40) -> str:
    """Alert conditions of the whole fleet, one row per alert name, or per cluster: alert_name or cluster_name and
    cluster_id; clusters or alert_names; firing (conditions that still fire), first_seen, last_seen, conditions, total
    (rows before the limit). A card that came by several paths, or repeats, is one condition; one that has not repeated
    for an hour is no longer firing."""
    since = f"created_at_utc > date_sub(coalesce({NEWEST}, utc_timestamp()), INTERVAL {int(hours)} HOUR)"
    source = f"FROM alerts.lark_alerts WHERE alert_status IS NOT NULL AND {since}"
    second = "CASE WHEN alert_name LIKE '%|%' THEN split_part(alert_name, '|', 2) ELSE alert_name END"
    key = (
        "s.cluster_id, max(coalesce(c.cluster_name, s.cluster_name)) AS cluster_name" if by_cluster else "s.alert_name"
    )
    other = "count(DISTINCT s.alert_name) AS alert_names" if by_cluster else "count(DISTINCT s.cluster_id) AS clusters"
    group = "s.cluster_id" if by_cluster else "s.alert_name"
    return f"""WITH events AS (
  SELECT cluster_id, cluster_name, split_part(alert_name, '|', 1) AS alert_name,
         split_part(alert_status, '|', 1) AS state, created_at_utc AS seen_at {source}
  UNION ALL
  SELECT cluster_id, cluster_name, {second} AS alert_name,
         split_part(alert_status, '|', 2) AS state, created_at_utc AS seen_at {source} AND alert_status LIKE '%|%'),
states AS (
  SELECT cluster_id, max(cluster_name) AS cluster_name, alert_name,
         min(seen_at) AS first_seen, max(seen_at) AS last_seen,
         max(CASE WHEN state = 'Firing' THEN seen_at END) AS fired_at,
         coalesce(max(CASE WHEN state = 'Resolved' THEN seen_at END), min(seen_at)) AS resolved_at
  FROM events GROUP BY cluster_id, alert_name),
conditions AS (
  SELECT s.*, CASE WHEN fired_at >= resolved_at AND fired_at >= date_sub(max(last_seen) OVER (), INTERVAL 1 HOUR)
                   THEN 1 ELSE 0 END AS is_firing
  FROM states s)
SELECT {key}, {other}, count(*) AS conditions, sum(s.is_firing) AS firing,
       min(s.first_seen) AS first_seen, max(s.last_seen) AS last_seen, count(*) OVER () AS total
FROM conditions s LEFT JOIN byoc.clusters c ON s.cluster_id = c.biz_id
GROUP BY {group} ORDER BY firing DESC, conditions DESC, {group} LIMIT {int(limit)}"""


def operations(hours: int, limit: int = 40) -> str:
    """Operations on clusters, newest first: created_at, type, state, cluster_name, cluster_id, detail, total."""
    return f"""SELECT o.created_at, o.type, o.state, c.cluster_name, o.cluster_id, o.detail, count(*) OVER () AS total
FROM byoc.billing_order o LEFT JOIN byoc.clusters c ON o.cluster_id = c.biz_id
WHERE o.created_at > date_sub(coalesce({NEWEST}, utc_timestamp()), INTERVAL {int(hours)} HOUR)
ORDER BY o.created_at DESC, o.order_id LIMIT {int(limit)}"""


_GROUPINGS: Mapping[str, tuple[str, str]] = {
    "version": ("i.sr_version", "LEFT JOIN byoc.cluster_info i ON c.biz_id = i.cluster_id"),
    "region": ("r.display_name", "LEFT JOIN byoc.region_details r ON c.region_id = r.region_id"),
    "cloud": ("r.cloud", "LEFT JOIN byoc.region_details r ON c.region_id = r.region_id"),
    "type": ("c.cluster_type", ""),
    "tier": ("p.tier", "LEFT JOIN metrics.dim_customer_profile p ON c.account_id = p.account_id"),
    "customer": (
        "coalesce(p.customer_name, a.name)",
        "LEFT JOIN byoc.accounts a ON c.account_id = a.biz_id"
        " LEFT JOIN metrics.dim_customer_profile p ON c.account_id = p.account_id",
    ),
}


def breakdown(grouping: str, limit: int = 40) -> str:
    """Active clusters counted by `grouping` (version, region, cloud, type, tier, customer): label, clusters, total."""
    label, joins = _GROUPINGS[grouping]
    return f"""SELECT {label} AS label, count(DISTINCT c.biz_id) AS clusters, count(*) OVER () AS total
FROM byoc.clusters c {joins}
WHERE NOT coalesce(c.stopped, false) AND NOT coalesce(c.deleted, false)
GROUP BY {label} ORDER BY clusters DESC, label LIMIT {int(limit)}"""


NARRATIVE_PARTS = 8
# The door cuts long cells, so the narrative is fetched in pieces below that length.
_PART_LENGTH = 180


def last_patrol() -> str:
    """The newest patrol report: report_id, created_at, report_type, model and the narrative as part_0, part_1, …"""
    parts = ", ".join(
        f"substring(fleet_narrative, {number * _PART_LENGTH + 1}, {_PART_LENGTH}) AS part_{number}"
        for number in range(NARRATIVE_PARTS)
    )
    return (
        f"SELECT report_id, created_at, report_type, model, {parts}"
        " FROM alerts.patrol_reports ORDER BY created_at DESC LIMIT 1"
    )
