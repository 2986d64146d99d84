"""Alert rows become incidents: copies and repeats collapse, noise is no storm, many different names at once are."""

from datetime import timedelta

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
