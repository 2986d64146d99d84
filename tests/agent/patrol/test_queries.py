"""The patrol's SQL: one SELECT each, within the guard's size, and its spans shrink for very large fleets."""

from datetime import timedelta

import pytest

import schema
from agent.patrol import facts, queries
from agent.patrol.courses import measure
from agent.patrol.rules import load_rules
from agent.patrol.seasons import occasions
from mcp_server.guard import Guard
from tests.agent.patrol.courses import AS_OF
from tests.agent.patrol.warehouse import Cluster, FleetTools, _times

RULES = load_rules()
DAY = timedelta(days=1)
STATEMENTS = (
    queries.PLACED_ROSTER,
    queries.ROSTER,
    queries.BARE_ROSTER,
    queries.last_data(AS_OF - DAY, AS_OF),
    queries.last_data_ever(AS_OF, 14),
    queries.without_meaning(AS_OF - DAY, AS_OF),
    queries.same_hours(RULES, occasions(AS_OF), 3),
    queries.metric_quality(AS_OF, 3),
    queries.operations(AS_OF - DAY, AS_OF),
    queries.alert_hours(AS_OF - DAY, AS_OF),
    queries.hourly(RULES, AS_OF - DAY, AS_OF),
    *(queries.profile(chosen, AS_OF - DAY, AS_OF) for chosen in (queries.gauges(RULES), queries.counters(RULES))),
    *(queries.daily(chosen, AS_OF, 14) for chosen in (queries.gauges(RULES), queries.counters(RULES))),
    *facts.statements(AS_OF),
)


@pytest.mark.parametrize("sql", STATEMENTS)
def test_the_guard_admits_it(sql: str) -> None:
    assert Guard(schema.TABLES).admit(sql, 20_000).tables


def test_every_series_is_a_column_and_every_name_is_asked_for() -> None:
    sql = queries.hourly(RULES, AS_OF - DAY, AS_OF)
    assert all(f" AS {name}" in sql for name in RULES.series)
    assert all(f"'{name}'" in sql for name in RULES.metric_names)


def test_levels_and_gains_are_all_the_series() -> None:
    levels, gains = queries.gauges(RULES), queries.counters(RULES)
    assert levels.keys().isdisjoint(gains)
    assert levels.keys() | gains.keys() == RULES.series.keys()


def test_only_counters_pay_for_the_hour_before() -> None:
    assert "LAG(" not in queries.profile(queries.gauges(RULES), AS_OF - DAY, AS_OF)
    assert "LAG(" in queries.profile(queries.counters(RULES), AS_OF - DAY, AS_OF)


@pytest.mark.parametrize(("clusters", "hours"), [(10, 24), (170, 24), (2_000, 7), (50_000, 1)])
async def test_spans_shrink_so_that_a_result_fits(clusters: int, hours: int) -> None:
    tools = FleetTools([Cluster("c1")])
    await measure(tools, RULES, AS_OF, clusters)
    first = _times(tools.statements[0])
    assert first[1] - first[-1] == timedelta(hours=hours)
    assert len(tools.statements) == 7


async def test_a_part_that_fails_or_is_cut_is_named() -> None:
    made = await measure(FleetTools([Cluster("c1")], down=True), RULES, AS_OF, 1)
    assert made.tracks == {}
    assert made.failed[0] == "the newest hours (unavailable)"
    assert len(made.failed) == 4


@pytest.mark.parametrize(("reach", "excluded"), [(72, 48), (69, 48), (40, 20), (10, 5), (0, 0)])
async def test_a_short_past_leaves_something_to_compare_with(reach: int, excluded: int) -> None:
    tools = FleetTools([Cluster("c1")])
    await measure(tools, RULES, AS_OF, 1, timedelta(hours=reach))
    profile = next(sql for sql in tools.statements if " HOUR(snapshot_hour) AS bucket" in sql)
    assert _times(profile)[1] == AS_OF - timedelta(hours=excluded)
