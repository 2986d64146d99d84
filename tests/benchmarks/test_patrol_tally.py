"""The arithmetic of the patrol's quality: what counts as right, as wrong, and neither way."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.patrol.evidence import Evidence
from agent.patrol.finding import ClusterEvidence, Finding, Identity
from agent.patrol.report import FlaggedCluster, FlaggedFinding
from agent.patrol.rules import load_rules
from benchmarks.patrol_tally import Flag, Sign, Tally, between, names_of, of_evidence, of_report, quantiles, share

CPU = "cpu_util_pct"
ERRORS = "error_share_pct"


def fault(cluster: str, severity: str = "Critical", *, kind: str = "cpu_saturation", **more: Any) -> dict[str, Any]:
    return {
        "cluster_id": cluster,
        "kind": kind,
        "onset": "2026-11-20 10:00:00",
        "dimensions": [CPU],
        "severity": severity,
        "border": False,
        **more,
    }


def truth(*faults: dict[str, Any], may: tuple[str, ...] = (), well: tuple[str, ...] = ()) -> dict[str, Any]:
    must = list(dict.fromkeys(one["cluster_id"] for one in faults if one["severity"] != "Info"))
    return {"faults": list(faults), "must_flag": must, "may_flag": list(may), "must_not_flag": list(well)}


def flag(severity: str = "Critical", dimension: str = CPU, hour: int | None = 10) -> Flag:
    since = None if hour is None else datetime(2026, 11, 20, hour)
    return Flag(severity, (Sign(names_of(dimension), "because", since),))


def counted(flags: dict[str, Flag], told: dict[str, Any]) -> dict[str, Any]:
    tally = Tally()
    tally.add(flags, told)
    return tally.summary()


def test_a_fleet_seen_as_it_is_has_the_best_of_every_figure() -> None:
    got = counted({"a": flag()}, truth(fault("a"), well=("b",)))
    best = ("precision", "recall", "f1", "critical_recall", "dimension_right", "severity_right")
    assert {name: got[name] for name in best} == dict.fromkeys(best, 1.0)
    assert got["fleets_without_a_wrong_flag"] == 1.0
    assert got["onset_error_hours"] == {"median": 0.0, "p90": 0.0, "max": 0.0}


def test_precision_recall_and_f1_are_those_of_the_books() -> None:
    told = truth(fault("a"), fault("b"), fault("c"), fault("d"), well=("x", "y"))
    got = counted({"a": flag(), "b": flag(), "c": flag(), "x": flag()}, told)
    assert (got["precision"], got["recall"], got["f1"]) == (0.75, 0.75, 0.75)
    assert (got["must_flag_hit"], got["must_flag_missed"], got["wrongly_flagged"]) == (3, 1, 1)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_f1_is_the_harmonic_mean_of_precision_and_recall(hits: int, wrong: int, missed: int) -> None:
    got = Tally(hits=hits, wrong=wrong, missed=missed).summary()
    if hits:
        mean = 2 / (1 / got["precision"] + 1 / got["recall"])
        assert got["f1"] == pytest.approx(mean, abs=3e-4)
    else:
        assert not got["f1"]


def test_a_flag_on_any_other_cluster_is_wrong_also_where_no_list_names_it() -> None:
    got = counted({"b": flag(), "nobody": flag()}, truth(well=("b",)))
    assert got["wrongly_flagged"] == 2
    assert got["wrong_by_dimension"] == {CPU: 2}
    assert got["fleets_without_a_wrong_flag"] == 0.0


def test_what_stands_at_the_border_counts_neither_way_but_is_counted() -> None:
    told = truth(fault("a"), fault("faint", "Info"), may=("faint", "m", "n"))
    got = counted({"a": flag(), "m": flag()}, told)
    assert (got["precision"], got["recall"]) == (1.0, 1.0)
    assert (got["at_the_border"], got["at_the_border_flagged"]) == (3, 1)
    assert got["precision_if_the_border_were_wrong"] == 0.5
    assert got["recall_if_the_border_were_missed"] == share(1, 3)
    assert got["fleets_without_a_wrong_flag"] == 1.0


def test_fleets_are_added_up() -> None:
    tally = Tally()
    tally.add({"a": flag()}, truth(fault("a")))
    tally.add({"b": flag()}, truth(fault("a"), well=("b",)))
    got = tally.summary()
    assert (got["fleets"], got["precision"], got["recall"], got["fleets_without_a_wrong_flag"]) == (2, 0.5, 0.5, 0.5)


def test_the_recall_of_critical_counts_what_is_surely_critical_flagged_in_any_way() -> None:
    told = truth(fault("a"), fault("b"), fault("c", border=True), fault("d", "Warning"))
    got = counted({"a": flag("Warning")}, told)
    assert (got["critical"], got["critical_recall"]) == (2, 0.5)


@pytest.mark.parametrize(
    ("planted", "border", "seen", "right"),
    [
        ("Critical", False, "Critical", 1.0),
        ("Critical", False, "Warning", 0.0),
        ("Warning", False, "Critical", 0.0),
        ("Warning", True, "Critical", 1.0),
        ("Warning", True, "Warning", 1.0),
        ("Warning", True, "Unknown", 0.0),
        ("Unknown", False, "Unknown", 1.0),
    ],
)
def test_near_the_limit_either_severity_is_right(planted: str, border: bool, seen: str, right: float) -> None:
    assert counted({"a": flag(seen)}, truth(fault("a", planted, border=border)))["severity_right"] == right


def test_a_flag_for_another_reason_finds_the_cluster_but_not_the_dimension() -> None:
    got = counted({"a": flag(dimension=ERRORS)}, truth(fault("a")))
    assert (got["recall"], got["dimension_right"]) == (1.0, 0.0)
    assert got["onset_error_hours"] == {}


def test_dimensions_are_known_by_the_names_of_the_reference_platform_too() -> None:
    told = truth(fault("a", dimensions=["query_errors_7d"]))
    assert counted({"a": flag(dimension=ERRORS)}, told)["dimension_right"] == 1.0


def test_every_dimension_of_the_rules_goes_by_its_own_name() -> None:
    assert all(name in names_of(name) for name in load_rules().dimensions)
    assert names_of("freshness") == {"freshness"}


@pytest.mark.parametrize(("hour", "error"), [(10, 0.0), (7, 3.0), (22, 12.0)])
def test_an_onset_may_be_told_too_early_or_too_late(hour: int, error: float) -> None:
    got = counted({"a": flag(hour=hour)}, truth(fault("a")))
    assert got["onset_error_hours"]["median"] == error


def test_the_first_of_the_findings_on_the_faults_own_dimension_tells_the_onset() -> None:
    both = Flag("Critical", (*flag(hour=14).signs, *flag(hour=11).signs, *flag(dimension=ERRORS, hour=2).signs))
    assert counted({"a": both}, truth(fault("a")))["onset_error_hours"]["max"] == 1.0


def test_a_finding_without_an_onset_is_no_error_of_it() -> None:
    assert counted({"a": flag(hour=None)}, truth(fault("a")))["onset_error_hours"] == {}


def test_faint_faults_are_in_no_count_of_kinds() -> None:
    got = counted({}, truth(fault("a"), fault("b", "Info"), may=("b",)))
    assert got["recall_by_kind"] == {"cpu_saturation": "0/1"}


def test_kinds_are_told_apart_and_passing_trouble_by_itself() -> None:
    got = counted(
        {"a": flag(), "b": flag(dimension=ERRORS)},
        truth(fault("a"), fault("b", kind="passing"), fault("c", kind="passing")),
    )
    assert got["recall_by_kind"] == {"cpu_saturation": "1/1", "passing": "1/2"}
    assert got["dimension_by_kind"] == {"cpu_saturation": "1/1", "passing": "0/1"}
    assert got["passing_trouble"] == "1/2"


def test_what_went_wrong_is_told_in_lines() -> None:
    told = truth(fault("a"), fault("b"), fault("c"), fault("d"), well=("x",))
    lines = Tally().add({"a": flag("Warning"), "b": flag(dimension=ERRORS), "c": flag(hour=18), "x": flag()}, told)
    assert [line.split(" ")[0] for line in lines] == ["SEVERITY", "DIMENSION", "ONSET", "MISSED", "WRONG"]
    assert "+8 h" in lines[2]
    assert lines[3] == "MISSED cpu_saturation Critical d since 2026-11-20 10:00:00"
    assert "because" in lines[4]


def test_a_fleet_seen_as_it_is_leaves_nothing_to_tell() -> None:
    assert Tally().add({"a": flag()}, truth(fault("a"), may=("m",), well=("x",))) == []


def test_a_look_into_the_past_may_not_know_what_had_not_begun() -> None:
    tally, told = Tally(), truth(fault("a"), fault("b", onset="2026-11-20 02:00:00"), well=("x",))
    lines = tally.add_earlier({"a": flag(), "b": flag(), "x": flag()}, told, datetime(2026, 11, 20, 6))
    got = tally.summary()
    assert (got["earlier_looks"], got["earlier_wrongly_flagged"]) == (1, 2)
    assert [line.split(" ")[3] for line in lines] == ["a", "x"]
    assert got["wrongly_flagged"] == 0


def test_of_nothing_there_are_no_shares() -> None:
    got = Tally().summary()
    assert (got["precision"], got["recall"], got["f1"], got["critical_recall"]) == (None, None, None, None)
    assert share(0, 0) is None
    assert quantiles([]) == {}


@given(st.lists(st.floats(0, 100), min_size=1, max_size=60))
def test_quantiles_lie_in_order_among_the_values(values: list[float]) -> None:
    got = quantiles(values)
    assert min(values) - 0.05 <= got["median"] <= got["p90"] <= got["max"] == round(max(values), 1)


def test_quantiles_are_those_of_the_books() -> None:
    assert quantiles([float(value) for value in range(101)]) == {"median": 50.0, "p90": 90.0, "max": 100.0}


@given(st.lists(st.tuples(st.integers(1, 8), st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=12))
def test_f1_lies_between_its_bounds_and_these_within_the_best_and_the_worst_fleet(
    fleets: list[tuple[int, int, int]],
) -> None:
    each = [2 * hits / (2 * hits + wrong + missed) for hits, wrong, missed in fleets]
    bounds = between(fleets, draws=50)
    assert bounds is not None
    assert min(each) - 1e-4 <= bounds[0] <= bounds[1] <= max(each) + 1e-4


def test_fleets_that_differ_much_leave_much_open_and_many_fleets_little() -> None:
    few, many = [(5, 0, 0), (1, 4, 4)] * 2, [(5, 0, 0), (1, 4, 4)] * 50
    low, high = between(few) or (0.0, 0.0)
    lower, higher = between(many) or (0.0, 0.0)
    assert high - low > 0.4 > 0.2 > higher - lower
    assert lower <= 12 / 20 <= higher


def test_the_bounds_of_a_run_are_always_the_same() -> None:
    fleets = [(3, 1, 0), (4, 0, 2), (1, 0, 0)]
    assert between(fleets) == between(list(fleets))


@pytest.mark.parametrize("fleets", [[], [(3, 0, 0)], [(0, 2, 0), (0, 0, 1)]])
def test_of_too_little_there_are_no_bounds(fleets: list[tuple[int, int, int]]) -> None:
    assert between(fleets) is None


def test_a_run_over_fleets_has_bounds() -> None:
    tally = Tally()
    for flags in ({"a": flag()}, {"b": flag()}, {"a": flag()}):
        tally.add(flags, truth(fault("a"), well=("b",)))
    low, high = tally.summary()["f1_between"]
    assert 0 <= low < share(4, 6) < high == 1.0


# Flags as they come from a look and from a report.

SINCE = datetime(2026, 11, 20, 10)


def test_the_flags_of_a_look_are_its_clusters_with_findings() -> None:
    finding = Finding("a", ERRORS, "Critical", 4.0, "%", "failed queries 4%", 0.1, 2.0, SINCE, "q-1")
    ill, well = (
        ClusterEvidence(Identity(one, one, "acc", "", "B", "CLASSIC", "3.3", "r"), {}, 90.0, found)
        for one, found in (("a", (finding,)), ("b", ()))
    )
    flags = of_evidence(Evidence(SINCE, SINCE, None, (ill, well), (), (), ()))  # type: ignore[arg-type]
    assert flags == {"a": Flag("Critical", (Sign(frozenset({ERRORS, "query_errors_7d"}), "failed queries 4%", SINCE),))}


@pytest.mark.parametrize("since", ["2026-11-20T10:00+00:00", "2026-11-20 10:00", ""])
def test_the_flags_of_a_report_are_its_clusters_with_naive_onsets(since: str) -> None:
    finding = FlaggedFinding(CPU, "Warning", 88.0, "%", "BE CPU 88%", since=since)
    flags = of_report((FlaggedCluster("a", "name", "Warning", "hot", findings=(finding,)),))
    assert flags == {"a": Flag("Warning", (Sign(frozenset({CPU}), "BE CPU 88%", SINCE if since else None),))}
    assert flags["a"].told == f"{CPU}: BE CPU 88%"
