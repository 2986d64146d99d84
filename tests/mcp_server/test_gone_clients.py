"""A client that gives up, hangs up or dies takes its statement with it, whatever lies between it and the door."""

import asyncio
import json
import sys
from collections.abc import Callable

from mcp import Client

from mcp_server.config import WarehouseConfig
from mcp_server.door import Door
from mcp_server.executor import Executor
from mcp_server.http import HTTP, HttpConfig, serving
from mcp_server.server import build_server
from tests.mcp_server.test_server import SERVE

Configs = Callable[..., WarehouseConfig]

SLOW = (
    "SELECT COUNT(*) AS endless FROM byoc.cluster_log AS a JOIN byoc.cluster_log AS b ON a.message <> b.message "
    "JOIN byoc.cluster_log AS c ON c.message <> b.message JOIN byoc.cluster_log AS d ON d.message <> c.message"
)


async def until_running(watcher: Executor, count: int) -> None:
    """Wait until the warehouse works on so many endless statements."""
    async with asyncio.timeout(40):
        while True:
            fetched = await watcher.fetch("SHOW PROCESSLIST", max_rows=100)
            if sum("endless" in str(row) for row in fetched.rows) == count:
                return


async def test_a_call_cancelled_in_process_ends_its_statement(config: Configs) -> None:
    async with Executor(config()) as watcher, Door(config()) as door, Client(build_server(door)) as client:
        call = asyncio.create_task(client.call_tool("read_query", {"sql": SLOW}))
        await until_running(watcher, 1)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        await until_running(watcher, 0)
        assert not (await client.call_tool("read_query", {"sql": "SELECT 1 AS a FROM byoc.clusters LIMIT 1"})).is_error


async def test_a_client_that_leaves_ends_its_statements(config: Configs) -> None:
    async with Executor(config()) as watcher, Door(config()) as door:
        leaving = asyncio.Event()

        async def visit() -> None:
            async with Client(build_server(door)) as client:
                calls = [asyncio.create_task(client.call_tool("read_query", {"sql": SLOW})) for _ in range(3)]
                await leaving.wait()
                for call in calls:
                    call.cancel()

        visitor = asyncio.create_task(visit())
        await until_running(watcher, 3)
        leaving.set()
        await visitor
        await until_running(watcher, 0)


async def test_a_door_that_dies_leaves_nothing_running(config: Configs) -> None:
    reader = config()
    settings = json.dumps(reader.model_dump() | {"password": reader.password.get_secret_value()})
    script = SERVE.split("asyncio.run", maxsplit=1)[0] + (
        "from mcp_server.executor import Executor\n"
        "config = WarehouseConfig.model_validate_json(sys.argv[1])\n"
        f"asyncio.run(Executor(config).fetch({SLOW!r}, max_rows=1))\n"
    )
    async with Executor(config()) as watcher:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, settings)
        await until_running(watcher, 1)
        process.kill()
        await process.wait()
        await until_running(watcher, 0)


async def test_a_call_over_http_that_is_cancelled_ends_its_statement(config: Configs) -> None:
    async with (
        Executor(config()) as watcher,
        Door(config()) as door,
        serving(build_server(door, HTTP), HttpConfig()) as url,
        Client(url) as client,
    ):
        call = asyncio.create_task(client.call_tool("read_query", {"sql": SLOW}))
        await until_running(watcher, 1)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        await until_running(watcher, 0)


ASK = """
import asyncio, sys
from mcp import Client
async def main():
    async with Client(sys.argv[1]) as client:
        await client.call_tool("read_query", {"sql": sys.argv[2]})
asyncio.run(main())
"""


async def test_a_client_over_http_that_dies_ends_its_statement(config: Configs) -> None:
    async with (
        Executor(config()) as watcher,
        Door(config()) as door,
        serving(build_server(door, HTTP), HttpConfig()) as url,
    ):
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", ASK, url, SLOW)
        await until_running(watcher, 1)
        process.kill()
        await process.wait()
        await until_running(watcher, 0)
