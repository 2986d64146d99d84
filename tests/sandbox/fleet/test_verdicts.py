"""The truth of rough fleets: planted faults as grave as they look, and passing trouble that has stayed too long."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from sandbox.fleet.ambience import calm
from sandbox.fleet.episodes import episodes
from sandbox.fleet.faults import BY_NAME, KINDS
from sandbox.fleet.inventory import Fleet, settle
from sandbox.fleet.lines import Usual
from sandbox.fleet.planting import Planted, hours_before, plant
from sandbox.fleet.scenario import ACTIVE, Plan, PlannedFault, plan
from sandbox.fleet.state import State
from sandbox.fleet.truth import PASSING, Severity, Truth
from sandbox.fleet.verdicts import rough_truth
from tests.sandbox.fleet.conftest import NOW

FLEET = settle(3, 48, NOW)
CLASSIC = next(row for row, cluster in enumerate(FLEET.active) if not cluster.elastic)
ID = FLEET.active[CLASSIC].biz_id
NEWEST = NOW.replace(minute=0) - timedelta(hours=1)


def fault(kind: str, hours: float = 10, severity: Severity = "Warning", rest: int = 0) -> PlannedFault:
    return PlannedFault(BY_NAME[kind], CLASSIC, hours, severity, 0.5, rest=rest)


def fair(days: int = 5) -> tuple[State, Usual]:
    state = calm(3, FLEET.active, hours_before(NOW, days))
    state.present[:], state.up[:] = True, 1.0
    return state, Usual(state)


def told(*faults: PlannedFault, state: State, usual: Usual) -> Truth:
    onsets = [NEWEST - timedelta(hours=one.hours) for one in faults]
    return rough_truth(Plan(faults), FLEET.active, onsets, state, usual)


def struck(one: PlannedFault) -> Truth:
    """The truth after one fault alone, in fair weather, by the lines of the rough one."""
    state, usual = fair()
    onset = plant(Plan((one,)), settle(3, 48, NOW), state, 3).fault_onsets[0]
    return rough_truth(Plan((one,)), FLEET.active, [onset], state, usual)


# A flapping alert has no sign, and a storm is seen by its alerts.
SIGNS = [kind.name for kind in KINDS if kind.name not in {"flapping_alert", "alert_storm"}]


@pytest.mark.parametrize("kind", SIGNS)
def test_a_clear_fault_must_be_flagged(kind: str) -> None:
    truth = struck(fault(kind, 40 if BY_NAME[kind].onset[0] >= 30 else 10, "Critical"))
    assert truth.must_flag == (ID,)
    assert truth.faults[0].severity != "Info"
    assert truth.faults[0].kind == kind


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS if kind.graded])
def test_a_faint_fault_may_be_flagged_and_need_not(kind: str) -> None:
    truth = struck(fault(kind, 20, "Info"))
    assert (truth.must_flag, truth.may_flag) == ((), (ID,))
    assert truth.faults[0].severity == "Info"


@pytest.mark.parametrize("kind", ["cpu_saturation", "error_burst", "journal_latency"])
def test_a_fault_of_two_hours_need_not_be_flagged_yet(kind: str) -> None:
    assert struck(fault(kind, 2)).may_flag == (ID,)


@pytest.mark.parametrize("kind", ["node_down", "error_burst", "journal_latency"])
def test_a_severe_fault_of_three_hours_must(kind: str) -> None:
    truth = struck(fault(kind, 4, "Critical"))
    assert truth.must_flag == (ID,)
    assert truth.faults[0].severity == "Critical"


def test_how_grave_a_fault_is_depends_on_what_is_seen_not_on_what_was_meant() -> None:
    state, usual = fair()
    state.cpu[CLASSIC, -6:] = 97
    (one,) = told(fault("cpu_saturation"), state=state, usual=usual).faults
    assert (one.severity, one.border) == ("Critical", False)


def test_near_the_severe_limit_both_severities_are_right() -> None:
    state, usual = fair()
    state.cpu[CLASSIC, -6:] = 90
    (one,) = told(fault("cpu_saturation"), state=state, usual=usual).faults
    assert (one.severity, one.border) == ("Warning", True)


@pytest.mark.parametrize("severity", ["Warning", "Critical"])
def test_how_grave_missing_nodes_are_is_what_was_planned(severity: Severity) -> None:
    (one,) = struck(fault("node_down", 6, severity)).faults
    assert (one.severity, one.border) == (severity, False)


def test_a_storm_of_alerts_must_be_flagged_whatever_the_metrics_say() -> None:
    state, usual = fair()
    truth = told(fault("alert_storm"), state=state, usual=usual)
    assert truth.must_flag == (ID,)
    assert truth.faults[0].border


def test_a_flapping_alert_may_be_flagged() -> None:
    assert struck(fault("flapping_alert")).may_flag == (ID,)


def test_passing_trouble_that_has_stayed_is_a_fault_of_its_own() -> None:
    state, usual = fair()
    state.cpu[CLASSIC, -5:] = 96
    truth = told(state=state, usual=usual)
    (one,) = truth.faults
    assert truth.must_flag == (ID,)
    assert (one.kind, one.severity, one.dimensions) == (PASSING, "Critical", ("cpu_util_pct",))
    assert one.onset == NEWEST - timedelta(hours=4)


def test_two_passing_troubles_of_a_cluster_are_told_as_one() -> None:
    state, usual = fair()
    state.cpu[CLASSIC, -5:] = 85
    state.heap[CLASSIC, -7:] = 89
    (one,) = told(state=state, usual=usual).faults
    assert one.dimensions == ("cpu_util_pct", "fe_heap_used_pct")
    assert one.onset == NEWEST - timedelta(hours=6)
    assert one.severity == "Warning"


def test_passing_trouble_on_a_cluster_with_a_faint_fault_is_told_beside_it() -> None:
    state, usual = fair()
    state.heap[CLASSIC, -7:] = 89
    truth = told(fault("cpu_saturation", severity="Info"), state=state, usual=usual)
    assert [(one.kind, one.severity) for one in truth.faults] == [("cpu_saturation", "Info"), (PASSING, "Warning")]
    assert truth.must_flag == (ID,)


def test_a_cluster_with_a_clear_fault_has_no_passing_trouble_beside_it() -> None:
    state, usual = fair()
    state.cpu[CLASSIC, -7:] = 86
    state.heap[CLASSIC, -7:] = 89
    assert [one.kind for one in told(fault("cpu_saturation"), state=state, usual=usual).faults] == ["cpu_saturation"]


def test_all_other_clusters_must_not_be_flagged() -> None:
    truth = struck(fault("cpu_saturation", 10, "Critical"))
    others = [cluster.biz_id for cluster in FLEET.active if cluster.biz_id != ID]
    assert list(truth.must_not_flag) == others


# Plans of rough fleets.


def rough_plans(numbers: range) -> list[Plan]:
    return [plan(f"rough:{number}", FLEET, number) for number in numbers]


def test_some_faults_are_young_some_return_and_only_sudden_ones_do() -> None:
    faults = [one for laid in rough_plans(range(300)) for one in laid.faults]
    young = [one for one in faults if one.hours < 4 and one.kind.onset[0] >= 4]
    returning = [one for one in faults if one.rest]
    assert all(one.kind.sudden for one in (*young, *returning))
    for some in (young, returning):
        assert 0.03 < len(some) / len(faults) < 0.25
    assert {one.rest for one in returning} == {1, 2}
    assert min(one.hours for one in returning) >= 10


def test_faults_of_rough_plans_are_of_every_severity_and_without_gaps() -> None:
    faults = [one for laid in rough_plans(range(100)) for one in laid.faults]
    assert all(one.stretched for one in faults)
    graded = Counter(one.severity for one in faults if one.kind.graded)
    assert set(graded) == {"Info", "Warning", "Critical"}
    assert min(graded.values()) > 0.15 * sum(graded.values())


def test_disks_are_only_filled_where_they_hold_data() -> None:
    for number in range(60):
        for name in (f"rough:{number}", f"random:{number}", "disk_filling", "tier_s_warning"):
            for one in plan(name, FLEET, number).faults:
                assert one.kind.on_cache or not FLEET.active[one.row].elastic


def test_decoys_of_the_calendar_take_clusters_of_their_own_but_a_bad_week_may_lie_behind_a_fault() -> None:
    behind = 0
    for laid in rough_plans(range(100)):
        ill = {one.row for one in laid.faults}
        shared = [one for one in laid.decoys if one.row in ill]
        assert {one.decoy.name for one in shared} <= {"bad_week"}
        apart = [one.row for one in laid.decoys if one.row not in ill]
        assert len(apart) == len(set(apart))
        behind += len(shared)
    assert behind > 20


def planted(one: PlannedFault, fleet: Fleet) -> tuple[State, State, Planted]:
    before, after = (calm(3, fleet.active, hours_before(NOW, 5)) for _ in range(2))
    return before, after, plant(Plan((one,)), fleet, after, 3)


@pytest.mark.parametrize("rest", [1, 2])
def test_a_fault_that_returns_is_there_three_hours_at_a_time(rest: int) -> None:
    before, after, done = planted(fault("error_burst", 17, "Critical", rest), settle(3, 48, NOW))
    ill = (after.error_share[CLASSIC] > 5 * before.error_share[CLASSIC])[-17:]
    cycle = ACTIVE + rest
    assert list(ill) == [hour % cycle < ACTIVE for hour in range(17)]
    assert done.fault_onsets == (NEWEST - timedelta(hours=16),)


def test_between_its_returns_every_course_is_as_if_nothing_were() -> None:
    before, after, _ = planted(fault("cpu_saturation", 15, "Critical", 2), settle(3, 48, NOW))
    pause = [-15 + hour for hour in range(15) if hour % 5 >= ACTIVE]
    for name in State.__dataclass_fields__:
        if name not in {"hours"}:
            assert np.array_equal(
                getattr(after, name)[CLASSIC, pause], getattr(before, name)[CLASSIC, pause], equal_nan=True
            )


def test_a_fault_that_returns_must_be_flagged_in_its_rests_too() -> None:
    demands = [struck(fault("error_burst", hours, "Critical", 2)).must_flag for hours in range(12, 22)]
    assert demands == [(ID,)] * 10


def test_alerts_of_gusts_begin_and_end_with_them() -> None:
    fleet = settle(3, 48, NOW)
    state = calm(3, fleet.active, hours_before(NOW, 5))
    done = plant(Plan(), fleet, state, 3, rough=True)
    hour = datetime(NOW.year, NOW.month, NOW.day, NOW.hour)
    quiet = episodes(Plan(), replace(done, blown=()), 3, 48, 5, NOW)
    added = [one for one in episodes(Plan(), done, 3, 48, 5, NOW) if one not in quiet]
    spans = {
        (one.row, one.gust.alert, hour - timedelta(hours=120 - one.start), one.hours)
        for one in done.blown
        if one.gust.alert
    }

    assert 0.3 * len(spans) < len(added) < 0.7 * len(spans)
    for one in added:
        start = one.start.replace(minute=0, second=0, microsecond=0)
        lengths = [length for row, alert, begun, length in spans if (row, alert, begun) == (one.row, one.alert, start)]
        assert lengths
        assert (one.end is None) or round((one.end - one.start) / timedelta(hours=1)) in lengths
        assert not one.planned
