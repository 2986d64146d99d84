"""The SELECTs that list: clusters, customers, alerts, operations, patrol reports, bills; and how new the data is.

Only our own words, checked ids, whole numbers, times, and words reduced to letters and digits enter a statement."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from agent.patrol.queries import alert_moment
from agent.patrol.query import stamp
from agent.patrol.rules import load_rules

SNAPSHOTS = "metrics.amv_hourly_snapshots_v1"
LIMIT = 40
FLAGGED = 40
"""How many flagged clusters of a patrol report are read."""
ACTIVE = """active AS (
  SELECT c.biz_id AS cluster_id, c.cluster_name AS cluster_name, c.account_id AS account_id,
         c.cluster_type AS cluster_type, coalesce(p.customer_name, a.name) AS customer, p.tier AS tier
  FROM byoc.clusters c
  LEFT JOIN byoc.accounts a ON c.account_id = a.biz_id
  LEFT JOIN metrics.dim_customer_profile p ON c.account_id = p.account_id
  WHERE NOT coalesce(c.stopped, false) AND NOT coalesce(c.deleted, false))"""
IMPORTANT = " AND a.tier IN ('S', 'A')"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WINDOW = load_rules().window


def is_cluster_id(value: str) -> bool:
    """Whether `value` is a whole cluster id."""
    return _UUID.fullmatch(value) is not None


def quoted(values: Iterable[str]) -> str:
    """Our own words as a list of literals."""
    return ", ".join(f"'{value}'" for value in values)


def only(cluster_ids: Iterable[str]) -> str:
    """A condition that keeps these clusters; empty without one. Raises ValueError on what is no id."""
    ids = tuple(cluster_ids)
    if not all(map(is_cluster_id, ids)):
        raise ValueError("a cluster id was expected")
    return f" AND cluster_id IN ({quoted(ids)})" if ids else ""


def _like(words: str) -> str:
    """A LIKE pattern for words that people wrote: all but letters, digits, blanks and dots matches any character."""
    return "%" + "".join(letter if letter.isalnum() or letter in " ." else "_" for letter in words[:60]) + "%"


def _since(column: str, as_of: datetime, hours: int) -> str:
    """Windows end with the newest data, not at the wall clock: late data must not look like no data."""
    return f"{column} > '{stamp(as_of - timedelta(hours=hours))}'"


def freshness() -> str:
    """One row: newest_hour (the newest in which a real part of the fleet sent data, as in agent/patrol/freshness.py),
    hours_old."""
    until = (
        f"SELECT max(snapshot_hour) FROM {SNAPSHOTS} WHERE snapshot_hour <= date_add(utc_timestamp(), INTERVAL 1 HOUR)"
    )
    return f"""WITH hours AS (
  SELECT snapshot_hour, count(DISTINCT cluster_id) AS clusters FROM {SNAPSHOTS}
  WHERE snapshot_hour <= ({until}) AND snapshot_hour > date_sub(({until}), INTERVAL 72 HOUR) GROUP BY snapshot_hour),
crowd AS (SELECT max(clusters) AS most FROM hours)
SELECT max(snapshot_hour) AS newest_hour, timestampdiff(HOUR, max(snapshot_hour), utc_timestamp()) AS hours_old
FROM hours h CROSS JOIN crowd c
WHERE h.clusters >= 0.05 * c.most AND (h.clusters >= 2 OR c.most < 2)"""


def standing(limit: int = LIMIT, *, important: bool = False) -> str:
    """Active clusters by stored risk and score, worst first: cluster_name, cluster_id, customer, tier, risk_level,
    overall_score, risk_reasons, computed_at, total. `important` keeps tiers S and A only."""
    return f"""WITH {ACTIVE},
risks AS (
  SELECT cluster_id, risk_level, risk_reasons, computed_at,
         row_number() OVER (PARTITION BY cluster_id ORDER BY computed_at DESC) AS place
  FROM alerts.cluster_risk_snapshots),
scores AS (
  SELECT cluster_id, overall_score, row_number() OVER (PARTITION BY cluster_id ORDER BY computed_at DESC) AS place
  FROM alerts.cluster_health_scores)
SELECT a.cluster_name, a.cluster_id, a.customer, a.tier, r.risk_level, s.overall_score, r.risk_reasons, r.computed_at,
       count(*) OVER () AS total
FROM active a
LEFT JOIN risks r ON a.cluster_id = r.cluster_id AND r.place = 1
LEFT JOIN scores s ON a.cluster_id = s.cluster_id AND s.place = 1
WHERE (r.risk_level IN ('Critical', 'Warning') OR (r.risk_level IS NULL AND s.overall_score < 80))
  {IMPORTANT if important else ""}
