"""Rough weather: healthy clusters reach the amplitudes of faults and last as long; the truth is what can be seen."""

import numpy as np
import pytest

from sandbox.fleet.ambience import calm
from sandbox.fleet.inventory import settle
from sandbox.fleet.planting import hours_before
from sandbox.fleet.scenario import FORMS, is_rough
from sandbox.fleet.state import State
from sandbox.fleet.truth import PASSING
from sandbox.fleet.weather import GUSTS, LENGTHS, disturb, get_used_to, rescale
from tests.sandbox.fleet.conftest import NOW, Builder, Built

FLEET = settle(5, 40, NOW)
ELASTIC = np.array([cluster.elastic for cluster in FLEET.active])

# metric -> where a fault of it begins
BEYOND = {
    "starrocks_be_cpu_util_percent": 80,
    "starrocks_fe_query_latency_ms_p99": 700,
    "starrocks_fe_routine_load_max_lag_of_partition": 300_000,
}


@pytest.fixture(scope="module")
def rough(fleet: Builder) -> Built:
    return fleet("rough-decoys", clusters=40, days=10, seed=5)


def weathered(days: int = 10) -> State:
    state = calm(5, FLEET.active, hours_before(NOW, days))
    get_used_to(state, FLEET.active, 5)
    return state


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
def test_healthy_clusters_pass_the_limits_of_faults_mostly_for_short_and_now_and_then_for_long(
    rough: Built, metric: str
) -> None:
    courses = [rough.course(cluster, metric)[1] for cluster in rough.truth.must_not_flag]
    # Who lives beyond the limit does not pass it, and not everybody has routine load.
    known = [course for course in courses if len(course) and np.median(course) < BEYOND[metric] / 2]
    stays = [stay for course in known for stay in runs(course, BEYOND[metric])]
    assert len(stays) >= 5
    assert np.median(stays) <= 3
    assert max(stays) >= 4


def test_gusts_last_up_to_half_a_dozen_hours_and_the_longer_the_rarer() -> None:
    lengths = [one.hours for one in disturb(weathered(30), 5)]
    counts = [lengths.count(length) for length in LENGTHS]
    assert sum(counts) == len(lengths) > 500
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] > 0


def test_every_kind_of_gust_blows_and_makes_its_field_worse() -> None:
    state = weathered(30)
    before = {gust.field: getattr(state, gust.field).copy() for gust in GUSTS}
    blown = {one.gust.field for one in disturb(state, 5)}
    assert blown == set(before)
    for gust in GUSTS:
        change = np.nan_to_num(getattr(state, gust.field) - before[gust.field])
        worse, better = (change < -1e-9, change > 1e-9) if gust.falls else (change > 1e-9, change < -1e-9)
        assert worse.any()
        # Refusals are clipped to what can be refused at all.
        assert gust.field == "txn_rejects" or not better.any()


def test_what_blew_is_told_where_it_blew() -> None:
    state = weathered()
    before = state.cpu.copy()
    blown = [one for one in disturb(state, 5) if one.gust.field == "cpu"]
    touched = np.zeros(state.shape, dtype=bool)
    for one in blown:
        touched[one.row, one.start : one.start + one.hours] = True
    assert np.array_equal(state.cpu[~touched], before[~touched])
    assert (state.cpu[touched] > before[touched]).mean() > 0.9


def test_a_cluster_without_routine_load_has_neither_lag_nor_pauses() -> None:
    state = weathered(30)
    without = np.isnan(state.lag).all(axis=1)
    disturb(state, 5)
    assert without.any()
    assert np.isnan(state.lag[without]).all()
    assert not state.paused[without].any()


def test_no_more_loads_are_refused_than_a_third_of_those_begun() -> None:
    state = weathered(30)
    disturb(state, 5)
    assert (state.txn_rejects <= 0.3 * state.txn_rate + 1e-9).all()


def test_the_same_seed_blows_the_same(rough: Built) -> None:
    first, again, other = weathered(), weathered(), weathered()
    assert disturb(first, 5) == disturb(again, 5) != disturb(other, 6)
    assert np.array_equal(first.cpu, again.cpu)


def test_most_caches_of_elastic_clusters_are_full_and_stay_so() -> None:
    disk = weathered().disk_used[ELASTIC]
    full = np.median(disk, axis=1) > 80
    assert 0.3 < full.mean() < 0.9
    assert (np.ptp(disk[full], axis=1) < 3).all()


def test_disks_that_hold_data_are_never_so_full_while_healthy() -> None:
    assert weathered().disk_used[~ELASTIC].max() <= 77


def test_compaction_scores_of_elastic_clusters_live_on_a_scale_of_their_own() -> None:
    state = weathered()
    before = state.compaction.copy()
    rescale(state, FLEET.active)
    assert np.allclose(state.compaction[ELASTIC], before[ELASTIC] / 10)
    assert np.array_equal(state.compaction[~ELASTIC], before[~ELASTIC])


def test_some_clusters_have_always_been_near_or_beyond_what_is_a_limit_for_others() -> None:
    state = weathered()
    limits = {"compaction": 600, "journal": 130, "error_share": 0.003, "connections": 250, "p99": 1_000}
    always = {name: ((getattr(state, name) > limit).mean(axis=1) > 0.6).sum() for name, limit in limits.items()}
    assert max(always.values()) < 10
    assert sum(count > 0 for count in always.values()) >= 3


def test_some_newest_hours_are_missing(rough: Built) -> None:
    newest = rough.one("SELECT max(snapshot_hour) FROM metrics.amv_hourly_snapshots_v1")
    late = rough.rows(
        "SELECT cluster_id FROM metrics.amv_hourly_snapshots_v1 GROUP BY 1 HAVING max(snapshot_hour) < $1", newest
    )
    assert 0 < len(late) < 8


def test_every_cluster_in_rough_weather_stands_in_one_of_the_three_lists(rough: Built, fleet: Builder) -> None:
    for built in (rough, fleet("rough:4", clusters=20, seed=3)):
        truth = built.truth
        lists = (*truth.must_flag, *truth.may_flag, *truth.must_not_flag)
        sending = built.one("SELECT count(DISTINCT cluster_id) FROM metrics.amv_hourly_snapshots_v1")
        assert len(lists) == len(set(lists)) == sending


def test_the_same_scenario_in_both_weathers_has_the_same_faults_on_the_same_clusters(fleet: Builder) -> None:
    fair, rough = fleet("random:4", clusters=20, seed=3), fleet("rough:4", clusters=20, seed=3)
    planted = [(fault.cluster_id, fault.kind) for fault in rough.truth.faults if fault.kind != PASSING]
    assert planted == [(fault.cluster_id, fault.kind) for fault in fair.truth.faults]
    count = (
        "SELECT sum(avg_value) FROM metrics.amv_hourly_snapshots_v1 WHERE metric_name = 'starrocks_be_cpu_util_percent'"
    )
    assert fair.one(count) != rough.one(count)


def test_alerts_fire_for_what_passes_as_for_what_stays(rough: Built) -> None:
    names = {name for (name,) in rough.rows("SELECT DISTINCT alert_name FROM alerts.lark_alerts")}
    # No fault is planted in this fleet.
    assert names & {"QueryLatencyP99TooHigh", "BeCpuUsageTooHigh", "QueryErrorRateTooHigh"}


def test_only_the_rough_scenarios_are_rough() -> None:
    assert {form for form in FORMS if is_rough(form)} == {"rough:N", "rough-decoys"}
