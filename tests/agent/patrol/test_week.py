"""The week as values: what follows of the figures, and that it is kept and read back unchanged."""

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.patrol.report import report_of
from agent.patrol.week import Filling, FleetTrend, Noisy, Recurring, Rising, Shift, Standing, Week
from tests.fakes.thinking import report

FINITE = st.floats(-1e9, 1e9)
TEXT = st.text(max_size=20)
COUNT = st.integers(0, 10_000)
SEVERITY = st.sampled_from(["Critical", "Warning", "Unknown"])
SHIFTS = st.builds(Shift, TEXT, TEXT, FINITE, FINITE)
STANDINGS = st.lists(
    st.builds(
        Standing,
        TEXT,
        TEXT,
        FINITE,
        st.none() | FINITE,
        st.lists(st.none() | FINITE, max_size=8).map(tuple),
        st.lists(SHIFTS, max_size=2).map(tuple),
    ),
    max_size=3,
).map(tuple)
WEEKS = st.builds(
    Week,
    until=TEXT,
    fleet=st.none() | st.builds(FleetTrend, FINITE, FINITE, COUNT, COUNT, COUNT, st.just((None, 1.0))),
    rising=st.lists(st.builds(Rising, TEXT, TEXT, COUNT, COUNT, FINITE, FINITE), max_size=2).map(tuple),
    worst=STANDINGS,
    fell=STANDINGS,
    rose=STANDINGS,
    recurring=st.lists(
        st.builds(
            Recurring,
            TEXT,
            TEXT,
            TEXT,
            SEVERITY,
            COUNT,
            COUNT,
            st.booleans(),
        ),
        max_size=2,
    ).map(tuple),
    reports=st.lists(TEXT, max_size=3).map(tuple),
    noise=st.lists(st.builds(Noisy, TEXT, COUNT, COUNT, COUNT, COUNT, COUNT), max_size=2).map(tuple),
    incidents=COUNT,
    names=COUNT,
    capacity=st.lists(
        st.builds(Filling, TEXT, TEXT, TEXT, TEXT, FINITE, FINITE, FINITE, FINITE, FINITE, FINITE), max_size=2
    ).map(tuple),
    receipts=st.dictionaries(TEXT, st.lists(TEXT, max_size=2).map(tuple), max_size=3),
    missing=st.sets(st.sampled_from(["scores", "capacity", "noise", "recurring"])).map(tuple),
)


@settings(max_examples=30)
@given(WEEKS)
def test_a_week_comes_back_from_the_report_that_it_was_stored_with(week: Week) -> None:
    stored = json.loads(json.dumps(report(0, week=week).to_json()))
    assert report_of(stored).week == week


def test_a_change_is_the_difference_of_two_scores_and_nought_without_an_earlier_one() -> None:
    standing = Standing("c-1", "one", 46.0, 98.5)
    assert standing.change == -52.5
    assert replace(standing, before=None).change == 0


def test_a_share_is_a_percentage_of_the_incidents() -> None:
    assert Noisy("Slow", 24, 6, 18, 0, 0).share == 75
    assert Noisy("Slow", 0, 0, 0, 0, 0).share == 0


def test_a_cluster_that_stands_in_several_lists_is_told_once() -> None:
    one, other = Standing("c-1", "one", 46.0, 98.5), Standing("c-2", "two", 99.0, 70.0)
    week = Week(until="", worst=(one,), fell=(one,), rose=(other,))
    assert list(week.standings()) == [one, other]


def test_the_queries_of_all_parts_are_what_a_week_rests_on() -> None:
    week = Week(until="", receipts={"scores": ("q-1", "q-2"), "capacity": ("q-1",), "noise": ("q-3",)})
    assert week.query_ids == {"q-1", "q-2", "q-3"}
    assert Week(until="").query_ids == frozenset()
