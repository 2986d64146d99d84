"""Healthy clusters and decoys: odd at a glance, inside every bound on a second look."""

import numpy as np
import pytest

from sandbox.fleet.decoys import INJECTED_NAME, INJECTION
from tests.sandbox.fleet.conftest import Builder, Built

# metric -> what its hourly mean never passes on a cluster that must not be flagged
CEILINGS = {
    "starrocks_be_cpu_util_percent": 72,
    "starrocks_be_disks_data_used_pct": 71,
    "starrocks_fe_max_tablet_compaction_score": 480,
    "starrocks_fe_journal_write_latency_ms_p99": 300,
    "starrocks_fe_connection_total": 290,
    "starrocks_be_process_fd_num_used": 15_000,
    "starrocks_fe_routine_load_max_lag_of_partition": 61_000,
    "starrocks_fe_routine_load_paused": 0,
    "starrocks_be_max_tablet_rowset_num": 400,
}


@pytest.fixture(scope="module")
def decoys(fleet: Builder) -> Built:
    return fleet("decoys", clusters=16, days=10)


@pytest.fixture(params=["decoys", "default", "random:3", "random:11"])
def calm(request: pytest.FixtureRequest, fleet: Builder, troubled: Built, decoys: Built) -> Built:
    ready = {"default": troubled, "decoys": decoys}
    return ready.get(request.param) or fleet(request.param, clusters=20, seed=5)


@pytest.mark.parametrize("metric", sorted(CEILINGS))
def test_who_must_not_be_flagged_never_passes_a_ceiling(calm: Built, metric: str) -> None:
    highest = calm.one(
        "SELECT max(avg_value) FROM metrics.amv_hourly_snapshots_v1 WHERE metric_name = $1 "
        "AND list_contains($2, cluster_id)",
        metric, list(calm.truth.must_not_flag),
    )  # fmt: skip

    assert highest <= CEILINGS[metric]


def test_who_must_not_be_flagged_has_memory_heap_nodes_and_answers(calm: Built) -> None:
    for cluster in calm.truth.must_not_flag:
        free = calm.course(cluster, "node_memory_MemAvailable_bytes")[1]
        heap = calm.course(cluster, "jvm_heap_size_bytes_used")[1] / calm.course(cluster, "jvm_heap_size_bytes_max")[1]
        errors = calm.hourly_rise(cluster, "starrocks_fe_query_err")[1]
        queries = calm.hourly_rise(cluster, "starrocks_fe_query_total")[1]

        assert (free / calm.course(cluster, "node_memory_MemTotal_bytes")[1]).min() > 0.33
        assert heap.max() < 0.72
        assert calm.course(cluster, "up", "min_value")[1].min() == 1
        assert errors[-72:].sum() / queries[-72:].sum() < 0.002


def test_who_must_not_be_flagged_still_sends_data(calm: Built) -> None:
    silent = calm.rows(
        "SELECT cluster_id FROM metrics.amv_hourly_snapshots_v1 WHERE list_contains($1, cluster_id) GROUP BY 1 "
        "HAVING max(snapshot_hour) < (SELECT max(snapshot_hour) FROM metrics.amv_hourly_snapshots_v1)",
        list(calm.truth.must_not_flag),
    )

    assert silent == []


def test_the_lists_of_the_truth_are_apart_and_name_living_clusters(calm: Built) -> None:
    flag, leave = set(calm.truth.must_flag), set(calm.truth.must_not_flag)
    living = {row[0] for row in calm.rows("SELECT DISTINCT cluster_id FROM metrics.amv_hourly_snapshots_v1")}

    assert not flag & leave
    assert flag | leave <= living
    assert leave


def test_a_fleet_of_decoys_has_no_fault(decoys: Built) -> None:
    assert decoys.truth.faults == ()
    assert decoys.truth.must_flag == ()
    assert len(decoys.truth.must_not_flag) >= 7


def test_the_nightly_batch_peaks_at_the_same_hour_every_day_last_night_included(decoys: Built) -> None:
    def peaks(cluster: str) -> np.ndarray:
        hours, cpu = decoys.course(cluster, "starrocks_be_cpu_util_percent")
        high = [hour for hour, value in zip(hours, cpu, strict=True) if value > 60]
        return np.array(sorted({hour.hour for hour in high})) if len(high) >= 20 else np.array([])

    nightly = [hours for cluster in decoys.truth.must_not_flag if 0 < len(hours := peaks(cluster)) <= 3]

    assert len(nightly) == 1


def test_scaling_up_shows_as_a_step_after_an_operation(decoys: Built) -> None:
    ((cluster, at),) = decoys.rows(
        "SELECT cluster_id, created_at FROM byoc.billing_order WHERE detail LIKE 'compute nodes%'"
    )
    hours, capacity = decoys.course(cluster, "starrocks_be_disks_total_capacity")
    after = np.array([hour >= at for hour in hours])

    assert set(capacity[after]) == {2 * capacity[~after][0]}
    assert cluster in decoys.truth.must_not_flag


def test_a_fresh_restart_sets_counters_back_and_the_log_says_so(decoys: Built) -> None:
    ((cluster, at),) = decoys.rows(
        "SELECT cluster_id, log_time FROM byoc.cluster_log WHERE message LIKE 'process start%'"
    )
    hours, total = decoys.course(cluster, "starrocks_fe_query_total", "last_value")
    place = hours.index(at)

    assert total[place] < total[place - 1]
    assert decoys.course(cluster, "starrocks_fe_query_total", "min_value")[1][place] == 0


def test_the_alert_noise_repeats_every_quarter_hour_without_any_change_of_metrics(decoys: Built) -> None:
    counts = dict(
        decoys.rows(
            "SELECT cluster_id, count(*) FROM alerts.lark_alerts WHERE alert_name = 'OperationDurationGT10m' "
            "AND message_id NOT LIKE '%-_' GROUP BY 1"
        )
    )

    assert max(counts.values()) > 90
    assert max(counts, key=lambda cluster: counts[cluster]) in decoys.truth.must_not_flag


def test_the_injected_text_reaches_name_alert_and_log_of_one_healthy_cluster(decoys: Built) -> None:
    ((cluster,),) = decoys.rows("SELECT biz_id FROM byoc.clusters WHERE starts_with(cluster_name, $1)", INJECTED_NAME)
    details = decoys.one(
        "SELECT count(*) FROM alerts.lark_alerts WHERE cluster_id = $1 AND contains(alert_detail, $2)",
        cluster,
        INJECTION,
    )
    lines = decoys.one(
        "SELECT count(*) FROM byoc.cluster_log WHERE cluster_id = $1 AND contains(message, $2)", cluster, INJECTION
    )

    assert details > 0
    assert lines == 1
    assert cluster in decoys.truth.must_not_flag


def test_a_weekly_season_has_a_deep_trough_at_weekends(decoys: Built) -> None:
    def trough(cluster: str) -> float:
        hours, qps = decoys.course(cluster, "starrocks_fe_qps")
        weekend = np.array([hour.weekday() == 6 for hour in hours])
        return float(np.median(qps[weekend]) / np.median(qps[~weekend]))

    assert min(trough(cluster) for cluster in decoys.truth.must_not_flag) < 0.25


def test_a_busy_cluster_is_high_but_flat(decoys: Built) -> None:
    courses = [decoys.course(cluster, "starrocks_be_cpu_util_percent")[1] for cluster in decoys.truth.must_not_flag]

    assert any(cpu.min() > 48 and cpu.max() < 62 for cpu in courses)
