"""Statements that run and mislead, and honest ones beside them that must pass without a word."""

import pytest
import sqlglot
from sqlglot import exp

import schema
from mcp_server import queries
from mcp_server.guard import Guard
from mcp_server.lint import Remarks, examined

SNAPSHOTS = "metrics.amv_hourly_snapshots_v1"
RECENT = "snapshot_hour > HOURS_SUB(NOW(), 24)"
OF_QPS = f"metric_name = 'starrocks_fe_qps' AND {RECENT}"
OF_QUERIES = f"metric_name = 'starrocks_fe_query_total' AND {RECENT}"
UUID = "0f3a91c2-7b1e-4c55-9d20-aa10be77c001"
KINDS = {"starrocks_fe_query_total": "counter", "starrocks_fe_qps": "gauge", "starrocks_be_mem": "gauge"}


def remarks(sql: str) -> Remarks:
    tree = sqlglot.parse_one(sql, dialect="starrocks")
    assert isinstance(tree, exp.Query)
    return examined(tree)


def caveats(sql: str) -> tuple[str, ...]:
    return remarks(sql).all_caveats(KINDS)


MISLEADING = [
    (f"SELECT * FROM byoc.clusters WHERE account_id = '{UUID}'", "account_id never equals"),
    ("SELECT * FROM byoc.cluster_info WHERE cluster_id = 'acc000001'", "cluster_id never equals 'acc000001'"),
    ("SELECT * FROM byoc.clusters AS c WHERE c.biz_id IN ('prod-a', 'prod-b')", "biz_id never equals 'prod-b'"),
    ("SELECT * FROM byoc.accounts WHERE biz_id = '" + UUID + "'", "biz_id never equals"),
    ("SELECT 1 FROM byoc.clusters c JOIN byoc.accounts a ON c.biz_id = a.biz_id", "two shapes and never match"),
    ("SELECT 1 FROM byoc.clusters c JOIN byoc.accounts a ON a.biz_id = c.biz_id", "two shapes and never match"),
    (f"SELECT 1 FROM {SNAPSHOTS} s JOIN byoc.accounts a ON s.cluster_id = a.biz_id WHERE s.{RECENT}", "two shapes"),
    (
        f"SELECT AVG(last_value) FROM {SNAPSHOTS} WHERE {OF_QUERIES}",
        "starrocks_fe_query_total is a counter: not AVG",
    ),
    (
        f"SELECT SUM(CASE WHEN metric_name = 'starrocks_fe_query_total' THEN max_value END) FROM {SNAPSHOTS} "
        f"WHERE metric_name IN ('starrocks_fe_qps', 'starrocks_fe_query_total') AND {RECENT}",
        "starrocks_fe_query_total is a counter: not SUM",
    ),
    (
        f"SELECT cluster_id, SUM(avg_value) FROM {SNAPSHOTS} WHERE {OF_QPS} GROUP BY 1",
        "starrocks_fe_qps is a gauge: a SUM over hours",
    ),
    (
        f"SELECT DATE_TRUNC('day', snapshot_hour) AS d, SUM(avg_value) FROM {SNAPSHOTS} WHERE {OF_QPS} GROUP BY d",
        "starrocks_fe_qps is a gauge: a SUM over hours",
    ),
    (f"SELECT MAX(max_value) FROM {SNAPSHOTS} WHERE metric_name = 'up'", f"{SNAPSHOTS} is read without a bound"),
    ("SELECT message FROM byoc.cluster_log WHERE level = 'ERROR'", "byoc.cluster_log is read without a bound"),
    (
        "SELECT 1 FROM alerts.lark_alerts WHERE created_at > DATE_SUB(NOW(), INTERVAL 1 DAY)",
        "lark_alerts.created_at is US/Pacific",
    ),
    (
        "SELECT 1 FROM alerts.lark_alerts AS a WHERE a.created_at >= UTC_TIMESTAMP()",
        "lark_alerts.created_at is US/Paci",
    ),
    ("SELECT COUNT(*) FROM alerts.lark_alerts WHERE created_at_utc > NOW()", "its rows are not incidents"),
    (
        "SELECT AVG(h.overall_score) FROM byoc.clusters c LEFT JOIN alerts.cluster_health_scores h "
        "ON h.cluster_id = c.biz_id",
        "leaves out rows for which the join found nothing",
    ),
]

