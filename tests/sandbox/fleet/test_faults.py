"""Every planted fault can be seen: in its metric, against the cluster's own past, up to the last hours."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
import pytest

from sandbox.fleet.faults import BY_NAME, KINDS
from tests.sandbox.fleet.conftest import Builder, Built

Course = tuple[list[datetime], np.ndarray]


def metric(name: str) -> Callable[[Built, str], Course]:
    return lambda built, cluster: built.course(cluster, name)


def ratio(part: str, whole: str) -> Callable[[Built, str], Course]:
    def measure(built: Built, cluster: str) -> Course:
        hours, parts = built.course(cluster, part)
        return hours, 100 * parts / built.course(cluster, whole)[1]

    return measure


def share(part: str, whole: str) -> Callable[[Built, str], Course]:
    def measure(built: Built, cluster: str) -> Course:
        hours, parts = built.hourly_rise(cluster, part)
        return hours, 100 * parts / np.maximum(built.hourly_rise(cluster, whole)[1], 1)

    return measure


def disk(built: Built, cluster: str) -> Course:
    hours, free = ratio("starrocks_be_disks_avail_capacity", "starrocks_be_disks_total_capacity")(built, cluster)
    return hours, 100 - free


class Sign(NamedTuple):
    """Where a fault shows, and what its newest hours reach at least when it is a Warning and when Critical."""

    measure: Callable[[Built, str], Course]
    warning: float
    critical: float
    falls: bool = False


HEAP = ratio("jvm_heap_size_bytes_used", "jvm_heap_size_bytes_max")
MEMORY = ratio("node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes")
ERRORS = share("starrocks_fe_query_err", "starrocks_fe_query_total")

SIGNS = {
    "disk_filling": Sign(disk, 80, 90),
    "tier_s_warning": Sign(disk, 80, 80),
    "compaction_backlog": Sign(metric("starrocks_fe_max_tablet_compaction_score"), 1_000, 5_000),
    "memory_leak": Sign(MEMORY, 20, 10, falls=True),
    "cpu_saturation": Sign(metric("starrocks_be_cpu_util_percent"), 75, 88),
    "p99_regression": Sign(metric("starrocks_fe_query_latency_ms_p99"), 900, 4_000),
    "error_burst": Sign(ERRORS, 0.8, 2.2),
    "routine_load_stuck": Sign(metric("starrocks_fe_routine_load_max_lag_of_partition"), 300_000, 1_500_000),
    "fe_heap": Sign(HEAP, 85, 94),
    "journal_latency": Sign(metric("starrocks_fe_journal_write_latency_ms_p99"), 1_000, 8_500),
    "node_down": Sign(metric("up"), 0.95, 0.8, falls=True),
    "alert_storm": Sign(ERRORS, 0.8, 1.8),
    "txn_rejects": Sign(lambda built, cluster: built.hourly_rise(cluster, "starrocks_fe_txn_reject"), 20, 400),
    "fd_leak": Sign(metric("starrocks_be_process_fd_num_used"), 50_000, 60_000),
    "connection_exhaustion": Sign(metric("starrocks_fe_connection_total"), 500, 900),
}


def test_every_kind_has_a_sign_or_is_seen_without_metrics() -> None:
    assert set(SIGNS) | {"silent_cluster", "flapping_alert"} == set(BY_NAME)


@pytest.mark.parametrize("scenario", ["own", "default"])
@pytest.mark.parametrize("kind", sorted(SIGNS))
def test_a_fault_stands_out_from_the_clusters_own_past_until_now(
    fleet: Builder, troubled: Built, kind: str, scenario: str
) -> None:
    built = troubled if scenario == "default" else fleet(kind, clusters=6, days=6)
    sign = SIGNS[kind]
    fault = built.fault(kind)
    hours, values = sign.measure(built, fault.cluster_id)
    newest, past = values[-3:].mean(), values[[hour < fault.onset for hour in hours]]
    limit = sign.critical if fault.severity == "Critical" else sign.warning

    assert len(past) >= 24
    if sign.falls:
        assert newest < min(limit, past.min())
    else:
        assert newest > max(limit, past.max())


@pytest.mark.parametrize("kind", sorted(BY_NAME))
def test_a_fault_has_its_own_scenario_and_nothing_else_is_planted(fleet: Builder, kind: str) -> None:
    truth = fleet(kind, clusters=6, days=6).truth

    assert {fault.kind for fault in truth.faults} == {kind}
    assert bool(truth.must_flag) is BY_NAME[kind].flagged


def test_a_silent_cluster_stops_at_its_onset_while_others_go_on(troubled: Built) -> None:
    fault = troubled.fault("silent_cluster")
    last = "SELECT max(snapshot_hour) FROM metrics.amv_hourly_snapshots_v1 WHERE cluster_id {} $1"
    own, others = troubled.one(last.format("="), fault.cluster_id), troubled.one(last.format("<>"), fault.cluster_id)

    assert fault.severity == "Unknown"
    assert own < fault.onset <= own + timedelta(hours=2)
    assert others - own >= timedelta(hours=4)


def test_a_flapping_alert_leaves_the_metrics_alone_and_is_in_no_list(troubled: Built) -> None:
    fault = troubled.fault("flapping_alert")
    states = troubled.rows(
        "SELECT alert_status, count(*) FROM alerts.lark_alerts WHERE cluster_id = $1 AND alert_name = $2 "
        "AND created_at_utc >= $3 GROUP BY 1",
        fault.cluster_id, "OperationAbnormal", fault.onset,
    )  # fmt: skip
    cpu = troubled.course(fault.cluster_id, "starrocks_be_cpu_util_percent")[1]

    assert {state for state, count in states if count >= 5} == {"Firing", "Resolved"}
    assert cpu.max() < 70
    assert fault.cluster_id not in (*troubled.truth.must_flag, *troubled.truth.must_not_flag)


def test_a_regression_follows_an_upgrade_on_clusters_of_different_accounts(troubled: Built) -> None:
    hit = [fault for fault in troubled.truth.faults if fault.kind == "p99_regression"]
    for fault in hit:
        orders = troubled.rows(
            "SELECT o.created_at, o.detail, i.sr_version FROM byoc.billing_order AS o "
            "JOIN byoc.cluster_info AS i USING (cluster_id) WHERE o.cluster_id = $1 AND o.detail LIKE 'sr_version%'",
            fault.cluster_id,
        )
        assert [(at, detail.split(" -> ")[1]) for at, detail, _ in orders] == [(fault.onset, orders[0][2])]
    accounts = {troubled.one("SELECT account_id FROM byoc.clusters WHERE biz_id = $1", f.cluster_id) for f in hit}
    assert len(accounts) == len(hit) >= 2


def test_an_error_burst_strikes_several_clusters_of_one_account(troubled: Built) -> None:
    hit = [fault.cluster_id for fault in troubled.truth.faults if fault.kind == "error_burst"]
    accounts = troubled.rows("SELECT DISTINCT account_id FROM byoc.clusters WHERE list_contains($1, biz_id)", hit)

    assert len(hit) >= 2
    assert len(accounts) == 1


def test_a_tier_s_warning_belongs_to_a_tier_s_customer(troubled: Built) -> None:
    fault = troubled.fault("tier_s_warning")
    tier = troubled.one(
        "SELECT p.tier FROM byoc.clusters AS c JOIN metrics.dim_customer_profile AS p USING (account_id) "
        "WHERE c.biz_id = $1",
        fault.cluster_id,
    )

    assert (tier, fault.severity) == ("S", "Warning")


def test_a_storm_fires_many_different_alerts(troubled: Built) -> None:
    fault = troubled.fault("alert_storm")
    names = troubled.one(
        "SELECT count(DISTINCT alert_name) FROM alerts.lark_alerts WHERE cluster_id = $1 AND alert_status = 'Firing' "
        "AND created_at_utc >= $2",
        fault.cluster_id, fault.onset,
    )  # fmt: skip

    assert names >= 8


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS if kind.symptoms and kind.name != "flapping_alert"])
def test_a_fault_fires_its_alerts_to_the_end_and_opens_issues(troubled: Built, kind: str) -> None:
    fault, symptoms = troubled.fault(kind), BY_NAME[kind].symptoms
    fired = dict(
        troubled.rows(
            "SELECT alert_name, max(created_at_utc) FROM alerts.lark_alerts WHERE cluster_id = $1 "
            "AND alert_status = 'Firing' GROUP BY 1",
            fault.cluster_id,
        )
    )
    issues = dict(
        troubled.rows(
            "SELECT alert_name, severity FROM alerts.issues WHERE cluster_id = $1 AND status = 'Ongoing'",
            fault.cluster_id,
        )
    )
    now = datetime(2026, 3, 10, 14)

    for symptom in symptoms:
        assert now - fired[symptom.alert] <= timedelta(minutes=45), "a joined card may hide one repeat"
        assert issues[symptom.alert] == fault.severity


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS if kind.logs])
def test_a_fault_is_heard_in_the_log(troubled: Built, kind: str) -> None:
    fault = troubled.fault(kind)
    level, message = BY_NAME[kind].logs[0]
    found = troubled.one(
        "SELECT count(*) FROM byoc.cluster_log "
        "WHERE cluster_id = $1 AND level = $2 AND message = $3 AND log_time >= $4",
        fault.cluster_id, level, message, fault.onset,
    )  # fmt: skip

    assert found >= 10
