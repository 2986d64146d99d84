"""Which calls an intent needs, given what came back so far; pure. Independent calls come together in one round."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.rules_only import history, queries
from agent.rules_only.envelope import Outcome, Sheet
from agent.rules_only.intent import Intent, Kind
from agent.rules_only.measures import BY_KEY, LIMITED, LOW_IS_BAD
from agent.rules_only.thresholds import Thresholds

FLEET_ROWS = 40


@dataclass(frozen=True, slots=True)
class Ask:
    """One call and the part its result plays in the answer."""

    role: str
    tool: str
    arguments: Mapping[str, Any]

    @property
    def key(self) -> str:
        """What makes two asks the same call."""
        return history.key(self.tool, self.arguments)


@dataclass(frozen=True, slots=True)
class Identity:
    """A cluster that the door resolved."""

    cluster_id: str
    name: str


Outcomes = Mapping[str, Outcome]
"""Outcomes of this turn by call key."""


def asks(intent: Intent, outcomes: Outcomes, thresholds: Thresholds) -> tuple[Ask, ...]:
    """Everything the answer needs that can be asked now, answered or not. More may follow once these are answered."""
    recipe = _RECIPES.get(intent.kind)
    return recipe(intent, outcomes, thresholds) if recipe else ()


def identity(outcome: Outcome | None) -> Identity | None:
    """The cluster that a result of query_cluster_info is about."""
    if not isinstance(outcome, Sheet):
        return None
    cluster_id = outcome.first.text("cluster_id").lower()
    name = outcome.first.text("cluster_name") or cluster_id[:8]
    return Identity(cluster_id, name) if queries.is_cluster_id(cluster_id) else None


def query(role: str, sql: str, max_rows: int = 100) -> Ask:
    """An own SELECT."""
    return Ask(role, "read_query", {"sql": sql, "max_rows": max_rows})


def _freshness() -> Ask:
    return query("freshness", queries.freshness())


def _info(intent: Intent) -> tuple[Ask, ...]:
    return tuple(
        Ask(f"info:{index}", "query_cluster_info", {"cluster": name}) for index, name in enumerate(intent.clusters[:2])
    )


def _resolved(infos: tuple[Ask, ...], outcomes: Outcomes) -> tuple[str, ...]:
    """The ids of the clusters, once all of them are known; else nothing."""
    known = [identity(outcomes.get(ask.key)) for ask in infos]
    ids = [cluster.cluster_id for cluster in known if cluster is not None]
    return tuple(ids) if len(ids) == len(infos) else ()


def _overview(intent: Intent, outcomes: Outcomes, thresholds: Thresholds) -> tuple[Ask, ...]:
    return (
        Ask("summary", "query_fleet_summary", {}),
        *_worst(intent, outcomes, thresholds),
        query("alerts", queries.alerts(24, by_cluster=False, limit=FLEET_ROWS)),
        Ask("issues", "query_open_issues", {"limit": 50}),
    )


def _worst(intent: Intent, _: Outcomes, thresholds: Thresholds) -> tuple[Ask, ...]:
    judged = (
        (query("breaches", queries.breaches(thresholds, FLEET_ROWS, important=intent.important)),)
        if queries.judged(thresholds)
        else ()
    )
    standing = query("standing", queries.standing(FLEET_ROWS, important=intent.important))
    return (standing, *judged, query("silent", queries.silent(FLEET_ROWS)), _freshness())


def _status(intent: Intent, outcomes: Outcomes, _: Thresholds) -> tuple[Ask, ...]:
    cluster = {"cluster": intent.clusters[0]}
    infos = _info(intent)[:1]
    first = (
        *infos,
        Ask("alerts", "query_cluster_alerts", {**cluster, "days": _days(intent.hours)}),
        Ask("operations", "query_cluster_operations", {**cluster, "days": 14}),
        _freshness(),
    )
    ids = _resolved(infos, outcomes)
    if not ids:
        return first
    recent = query("recent", queries.traffic(ids, queries.RECENT_HOURS))
    return (*first, query("vitals", queries.vitals(ids)), query("traffic", queries.traffic(ids)), recent)


def _compare(intent: Intent, outcomes: Outcomes, _: Thresholds) -> tuple[Ask, ...]:
    infos = _info(intent)
    ids = _resolved(infos, outcomes)
    more = (query("vitals", queries.vitals(ids)), query("traffic", queries.traffic(ids))) if ids else ()
    return (*infos, _freshness(), *more)


def _series(intent: Intent, outcomes: Outcomes, _: Thresholds) -> tuple[Ask, ...]:
    measure = intent.measure or BY_KEY["p99_latency_ms"]
    if not intent.clusters:
        ranking = queries.ranking(measure, max(intent.hours, 48), 12, ascending=measure.key in LOW_IS_BAD)
        return (query("series", queries.course(measure, intent.hours)), query("ranking", ranking), _freshness())
    infos = _info(intent)[:1]
    ids = _resolved(infos, outcomes)
    more = (query("series", queries.course(measure, intent.hours, ids[0])),) if ids else ()
    return (*infos, _freshness(), *more)


def _ranking(intent: Intent, _: Outcomes, __: Thresholds) -> tuple[Ask, ...]:
    measure = intent.measure or BY_KEY["p99_latency_ms"]
    ascending = intent.ascending or measure.key in LOW_IS_BAD
    return (
        query("ranking", queries.ranking(measure, max(intent.hours, 48), FLEET_ROWS, ascending=ascending)),
        _freshness(),
    )


def _limits(intent: Intent, _: Outcomes, __: Thresholds) -> tuple[Ask, ...]:
    chosen = (intent.measure,) if intent.measure in LIMITED and intent.measure else LIMITED
    ranked = tuple(
        query(f"limit:{measure.key}", queries.ranking(measure, 192, 12, ascending=measure.key in LOW_IS_BAD))
        for measure in chosen
    )
    return (*ranked, _freshness())


def _alerts(intent: Intent, _: Outcomes, __: Thresholds) -> tuple[Ask, ...]:
    if intent.clusters:
        return (Ask("alerts", "query_cluster_alerts", {"cluster": intent.clusters[0], "days": _days(intent.hours)}),)
    return (
        query("alerts", queries.alerts(intent.hours, by_cluster=False, limit=FLEET_ROWS)),
        query("alerts_by_cluster", queries.alerts(intent.hours, by_cluster=True, limit=FLEET_ROWS)),
    )


def _operations(intent: Intent, _: Outcomes, __: Thresholds) -> tuple[Ask, ...]:
    if intent.clusters:
        arguments = {"cluster": intent.clusters[0], "days": _days(intent.hours)}
        return (Ask("operations", "query_cluster_operations", arguments),)
    return (query("operations", queries.operations(intent.hours, FLEET_ROWS)),)


def _issues(intent: Intent, _: Outcomes, __: Thresholds) -> tuple[Ask, ...]:
    severity = {"severity": intent.severity} if intent.severity else {}
    return (Ask("issues", "query_open_issues", {**severity, "limit": 50}),)


def _logs(intent: Intent, _: Outcomes, __: Thresholds) -> tuple[Ask, ...]:
    arguments = {"cluster": intent.clusters[0], "pattern": intent.pattern, "hours": intent.hours}
    return (Ask("logs", "search_logs", arguments),)


_RECIPES: Mapping[Kind, Callable[[Intent, Outcomes, Thresholds], tuple[Ask, ...]]] = {
    "overview": _overview,
    "worst": _worst,
    "status": _status,
    "compare": _compare,
    "series": _series,
    "ranking": _ranking,
    "limits": _limits,
    "alerts": _alerts,
    "issues": _issues,
    "operations": _operations,
    "logs": _logs,
    "breakdown": lambda intent, _, __: (query("breakdown", queries.breakdown(intent.grouping, FLEET_ROWS)),),
    "silent": lambda *_: (query("silent", queries.silent(FLEET_ROWS)), _freshness()),
    "patrol": lambda *_: (query("patrol", queries.last_patrol()),),
}


def _days(hours: int) -> int:
    return min(max(-(-hours // 24), 1), 30)