HONEST = [
    f"SELECT * FROM byoc.clusters WHERE biz_id = '{UUID}' AND account_id = 'acc000001'",
    f"SELECT * FROM byoc.clusters WHERE biz_id = '{UUID.upper()}'",
    "SELECT * FROM byoc.clusters WHERE biz_id LIKE '0f3a%' AND cluster_name = 'prod-a'",
    "SELECT 1 FROM byoc.clusters c JOIN byoc.accounts a ON c.account_id = a.biz_id",
    f"SELECT snapshot_hour, SUM(avg_value) FROM {SNAPSHOTS} WHERE {OF_QPS} GROUP BY 1",
    f"SELECT SUM(last_value) FROM {SNAPSHOTS} WHERE {OF_QPS} AND snapshot_hour = '2026-03-01 13:00:00'",
    f"SELECT AVG(avg_value) FROM {SNAPSHOTS} WHERE {OF_QPS}",
    f"SELECT SUM(CASE WHEN metric_name = 'starrocks_fe_qps' THEN avg_value END) / SUM(CASE WHEN metric_name = "
    f"'starrocks_be_mem' THEN avg_value END) FROM {SNAPSHOTS} WHERE {RECENT}",
    f"SELECT MAX(snapshot_hour) FROM {SNAPSHOTS}",
    f"WITH s AS (SELECT * FROM {SNAPSHOTS}) SELECT COUNT(*) FROM s WHERE s.{RECENT}",
    f"SELECT MAX(last_value) - MIN(last_value) FROM {SNAPSHOTS} WHERE {OF_QUERIES}",
    "SELECT COUNT(DISTINCT cluster_id) FROM alerts.lark_alerts WHERE created_at_utc > DATE_SUB(NOW(), INTERVAL 1 DAY)",
    "SELECT 1 FROM alerts.lark_alerts WHERE created_at > CONVERT_TZ(NOW(), 'UTC', 'US/Pacific')",
    "SELECT 1 FROM alerts.issues WHERE first_seen > NOW()",
    "SELECT AVG(h.qps) FROM alerts.cluster_risk_snapshots h LEFT JOIN byoc.accounts a ON h.account_id = a.biz_id",
]


@pytest.mark.parametrize(("sql", "caveat"), MISLEADING)
def test_a_misleading_statement_is_told_why(sql: str, caveat: str) -> None:
    assert any(caveat in told for told in caveats(sql))


@pytest.mark.parametrize("sql", HONEST)
def test_an_honest_statement_is_told_nothing(sql: str) -> None:
    assert caveats(sql) == ()


@pytest.mark.parametrize("name", queries.names())
def test_the_doors_own_queries_take_the_right_ids_and_times(name: str) -> None:
    text = queries.text(name)
    values = dict.fromkeys(("metrics", "pattern", "level", "severity"), "starrocks_fe_qps") | {"cluster": UUID}
    wanted = {match.partition(")")[0] for match in text.split("%(")[1:]}
    admitted = Guard(schema.TABLES).admit(queries.bound(name, **{key: values.get(key, 24) for key in wanted}), 500)
    told = admitted.remarks.all_caveats(KINDS)
    assert not any("never" in caveat or "Pacific" in caveat for caveat in told)


def test_what_a_metric_is_decides_whether_its_sum_is_wrong() -> None:
    found = remarks(f"SELECT SUM(last_value) FROM {SNAPSHOTS} WHERE {OF_QUERIES}")
    assert found.all_caveats({}) == ()
    assert "counter" in found.all_caveats(KINDS)[0]


@pytest.mark.parametrize(
    ("sql", "order"),
    [
        ("SELECT 1", ""),
        ("SELECT biz_id FROM byoc.clusters ORDER BY created_at DESC, biz_id", "created_at DESC, biz_id"),
        ("SELECT biz_id FROM byoc.clusters UNION ALL SELECT biz_id FROM byoc.accounts ORDER BY 1", "1"),
        ("SELECT biz_id FROM (SELECT biz_id FROM byoc.clusters ORDER BY biz_id LIMIT 3) AS x", ""),
    ],
)
def test_only_the_order_of_the_whole_result_is_told(sql: str, order: str) -> None:
    assert remarks(sql).order == order


def test_no_more_than_five_caveats_are_told_and_none_twice() -> None:
    many = " OR ".join(f"cluster_id = 'short-{place}' OR cluster_id = 'short-{place}'" for place in range(9))
    told = caveats(f"SELECT * FROM byoc.cluster_info WHERE {many}")
    assert len(told) == len(set(told)) == 5
