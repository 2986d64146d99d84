"""Silence is a finding; being new, starting or being stopped is not; and one wrong clock decides nothing."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.patrol.finding import Identity
from agent.patrol.freshness import (
    Operation,
    gone_by_cluster,
    judged_hour,
    operations_by_cluster,
    silence,
    state,
)
from agent.patrol.query import stamp
from agent.patrol.rules import load_rules
from tests.agent.patrol.courses import AS_OF

WINDOW = load_rules().window
OLD = Identity("c1", "prod", created=AS_OF - timedelta(days=300))


def ago(hours_: float) -> datetime:
    return AS_OF - timedelta(hours=hours_)


def last(**counts: int) -> list[datetime]:
    """When clusters sent last: `h3=2` are two whose last hour was three hours ago."""
    return [ago(int(back[1:])) for back, count in counts.items() for _ in range(count)]


def test_the_newest_hour_with_a_real_part_of_the_fleet_is_judged() -> None:
    assert judged_hour(last(h0=168, h1=2, h2=1)) == AS_OF


def test_a_cluster_with_a_clock_ahead_does_not_make_the_others_silent() -> None:
    assert judged_hour([AS_OF + timedelta(days=30), *last(h0=40)]) == AS_OF


def test_when_most_clusters_fall_silent_the_others_still_set_the_hour() -> None:
    assert judged_hour(last(h0=20, h5=150)) == AS_OF


def test_late_exporters_of_a_large_fleet_do_not_set_the_hour() -> None:
    assert judged_hour(last(h0=8, h1=162)) == ago(1)
    assert judged_hour(last(h0=9, h1=161)) == AS_OF


def test_a_fleet_of_one_cluster_has_a_newest_hour() -> None:
    assert judged_hour(last(h2=1)) == ago(2)


def test_without_data_there_is_no_hour() -> None:
    assert judged_hour([]) is None


@given(st.lists(st.integers(-50, 300), min_size=1, max_size=60))
def test_no_fleet_is_judged_by_an_hour_that_nobody_sent(backs: list[int]) -> None:
    found = judged_hour([ago(back) for back in backs])
    assert found in {ago(back) for back in backs}
    assert len(backs) == 1 or sum(ago(back) >= found for back in backs) >= 2


@pytest.mark.parametrize(("age", "known"), [(0, "sending"), (2, "sending"), (3, "silent"), (90, "silent")])
def test_a_cluster_is_silent_after_three_hours_without_data(age: int, known: str) -> None:
    assert state(OLD, ago(age), (), AS_OF, WINDOW) == known


def test_a_cluster_that_never_sent_is_silent_unless_it_is_new() -> None:
    new = Identity("c2", "fresh", created=ago(5))
    being_made = Identity("c3", "made", created=ago(100), state="CREATING")
    assert state(OLD, None, (), AS_OF, WINDOW) == "silent"
    assert state(new, None, (), AS_OF, WINDOW) == "starting"
    assert state(being_made, None, (), AS_OF, WINDOW) == "starting"


def test_a_cluster_that_was_just_started_is_not_silent() -> None:
    assert state(OLD, ago(500), (Operation("START", "SUCCESS", ago(1)),), AS_OF, WINDOW) == "starting"
    assert state(OLD, ago(500), (Operation("START", "SUCCESS", ago(9)),), AS_OF, WINDOW) == "silent"
    assert state(OLD, ago(500), (Operation("START", "FAILED", ago(1)),), AS_OF, WINDOW) == "silent"


def test_a_cluster_that_somebody_stops_is_not_silent() -> None:
    stop = Operation("STOP", "SUCCESS", ago(10))
    assert state(OLD, ago(10), (stop,), AS_OF, WINDOW) == "stopping"
    assert state(OLD, ago(4), (stop,), AS_OF, WINDOW) == "silent"
    assert state(OLD, ago(10), (Operation("START", "SUCCESS", ago(8)), stop), AS_OF, WINDOW) == "silent"


def test_silence_is_unknown_and_says_since_when() -> None:
    found = silence(OLD, ago(7), AS_OF, WINDOW, "q-9")
    assert (found.severity, found.value, found.unit, found.since) == ("Unknown", 7.0, "h", ago(6))
    assert "no data for 7 h" in found.reason
    assert found.query_id == "q-9"


def test_silence_without_any_data_has_no_onset() -> None:
    found = silence(OLD, None, AS_OF, WINDOW, "")
    assert found.since is None
    assert "no data at all" in found.reason


def test_operations_come_newest_first_and_bad_rows_are_left_out() -> None:
    rows = [
        {"cluster_id": "c1", "type": "START", "state": "SUCCESS", "created_at": stamp(ago(9)), "detail": None},
        {"cluster_id": "c1", "type": "UPDATE", "state": "SUCCESS", "created_at": stamp(ago(2)), "detail": "3.3 -> 3.4"},
        {"cluster_id": "c1", "type": "STOP", "state": "SUCCESS", "created_at": None, "detail": None},
    ]
    found = operations_by_cluster(rows)
    assert [one.kind for one in found["c1"]] == ["UPDATE", "START"]
    assert found["c1"][0].detail == "3.3 -> 3.4"


def test_vanished_metrics_are_told_only_of_clusters_that_still_send() -> None:
    rows = [{"cluster_id": one, "metric_name": name} for one in ("c1", "c2") for name in ("up", "x")]
    assert gone_by_cluster(rows, {"c1": AS_OF}) == {"c1": ("up", "x")}


@pytest.mark.parametrize(
    ("created", "known"),
    [(ago(WINDOW.young_hours - 1), "starting"), (ago(WINDOW.young_hours), "silent"), (None, "silent")],
)
def test_a_cluster_counts_as_new_for_as_long_as_the_rules_say(created: datetime | None, known: str) -> None:
    assert state(Identity("c", "n", created=created), None, (), AS_OF, WINDOW) == known


def test_a_new_cluster_that_has_sent_and_stopped_is_silent_like_any_other() -> None:
    assert state(Identity("c", "n", created=ago(5)), ago(4), (), AS_OF, WINDOW) == "silent"


@pytest.mark.parametrize(
    ("stopped", "last", "known"),
    [(10, 10.0, "stopping"), (10, 9.0, "stopping"), (10, 8.9, "silent"), (10, 30.0, "stopping"), (10, 2.9, "sending")],
)
def test_a_stop_explains_a_silence_that_begins_within_an_hour_of_it(stopped: int, last: float, known: str) -> None:
    stop = Operation("STOP", "SUCCESS", ago(stopped))
    assert state(OLD, ago(last), (stop,), AS_OF, WINDOW) == known


def test_a_stop_that_failed_explains_nothing() -> None:
    assert state(OLD, ago(10), (Operation("STOP", "FAILED", ago(10)),), AS_OF, WINDOW) == "silent"


def test_a_stopped_cluster_that_was_started_and_stopped_again_is_being_stopped() -> None:
    told = tuple(Operation(kind, "SUCCESS", ago(back)) for kind, back in (("STOP", 4), ("START", 6), ("STOP", 9)))
    assert state(OLD, ago(9), told, AS_OF, WINDOW) == "stopping"


def test_an_hour_that_two_clusters_sent_counts_in_a_fleet_of_many() -> None:
    assert judged_hour(last(h0=2, h1=28)) == AS_OF
    assert judged_hour(last(h0=1, h1=29)) == ago(1)
