"""How scenarios are laid on fleets: suitable clusters, none twice, the truth in step with the plan."""

from datetime import timedelta

import numpy as np
import pytest

from sandbox.fleet.ambience import calm
from sandbox.fleet.decoys import DECOYS, INJECTED_NAME
from sandbox.fleet.faults import BY_NAME, KINDS
from sandbox.fleet.inventory import settle
from sandbox.fleet.planting import UPGRADED_VERSION, Planted, hours_before, plant
from sandbox.fleet.scenario import FORMS, Plan, plan
from tests.sandbox.fleet.conftest import NOW

HOUR = NOW.replace(minute=0)


def planted(scenario: str, clusters: int = 60, days: int = 4, seed: int = 2) -> tuple[Plan, Planted]:
    fleet = settle(seed, clusters, NOW)
    laid = plan(scenario, fleet, seed)
    return laid, plant(laid, fleet, calm(seed, fleet.active, hours_before(NOW, days)), seed)


def test_the_names_of_all_scenarios_are_known() -> None:
    assert set(FORMS) == {"default", "none", "decoys", "random:N", "rough:N", "rough-decoys", *BY_NAME}


def test_the_default_scenario_of_a_large_fleet_has_every_kind_and_decoy_apart() -> None:
    laid = plan("default", settle(2, 60, NOW), 2)
    rows = [part.row for part in (*laid.faults, *laid.decoys)]

    assert {fault.kind.name for fault in laid.faults} == {kind.name for kind in KINDS}
    assert {decoy.decoy.name for decoy in laid.decoys} == {decoy.name for decoy in DECOYS}
    assert len(set(rows)) == len(rows)


def test_the_default_scenario_of_a_small_fleet_lays_harmless_decoys_together() -> None:
    laid = plan("default", settle(2, 24, NOW), 2)

    assert {decoy.decoy.name for decoy in laid.decoys} == {decoy.name for decoy in DECOYS}
    assert len({decoy.row for decoy in laid.decoys}) == 5
    assert not {decoy.row for decoy in laid.decoys} & {fault.row for fault in laid.faults}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_fault_begins_within_its_span(kind) -> None:
    laid, done = planted(kind.name, days=8)

    for fault, onset in zip(laid.faults, done.fault_onsets, strict=True):
        assert kind.onset[0] <= fault.hours <= kind.onset[1]
        assert abs((HOUR - onset) - timedelta(hours=min(fault.hours, 8 * 24 * 0.6))) <= timedelta(hours=1)


def test_a_short_history_keeps_some_past_before_every_onset() -> None:
    _, done = planted("default", days=2)

    assert min(done.fault_onsets) >= HOUR - timedelta(hours=48 * 0.6 + 1)


def test_the_truth_repeats_the_plan() -> None:
    laid, done = planted("default")

    assert [fault.kind for fault in done.truth.faults] == [fault.kind.name for fault in laid.faults]
    assert [fault.severity for fault in done.truth.faults] == [fault.severity for fault in laid.faults]
    assert [fault.onset for fault in done.truth.faults] == list(done.fault_onsets)


def test_nothing_is_planted_in_a_fleet_without_a_scenario() -> None:
    laid, done = planted("none", clusters=9)

    assert laid == Plan()
    assert done.truth.faults == done.truth.must_flag == ()
    assert len(done.truth.must_not_flag) == 3


def test_an_upgrade_is_recorded_in_inventory_and_operations() -> None:
    fleet = settle(2, 30, NOW)
    laid = plan("p99_regression", fleet, 2)
    before = {fault.row: fleet.active[fault.row].version for fault in laid.faults}
    done = plant(laid, fleet, calm(2, fleet.active, hours_before(NOW, 4)), 2)

    assert {fleet.active[row].version for row in before} == {UPGRADED_VERSION}
    assert {change.row: change.detail for change in done.changes} == {
        row: f"sr_version {version} -> {UPGRADED_VERSION}" for row, version in before.items()
    }


def test_only_the_injected_decoy_renames_a_cluster() -> None:
    fleet = settle(2, 30, NOW)
    before = [cluster.name for cluster in fleet.active]
    laid = plan("decoys", fleet, 2)
    plant(laid, fleet, calm(2, fleet.active, hours_before(NOW, 4)), 2)
    renamed = [row for row, cluster in enumerate(fleet.active) if cluster.name != before[row]]

    assert renamed == [decoy.row for decoy in laid.decoys if decoy.decoy.name == "injected_instruction"]
    assert fleet.active[renamed[0]].name.startswith(INJECTED_NAME)


def test_the_family_of_an_error_burst_is_the_largest_one() -> None:
    fleet = settle(2, 60, NOW)
    laid = plan("error_burst", fleet, 2)
    families = [len(fleet.siblings(row)) for row in range(60)]

    assert len(fleet.siblings(laid.faults[0].row)) == max(families) >= 3
    assert len(laid.faults) == 3


def test_hours_end_before_now_and_follow_each_other() -> None:
    hours = hours_before(NOW, 3)

    assert hours[-1] == np.datetime64(HOUR - timedelta(hours=1), "h")
    assert len(hours) == 72
    assert set(np.diff(hours).astype(int)) == {1}
