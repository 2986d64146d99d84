"""Who asks, from the metadata of a call to the rows that it gives; the tools hold to the scope like any SQL."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import CallToolResult

import schema
from agent.mcp_connection import McpConnection
from agent.mcp_tools import McpTools
from mcp_server.config import WarehouseConfig
from mcp_server.door import Door
from mcp_server.principal import META_KEY, UNNAMED, Caller, Principal, caller_named
from mcp_server.scope import Scopes, load_scopes
from mcp_server.server import STDIO, build_server
from tests.mcp_server import fleet

OURS = "acc000001"
THEIRS = ("twin", "old", "DROP TABLE", fleet.TWIN_ONE, fleet.TWIN_TWO, fleet.OLD_ACTIVE, fleet.HOSTILE)
CUSTOMER = {"surface": "slack", "channel": "C-CUSTOMER", "user": "U1", "thread": "slack:T1:C-CUSTOMER:1.2"}
OPERATOR = {"surface": "terminal", "channel": "", "user": "op", "thread": "terminal:1"}


@pytest.fixture
def scopes(tmp_path: Path) -> Scopes:
    """Account acc000001 is the only one to be seen in C-CUSTOMER; no other channel is listed."""
    path = tmp_path / "scopes.yaml"
    path.write_text(f"scopes: [{{surface: slack, channel: C-CUSTOMER, accounts: [{OURS}]}}]")
    return load_scopes(path, schema.TABLES)


@asynccontextmanager
async def server(config: WarehouseConfig, scopes: Scopes, caller: Caller | None = None) -> AsyncIterator[Client]:
    async with Door(config, scopes=scopes) as door, Client(build_server(door, caller)) as client:
        yield client


async def called(client: Client, by: Any, tool: str, **arguments: Any) -> CallToolResult:
    meta: Any = {META_KEY: by} if by is not None else None
    return await client.call_tool(tool, arguments, meta=meta)


def text(result: CallToolResult) -> str:
    return "\n".join(getattr(item, "text", "") for item in result.content)


async def test_the_same_question_shows_a_customer_its_clusters_and_the_operator_all(
    config: Callable[..., WarehouseConfig], scopes: Scopes
) -> None:
    sql = "SELECT biz_id FROM byoc.clusters ORDER BY biz_id"
    async with server(config(), scopes) as client:
        ours = await called(client, CUSTOMER, "read_query", sql=sql)
        everything = await called(client, OPERATOR, "read_query", sql=sql)
    assert (ours.structured_content or {})["rows"] == [[fleet.PROD], [fleet.SIBLING]]
    assert (everything.structured_content or {})["row_count"] == 7


@pytest.mark.parametrize("name", ["twin", "twi", fleet.TWIN_ONE, fleet.TWIN_ONE[:8], "old", "x'; DROP"])
@pytest.mark.parametrize(
    "tool", ["query_cluster_info", "query_cluster_alerts", "query_similar_clusters", "search_logs"]
)
async def test_the_clusters_of_others_are_neither_found_nor_named(
    config: Callable[..., WarehouseConfig], scopes: Scopes, tool: str, name: str
) -> None:
    async with server(config(), scopes) as client:
        # The operator looks first: nothing that was read for somebody else may serve the customer.
        known = text(await called(client, OPERATOR, tool, cluster=name))
        result = await called(client, CUSTOMER, tool, cluster=name)
    assert any(theirs in known for theirs in THEIRS)
    assert result.is_error
    assert "there is no such cluster" in text(result)
    assert not any(theirs in text(result).replace(name, "") for theirs in THEIRS)


async def test_tools_about_the_fleet_count_what_the_customer_has(
    config: Callable[..., WarehouseConfig], scopes: Scopes
) -> None:
    async with server(config(), scopes) as client:
        summary = await called(client, CUSTOMER, "query_fleet_summary")
        issues = await called(client, CUSTOMER, "query_open_issues")
        memory = await called(client, CUSTOMER, "query_agent_memory")
    rows = (summary.structured_content or {})["rows"]
    assert ["clusters", "active", 2] in rows
    assert fleet.TWIN_ONE not in text(issues) + text(summary)
    assert [row[-1] for row in (memory.structured_content or {})["rows"]] == ["inv-2", "inv-1"]
    assert "without the flags of past patrols" in text(memory)
    assert "rep-1" not in text(memory)


@pytest.mark.parametrize("by", [None, {"surface": "slack", "channel": "C-OTHER"}])
async def test_who_is_not_listed_or_not_named_sees_nothing(
    config: Callable[..., WarehouseConfig], scopes: Scopes, by: Any
) -> None:
    async with server(config(), scopes) as client:
        result = await called(client, by, "read_query", sql="SELECT COUNT(*) FROM byoc.clusters")
    assert result.is_error
    assert (result.structured_content or {})["code"] == "permission"


@pytest.mark.parametrize(
    "claim",
    ["slack", [], {}, {"surface": ""}, {"surface": "slack", "admin": True}, {"surface": 1}, {"surface": "x" * 99}],
)
async def test_a_malformed_claim_is_refused(config: Callable[..., WarehouseConfig], scopes: Scopes, claim: Any) -> None:
    async with server(config(), scopes) as client:
        result = await called(client, claim, "read_query", sql="SELECT 1")
    assert result.is_error
    assert (result.structured_content or {})["code"] == "bad_argument"


async def test_a_client_from_outside_cannot_say_that_it_is_somebody_else(
    config: Callable[..., WarehouseConfig], scopes: Scopes
) -> None:
    async with server(config(), scopes, STDIO) as client:
        result = await called(client, OPERATOR, "read_query", sql="SELECT COUNT(*) FROM byoc.clusters")
    assert (result.structured_content or {})["code"] == "permission"


def test_metadata_names_the_caller_and_its_thread() -> None:
    assert caller_named({META_KEY: CUSTOMER}) == Caller(Principal("slack", "C-CUSTOMER", "U1"), CUSTOMER["thread"])
    assert caller_named({"progressToken": 1}) == UNNAMED
    assert caller_named(None) == UNNAMED


async def test_the_agents_tools_speak_for_their_own_caller_even_at_once(
    config: Callable[..., WarehouseConfig], scopes: Scopes
) -> None:
    async with (
        Door(config(), scopes=scopes) as door,
        McpConnection(lambda: build_server(door), name="warehouse") as connection,
    ):
        tools = McpTools(connection)
        question = {"sql": "SELECT COUNT(*) FROM byoc.clusters"}
        theirs, own, unnamed = await asyncio.gather(
            tools.called_by(CUSTOMER).call("read_query", question),
            tools.called_by(OPERATOR).call("read_query", question),
            tools.call("read_query", question),
        )
    assert (theirs.data or {})["rows"] == [[2]]
    assert (own.data or {})["rows"] == [[7]]
    assert unnamed.is_error
