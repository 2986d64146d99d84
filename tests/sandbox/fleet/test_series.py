"""The hourly metrics: complete in kind, consistent in themselves, moving with the real clock."""

import numpy as np
import pytest

from sandbox.fleet.dictionary import metrics
from tests.sandbox.fleet.conftest import Built

COUNTERS = [metric.name for metric in metrics() if metric.kind == "counter"]


def hourly(built: Built, metric: str) -> np.ndarray:
    """Fleet-wide hourly means of the clusters' values relative to each cluster's own mean."""
    return np.array(
        built.rows(
            "SELECT snapshot_hour, avg(relative) FROM (SELECT snapshot_hour, avg_value / avg(avg_value) "
            "OVER (PARTITION BY cluster_id) AS relative FROM metrics.amv_hourly_snapshots_v1 WHERE metric_name = $1) "
            "GROUP BY 1 ORDER BY 1",
            metric,
        )
    )


def test_there_are_over_forty_metrics_and_all_are_in_the_dictionary(month: Built) -> None:
    stored = {row[0] for row in month.rows("SELECT DISTINCT metric_name FROM metrics.amv_hourly_snapshots_v1")}
    explained = {row[0] for row in month.rows("SELECT metric_name FROM metrics.metrics_dict_v2 WHERE unit IS NOT NULL")}

    assert stored == explained == {metric.name for metric in metrics()}
    assert len(stored) >= 40


def test_there_is_at_most_one_row_per_cluster_metric_and_hour(month: Built) -> None:
    twice = month.one(
        "SELECT count(*) - count(DISTINCT (cluster_id, metric_name, snapshot_hour)) "
        "FROM metrics.amv_hourly_snapshots_v1"
    )

    assert twice == 0


def test_the_parts_of_every_row_agree(month: Built) -> None:
    wrong = month.one(
        "SELECT count(*) FROM metrics.amv_hourly_snapshots_v1 WHERE NOT (isfinite(avg_value) AND min_value >= 0 "
        "AND min_value <= avg_value AND avg_value <= max_value AND last_value BETWEEN min_value AND max_value "
        "AND abs(sum_value - avg_value * sample_count) <= 1e-6 * abs(sum_value) + 1e-6 "
        "AND sample_count BETWEEN 1 AND 60)"
    )

    assert wrong == 0


def test_percentages_stay_below_one_hundred_and_up_below_one(troubled: Built) -> None:
    over = troubled.rows(
        "SELECT DISTINCT s.metric_name FROM metrics.metrics_hourly_view_v6 AS s "
        "WHERE s.unit = 'percent' AND s.max_value > 100 OR s.metric_name = 'up' AND s.max_value > 1"
    )

    assert over == []


def test_rows_carry_the_account_that_owns_the_cluster(month: Built) -> None:
    strangers = month.one(
        "SELECT count(*) FROM metrics.amv_hourly_snapshots_v1 AS s LEFT JOIN byoc.clusters AS c "
        "ON c.biz_id = s.cluster_id AND c.account_id = s.account_id WHERE c.biz_id IS NULL"
    )

    assert strangers == 0


@pytest.mark.parametrize("metric", COUNTERS)
def test_a_counter_only_falls_where_its_process_restarted(month: Built, metric: str) -> None:
    falls = month.rows(
        "SELECT min_value FROM (SELECT *, "
        "lag(last_value) OVER (PARTITION BY cluster_id ORDER BY snapshot_hour) AS before "
        "FROM metrics.amv_hourly_snapshots_v1 WHERE metric_name = $1) WHERE last_value < before",
        metric,
    )

    assert all(lowest == 0 for (lowest,) in falls)


def test_counters_restart_now_and_then(month: Built) -> None:
    resets = month.one(
        "SELECT count(*) FROM metrics.amv_hourly_snapshots_v1 "
        "WHERE metric_name = 'starrocks_fe_query_total' AND min_value = 0"
    )

    assert 1 <= resets <= 60


def test_every_query_either_succeeds_or_fails(month: Built) -> None:
    for cluster in month.truth.must_not_flag:
        total, good, bad = (
            month.hourly_rise(cluster, f"starrocks_fe_query_{part}")[1] for part in ("total", "success", "err")
        )
        unlike = total != good + bad

        # A restart hides what was counted before it, of each counter for itself.
        assert unlike.mean() < 0.02


