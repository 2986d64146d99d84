"""Rough weather: healthy clusters reach the amplitudes of faults, but never for as long."""

import numpy as np
import pytest

from sandbox.fleet.scenario import FORMS, is_rough
from tests.sandbox.fleet.conftest import Builder, Built

# metric -> where a fault of it begins
BEYOND = {
    "starrocks_be_cpu_util_percent": 80,
    "starrocks_fe_max_tablet_compaction_score": 1000,
    "starrocks_fe_routine_load_max_lag_of_partition": 300_000,
}


@pytest.fixture(scope="module")
def rough(fleet: Builder) -> Built:
    return fleet("rough-decoys", clusters=40, days=10, seed=5)


def runs(values: np.ndarray, limit: float) -> list[int]:
    """How many hours each stay beyond the limit lasted."""
    found, length = [], 0
    for bad in [*(values > limit), False]:
        if bad:
            length += 1
        elif length:
            found.append(length)
            length = 0
    return found


@pytest.mark.parametrize("metric", sorted(BEYOND))
def test_healthy_clusters_pass_the_limits_of_faults_now_and_then_but_not_for_long(rough: Built, metric: str) -> None:
    stays = [
        stay for cluster in rough.truth.must_not_flag for stay in runs(rough.course(cluster, metric)[1], BEYOND[metric])
    ]
    assert len(stays) >= 3
    # Two gusts may meet; nothing lasts.
    assert max(stays) <= 4
    assert np.mean(stays) < 2.5


def test_some_clusters_have_always_been_a_little_high(rough: Built) -> None:
    used = np.array(
        [np.median(rough.course(one, "starrocks_be_disks_data_used_pct")[1]) for one in rough.truth.must_not_flag]
    )
    assert (used > 68).any()
    assert (used < 80).all()


def test_some_newest_hours_are_missing(rough: Built) -> None:
    newest = rough.one("SELECT max(snapshot_hour) FROM metrics.amv_hourly_snapshots_v1")
    late = rough.rows(
        "SELECT cluster_id FROM metrics.amv_hourly_snapshots_v1 GROUP BY 1 HAVING max(snapshot_hour) < $1", newest
    )
    assert 0 < len(late) < 8


def test_the_same_scenario_in_both_weathers_has_the_same_faults(fleet: Builder) -> None:
    fair, rough = fleet("random:4", clusters=20, seed=3), fleet("rough:4", clusters=20, seed=3)
    assert fair.truth == rough.truth
    count = (
        "SELECT sum(avg_value) FROM metrics.amv_hourly_snapshots_v1 WHERE metric_name = 'starrocks_be_cpu_util_percent'"
    )
    assert fair.one(count) != rough.one(count)


def test_only_the_rough_scenarios_are_rough() -> None:
    assert {form for form in FORMS if is_rough(form)} == {"rough:N", "rough-decoys"}
