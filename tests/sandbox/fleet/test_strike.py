"""The shapes that faults draw: they start at the onset, end at the amplitude asked, and leave the past alone."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.fleet.ambience import calm
from sandbox.fleet.chance import stream
from sandbox.fleet.decoys import DECOYS
from sandbox.fleet.faults import KINDS, Kind
from sandbox.fleet.inventory import settle
from sandbox.fleet.planting import hours_before
from sandbox.fleet.state import State
from sandbox.fleet.strike import Strike
from sandbox.fleet.truth import Severity
from tests.sandbox.fleet.conftest import NOW

FLEET = settle(3, 4, NOW)
HOURS = hours_before(NOW, 5)
FIELDS = [name for name in State.__dataclass_fields__ if name != "hours"]


def strike(
    since: int = 90, severity: Severity = "Warning", position: float = 0.5, state: State | None = None
) -> Strike:
    state = state or calm(3, FLEET.active, HOURS)
    return Strike(state, FLEET.active[1], 1, since, severity, position, stream(3, "strike"))


def test_a_climb_leaves_the_past_and_the_other_clusters_alone() -> None:
    at = strike()
    before = at.state.cpu.copy()
    at.climb(at.state.cpu, 95, over=2)

    assert np.array_equal(at.state.cpu[1, :90], before[1, :90])
    assert np.array_equal(np.delete(at.state.cpu, 1, axis=0), np.delete(before, 1, axis=0))


@settings(deadline=None)
@given(target=st.floats(1, 1e6), over=st.one_of(st.none(), st.floats(1, 20)), since=st.integers(0, 110))
def test_a_climb_ends_at_its_target(target: float, over: float | None, since: int) -> None:
    at = strike(since)
    field = np.full(at.state.shape, 10.0)
    at.climb(field, target, over=over, wobble=0.0)

    assert field[1, -1] == pytest.approx(target if over is None or over <= at.length else field[1, -1])
    assert min(10, target) - 1e-6 <= field[1, since:].min() <= field[1, since:].max() <= max(10, target) * (1 + 1e-9)


def test_a_slow_climb_is_steady() -> None:
    at = strike()
    field = np.full(at.state.shape, 10.0)
    at.climb(field, 40, wobble=0.0)

    assert np.allclose(np.diff(field[1, 90:]), 1.0)


@settings(deadline=None)
@given(
    severity=st.sampled_from(["Info", "Warning", "Critical", "Unknown"]),
    position=st.floats(0, 1, allow_nan=False),
)
def test_the_amplitude_lies_in_the_range_of_the_severity(severity: Severity, position: float) -> None:
    at = Strike(STATE, FLEET.active[0], 0, 90, severity, position, stream(1, "x"))
    low, high = {"Info": (1, 2), "Critical": (5, 6)}.get(severity, (3, 4))

    assert low <= at.level((1, 2), (3, 4), (5, 6)) <= high


def test_the_usual_value_is_that_of_the_past() -> None:
    at = strike(since=60)
    field = np.concatenate([np.full((4, 60), 2.0), np.full((4, 60), 50.0)], axis=1)

    assert at.usual(field) == 2.0
    assert strike(since=0).usual(field) == 26.0


def test_a_lift_never_lowers() -> None:
    at = strike()
    field = np.full(at.state.shape, 8.0)
    at.at_least(field, 4.0)
    at.at_least(field, 16.0)

    assert set(field[1]) == {16.0}
    assert set(field[0]) == {8.0}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("severity", ["Info", "Warning", "Critical"])
def test_a_fault_touches_one_cluster_only_and_keeps_every_field_possible(kind: Kind, severity: Severity) -> None:
    at = strike(severity=severity)
    before = {name: getattr(at.state, name).copy() for name in FIELDS}
    kind.act(at)

    changed = [name for name in FIELDS if not np.array_equal(before[name], getattr(at.state, name), equal_nan=True)]
    assert bool(changed) is (kind.name != "flapping_alert")
    for name in FIELDS:
        now = getattr(at.state, name)
        assert np.array_equal(np.delete(now, 1, axis=0), np.delete(before[name], 1, axis=0), equal_nan=True)
        assert np.nanmin(now) >= 0
    for percent in (at.state.cpu, at.state.disk_used, at.state.memory_available, at.state.heap):
        assert percent.max() <= 100
    assert at.state.up.max() <= 1


@pytest.mark.parametrize("severity", ["Warning", "Critical"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.graded], ids=lambda kind: kind.name)
def test_a_graded_fault_is_stronger_the_higher_its_severity(kind: Kind, severity: Severity) -> None:
    milder: Severity = "Info" if severity == "Warning" else "Warning"
    strong, mild = strike(severity=severity), strike(severity=milder)
    base = calm(3, FLEET.active, HOURS)
    kind.act(strong)
    kind.act(mild)

    def distance(state: State) -> float:
        return sum(
            float(np.nansum(np.abs(getattr(state, name)[1] - getattr(base, name)[1])))
            / (1e-9 + float(np.nansum(np.abs(getattr(base, name)[1]))))
            for name in FIELDS
            if name not in {"present", "restarts", "lag", "paused", "routine_rows"}
        ) + float(np.nansum(state.lag[1]))

    assert distance(strong.state) > distance(mild.state)


@pytest.mark.parametrize("decoy", DECOYS, ids=lambda decoy: decoy.name)
def test_a_decoy_touches_one_cluster_only(decoy) -> None:
    at = strike(severity="Info")
    before = {name: getattr(at.state, name).copy() for name in FIELDS}
    decoy.act(at)

    for name in FIELDS:
        now = getattr(at.state, name)
        assert np.array_equal(np.delete(now, 1, axis=0), np.delete(before[name], 1, axis=0), equal_nan=True)


STATE = calm(3, FLEET.active, HOURS)


def test_a_strike_from_the_first_hour_lasts_the_whole_series() -> None:
    at = strike(since=0)
    assert at.length == at.state.shape[1]
    at.fill(at.state.cpu, 3.0)
    assert set(at.state.cpu[1]) == {3.0}


def test_multiplying_leaves_the_past_and_the_neighbours_alone() -> None:
    at = strike(since=60)
    before = at.state.cpu.copy()
    at.multiply(at.state.cpu, 0.5)
    assert np.array_equal(at.state.cpu[1, :60], before[1, :60])
    assert np.allclose(at.state.cpu[1, 60:], before[1, 60:] / 2)
    assert np.array_equal(np.delete(at.state.cpu, 1, axis=0), np.delete(before, 1, axis=0))


def test_a_past_with_gaps_still_has_a_usual_value() -> None:
    at = strike(since=60)
    field = np.full(at.state.shape, np.nan)
    field[1, 10:20] = 4.0
    assert at.usual(field) == 4.0


def test_a_lift_of_nothing_is_no_division_by_zero() -> None:
    at = strike()
    field = np.zeros(at.state.shape)
    at.at_least(field, 5.0)
    assert np.isfinite(field).all()


@settings(deadline=None, max_examples=30)
@given(wobble=st.floats(0, 0.2), target=st.floats(1, 1e6), over=st.floats(1, 20))
def test_a_wobble_stays_near_the_course(wobble: float, target: float, over: float) -> None:
    at = strike()
    field = np.full(at.state.shape, 10.0)
    at.climb(field, target, over=over, wobble=wobble)
    assert field[1, 90:].max() <= max(10, target) * (1 + 2 * wobble) + 1e-6
    assert field[1, 90:].min() >= min(10, target * (1 - 2 * wobble)) - 1e-6


FAINT, WARNING, CRITICAL = (10.0, 20.0), (40.0, 50.0), (80.0, 90.0)
FALLING = (33.0, 40.0), (20.0, 28.0), (5.0, 10.0)


@pytest.mark.parametrize("ranges", [(FAINT, WARNING, CRITICAL), FALLING])
def test_stretched_ranges_leave_no_gap_between_the_severities(ranges) -> None:
    ends = []
    for severity in ("Info", "Warning", "Critical"):
        reached = {replace(strike(severity=severity, position=at), stretched=True).level(*ranges) for at in (0.0, 1.0)}
        ends.append((min(reached), max(reached)))
    ends.sort()
    assert ends[0][1] == ends[1][0]
    assert ends[1][1] == ends[2][0]


@pytest.mark.parametrize("ranges", [(FAINT, WARNING, CRITICAL), FALLING])
def test_stretched_ranges_reach_as_far_as_the_others(ranges) -> None:
    for severity, position in (("Info", 0.0), ("Critical", 1.0)):
        plain = strike(severity=severity, position=position)
        milder = strike(severity=severity, position=1 - position)
        reached = {replace(one, stretched=True).level(*ranges) for one in (plain, milder)}
        assert reached & {plain.level(*ranges), milder.level(*ranges)}
