"""Builds a simulated fleet into an empty warehouse, table by table, and returns what was planted in it."""

from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files

import duckdb

from sandbox.fleet import alarms, chronicle, issues, resources
from sandbox.fleet.ambience import calm
from sandbox.fleet.dictionary import metrics
from sandbox.fleet.episodes import episodes
from sandbox.fleet.exporter import Export
from sandbox.fleet.inventory import settle
from sandbox.fleet.planting import hours_before, plant
from sandbox.fleet.scenario import is_rough, plan
from sandbox.fleet.scoring import Scorer
from sandbox.fleet.store import insert, insert_series
from sandbox.fleet.truth import Truth

MOST_CLUSTERS = 2_000
MOST_DAYS = 120


def build(
    connection: duckdb.DuckDBPyConnection,
    *,
    seed: int,
    clusters: int,
    days: int,
    scenario: str,
    now: datetime,
    on_progress: Callable[[str], None] | None = None,
) -> Truth:
    """Fill the tables of `schema` with `clusters` active clusters and `days` of hourly history before `now`.

    The same arguments give the same fleet. Metrics end with the last full hour before `now` (UTC when it has no zone),
    alerts and issues of lasting conditions with its minute.

    Raises ValueError for an unknown scenario (the text lists the names) or a size out of bounds.
    """
    _check(clusters, days)
    say = on_progress or (lambda _: None)
    minute = _minute(now)
    moment = minute.replace(minute=0)
    fleet = settle(seed, clusters, moment)
    laid = plan(scenario, fleet, seed)
    say(f"simulating {clusters} clusters over {days} days")
    state = calm(seed, fleet.active, hours_before(moment, days))
    planted = plant(laid, fleet, state, seed, rough=is_rough(scenario))
    export = Export(state, seed)
    say("writing the hourly metrics")
    insert_series(connection, fleet.active, state, export.blocks())
    insert(connection, "metrics.metrics_dict_v2", _dictionary())
    say("writing customers, clusters and machines")
    for table, rows in resources.tables(fleet, seed, days, moment).items():
        insert(connection, table, rows)
    say("writing alerts, issues and scores")
    spells = episodes(laid, planted, seed, clusters, days, minute)
    alerts = alarms.rows(spells, fleet.active, seed, minute)
    scorer = Scorer(fleet.active, state, export, alerts, moment)
    for table, rows in {
        "alerts.lark_alerts": alerts,
        "alerts.alert_recommendations": alarms.recommendations(alerts),
        "alerts.issues": issues.rows(spells, fleet.active, seed, minute),
        "alerts.cluster_health_scores": scorer.health(),
        "alerts.cluster_risk_snapshots": scorer.risk(),
        "alerts.agent_investigations": chronicle.investigations(fleet, seed, days, moment),
        "byoc.billing_order": chronicle.operations(fleet, planted, seed, days, moment),
        "byoc.cluster_log": chronicle.logs(fleet, laid, planted, seed, moment),
    }.items():
        insert(connection, table, rows)
    connection.execute((files(__package__) / "derived.sql").read_text(encoding="utf-8"))
    return planted.truth


def _check(clusters: int, days: int) -> None:
    if not 1 <= clusters <= MOST_CLUSTERS:
        raise ValueError(f"clusters must be 1..{MOST_CLUSTERS}, got {clusters}")
    if not 2 <= days <= MOST_DAYS:
        raise ValueError(f"days must be 2..{MOST_DAYS}, got {days}")


def _minute(now: datetime) -> datetime:
    moment = now.astimezone(UTC) if now.tzinfo else now
    return moment.replace(second=0, microsecond=0, tzinfo=None)


def _dictionary() -> list[dict[str, str]]:
    return [
        {
            "metric_name": metric.name,
            "category": metric.category,
            "unit": metric.unit,
            "description": metric.description,
            "metric_type": metric.kind,
            "aggregation": metric.aggregation,
        }
        for metric in metrics()
    ]
