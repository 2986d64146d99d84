"""The simulated clusters' own front ends: what a client sees that stands before one of them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import aiomysql
import pymysql
import pytest

from sandbox.launch import Endpoint
from tests.sandbox.conftest import rows

Before = Callable[[str], Any]


@pytest.fixture
async def before(warehouse: Endpoint) -> AsyncIterator[Before]:
    """Opens connections that stand before a cluster, with rows as dictionaries."""
    async with AsyncExitStack() as opened:

        async def open_one(prefix: str, password: str = "reader") -> Any:
            connection = await aiomysql.connect(
                host=warehouse.host, port=warehouse.port, user=f"live:{prefix}", password=password
            )
            opened.callback(connection.close)
            return connection

        yield open_one


async def listing(connection: Any, sql: str) -> list[dict[str, Any]]:
    """The rows of a SHOW by column name."""
    async with connection.cursor(aiomysql.DictCursor) as cursor:
        await cursor.execute(sql)
        return list(await cursor.fetchall())


def struck_by(truth: dict[str, Any], kind: str) -> str:
    """A cluster in which the fault was planted."""
    return str(next(fault["cluster_id"] for fault in truth["faults"] if fault["kind"] == kind))


async def workers(connection: Any) -> list[dict[str, Any]]:
    """BE and CN nodes; a cluster has one or the other."""
    backends = await listing(connection, "SHOW BACKENDS")
    nodes = await listing(connection, "SHOW COMPUTE NODES")
    assert not (backends and nodes)
    return backends or nodes


async def test_a_node_that_is_down_is_not_alive_and_says_why(before: Before, truth: dict[str, Any]) -> None:
    found = await workers(await before(struck_by(truth, "node_down")))
    dead = [node for node in found if node["Alive"] == "false"]
    assert 0 < len(dead) < len(found)
    assert all("refused" in node["ErrMsg"] and node["NumRunningQueries"] == "0" for node in dead)
    assert all(node["LastHeartbeat"] < found[0]["LastHeartbeat"] for node in dead)


async def test_the_nodes_of_a_healthy_cluster_all_answer(before: Before, truth: dict[str, Any]) -> None:
    connection = await before(truth["must_not_flag"][0][:8])
    assert {node["Alive"] for node in await workers(connection)} == {"true"}
    frontends = await listing(connection, "SHOW FRONTENDS")
    assert [node["Role"] for node in frontends].count("LEADER") == 1


async def test_the_fullest_node_is_as_full_as_the_newest_metrics_say(
    before: Before, truth: dict[str, Any], warehouse: Endpoint
) -> None:
    classic = [fault["cluster_id"] for fault in truth["faults"]]
    reader = await aiomysql.connect(host=warehouse.host, port=warehouse.port, user="reader", password="reader")
    newest = await rows(
        reader,
        "SELECT c.biz_id, MAX_BY(s.last_value, s.snapshot_hour) FROM byoc.clusters AS c "
        "JOIN metrics.amv_hourly_snapshots_v1 AS s ON s.cluster_id = c.biz_id "
        "WHERE c.cluster_type = 'CLASSIC' AND s.metric_name = 'starrocks_be_disks_data_used_pct' GROUP BY c.biz_id",
    )
    reader.close()
    known = {cluster: percent for cluster, percent in newest if cluster in classic}
    assert known
    for cluster, percent in known.items():
        nodes = await listing(await before(cluster), "SHOW BACKENDS")
        fullest = max(float(node["MaxDiskUsedPct"].removesuffix(" %")) for node in nodes)
        assert fullest == pytest.approx(percent, abs=0.01)


async def test_the_same_nodes_and_the_running_queries_stand_in_proc(before: Before, truth: dict[str, Any]) -> None:
    connection = await before(struck_by(truth, "cpu_saturation"))
    assert await listing(connection, "SHOW PROC '/frontends'")
    both = [
        *await listing(connection, "SHOW PROC '/backends'"),
        *await listing(connection, "SHOW PROC '/compute_nodes'"),
    ]
    assert len(both) == len(await workers(connection))
    running = await listing(connection, "SHOW PROC '/current_queries/'")
    assert 4 <= len(running) <= 20
    assert {"QueryId", "User", "MemoryUsage", "ExecTime", "ScanRows"} <= set(running[0])
    with pytest.raises(pymysql.err.ProgrammingError, match="doesn't exist"):
        await listing(connection, "SHOW PROC '/secrets'")
    with pytest.raises(pymysql.err.ProgrammingError, match="needs a path"):
        await listing(connection, "SHOW PROC")


async def test_who_stands_before_a_cluster_can_read_no_table(before: Before, truth: dict[str, Any]) -> None:
    connection = await before(truth["must_flag"][0])
    with pytest.raises(pymysql.err.MySQLError) as refused:
        await rows(connection, "SELECT 1 FROM byoc.clusters")
    assert refused.value.args[0] == 5203
    with pytest.raises(pymysql.err.MySQLError):
        await rows(connection, "INSERT INTO alerts.patrol_reports (report_id) VALUES ('x')")


@pytest.mark.parametrize(
    ("prefix", "password"), [("", "reader"), ("abc", "reader"), ("zzzzzzzz", "reader"), (None, "x")]
)
async def test_no_such_cluster_or_another_password_is_refused_like_any_login(
    before: Before, truth: dict[str, Any], prefix: str | None, password: str
) -> None:
    with pytest.raises(pymysql.err.OperationalError) as refused:
        await before(truth["must_flag"][0] if prefix is None else prefix, password)
    assert refused.value.args[0] == 1045


async def test_the_reader_of_the_warehouse_sees_no_cluster_in_its_proc(warehouse: Endpoint) -> None:
    reader = await aiomysql.connect(host=warehouse.host, port=warehouse.port, user="reader", password="reader")
    try:
        with pytest.raises(pymysql.err.MySQLError, match="live users"):
            await rows(reader, "SHOW PROC '/backends'")
        assert len(await rows(reader, "SHOW BACKENDS")) == 1
    finally:
        reader.close()
