"""The eight steps as calls: what the investigation by rules asks, and in which rounds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from agent.investigation.scene import TOGETHER, Scene
from agent.investigation.signs import Signs, load_causes
from agent.patrol.queries import ACTIVE, SNAPSHOTS
from agent.patrol.query import stamp
from agent.rules_only import history

STEPS = ("context", "alerts", "metrics", "operations", "memory", "siblings", "sql", "conclusion")
"""The protocol, in its order."""
_BEFORE = timedelta(hours=26)
"""A whole day before the onset, to compare hour by hour."""
_LEAST_HOURS, _MOST_HOURS = 50, 336
_LOG_HOURS = 168
_LATELY = 24
_METRICS = 12
_ID = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.-")


@dataclass(frozen=True, slots=True)
class Ask:
    """One call, and the step that it belongs to."""

    step: str
    tool: str
    arguments: Mapping[str, Any]

    @property
    def key(self) -> str:
        """What makes two asks the same call."""
        return history.key(self.tool, self.arguments)


def rounds(scene: Scene) -> tuple[tuple[Ask, ...], ...]:
    """The calls, those of a round independent of each other. Nothing for a cluster that is not known."""
    cluster = {"cluster": scene.cluster_id or scene.asked}
    context = Ask("context", "query_cluster_info", cluster)
    if not scene.known:
        return ((context,),)
    first = (
        context,
        Ask("alerts", "query_cluster_alerts", {**cluster, "days": 7}),
        Ask("metrics", "query_cluster_metrics", {**cluster, "metrics": metrics(scene), "hours": hours(scene)}),
        Ask("operations", "query_cluster_operations", {**cluster, "days": 14}),
    )
    second = (
        Ask("logs", "search_logs", {**cluster, "hours": min(hours(scene), _LOG_HOURS), "level": "WARN"}),
        Ask("memory", "query_agent_memory", {**cluster, "limit": 10}),
        Ask("siblings", "query_similar_clusters", cluster),
    )
    own = (("sql", peers_sql(scene, signs_of(scene))), ("lines", lines_sql(scene)))
    third = tuple(Ask(step, "read_query", {"sql": sql, "max_rows": 100}) for step, sql in own if sql)
    live = (Ask("live", "query_live_state", cluster),) if scene.severity == "Unknown" else ()
    return (first, (*second, *third, *live))


def signs_of(scene: Scene) -> Signs:
    """What to look at: by the gravest finding that is a metric, as a storm of alerts has none of its own."""
    measured = [one.dimension for one in scene.findings if one.dimension != "alerts"]
    return load_causes().of(measured[0] if measured else "default")


def metrics(scene: Scene) -> list[str]:
    """The metrics that are read: the witness and those beside it, of all findings, as many as one call takes."""
    causes = load_causes()
    known = [signs_of(scene), *(causes.of(one.dimension) for one in scene.findings)]
    names = [name for signs in known for name in (signs.witness, *(pair.metric for pair in signs.pairs))]
    return list(dict.fromkeys(names))[:_METRICS]


def hours(scene: Scene) -> int:
    """How far back to read: to a day before the onset."""
    if scene.onset is None:
        return _LEAST_HOURS
    back = scene.now - scene.onset + _BEFORE
    return min(max(int(back / timedelta(hours=1)) + 1, _LEAST_HOURS), _MOST_HOURS)


def peers_sql(scene: Scene, signs: Signs) -> str:
    """The cluster's witness metric on the clusters of its account and its version, before and since the onset; empty
    where there is nothing to compare. Counters are growth within the hour, which a restart does not spoil."""
    account, version = _quoted(scene.account_id), _quoted(scene.version)
    shared = [one for one in (account and f"c.account_id = {account}", version and f"i.sr_version = {version}") if one]
    if not shared or scene.onset is None or not scene.peers:
        return ""
    value = "CASE WHEN d.metric_type = 'counter' THEN GREATEST(s.max_value - s.min_value, 0) ELSE s.avg_value END"
    return (
        "SELECT c.biz_id AS cluster_id, c.cluster_name, c.account_id, i.sr_version,"
        f" AVG(CASE WHEN {_between(*_span(scene, before=True))} THEN {value} END) AS before_onset,"
        f" AVG(CASE WHEN {_between(*_span(scene, before=False))} THEN {value} END) AS since_onset"
        f" FROM {SNAPSHOTS} AS s JOIN byoc.clusters AS c ON c.biz_id = s.cluster_id"
        " LEFT JOIN byoc.cluster_info AS i ON i.cluster_id = c.biz_id"
        " LEFT JOIN metrics.metrics_dict_v2 AS d ON d.metric_name = s.metric_name"
        f" WHERE s.metric_name = '{signs.witness}' AND s.snapshot_hour >= '{stamp(_span(scene, before=True)[0])}'"
        f" AND s.snapshot_hour <= '{stamp(scene.as_of)}' AND {ACTIVE} AND ({' OR '.join(shared)})"
        " GROUP BY c.biz_id, c.cluster_name, c.account_id, i.sr_version ORDER BY c.biz_id LIMIT 60"
    )


def lines_sql(scene: Scene) -> str:
    """Which other clusters' nodes write what this one's write since the onset and did not write before; empty without
    an onset. The lines themselves, which are untrusted, stay in the warehouse."""
    cluster = _quoted(scene.cluster_id)
    if not cluster or scene.onset is None:
        return ""
    since = stamp(scene.onset - TOGETHER)
    # one line without a text would make NOT IN hold for none
    told = "m.level <> 'INFO' AND m.message IS NOT NULL"
    own = f"SELECT m.message FROM byoc.cluster_log AS m WHERE m.cluster_id = {cluster} AND {told}"
    oldest = stamp(scene.onset - timedelta(hours=_LOG_HOURS))
    return (
        "SELECT l.cluster_id, COUNT(*) AS matching_lines FROM byoc.cluster_log AS l"
        f" WHERE l.cluster_id <> {cluster} AND l.log_time >= '{since}'"
        f" AND l.message IN ({own} AND m.log_time >= '{since}')"
        f" AND l.message NOT IN ({own} AND m.log_time >= '{oldest}' AND m.log_time < '{since}')"
        " GROUP BY l.cluster_id ORDER BY matching_lines DESC, l.cluster_id LIMIT 60"
    )


def _span(scene: Scene, *, before: bool) -> tuple[datetime, datetime]:
    """The hours that are compared: at most a day since the onset, and the same hours of the day before it."""
    onset = scene.onset or scene.as_of
    since = max(onset, scene.as_of - timedelta(hours=_LATELY - 1))
    days = timedelta(days=-(-((scene.as_of - onset) // timedelta(hours=1) + 1) // _LATELY)) if before else timedelta()
    return since - days, scene.as_of - days


def _between(since: datetime, until: datetime) -> str:
    return f"s.snapshot_hour >= '{stamp(since)}' AND s.snapshot_hour <= '{stamp(until)}'"


def _quoted(text: str) -> str:
    """A word of the warehouse as a literal; empty for one that holds anything but a name's letters."""
    return f"'{text}'" if text and set(text) <= _ID else ""
