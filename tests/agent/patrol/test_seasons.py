"""What is usual at this hour of the week: a weekly batch and a month-end are no incident, one bad week is no habit."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.patrol import queries
from agent.patrol.courses import measure
from agent.patrol.finding import Finding
from agent.patrol.inspection import inspect
from agent.patrol.judge import Judge
from agent.patrol.rules import load_rules
from agent.patrol.seasons import AHEAD, WEEKS, occasions
from agent.tools import Tools
from sandbox.engine import Engine
from tests.agent.patrol.engine import ONE, SNAPSHOTS, calm, reading, spoiled

RULES = load_rules()
# The last day of a month, and a Monday.
NEWEST = datetime(2026, 11, 30, 12)
NOW = NEWEST + timedelta(minutes=80)
MONTH_AGO = datetime(2026, 10, 31, 12)


@pytest.fixture(scope="module")
def five_weeks() -> Iterator[Engine]:
    with calm(NOW, clusters=5, days=35) as engine:
        yield engine


@pytest.fixture
def engine(five_weeks: Engine) -> Iterator[Engine]:
    with spoiled(five_weeks):
        yield five_weeks


@pytest.fixture
async def tools(engine: Engine) -> AsyncIterator[Tools]:
    async with reading(engine) as tools:
        yield tools


def batch(engine: Engine, *ends: datetime, cpu: float = 95, late: int = 0) -> None:
    """Four hours of a busy CPU, up to each of `ends`."""
    for end in ends:
        last = end - timedelta(hours=late)
        engine.connection.execute(
            f"UPDATE {SNAPSHOTS} SET avg_value = {cpu}, max_value = {cpu}, min_value = {cpu} WHERE {ONE}"
            f" AND metric_name = 'starrocks_be_cpu_util_percent' AND snapshot_hour > '{last - timedelta(hours=4)}'"
            f" AND snapshot_hour <= '{last}'"
        )


def weeks_ago(*weeks: int) -> list[datetime]:
    return [NEWEST - timedelta(weeks=week) for week in weeks]


async def findings(tools: Tools) -> tuple[Finding, ...]:
    return (await inspect(tools, RULES, NOW)).findings


async def test_load_that_never_was_before_at_this_hour_is_a_finding(engine: Engine, tools: Tools) -> None:
    batch(engine, NEWEST)
    (found,) = await findings(tools)
    assert (found.dimension, found.severity) == ("cpu_util_pct", "Critical")


async def test_a_weekly_batch_that_only_the_same_hour_of_the_week_explains_is_no_incident(
    engine: Engine, tools: Tools
) -> None:
    batch(engine, NEWEST, *weeks_ago(1, 2, 3, 4))
    assert await findings(tools) == ()


async def test_a_weekly_batch_that_runs_an_hour_later_than_ever_is_no_incident(engine: Engine, tools: Tools) -> None:
    batch(engine, NEWEST)
    batch(engine, *weeks_ago(1, 2, 3, 4), late=1)
    assert await findings(tools) == ()


@pytest.mark.parametrize("week", [1, 2, 3, 4])
async def test_one_bad_week_of_four_does_not_excuse_another(engine: Engine, tools: Tools, week: int) -> None:
    batch(engine, NEWEST, *weeks_ago(week))
    assert [one.severity for one in await findings(tools)] == ["Critical"]


async def test_a_month_end_that_was_as_busy_a_month_ago_is_no_incident(engine: Engine, tools: Tools) -> None:
    batch(engine, NEWEST, MONTH_AGO)
    assert await findings(tools) == ()


async def test_a_busy_day_in_the_middle_of_last_month_excuses_no_month_end(engine: Engine, tools: Tools) -> None:
    batch(engine, NEWEST, MONTH_AGO - timedelta(days=1))
    assert [one.severity for one in await findings(tools)] == ["Critical"]


async def test_a_series_that_is_known_from_two_weeks_only_is_compared_with_its_days_as_well(
    engine: Engine, tools: Tools
) -> None:
    engine.connection.execute(
        f"DELETE FROM {SNAPSHOTS} WHERE {ONE} AND metric_name = 'starrocks_be_cpu_util_percent'"
        f" AND snapshot_hour < '{NEWEST - timedelta(days=16)}'"
    )
    tracks = (await measure(tools, RULES, NEWEST, 5)).tracks
    (changed,) = [one for one in tracks.values() if not one["cpu"].season]
    assert changed["cpu"].week
    assert changed["latency"].season
    assert not changed["latency"].week


async def test_the_usual_of_a_counter_is_what_it_gained_in_the_same_hours(engine: Engine, tools: Tools) -> None:
    tracks = (await measure(tools, RULES, NEWEST, 5)).tracks
    for series in tracks.values():
        usual, now = series["queries"].season, series["queries"].recent
        assert set(usual) == set(range(-AHEAD, RULES.window.recent_hours + 1))
        assert all(now[back] / 4 < usual[back] < now[back] * 4 for back in usual if back >= 0)


async def test_what_the_weeks_say_goes_before_what_the_days_say(engine: Engine, tools: Tools) -> None:
    tracks = (await measure(tools, RULES, NEWEST, 5)).tracks
    batch(engine, *[NEWEST - timedelta(days=day) for day in range(2, 14) if day % 7])
    busy = (await measure(tools, RULES, NEWEST, 5)).tracks
    (changed,) = [cluster for cluster in tracks if busy[cluster]["cpu"] != tracks[cluster]["cpu"]]

    def usual(series: dict) -> float | None:
        (course,) = [one for one in Judge(RULES, NEWEST).courses(series) if one.name == "cpu_util_pct"]
        return course.baseline

    assert max(busy[changed]["cpu"].profile.values()) == 95
    assert usual(busy[changed]) == usual(tracks[changed]) != 95


# When it was the same time before.


def test_the_same_hour_of_six_weeks_is_looked_at_and_a_month_end_as_well() -> None:
    found = occasions(NEWEST)
    assert [one.run for one in found] == [1, 2, 3, 4, 5, 6, 0]
    assert [one.at for one in found[:2]] == weeks_ago(1, 2)
    assert found[-1].at == MONTH_AGO


@pytest.mark.parametrize(
    ("now", "then"),
    [
        (datetime(2026, 3, 31, 5), datetime(2026, 2, 28, 5)),
        (datetime(2026, 3, 29, 5), datetime(2026, 2, 26, 5)),
        (datetime(2028, 3, 31, 5), datetime(2028, 2, 29, 5)),
        (datetime(2026, 5, 1, 23), datetime(2026, 4, 1, 23)),
        (datetime(2026, 1, 3, 0), datetime(2025, 12, 3, 0)),
        (datetime(2026, 3, 28, 5), None),
        (datetime(2026, 5, 4, 5), None),
        (datetime(2026, 5, 15, 5), None),
    ],
)
def test_a_month_before_is_the_same_day_counted_from_the_nearer_end(now: datetime, then: datetime | None) -> None:
    assert [one.at for one in occasions(now) if one.run == 0] == ([] if then is None else [then])


moments = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)).map(
    lambda at: at.replace(minute=0, second=0, microsecond=0)
)


@given(moments)
def test_no_hour_stands_for_two_occasions(as_of: datetime) -> None:
    spans = sorted(one.span(RULES.window.recent_hours) for one in occasions(as_of))
    assert len(spans) in {WEEKS, WEEKS + 1}
    assert all(left[1] <= right[0] for left, right in pairwise(spans))
    assert all(until < as_of - timedelta(days=6) for _, until in spans)


@given(moments)
def test_the_statement_stays_small(as_of: datetime) -> None:
    assert len(queries.same_hours(RULES, occasions(as_of), RULES.window.recent_hours)) < 16_000
