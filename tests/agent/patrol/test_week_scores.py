"""The week in scores: who moved and why, the fleet as a whole, and what fills up; each judged by the rules."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.patrol.finding import Identity
from agent.patrol.judge import Judge
from agent.patrol.rules import load_rules
from agent.patrol.week import Filling, Standing
from agent.patrol.week_scores import HORIZON, Daily, Scores, filling, fleet_trend, movers, worst
from tests.agent.patrol.courses import AS_OF
from tests.agent.patrol.warehouse import HEALTHY

JUDGE = Judge(load_rules(), AS_OF)
Days = dict[str, dict[int, float]]


def who(number: int) -> Identity:
    return Identity(f"{number:08d}-c", f"name-{number}")


def days(span: int = 8, **changed: dict[int, float]) -> Days:
    """A healthy cluster's days but for some values of some days."""
    usual = {series: dict.fromkeys(range(span), value) for series, value in HEALTHY.items()}
    return {series: known | changed.get(series, {}) for series, known in usual.items()}


def scores(*clusters: Days) -> Scores:
    daily = {who(number).cluster_id: one for number, one in enumerate(clusters)}
    return Scores(daily, [who(number) for number in range(len(clusters))], JUDGE)


def disks(used: dict[int, float], span: int = 28) -> Daily:
    """One cluster whose disks are used so far, in percent, by days back."""
    free = {day: 1000.0 * (100 - share) / 100 for day, share in used.items()}
    own = {"disk_free": free, "disk_total": dict.fromkeys(used, 1000.0), "disk_percent": dict(used)}
    return {who(0).cluster_id: days(span) | own}


def filled(used: dict[int, float]) -> tuple[Filling, ...]:
    return filling(disks(used), [who(0)], JUDGE)


def test_a_cluster_that_became_busy_fell_and_its_cause_is_named() -> None:
    (standing,) = scores(days(compaction={0: 4000.0}, cpu={0: 99.0})).standings()
    assert standing.before == 100
    assert standing.now < 70
    assert [(one.dimension, one.before, one.now) for one in standing.shifts] == [("compaction_score", 60.0, 4000.0)]
    assert movers([standing]) == ((standing,), ())


def test_a_cluster_that_recovered_rose_by_what_became_better() -> None:
    (standing,) = scores(days(compaction={7: 4000.0}, journal={0: 25.0})).standings()
    assert [one.dimension for one in standing.shifts] == ["compaction_score"]
    assert movers([standing]) == ((), (standing,))


def test_the_course_of_a_week_runs_from_the_oldest_day_to_the_newest() -> None:
    (standing,) = scores(days(compaction={3: 4000.0})).standings()
    assert [at for at, score in enumerate(standing.course) if score is not None and score < 70] == [4]
    assert len(standing.course) == 8


def test_a_cluster_that_did_not_send_a_week_ago_has_a_score_and_no_change() -> None:
    (standing,) = scores(days(span=3)).standings()
    assert (standing.before, standing.change, standing.shifts) == (None, 0.0, ())
    assert fleet_trend([standing]) is None


def test_a_cluster_that_sends_nothing_has_no_standing() -> None:
    assert scores({}).standings() == []


def test_the_fleet_is_the_mean_of_those_that_were_there_on_both_days() -> None:
    standings = scores(days(compaction={0: 4000.0}), days(), days(), days(span=2)).standings()
    trend = fleet_trend(standings)
    assert trend is not None
    assert (trend.clusters, trend.worse, trend.better, trend.before) == (3, 1, 0, 100.0)
    assert trend.now == pytest.approx(sum(one.now for one in standings if one.before is not None) / 3, abs=0.06)
    assert trend.course[-1] == trend.now


def test_a_dimension_rises_when_more_clusters_are_worse_in_it_than_better() -> None:
    slow, fast = days(journal={0: 900.0}), days(journal={7: 900.0})
    assert [(one.dimension, one.worse, one.better) for one in scores(slow, slow, slow, fast).rising()] == [
        ("fe_journal_write_latency_ms", 3, 1)
    ]
    assert list(scores(slow, slow, fast, fast).rising()) == []
    assert list(scores(slow, days()).rising()) == []


def test_the_worst_are_those_that_are_not_well_and_few() -> None:
    made = scores(*(days(compaction={0: 4000.0}) for _ in range(9)), days()).standings()
    assert len(worst(made)) == 5
    assert worst(scores(days()).standings()) == ()


def test_a_day_beyond_a_limit_is_an_unwell_day() -> None:
    assert scores(days(compaction={2: 4000.0, 5: 1000.0, 6: 900.0})).unwell() == {who(0).cluster_id: frozenset({2, 5})}


