"""Which calls an intent needs, given what came back so far; pure. Independent calls come together in one round."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from agent.charting import CHART
from agent.rules_only import history, inventory, readings
from agent.rules_only.envelope import Outcome, Sheet
from agent.rules_only.intent import Intent, Kind
from agent.rules_only.measures import DEFAULT, LIMITED, VITALS
from agent.rules_only.thresholds import Thresholds
from agent.rules_only.voice import Voice


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


def query(role: str, sql: str) -> Ask:
    """An own SELECT."""
    return Ask(role, "read_query", {"sql": sql, "max_rows": 100})


_FRESHNESS = query("freshness", inventory.freshness())
_PATROLS = query("patrols", inventory.patrols())


@dataclass(frozen=True, slots=True)
class _Known:
    """What this turn knows so far. `as_of` is the newest hour with data, None while it is not known."""

    outcomes: Outcomes
    thresholds: Thresholds
    as_of: datetime | None

    def ids(self, infos: tuple[Ask, ...]) -> tuple[str, ...]:
        """The ids of the clusters, once all of them are known; else nothing."""
        found = tuple(cluster.cluster_id for ask in infos if (cluster := identity(self.outcomes.get(ask.key))))
        return found if len(found) == len(infos) else ()


def asks(intent: Intent, outcomes: Outcomes, thresholds: Thresholds) -> tuple[Ask, ...]:
    """Everything the answer needs that can be asked now, answered or not. More may follow once these are answered."""
    recipe = _RECIPES.get(intent.kind)
    return recipe(intent, _Known(outcomes, thresholds, _as_of(outcomes.get(_FRESHNESS.key)))) if recipe else ()


def identity(outcome: Outcome | None) -> Identity | None:
    """The cluster that a result of query_cluster_info is about."""
    if not isinstance(outcome, Sheet):
        return None
    cluster_id = outcome.first.text("cluster_id").lower()
    name = outcome.first.text("cluster_name") or cluster_id[:8]
    return Identity(cluster_id, name) if inventory.is_cluster_id(cluster_id) else None


def _as_of(outcome: Outcome | None) -> datetime | None:
    text = outcome.first.text("newest_hour") if isinstance(outcome, Sheet) else ""
    try:
        return datetime.fromisoformat(text[:19]).replace(tzinfo=None)
    except ValueError:
        return None


def _info(intent: Intent, clusters: int = 1) -> tuple[Ask, ...]:
    names = intent.clusters[:clusters]
    return tuple(Ask(f"info:{place}", "query_cluster_info", {"cluster": name}) for place, name in enumerate(names))


def _overview(intent: Intent, known: _Known) -> tuple[Ask, ...]:
    first = (*_worst(intent, known), Ask("summary", "query_fleet_summary", {}))
    issues = Ask("issues", "query_open_issues", {"limit": 50})
    if known.as_of is None:
        return (*first, issues)
    return (*first, issues, query("alerts", inventory.alerts(known.as_of, 24, by_cluster=False)))


def _worst(intent: Intent, known: _Known) -> tuple[Ask, ...]:
    standing = query("standing", inventory.standing(important=intent.important))
    first = (_FRESHNESS, _PATROLS, standing)
    if known.as_of is None:
        return first
    beyond = (
        (query("beyond", readings.beyond(known.thresholds, known.as_of, important=intent.important)),)
        if readings.judged(known.thresholds)
        else ()
    )
    return (*first, query("silent", inventory.silent(known.as_of)), *beyond)


def _status(intent: Intent, known: _Known) -> tuple[Ask, ...]:
    cluster, infos = {"cluster": intent.clusters[0]}, _info(intent)
    first = (
        _FRESHNESS,
        *infos,
        Ask("alerts", "query_cluster_alerts", {**cluster, "days": _days(intent.hours)}),
        Ask("operations", "query_cluster_operations", {**cluster, "days": 14}),
    )
    return (*first, *_measured(known, infos))


def _measured(known: _Known, infos: tuple[Ask, ...]) -> tuple[Ask, ...]:
    ids = known.ids(infos)
    if known.as_of is None or not ids:
        return ()
    return (
        query("vitals", readings.vitals(ids, known.as_of, VITALS)),
        query("traffic", readings.traffic(ids, known.as_of)),
    )


def _compare(intent: Intent, known: _Known) -> tuple[Ask, ...]:
    infos = _info(intent, 2)
    return (_FRESHNESS, *infos, *_measured(known, infos))


def _series(intent: Intent, known: _Known) -> tuple[Ask, ...]:
    measure, infos = intent.measure or DEFAULT, _info(intent)
    ids, first = known.ids(infos), (_FRESHNESS, *infos)
    if known.as_of is None or (infos and not ids):
        return first
    course = query("series", readings.course(measure, known.as_of, intent.hours, ids))
    now = query("vitals", readings.vitals(ids, known.as_of, (measure,))) if ids else _ranked(intent, known.as_of)
    voice = Voice(intent.language)
    who = intent.clusters[0] if ids else voice.say("chart.fleet")
    title = voice.say("chart.course", noun=voice.own(measure.noun), who=who)
    drawing = _Drawing("line", "period", ("mean", "highest", "lowest"), title, voice.own(measure.unit))
    return (*first, course, now, *_chart(intent, known, course, drawing))


@dataclass(frozen=True, slots=True)
class _Drawing:
    """What of a result is drawn, as the chart tool takes it."""

    kind: str
    x: str
    y: tuple[str, ...]
    title: str
    unit: str = ""


def _chart(intent: Intent, known: _Known, of: Ask, drawing: _Drawing) -> tuple[Ask, ...]:
    """The picture of a result, once that is there and if one is wanted."""
    drawn = known.outcomes.get(of.key)
    if not intent.drawn or not isinstance(drawn, Sheet) or not drawn.result_id:
        return ()
    unit = {"unit": drawing.unit} if drawing.unit else {}
    arguments = {"result_id": drawn.result_id, "kind": drawing.kind, "x": drawing.x, "y": list(drawing.y)}
    return (Ask("chart", CHART, {**arguments, "title": drawing.title, **unit}),)


def _ranked(intent: Intent, as_of: datetime) -> Ask:
    measure = intent.measure or DEFAULT
    ascending = intent.ascending or measure.low_is_bad
    # a picture shows the rows that were asked for, while words can leave some out
    limit = intent.limit if intent.drawn and intent.kind == "ranking" else inventory.LIMIT
    return query("ranking", readings.ranking(measure, as_of, max(intent.hours, 48), limit, ascending=ascending))


def _ranking(intent: Intent, known: _Known) -> tuple[Ask, ...]:
    if known.as_of is None:
        return (_FRESHNESS,)
    ranked, measure = _ranked(intent, known.as_of), intent.measure or DEFAULT
    voice = Voice(intent.language)
    title = voice.say("chart.now", noun=voice.own(measure.noun))
    drawing = _Drawing("bar", "cluster_name", ("latest",), title, voice.own(measure.unit))
    return (_FRESHNESS, ranked, *_chart(intent, known, ranked, drawing))


def _breakdown(intent: Intent, known: _Known) -> tuple[Ask, ...]:
    counted = query("breakdown", inventory.breakdown(intent.grouping))
    title = Voice(intent.language).say(f"chart.by.{intent.grouping}")
    drawing = _Drawing("bar", "label", ("clusters",), title)
    return (counted, *_chart(intent, known, counted, drawing))


def _limits(intent: Intent, known: _Known) -> tuple[Ask, ...]:
    if known.as_of is None:
        return (_FRESHNESS, _PATROLS)
    chosen = (intent.measure,) if intent.measure in LIMITED and intent.measure else LIMITED
    ranked = (
        query(f"limit:{measure.key}", readings.nearest(measure, known.thresholds, known.as_of, 192, 12))
        for measure in chosen
    )
    return (_FRESHNESS, _PATROLS, *ranked)


def _alerts(intent: Intent, known: _Known) -> tuple[Ask, ...]:
    if intent.clusters:
        return (Ask("alerts", "query_cluster_alerts", {"cluster": intent.clusters[0], "days": _days(intent.hours)}),)
    if known.as_of is None:
        return (_FRESHNESS,)
    return (
        _FRESHNESS,
        query("alerts", inventory.alerts(known.as_of, intent.hours, by_cluster=False)),
        query("alerts_by_cluster", inventory.alerts(known.as_of, intent.hours, by_cluster=True)),
    )


def _operations(intent: Intent, known: _Known) -> tuple[Ask, ...]:
    if intent.clusters:
        arguments = {"cluster": intent.clusters[0], "days": _days(intent.hours)}
        return (Ask("operations", "query_cluster_operations", arguments),)
    if known.as_of is None:
        return (_FRESHNESS,)
    return (_FRESHNESS, query("operations", inventory.operations(known.as_of, intent.hours)))


def _news(intent: Intent, known: _Known) -> tuple[Ask, ...]:
    return (_PATROLS, *_operations(replace(intent, clusters=()), known))


def _members(intent: Intent, _: _Known) -> tuple[Ask, ...]:
    wanted = inventory.of_version(intent.version) if intent.version else inventory.of_customer(intent.customer)
    return (query("members", wanted), _PATROLS)


def _cost(intent: Intent, known: _Known) -> tuple[Ask, ...]:
    infos = _info(intent)
    ids, first = known.ids(infos), (_FRESHNESS, *infos)
    if known.as_of is None or (infos and not ids):
        return first
    by_customer = intent.grouping == "customer" and not ids
    return (
        *first,
        query("bills", inventory.bills(known.as_of, intent.hours, by_customer=by_customer, cluster_ids=ids)),
    )


def _silent(_: Intent, known: _Known) -> tuple[Ask, ...]:
    return (_FRESHNESS,) if known.as_of is None else (_FRESHNESS, query("silent", inventory.silent(known.as_of)))


def _issues(intent: Intent, _: _Known) -> tuple[Ask, ...]:
    severity = {"severity": intent.severity} if intent.severity else {}
    return (Ask("issues", "query_open_issues", {**severity, "limit": 50}),)


def _logs(intent: Intent, _: _Known) -> tuple[Ask, ...]:
    arguments = {"cluster": intent.clusters[0], "pattern": intent.pattern, "hours": intent.hours}
    return (Ask("logs", "search_logs", arguments),)


_RECIPES: Mapping[Kind, Callable[[Intent, _Known], tuple[Ask, ...]]] = {
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
    "news": _news,
    "members": _members,
    "cost": _cost,
    "logs": _logs,
    "silent": _silent,
    "breakdown": _breakdown,
    "patrol": lambda *_: (query("patrol", inventory.last_patrol()),),
}


def _days(hours: int) -> int:
    return min(max(-(-hours // 24), 1), 30)