def test_hours_are_missing_now_and_then_but_never_the_newest(month: Built) -> None:
    hours = 21 * 24
    seen = month.rows("SELECT count(DISTINCT snapshot_hour) FROM metrics.amv_hourly_snapshots_v1 GROUP BY cluster_id")
    newest = month.one(
        "SELECT count(DISTINCT cluster_id) FROM metrics.amv_hourly_snapshots_v1 "
        "WHERE snapshot_hour = (SELECT max(snapshot_hour) FROM metrics.amv_hourly_snapshots_v1)"
    )

    assert 0 < sum(hours - count for (count,) in seen) < 0.01 * hours * len(seen)
    assert newest == 16


def test_the_newest_hour_is_the_last_complete_one(month: Built) -> None:
    assert str(month.one("SELECT max(snapshot_hour) FROM metrics.amv_hourly_snapshots_v1")) == "2026-03-10 13:00:00"
    assert str(month.one("SELECT min(snapshot_hour) FROM metrics.amv_hourly_snapshots_v1")) == "2026-02-17 14:00:00"


def test_load_returns_after_a_day_more_than_after_half_a_day(month: Built) -> None:
    def likeness(cluster: str, lag: int) -> float:
        load = month.course(cluster, "starrocks_fe_qps")[1]
        return float(np.corrcoef(load[lag:], load[:-lag])[0, 1])

    clusters = month.truth.must_not_flag

    assert np.median([likeness(cluster, 24) for cluster in clusters]) > 0.5
    assert all(likeness(cluster, 24) > likeness(cluster, 12) + 0.2 for cluster in clusters)


def test_the_weekend_is_quieter_than_the_week(month: Built) -> None:
    found = hourly(month, "starrocks_fe_qps")
    sunday = np.array([hour.weekday() == 6 for hour in found[:, 0]])
    load = found[:, 1].astype(float)

    assert load[sunday].mean() < 0.9 * load[~sunday].mean()


@pytest.mark.parametrize("metric", ["starrocks_be_cpu_util_percent", "starrocks_fe_query_latency_ms_p99"])
def test_load_drives_other_metrics(month: Built, metric: str) -> None:
    for cluster in month.truth.must_not_flag:
        qps, other = (dict(zip(*month.course(cluster, name), strict=True)) for name in ("starrocks_fe_qps", metric))
        hours = sorted(qps.keys() & other.keys())
        correlation = np.corrcoef([qps[h] for h in hours], [other[h] for h in hours])[0, 1]

        assert correlation > 0.25


def test_clusters_differ_in_level(month: Built) -> None:
    levels = [row[0] for row in month.rows(
        "SELECT median(avg_value) FROM metrics.amv_hourly_snapshots_v1 WHERE metric_name = 'starrocks_fe_qps' "
        "GROUP BY cluster_id"
    )]  # fmt: skip

    assert max(levels) > 10 * min(levels)


def test_raw_samples_of_the_last_two_hours_lie_within_their_hour(month: Built) -> None:
    count, outside = month.rows(
        "SELECT count(*), count(*) FILTER (WHERE t.value NOT BETWEEN s.min_value - 1e-6 AND s.max_value + 1e-6) "
        "FROM metrics.metrics_table AS t JOIN metrics.amv_hourly_snapshots_v1 AS s ON s.cluster_id = t.cluster_id "
        "AND s.metric_name = t.metric_name AND s.snapshot_hour = date_trunc('hour', t.event_time)"
    )[0]

    assert count == 16 * 6 * 24
    assert outside == 0


def test_the_daily_summary_counts_the_queries_of_the_day(month: Built) -> None:
    day, account, queries = month.rows(
        "SELECT report_day, account_id, queries FROM metrics.v_customer_daily_360_v2 "
        "WHERE report_day = DATE '2026-03-01' ORDER BY account_id LIMIT 1"
    )[0]
    clusters = month.rows(
        "SELECT DISTINCT cluster_id FROM metrics.amv_hourly_snapshots_v1 WHERE account_id = $1", account
    )
    counted = 0.0
    for (cluster,) in clusters:
        hours, rises = month.hourly_rise(cluster, "starrocks_fe_query_total")
        counted += sum(rise for hour, rise in zip(hours, rises, strict=True) if hour.date() == day)

    assert queries == pytest.approx(counted)