def test_the_farthest_movers_come_first() -> None:
    def moved(number: int, now: float, before: float) -> Standing:
        return Standing(f"c-{number}", f"name-{number}", now, before)

    some = [moved(1, 80, 90), moved(2, 40, 100), moved(3, 99, 96), moved(4, 90, 60), moved(5, 95, 70)]
    fell, rose = movers(some)
    assert [one.cluster_id for one in fell] == ["c-2", "c-1"]
    assert [one.cluster_id for one in rose] == ["c-4", "c-5"]


def test_a_disk_that_fills_steadily_is_told_with_its_day_and_an_interval() -> None:
    (one,) = filled({day: 75 - 0.5 * day + 0.3 * math.sin(day * 2.1) for day in range(28)})
    assert (one.dimension, one.unit, one.limit) == ("disk_used_pct", "%", 90.0)
    assert one.value == pytest.approx(75, abs=0.5)
    assert one.per_week == pytest.approx(3.5, abs=0.2)
    assert one.days == pytest.approx(30, abs=2)
    assert one.soonest < one.days < one.latest


@pytest.mark.parametrize(
    "used",
    [
        pytest.param({day: 60 + 2 * math.sin(day * 2.1) for day in range(28)}, id="it wavers"),
        pytest.param({day: 75.0 if day < 14 else 55.0 for day in range(28)}, id="it made one step"),
        pytest.param({day: 60 - 0.1 * day for day in range(28)}, id="that takes most of a year"),
        pytest.param({day: 96 - 0.5 * day for day in range(28)}, id="it is there already"),
        pytest.param({day: 89.5 - 0.5 * day for day in range(28)}, id="it is there tomorrow"),
        pytest.param({day: 60 + 0.5 * day for day in range(28)}, id="it empties"),
        pytest.param({day: 75 - 1.5 * day for day in range(5)}, id="it is known for five days"),
        pytest.param({day: 91.0 if day == 0 else 60 - 0.5 * day for day in range(28)}, id="it leapt up today"),
        pytest.param({day: 60 - 0.5 * day for day in range(1, 28)}, id="it is not known of today"),
        pytest.param({day: 70 - 0.5 * day + 6 * math.sin(day * 2.1) for day in range(9)}, id="it is restless"),
        pytest.param({}, id="nothing is known"),
    ],
)
def test_nothing_is_foretold_where(used: dict[int, float]) -> None:
    assert filled(used) == ()


def test_a_short_past_allows_a_short_look_ahead_only() -> None:
    steep, flat = ({day: 70 - pace * day for day in range(9)} for pace in (1.0, 0.5))
    assert [one.days for one in filled(steep)] == [20.0]
    assert filled(flat) == ()


def test_growth_that_became_faster_is_reckoned_by_its_newer_half() -> None:
    used = {day: 80 - 1.0 * day if day < 14 else 66 - 0.1 * (day - 14) for day in range(28)}
    (one,) = filled(used)
    assert one.days == pytest.approx(10, abs=1)


def test_memory_that_shrinks_is_on_its_way_down_and_disks_come_first() -> None:
    free = {day: (24 + 0.5 * day) * 1.0 for day in range(28)}
    course = dict(disks({day: 70 - 0.4 * day for day in range(28)})[who(0).cluster_id])
    course |= {"memory_free": free, "memory_total": dict.fromkeys(free, 100.0)}
    found = filling({who(0).cluster_id: course}, [who(0)], JUDGE)
    assert [one.dimension for one in found] == ["disk_used_pct", "memory_available_pct"]
    assert found[1].days < found[0].days
    assert found[1].per_week < 0


@given(st.dictionaries(st.integers(0, 40), st.floats(0, 1e300), max_size=30))
def test_whatever_was_measured_what_is_foretold_lies_ahead_and_in_order(used: dict[int, float]) -> None:
    for one in filled(used):
        assert 0 < one.days <= HORIZON
        assert one.soonest <= one.days <= one.latest < math.inf


@given(st.lists(st.dictionaries(st.sampled_from(sorted(HEALTHY)), st.floats(0, 1e300)), min_size=1, max_size=3))
def test_whatever_was_measured_a_score_lies_between_nought_and_a_hundred(values: list[dict[str, float]]) -> None:
    courses = [days() | {series: {0: value, 7: 1.0} for series, value in one.items()} for one in values]
    for standing in scores(*courses).standings():
        assert 0 <= standing.now <= 100
        assert standing == replace(standing, now=standing.course[-1] or 0.0)
