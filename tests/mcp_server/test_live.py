"""Live state: from the own front end of a cluster where one answers, else from the warehouse; it is told which."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from mcp import Client
from pydantic import SecretStr

from mcp_server.config import WarehouseConfig
from mcp_server.door import Door
from mcp_server.endpoints import LiveEndpoint
from mcp_server.errors import WarehouseError
from mcp_server.live import Frontends
from mcp_server.server import build_server
from sandbox.launch import Endpoint

Opened = Callable[..., Any]


def struck_by(truth: dict[str, Any], kind: str) -> str:
    """A cluster in which the fault was planted."""
    return str(next(fault["cluster_id"] for fault in truth["faults"] if fault["kind"] == kind))


def endpoint(warehouse: Endpoint, cluster: str, **changes: Any) -> LiveEndpoint:
    """The front end that the embedded warehouse plays for a cluster."""
    known = {"host": warehouse.host, "port": warehouse.port, "user": f"live:{cluster[:13]}"}
    return LiveEndpoint(**{**known, "password": SecretStr("reader"), **changes})


@pytest.fixture
def asked(warehouse: Endpoint) -> Opened:
    """Asks for the live state of a cluster through a door that knows the endpoints; gives the tool's result."""

    @asynccontextmanager
    async def connected(live: dict[str, LiveEndpoint]) -> AsyncIterator[Client]:
        user, password = warehouse.reader
        config = WarehouseConfig(
            host=warehouse.host, port=warehouse.port, user=user, password=SecretStr(password), live=live
        )
        async with Door(config) as door, Client(build_server(door)) as client:
            yield client

    async def ask(cluster: str, live: dict[str, LiveEndpoint]) -> Any:
        async with connected(live) as client:
            result = await client.call_tool("query_live_state", {"cluster": cluster})
            assert not result.is_error, result.content
            return result

    return ask


def nodes(result: Any) -> list[dict[str, Any]]:
    data = result.structured_content
    names = [column["name"] for column in data["columns"]]
    return [dict(zip(names, row, strict=True)) for row in data["rows"]]


async def test_the_nodes_come_from_the_clusters_own_front_end_those_that_are_down_first(
    asked: Opened, warehouse: Endpoint, truth: dict[str, Any]
) -> None:
    cluster = struck_by(truth, "node_down")
    result = await asked(cluster, {cluster: endpoint(warehouse, cluster)})
    found = nodes(result)
    dead = [node for node in found if node["alive"] == "false"]
    assert 0 < len(dead) < len(found)
    assert found[: len(dead)] == dead
    assert all("Connection refused" in node["error"] and node["kind"] in ("BE", "CN") for node in dead)
    assert all((node["cpu_pct"], node["mem_pct"], node["running_queries"]) == (None, None, None) for node in dead)
    text = result.content[0].text
    assert "as its own front end told at" in text
    assert f"{len(found)} nodes, {len(dead)} not alive" in text
    assert result.structured_content["sql"].startswith("SHOW FRONTENDS; SHOW BACKENDS")
    assert result.structured_content["query_id"] in text


async def test_figures_of_nodes_and_of_running_queries_are_read_out_of_their_units(
    asked: Opened, warehouse: Endpoint, truth: dict[str, Any]
) -> None:
    cluster = struck_by(truth, "cpu_saturation")
    result = await asked(cluster, {cluster: endpoint(warehouse, cluster)})
    workers = [node for node in nodes(result) if node["kind"] != "FE"]
    assert max(node["cpu_pct"] for node in workers) > 60
    assert all(0 < node["mem_pct"] <= 100 for node in workers)
    text = result.content[0].text
    assert "queries run, the longest: " in text
    seconds = [float(part.rpartition(" ")[2]) for part in text.split(" s (user ")[:-1]]
    assert len(seconds) == 3
    assert seconds == sorted(seconds, reverse=True)


async def test_without_a_front_end_the_warehouse_answers_and_says_so(asked: Opened, truth: dict[str, Any]) -> None:
    text = (await asked(truth["must_not_flag"][0], {})).content[0].text
    assert "last state known to the warehouse" in text
    assert "no front end of its own is configured" in text


@pytest.mark.parametrize("changes", [{"port": 1}, {"password": SecretStr("wrong")}, {"user": "live:nobody00"}])
async def test_a_front_end_that_does_not_answer_is_said_and_the_warehouse_stands_in(
    asked: Opened, warehouse: Endpoint, truth: dict[str, Any], changes: dict[str, Any]
) -> None:
    cluster = truth["must_flag"][0]
    result = await asked(cluster, {cluster: endpoint(warehouse, cluster, **changes)})
    text = result.content[0].text
    assert "its own front end gave no answer (unavailable)" in text
    assert "last state known to the warehouse" in text
    assert {row["metric_name"] for row in nodes(result)} >= {"up", "starrocks_fe_qps"}
    assert "wrong" not in text


async def test_what_a_front_end_may_not_tell_is_named_and_the_rest_is_shown(warehouse: Endpoint) -> None:
    # The warehouse's own reader may list nodes but no processes.
    user, password = warehouse.reader
    plain = LiveEndpoint(host=warehouse.host, port=warehouse.port, user=user, password=SecretStr(password))
    state = await Frontends({"c": plain}, lambda: "q-1").look("C")
    assert [row[0] for row in state.nodes.rows] == ["FE", "BE"]
    assert "not told (SHOW PROC '/current_queries': execution)" in state.notes


async def test_a_front_end_that_hangs_is_left_after_its_seconds(warehouse: Endpoint) -> None:
    async def swallow(reader: Any, writer: Any) -> None:
        try:
            await reader.read()
        finally:
            writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    async with server:
        silent = LiveEndpoint(host="127.0.0.1", port=server.sockets[0].getsockname()[1], user="u")
        with pytest.raises(WarehouseError) as failed:
            await Frontends({"c": silent}, lambda: "q-1", seconds=0.2).look("c")
    assert failed.value.code == "unavailable"
