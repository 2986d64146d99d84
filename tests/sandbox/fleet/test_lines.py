"""The line between what must, may and must not be flagged: hours, amplitudes, the usual, and what stands behind it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.fleet.ambience import calm
from sandbox.fleet.inventory import settle
from sandbox.fleet.lines import LINES, WINDOW, Demand, Trouble, Usual, demanded, pressing, troubles
from sandbox.fleet.planting import hours_before
from sandbox.fleet.state import State
from tests.sandbox.fleet.conftest import NOW

FLEET = settle(3, 12, NOW)
CLASSIC = next(row for row, cluster in enumerate(FLEET.active) if not cluster.elastic)
ELASTIC = next(row for row, cluster in enumerate(FLEET.active) if cluster.elastic)


def quiet() -> tuple[State, Usual]:
    """A state whose every sign is constant and well, and what is usual of it."""
    state = calm(3, FLEET.active, hours_before(NOW, 3))
    state.present[:], state.up[:], state.restarts[:] = True, 1.0, False
    for field, value in {
        "cpu": 30, "p99": 150, "qps": 10, "error_share": 1e-4, "txn_rate": 500, "txn_fail_share": 1e-3,
        "txn_rejects": 0, "compaction": 20, "journal": 15, "connections": 60, "lag": 1_000, "paused": 0, "heap": 40,
        "memory_available": 60, "disk_used": 50, "descriptors": 5_000,
    }.items():  # fmt: skip
        getattr(state, field)[:] = value
    return state, Usual(state)


def seen(field: str, value: float, hours: int, *, row: int = CLASSIC, ago: int = 0) -> list[Trouble]:
    """What is found when `field` has `value` for `hours` hours that ended `ago` hours ago; connections of each FE."""
    value *= FLEET.active[row].fe_count if field == "connections" else 1
    state, usual = quiet()
    end = state.shape[1] - ago
    getattr(state, field)[row, end - hours : end] = value
    return troubles(state, usual, FLEET.active)


def pattern(text: str) -> np.ndarray:
    """Hours written as x and dots, the newest last, with calm hours before."""
    return np.array([letter == "x" for letter in text.rjust(WINDOW, ".")])


def test_a_quiet_fleet_asks_for_nothing() -> None:
    assert troubles(*quiet(), FLEET.active) == []


@pytest.mark.parametrize(
    ("hours", "demand"),
    [
        ("", Demand.MUST_NOT),
        ("x", Demand.MUST_NOT),
        ("xx", Demand.MUST_NOT),
        ("xxx", Demand.MAY),
        ("x.xx", Demand.MAY),
        ("xxxx", Demand.MUST),
        ("xxxx.", Demand.MUST),
        ("xxxx..", Demand.MAY),
        ("xxxxxx...", Demand.MUST_NOT),
        ("xxxxxxx..", Demand.MAY),
        ("xxx...", Demand.MUST_NOT),
        ("xxx..xxx..", Demand.MUST),
        ("xxx.xxx...", Demand.MUST_NOT),
        ("xxx..xxx..xx", Demand.MUST),
        ("x..x..x..x..", Demand.MUST_NOT),
        ("xxxxxxxxxxxx", Demand.MUST),
    ],
)
def test_what_lasts_or_returns_must_be_told_and_what_is_short_or_over_must_not(hours: str, demand: Demand) -> None:
    assert demanded(pattern(hours)) is demand


@pytest.mark.parametrize(
    ("hours", "demand"),
    [
        ("x", Demand.MUST_NOT),
        ("xx", Demand.MAY),
        ("xxx", Demand.MUST),
        ("xxx.", Demand.MUST),
        ("xx..", Demand.MUST_NOT),
        ("xx.x", Demand.MUST),
    ],
)
def test_nobody_waits_as_long_when_it_is_severe(hours: str, demand: Demand) -> None:
    assert pressing(pattern(hours)) is demand


@given(st.lists(st.booleans(), min_size=WINDOW, max_size=WINDOW), st.integers(WINDOW - 6, WINDOW - 1))
def test_one_more_of_the_newest_hours_never_asks_for_less(hours: list[bool], place: int) -> None:
    before = np.array(hours)
    after = before.copy()
    after[place] = True
    # An hour in a gap can make one stretch of two; below half of the window nothing else can fall.
    if before.sum() < WINDOW / 2 - 1:
        assert demanded(after) >= demanded(before)
    assert pressing(after) >= pressing(before)


BEYOND = {
    "cpu": (84, 95), "p99": (600, 6_000), "error_share": (0.008, 0.03), "txn_fail_share": (0.08, 0.3),
    "txn_rejects": (20, 80), "compaction": (1_000, 5_000), "journal": (1_500, 12_000), "connections": (600, 1_200),
    "lag": (400_000, 4e6), "heap": (88, 97.5), "memory_available": (17, 8), "disk_used": (84, 93),
    "descriptors": (53_000, 62_000),
}  # fmt: skip


@pytest.mark.parametrize("field", sorted(BEYOND))
def test_every_sign_has_a_limit_of_trouble_and_one_of_severe_trouble(field: str) -> None:
    problem, severe = BEYOND[field]
    (warning,) = seen(field, problem, 5)
    (critical,) = seen(field, severe, 5)

    assert (warning.row, warning.demand, warning.severe, warning.began) == (CLASSIC, Demand.MUST, False, 5)
    assert (critical.demand, critical.severe) == (Demand.MUST, True)


def test_every_line_is_tried() -> None:
    assert len(LINES) == len(BEYOND) + 1  # the paused jobs have no severe limit


def test_a_paused_job_is_trouble_but_not_severe_by_itself() -> None:
    (found,) = seen("paused", 2, 5)
    assert (found.demand, found.severe) == (Demand.MUST, False)


@pytest.mark.parametrize("field", sorted(BEYOND))
def test_short_trouble_and_trouble_that_is_over_ask_for_nothing(field: str) -> None:
    problem, severe = BEYOND[field]
    assert seen(field, problem, 2) == []
    assert seen(field, severe, 1) == []
    assert seen(field, severe, 6, ago=4) == []


@pytest.mark.parametrize(
    ("field", "value"), [("cpu", 80.5), ("heap", 85.2), ("disk_used", 77.9), ("connections", 480), ("p99", 410)]
)
def test_a_value_so_near_to_its_limit_that_noise_decides_is_at_the_border(field: str, value: float) -> None:
    (found,) = seen(field, value, 6)
    assert found.demand is Demand.MAY


@pytest.mark.parametrize(("field", "value"), [("cpu", 90.5), ("error_share", 0.0195), ("heap", 95.3)])
def test_trouble_near_the_severe_limit_is_of_either_severity(field: str, value: float) -> None:
    (found,) = seen(field, value, 6)
    assert (found.demand, found.severe) == (Demand.MUST, None)


@pytest.mark.parametrize(
    ("field", "value"), [("cpu", 88), ("p99", 2_000), ("error_share", 0.01), ("compaction", 2_500)]
)
def test_what_is_usual_at_this_hour_is_no_trouble(field: str, value: float) -> None:
    state, _ = quiet()
    getattr(state, field)[CLASSIC, -8:] = value
    assert troubles(state, Usual(state), FLEET.active) == []


def test_a_full_disk_is_trouble_however_usual() -> None:
    state, _ = quiet()
    state.disk_used[CLASSIC] = 93
    assert [one.demand for one in troubles(state, Usual(state), FLEET.active)] == [Demand.MUST]


def test_a_full_cache_is_none() -> None:
    assert seen("disk_used", 97, 12, row=ELASTIC) == []


def test_compaction_is_judged_on_the_scale_of_the_clusters_type() -> None:
    (elastic,) = seen("compaction", 300, 6, row=ELASTIC)
    assert elastic.demand is Demand.MUST
    assert seen("compaction", 300, 6, row=CLASSIC) == []


@pytest.mark.parametrize("row", [CLASSIC, ELASTIC])
def test_connections_are_judged_by_what_each_frontend_takes(row: int) -> None:
    (found,) = seen("connections", 600, 6, row=row)
    assert (found.demand, found.severe) == (Demand.MUST, False)
    assert seen("connections", 400, 6, row=row) == []


def test_usual_scores_are_put_on_the_scale_of_the_type_too() -> None:
    _, usual = quiet()
    before = usual.signs["compaction_peak"].copy()
    usual.rescale(FLEET.active)
    assert np.allclose(usual.signs["compaction_peak"][ELASTIC], before[ELASTIC] / 10)
    assert np.array_equal(usual.signs["compaction_peak"][CLASSIC], before[CLASSIC])


def test_a_share_of_hardly_any_queries_is_no_trouble() -> None:
    state, usual = quiet()
    state.qps[CLASSIC] = 0.01
    state.error_share[CLASSIC, -6:] = 0.3
    assert troubles(state, usual, FLEET.active) == []


def test_hours_that_nobody_saw_do_not_count() -> None:
    state, usual = quiet()
    state.cpu[CLASSIC, -5:] = 85
    state.present[CLASSIC, [-3, -4]] = False
    (found,) = troubles(state, usual, FLEET.active)
    assert found.demand is Demand.MAY


def test_a_cluster_without_routine_load_has_no_lag_to_judge() -> None:
    state, usual = quiet()
    state.lag[CLASSIC] = np.nan
    assert troubles(state, usual, FLEET.active) == []


def test_a_job_that_is_new_is_judged_by_its_limit() -> None:
    state, usual = quiet()
    usual.signs["lag"][CLASSIC] = np.nan
    state.lag[CLASSIC, -6:] = 2e6
    (found,) = troubles(state, usual, FLEET.active)
    assert (found.sign, found.demand) == ("lag", Demand.MUST)


@pytest.mark.parametrize(
    ("missing", "hours", "demand"),
    [(1.0, 2, Demand.MUST), (1.0, 1, Demand.MAY), (0.3, 6, Demand.MAY), (2.0, 12, Demand.MUST)],
)
def test_a_node_that_is_gone_for_two_hours_must_be_told_and_a_restart_may(
    missing: float, hours: int, demand: Demand
) -> None:
    state, usual = quiet()
    state.up[CLASSIC, -hours:] = 1 - missing / FLEET.active[CLASSIC].node_count
    (found,) = troubles(state, usual, FLEET.active)
    assert (found.sign, found.demand, found.began) == ("up", demand, hours)


def test_a_node_that_comes_and_goes_must_be_told() -> None:
    state, usual = quiet()
    state.up[CLASSIC, [-2, -3, -4, -7, -8, -9, -12]] = 1 - 1 / FLEET.active[CLASSIC].node_count
    (found,) = troubles(state, usual, FLEET.active)
    assert found.demand is Demand.MUST


def test_a_touch_of_a_node_is_nobodys_business() -> None:
    state, usual = quiet()
    state.up[CLASSIC, -2:] = 1 - 0.1 / FLEET.active[CLASSIC].node_count
    assert troubles(state, usual, FLEET.active) == []


@pytest.mark.parametrize(("hours", "demand"), [(2, None), (3, Demand.MAY), (4, Demand.MUST), (20, Demand.MUST)])
def test_silence_of_four_hours_must_be_told(hours: int, demand: Demand | None) -> None:
    state, usual = quiet()
    state.present[CLASSIC, -hours:] = False
    found = [one.demand for one in troubles(state, usual, FLEET.active)]
    assert found == ([] if demand is None else [demand])