ORDER BY CASE r.risk_level WHEN 'Critical' THEN 0 WHEN 'Warning' THEN 1 ELSE 2 END, s.overall_score, a.cluster_id
LIMIT {int(limit)}"""


def silent(as_of: datetime, limit: int = LIMIT) -> str:
    """Active clusters without a snapshot in the last hours that nobody stopped or has just started: cluster_name,
    cluster_id, customer, tier, last_hour (NULL when none is kept), hours_silent, total."""
    seen, done = (_since(column, as_of, 24 * _WINDOW.baseline_days) for column in ("snapshot_hour", "created_at"))
    now = stamp(as_of)
    return f"""WITH {ACTIVE},
seen AS (
  SELECT cluster_id, max(snapshot_hour) AS last_hour FROM {SNAPSHOTS}
  WHERE {seen} AND snapshot_hour <= '{now}' GROUP BY cluster_id),
orders AS (
  SELECT cluster_id, max(CASE WHEN type = 'START' THEN created_at END) AS started,
         max(CASE WHEN type = 'STOP' THEN created_at END) AS stopped
  FROM byoc.billing_order WHERE state <> 'FAILED' AND {done} GROUP BY cluster_id)
SELECT a.cluster_name, a.cluster_id, a.customer, a.tier, s.last_hour,
       timestampdiff(HOUR, s.last_hour, '{now}') AS hours_silent, count(*) OVER () AS total
FROM active a LEFT JOIN seen s ON a.cluster_id = s.cluster_id LEFT JOIN orders o ON a.cluster_id = o.cluster_id
WHERE (s.last_hour IS NULL OR s.last_hour <= date_sub('{now}', INTERVAL {_WINDOW.silent_hours} HOUR))
  AND NOT coalesce(o.stopped >= date_sub(coalesce(s.last_hour, o.stopped), INTERVAL 1 HOUR)
                   AND o.stopped >= coalesce(o.started, o.stopped), false)
  AND NOT coalesce(o.started > date_sub('{now}', INTERVAL {_WINDOW.silent_hours} HOUR), false)
ORDER BY s.last_hour, a.cluster_id LIMIT {int(limit)}"""


def alerts(as_of: datetime, hours: int, *, by_cluster: bool, limit: int = LIMIT) -> str:
    """Alert conditions of the whole fleet, one row per alert name, or per cluster: alert_name or cluster_name and
    cluster_id; clusters or alert_names; firing (conditions that still fire), first_seen, last_seen, conditions, total
    (rows before the limit). A card that came by several paths, or repeats, is one condition; one that has not repeated
    for an hour is no longer firing."""
    happened = alert_moment(as_of)
    # The second bound is on the column that the table is cut by; two days are more than zones can differ.
    source = (
        f"FROM alerts.lark_alerts WHERE alert_status IS NOT NULL AND {_since(happened, as_of, hours)}"
        f" AND {_since('created_at', as_of, hours + 48)}"
    )
    second = "CASE WHEN alert_name LIKE '%|%' THEN split_part(alert_name, '|', 2) ELSE alert_name END"
    key = (
        "s.cluster_id, max(coalesce(c.cluster_name, s.cluster_name)) AS cluster_name" if by_cluster else "s.alert_name"
    )
    other = "count(DISTINCT s.alert_name) AS alert_names" if by_cluster else "count(DISTINCT s.cluster_id) AS clusters"
    group = "s.cluster_id" if by_cluster else "s.alert_name"
    return f"""WITH events AS (
  SELECT cluster_id, cluster_name, split_part(alert_name, '|', 1) AS alert_name,
         split_part(alert_status, '|', 1) AS state, {happened} AS seen_at {source}
  UNION ALL
  SELECT cluster_id, cluster_name, {second} AS alert_name,
         split_part(alert_status, '|', 2) AS state, {happened} AS seen_at {source} AND alert_status LIKE '%|%'),
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


def operations(as_of: datetime, hours: int, limit: int = LIMIT) -> str:
    """Operations on clusters, newest first: created_at, type, state, cluster_name, cluster_id, detail, total."""
    return f"""SELECT o.created_at, o.type, o.state, c.cluster_name, o.cluster_id, o.detail, count(*) OVER () AS total
FROM byoc.billing_order o LEFT JOIN byoc.clusters c ON o.cluster_id = c.biz_id
WHERE {_since("o.created_at", as_of, hours)} ORDER BY o.created_at DESC, o.order_id LIMIT {int(limit)}"""


