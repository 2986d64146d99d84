"""The same door for other programs: over stdio in a process of its own."""

import json
import sys
from collections.abc import Callable

from mcp import Client, StdioServerParameters

from mcp_server.config import WarehouseConfig

SERVE = """
import asyncio, sys
from mcp_server.config import WarehouseConfig
from mcp_server.door import Door
from mcp_server.server import STDIO, build_server
async def serve(config):
    async with Door(config) as door:
        await build_server(door, STDIO).run_stdio_async()
asyncio.run(serve(WarehouseConfig.model_validate_json(sys.argv[1])))
"""


async def test_the_door_serves_over_stdio_and_prints_nothing_else(config: Callable[..., WarehouseConfig]) -> None:
    reader = config()
    settings = json.dumps(reader.model_dump() | {"password": reader.password.get_secret_value()})
    server = StdioServerParameters(command=sys.executable, args=["-c", SERVE, settings])
    async with Client(server, read_timeout_seconds=20) as client:
        assert len((await client.list_tools()).tools) == 14
        result = await client.call_tool("read_query", {"sql": "SELECT COUNT(*) AS n FROM byoc.clusters"})
        assert result.structured_content["rows"] == [[7]]
        refused = await client.call_tool("read_query", {"sql": "DROP TABLE byoc.clusters"})
        assert refused.is_error
        assert refused.structured_content["code"] == "read_only"


def test_a_config_keeps_its_password_to_itself() -> None:
    config = WarehouseConfig.model_validate({"user": "reader", "password": "hunter2"})
    assert "hunter2" not in repr(config) + str(config) + config.model_dump_json()
