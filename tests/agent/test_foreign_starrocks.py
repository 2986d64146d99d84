"""StarRocks' own MCP server as a foreign one, in an environment of its own, in front of the simulated fleet."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pydantic import SecretStr

import schema
from agent.foreign import AllowedTool, ForeignServer, tools_hash
from agent.foreign_tools import ForeignTools, foreign_connection
from agent.mcp_connection import ConnectionTimes
from bot.neighbours import guarded
from mcp_server.guard import Guard
from sandbox.launch import Endpoint
from tests.neighbours import programs

pytestmark = [
    pytest.mark.neighbours,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(
        not programs.STARROCKS.exists(),
        reason="mcp-server-starrocks has no environment here; `make neighbours` makes it or says why it cannot",
    ),
]

HASH = "sha256:29aea9cd1c2b7e26616c3c5d7d565bb7e2d746640ef4998d812f343e425607cd"
DATABASES = ("metrics", "byoc", "alerts")
TOOLS = {
    "analyze_query": AllowedTool(access="read_only", arguments={"sql": "sql", "uuid": "word", "db": DATABASES}),
    "table_overview": AllowedTool(access="read_only", arguments={"table": "table"}),
    "db_summary": AllowedTool(access="read_only", arguments={"db": DATABASES}),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def starrocks(warehouse: Endpoint) -> AsyncIterator[ForeignTools]:
    """Its three reading tools as an operator would allow them, on the reader's account."""
    user, password = warehouse.reader
    env = {
        "STARROCKS_HOST": warehouse.host,
        "STARROCKS_PORT": str(warehouse.port),
        "STARROCKS_USER": user,
        "STARROCKS_PASSWORD": password,
        "STARROCKS_USE_PURE": "true",
    }
    server = ForeignServer(
        name="starrocks",
        command=str(programs.STARROCKS),
        env={name: SecretStr(value) for name, value in env.items()},
        tools=TOOLS,
        hash=HASH,
        error_prefix="Error",
    )
    async with foreign_connection(server, ConnectionTimes(call=30.0, connect=30.0)) as connection:
        yield ForeignTools(server, connection, guarded(Guard(schema.TABLES)))


async def test_its_reading_tools_are_offered_and_its_writing_ones_are_not(starrocks: ForeignTools) -> None:
    specs = await starrocks.specs()
    assert [spec.name for spec in specs] == [
        "starrocks_analyze_query",
        "starrocks_db_summary",
        "starrocks_table_overview",
    ]
    listed = {tool.name for tool in starrocks.connection.listed}
    assert {"read_query", "write_query"} <= listed
    assert tools_hash([tool for tool in starrocks.connection.listed if tool.name in TOOLS]) == HASH
    refused = await starrocks.call("starrocks_write_query", {"query": "DROP TABLE byoc.clusters"})
    assert (refused.data or {})["code"] == "permission"


async def test_it_answers_about_tables_and_databases_of_the_fleet(starrocks: ForeignTools) -> None:
    sql = "SELECT region_id, count(*) AS n FROM byoc.clusters GROUP BY region_id"
    analyzed = await starrocks.call("starrocks_analyze_query", {"sql": sql})
    overview = await starrocks.call("starrocks_table_overview", {"table": "byoc.clusters"})
    summary = await starrocks.call("starrocks_db_summary", {"db": "byoc"})
    assert not analyzed.is_error, analyzed.text
    assert "Hash Group By" in analyzed.text
    assert not overview.is_error, overview.text
    assert "cluster_name" in overview.text
    assert not summary.is_error, summary.text
    assert "clusters" in summary.text


@pytest.mark.parametrize(
    ("tool", "arguments", "code"),
    [
        ("analyze_query", {"sql": "DELETE FROM byoc.clusters"}, "read_only"),
        ("analyze_query", {"sql": "SELECT 1; DROP TABLE byoc.clusters"}, "read_only"),
        ("analyze_query", {"sql": "SELECT * FROM mysql.user"}, "permission"),
        ("analyze_query", {"uuid": "x') UNION SELECT 1 --"}, "bad_argument"),
        ("table_overview", {"table": "byoc.clusters`; DROP TABLE byoc.clusters; --"}, "bad_argument"),
        ("table_overview", {"table": "information_schema.tables"}, "permission"),
        ("db_summary", {"db": "mysql"}, "bad_argument"),
    ],
    ids=str,
)
async def test_our_guard_stands_before_every_argument_that_it_puts_into_sql(
    starrocks: ForeignTools, tool: str, arguments: dict[str, str], code: str
) -> None:
    result = await starrocks.call(f"starrocks_{tool}", arguments)
    assert result.is_error
    assert (result.data or {})["code"] == code, result.text


async def test_its_errors_are_errors_though_it_does_not_mark_them(starrocks: ForeignTools) -> None:
    result = await starrocks.call("starrocks_analyze_query", {"sql": "SELECT no_such_column AS x FROM byoc.clusters"})
    assert result.is_error, result.text
