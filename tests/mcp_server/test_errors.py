"""Whatever goes wrong at the door, its answer has a code, the offending part, what is near, and what to try."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from mcp import Client

from mcp_server.config import WarehouseConfig
from mcp_server.door import Door
from mcp_server.errors import Code, DoorError
from mcp_server.limits import Allowance
from mcp_server.principal import LOCAL
from mcp_server.server import build_server

Configs = Callable[..., WarehouseConfig]
ENDLESS = (
    "SELECT COUNT(*) FROM byoc.cluster_log AS a JOIN byoc.cluster_log AS b ON a.message <> b.message "
    "JOIN byoc.cluster_log AS c ON c.message <> b.message JOIN byoc.cluster_log AS d ON d.message <> c.message"
)

FAILURES = [
    (Code.SYNTAX, "SELECT biz_id FORM byoc.clusters WHERE", {}),
    (Code.SYNTAX, "SELECT FROM", {}),
    (Code.UNKNOWN_COLUMN, "SELECT cluster_nam FROM byoc.clusters", {}),
    (Code.UNKNOWN_TABLE, "SELECT 1 FROM byoc.clusterz", {}),
    (Code.PERMISSION, "SELECT 1 FROM mysql.user", {}),
    (Code.PERMISSION, "SELECT SLEEP(1)", {}),
    (Code.TIMEOUT, ENDLESS, {"timeout_seconds": 0.3}),
    (Code.TYPE_MISMATCH, "SELECT CAST('no number' AS DATE) + DATE_TRUNC('day', 'x', 1)", {}),
    (Code.READ_ONLY, "DELETE FROM byoc.clusters", {}),
    (Code.READ_ONLY, "SELECT 1; SELECT 2", {}),
    (Code.UNAVAILABLE, "SELECT 1", {"port": 1, "connect_seconds": 0.5}),
    (Code.BAD_ARGUMENT, "SELECT biz_id FROM byoc.clusters LIMIT 1 + 1", {}),
]
NEAR = {Code.UNKNOWN_COLUMN: "cluster_name", Code.UNKNOWN_TABLE: "byoc.clusters"}


@asynccontextmanager
async def client_of(config: WarehouseConfig, **settings: Any) -> AsyncIterator[Client]:
    async with Door(config, **settings) as door, Client(build_server(door, LOCAL)) as client:
        yield client


@pytest.mark.parametrize(("code", "sql", "settings"), FAILURES)
async def test_a_failed_statement_names_its_part_and_a_way_on(
    config: Configs, code: Code, sql: str, settings: dict[str, Any]
) -> None:
    async with client_of(config(**settings)) as client:
        answer = await client.call_tool("read_query", {"sql": sql})
    error = answer.structured_content
    assert answer.is_error
    assert error["code"] == code
    assert error["part"]
    assert error["hint"]
    assert NEAR.get(code, "") in ", ".join(error["near"])


async def test_a_call_too_many_names_the_tool_and_when_to_come_again(config: Configs) -> None:
    async with client_of(config(), allowance=Allowance(per_minute=1)) as client:
        await client.call_tool("read_query", {"sql": "SELECT 1"})
        error = (await client.call_tool("read_query", {"sql": "SELECT 1"})).structured_content
    assert (error["code"], error["part"]) == ("rate_limited", "read_query")
    assert "wait" in error["hint"]


@pytest.mark.parametrize("code", list(Code))
def test_every_kind_of_failure_has_something_to_try(code: Code) -> None:
    error = DoorError(code, "it failed")
    error.about("a part")
    error.about("another part")
    assert error.data() == {"code": code, "reason": "it failed", "part": "a part", "near": [], "hint": error.hint}
    assert error.text() == f"{code.upper()}: it failed | a part | try: {error.hint}"
