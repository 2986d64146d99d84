"""Alert rows become incidents: copies and repeats collapse, noise is no storm, many different names at once are."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.patrol.finding import Finding
from agent.patrol.incidents import Incident, current, fold, storm
from agent.patrol.query import stamp
from agent.patrol.rules import load_rules
from tests.agent.patrol.courses import AS_OF

WINDOW = load_rules().window


def row(
    name: str, back: float, status: str = "Firing", times: int = 4, cluster: str | None = "c1"
) -> dict[str, object]:
    """One hour of an alert that began `back` hours ago."""
    first = AS_OF - timedelta(hours=back)
    return {
        "cluster_id": cluster,
        "alert_name": name,
        "alert_status": status,
        "first_at": stamp(first),
        "last_at": stamp(first + timedelta(minutes=45)),
        "times": times,
    }


def stormy(*rows: dict[str, object], critical: bool = False) -> Finding | None:
    return storm("c1", fold(rows).get("c1", ()), AS_OF, WINDOW, "q-7", critical=critical)


def test_a_condition_that_repeats_for_hours_is_one_incident() -> None:
    (incident,) = fold([row("CompactionScore", back) for back in range(1, 9)])["c1"]
    assert incident.times == 32
    assert incident.open
    assert incident.first == AS_OF - timedelta(hours=8)


def test_a_long_pause_begins_a_new_incident() -> None:
    found = fold([row("HeapUsageTooHigh", 20), row("HeapUsageTooHigh", 2)])["c1"]
    assert [one.open for one in found] == [True, False]


def test_a_resolved_alert_is_closed() -> None:
    (incident,) = fold([row("HeapUsageTooHigh", 5), row("HeapUsageTooHigh", 2, "Resolved")])["c1"]
    assert not incident.open


def test_an_alert_that_fires_again_after_it_was_resolved_is_open() -> None:
    (incident,) = fold([row("X", 4), row("X", 3, "Resolved"), row("X", 1)])["c1"]
    assert incident.open


def test_joined_names_and_states_are_taken_apart() -> None:
    found = fold([row("A|B", 2, "Firing|Resolved")])
    assert [(one.name, one.open) for one in found["c1"]] == [("A", True)]


def test_one_name_with_both_states_ends_closed() -> None:
    (incident,) = fold([row("A", 2, "Firing|Resolved")])["c1"]
    assert not incident.open


def test_rows_without_state_cluster_or_time_are_left_out() -> None:
    bad = [row("A", 2, "Silenced"), row("B", 2, cluster=None), row("C", 2) | {"first_at": None}, row("", 2)]
    assert fold(bad) == {}


def test_five_different_alerts_at_once_are_a_storm() -> None:
    found = stormy(*(row(name, 3) for name in "ABCDE"))
    assert found is not None
    assert (found.severity, found.value, found.query_id) == ("Warning", 5.0, "q-7")
    assert found.since == AS_OF - timedelta(hours=3)


def test_a_storm_is_critical_when_the_metrics_are() -> None:
    found = stormy(*(row(name, 3) for name in "ABCDE"), critical=True)
    assert found is not None
    assert found.severity == "Critical"


def test_one_alert_that_repeats_all_day_is_no_storm() -> None:
    assert stormy(*(row("OperationDurationGT10m", back) for back in range(1, 24))) is None


def test_a_cluster_that_is_always_this_noisy_has_no_storm() -> None:
    noisy = [row(name, back) for name in "ABCDE" for back in (3, 27, 51, 75)]
    assert stormy(*noisy) is None


def test_a_storm_that_is_over_is_no_storm() -> None:
    assert stormy(*(row(name, 20) for name in "ABCDE")) is None


def test_only_recent_incidents_are_current() -> None:
    old, new = row("A", 40), row("B", 2)
    assert [one.name for one in current(fold([old, new])["c1"], AS_OF, WINDOW)] == ["B"]


cells = st.one_of(
    st.none(), st.text(max_size=12), st.integers(), st.just("Firing"), st.just("Firing|Resolved"), st.just(stamp(AS_OF))
)
names = ("cluster_id", "alert_name", "alert_status", "first_at", "last_at", "times")


@given(st.lists(st.fixed_dictionaries(dict.fromkeys(names, cells)), max_size=8))
def test_no_rows_break_the_folding(rows: list[dict[str, object]]) -> None:
    for cluster, incidents in fold(rows).items():
        assert all(isinstance(one, Incident) and one.cluster_id == cluster for one in incidents)
        storm(cluster, incidents, AS_OF, WINDOW, "", critical=False)


@given(st.permutations([row(name, back) for name in "AB" for back in (1, 2, 9)]))
def test_the_order_of_alert_rows_does_not_matter(rows: list[dict[str, object]]) -> None:
    assert fold(rows) == fold(sorted(rows, key=str))


@pytest.mark.parametrize(("pause", "incidents"), [(239, 1), (240, 1), (241, 2)])
def test_a_pause_of_exactly_four_hours_is_still_the_same_incident(pause: int, incidents: int) -> None:
    later = row("A", 10 - pause / 60) | {"first_at": stamp(AS_OF - timedelta(hours=10, minutes=-45 - pause))}
    assert len(fold([row("A", 10), later])["c1"]) == incidents


@pytest.mark.parametrize(("names", "found"), [(4, False), (5, True), (6, True)])
def test_a_storm_needs_as_many_names_as_the_rules_say(names: int, found: bool) -> None:
    assert WINDOW.storm_names == 5
    assert (stormy(*(row(f"alert {number}", 3) for number in range(names))) is not None) is found


def test_one_bad_day_of_the_past_week_does_not_hide_a_storm() -> None:
    past = [row(f"old {number}", 50) for number in range(20)]
    found = stormy(*past, *(row(name, 3) for name in "ABCDE"))
    assert found is not None
    assert found.baseline == 0.0


def test_a_storm_names_six_alerts_at_most_and_counts_all() -> None:
    found = stormy(*(row(f"alert {number:02}", 3) for number in range(12)))
    assert found is not None
    assert "12 different alerts" in found.reason
    assert found.reason.count("alert ") == 6
    assert found.reason.endswith(", …")


def test_a_storm_names_all_of_its_alerts_when_they_are_few() -> None:
    found = stormy(*(row(f"alert {number}", 3) for number in range(6)))
    assert found is not None
    assert found.reason.count("alert ") == 6
    assert "…" not in found.reason


def test_a_storm_names_its_alerts_as_they_began() -> None:
    backs = {"Disk": 2, "Heap": 5, "Slow": 3, "Alive": 3, "Load": 1}
    found = stormy(*(row(name, back) for name, back in backs.items()))
    assert found is not None
    assert found.reason.endswith(": Heap, Alive, Slow, Disk, Load")


def test_alerts_of_two_clusters_are_no_storm_of_one() -> None:
    rows = [row(name, 3, cluster="c1" if name < "D" else "c2") for name in "ABCDEF"]
    assert all(storm(one, fold(rows)[one], AS_OF, WINDOW, "", critical=True) is None for one in ("c1", "c2"))


def test_a_name_of_any_length_is_cut_and_two_that_begin_alike_become_one() -> None:
    (incident,) = fold([row("x" * 500 + "1", 2), row("x" * 500 + "2", 2)])["c1"]
    assert len(incident.name) == 80
    assert incident.times == 8


@pytest.mark.parametrize(
    ("name", "status", "wanted"),
    [
        ("A|B", "Firing|Resolved", [("A", True)]),
        ("A|B", "Firing", [("A", True), ("B", True)]),
        ("A", "Resolved|Firing", [("A", False)]),
        ("A| |B", "Firing|Firing|Firing", [("A", True), ("B", True)]),
        (" A ", " FIRING ", [("A", True)]),
        ("A|B", "", []),
    ],
)
def test_what_one_row_says_of_several_alerts(name: str, status: str, wanted: list[tuple[str, bool]]) -> None:
    found = fold([row(name, 2, status)]).get("c1", ())
    assert sorted((one.name, one.open) for one in found) == wanted


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 60), st.booleans()), max_size=12))
def test_every_firing_lies_in_exactly_one_incident(seen: list[tuple[str, int, bool]]) -> None:
    rows = [row(name, back, "Firing" if firing else "Resolved", times=1) for name, back, firing in seen]
    incidents = fold(rows).get("c1", ())
    assert sum(one.times for one in incidents) == sum(firing for _, _, firing in seen)
    for name, back, firing in seen:
        at = AS_OF - timedelta(hours=back)
        assert not firing or sum(one.name == name and one.first <= at <= one.last for one in incidents) == 1
    assert all(one.first <= one.last for one in incidents)
    assert all(sum(one.open for one in incidents if one.name == name) <= 1 for name in "ABC")