_INVENTORY = f"""WITH {ACTIVE}
SELECT {{columns}}, count(*) OVER () AS total
FROM active a JOIN byoc.clusters c ON a.cluster_id = c.biz_id
LEFT JOIN byoc.cluster_info i ON a.cluster_id = i.cluster_id
LEFT JOIN byoc.region_details r ON c.region_id = r.region_id
LEFT JOIN metrics.dim_customer_profile p ON a.account_id = p.account_id
LEFT JOIN byoc.accounts n ON a.account_id = n.biz_id"""
_GROUPINGS: Mapping[str, str] = {
    "version": "i.sr_version",
    "region": "r.display_name",
    "cloud": "r.cloud",
    "type": "c.cluster_type",
    "tier": "a.tier",
    "customer": "a.customer",
}


def breakdown(grouping: str, limit: int = LIMIT) -> str:
    """Active clusters counted by `grouping` (version, region, cloud, type, tier, customer): label, clusters, total."""
    label = _GROUPINGS[grouping]
    counted = _INVENTORY.format(columns=f"{label} AS label, count(DISTINCT a.cluster_id) AS clusters")
    return f"{counted} GROUP BY {label} ORDER BY clusters DESC, label LIMIT {int(limit)}"


_MEMBER = """a.cluster_name, a.cluster_id, a.account_id, a.customer, a.tier, i.sr_version, r.display_name AS region,
  c.cluster_type, p.stage, p.use_case"""


def of_version(version: str, limit: int = LIMIT) -> str:
    """Active clusters whose version begins with these digits and dots: cluster_name, cluster_id, account_id, customer,
    tier, sr_version, region, cluster_type, stage, use_case, total."""
    begins = ".".join(re.findall(r"[0-9]{1,4}", version)[:4])
    return f"""{_INVENTORY.format(columns=_MEMBER)}
WHERE i.sr_version LIKE '{begins}.%' OR i.sr_version LIKE '{begins}-%' OR i.sr_version = '{begins}'
ORDER BY i.sr_version, a.tier DESC, a.cluster_name LIMIT {int(limit)}"""


def of_customer(name: str, limit: int = LIMIT) -> str:
    """Active clusters of the customers whose name or account matches; columns as in `of_version`."""
    pattern = _like(name)
    return f"""{_INVENTORY.format(columns=_MEMBER)}
WHERE lower(p.customer_name) LIKE '{pattern}' OR lower(n.name) LIKE '{pattern}' OR lower(a.account_id) LIKE '{pattern}'
ORDER BY a.customer, a.cluster_name LIMIT {int(limit)}"""


def bills(as_of: datetime, hours: int, *, by_customer: bool = False, cluster_ids: Iterable[str] = ()) -> str:
    """What was billed over the window's whole days, most first: cluster_name and cluster_id or customer; amount, ccu,
    first_day, last_day, fleet (amount of all), total."""
    days = max(-(-hours // 24), 1)
    start = (as_of - timedelta(days=days)).strftime("%Y-%m-%d")
    until = as_of.strftime("%Y-%m-%d")
    whose = "coalesce(p.customer_name, n.name)" if by_customer else "c.cluster_name"
    id_column = "b.account_id" if by_customer else "b.cluster_id"
    name = "customer" if by_customer else "cluster_name"
    return f"""WITH b AS (
  SELECT cluster_id, account_id, bill_day, amount, ccu FROM byoc.bill_detail
  WHERE bill_day >= '{start}' AND bill_day < '{until}'{only(cluster_ids)}),
sums AS (
  SELECT {id_column} AS owner, max({whose}) AS name,
         sum(amount) AS amount, sum(ccu) AS ccu, min(bill_day) AS first_day, max(bill_day) AS last_day
  FROM b LEFT JOIN byoc.clusters c ON b.cluster_id = c.biz_id
  LEFT JOIN byoc.accounts n ON b.account_id = n.biz_id
  LEFT JOIN metrics.dim_customer_profile p ON b.account_id = p.account_id
  GROUP BY {id_column})
SELECT name AS {name}, owner AS {"account_id" if by_customer else "cluster_id"}, amount, ccu,
       first_day, last_day, sum(amount) OVER () AS fleet, count(*) OVER () AS total
FROM sums ORDER BY amount DESC, owner LIMIT {LIMIT}"""


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


def patrols() -> str:
    """The two newest patrol reports, newest first: created_at, flagged (how many clusters), and of each flagged cluster
    name_0, severity_0, name_1, …; forecast_0 … are the report's predictions."""
    flagged = ", ".join(
        f"get_json_string(clusters_flagged, '$[{place}].{key}') AS {column}_{place}"
        for place in range(FLAGGED)
        for key, column in (("cluster_name", "name"), ("severity", "severity"))
    )
    forecasts = ", ".join(f"get_json_string(predictions, '$[{place}].text') AS forecast_{place}" for place in range(6))
    return (
        f"SELECT created_at, json_length(clusters_flagged) AS flagged, {forecasts}, {flagged}"
        " FROM alerts.patrol_reports ORDER BY created_at DESC LIMIT 2"
    )
