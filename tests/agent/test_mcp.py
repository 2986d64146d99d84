"""The MCP connection and its tools, against real servers of the SDK: in process, over stdio and over HTTP."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from mcp import StdioServerParameters
from mcp.server import MCPServer, Server
from mcp.types import CallToolResult, ListToolsResult, TextContent, Tool

from agent.errors import ToolsUnavailable, ToolTimedOut
from agent.mcp_connection import MAX_PAGES, ConnectionTimes, McpConnection
from agent.mcp_tools import McpTools
from tests.machine import on_this_machine

TIMES = ConnectionTimes(call=40.0, connect=40.0, first_delay=0.01, last_delay=0.02)


class Warehouse:
    """A server with a few tools, and what it saw."""

    def __init__(self) -> None:
        self.cancelled = asyncio.Event()
        self.entered = asyncio.Event()
        self.server: MCPServer[Any] = MCPServer("warehouse")
        for tool in (self.rows, self.refuse, self.hang, self.boom):
            self.server.tool()(tool)

    async def rows(self, count: int) -> CallToolResult:
        """Gives rows."""
        content = [TextContent(type="text", text=f"{count} rows"), TextContent(type="text", text="-- all")]
        return CallToolResult(content=content, structured_content={"row_count": count})

    async def refuse(self) -> CallToolResult:
        """Refuses."""
        content = [TextContent(type="text", text="read_only: DROP | only SELECT")]
        return CallToolResult(content=content, structured_content={"code": "read_only"}, is_error=True)

    async def hang(self) -> CallToolResult:
        """Hangs until it is cancelled."""
        self.entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()
        raise AssertionError("nobody sets this event")

    async def boom(self) -> CallToolResult:
        """Fails by a defect of its own."""
        raise RuntimeError("password=hunter2")


@asynccontextmanager
async def connected(target: Any, **kwargs: Any) -> AsyncIterator[McpConnection]:
    async with McpConnection(
        lambda: target, name="warehouse", times=kwargs.pop("times", TIMES), **kwargs
    ) as connection:
        yield connection


async def test_tools_are_listed_by_name_with_their_schemas() -> None:
    async with connected(Warehouse().server) as connection:
        specs = await McpTools(connection).specs()
    assert [spec.name for spec in specs] == ["boom", "hang", "refuse", "rows"]
    assert specs[3].description == "Gives rows."
    assert specs[3].input_schema["required"] == ["count"]


async def test_a_server_that_pages_for_ever_is_listed_as_far_as_the_limit() -> None:
    asked: list[str | None] = []

    async def list_tools(context: Any, params: Any) -> ListToolsResult:
        asked.append(params.cursor if params else None)
        tool = Tool(name=f"tool{len(asked)}", input_schema={"type": "object"})
        return ListToolsResult(tools=[tool], next_cursor=str(len(asked)))

    async with connected(Server("endless", on_list_tools=list_tools)) as connection:
        assert len(await connection.tools()) == MAX_PAGES
    assert asked[:3] == [None, "1", "2"]


async def test_a_result_has_its_text_and_its_data() -> None:
    async with connected(Warehouse().server) as connection:
        result = await McpTools(connection).call("rows", {"count": 3})
    assert (result.text, result.data, result.is_error) == ("3 rows\n-- all", {"row_count": 3}, False)


async def test_an_error_of_a_tool_is_kept_as_an_error_with_its_code() -> None:
    async with connected(Warehouse().server) as connection:
        result = await McpTools(connection).call("refuse", {})
    assert (result.text, result.data, result.is_error) == (
        "read_only: DROP | only SELECT",
        {"code": "read_only"},
        True,
    )


@pytest.mark.parametrize(("name", "arguments"), [("nope", {}), ("rows", {"count": "many"}), ("boom", {})])
async def test_a_wrong_or_broken_call_is_an_error_result(name: str, arguments: dict[str, Any]) -> None:
    async with connected(Warehouse().server) as connection:
        result = await McpTools(connection).call(name, arguments)
    assert result.is_error
    assert "hunter2" not in result.text


async def test_tools_that_are_not_allowed_are_neither_seen_nor_called() -> None:
    async with connected(Warehouse().server) as connection:
        tools = McpTools(connection, only=frozenset({"rows"}))
        assert [spec.name for spec in await tools.specs()] == ["rows"]
        result = await tools.call("refuse", {})
    assert (result.is_error, (result.data or {})["code"]) == (True, "permission")


async def test_calls_run_side_by_side() -> None:
    house = Warehouse()
    async with connected(house.server) as connection:
        hanging = asyncio.create_task(connection.call("hang", {}))
        await house.entered.wait()
        assert (await connection.call("rows", {"count": 1})).structured_content == {"row_count": 1}
        hanging.cancel()
        await asyncio.gather(hanging, return_exceptions=True)


async def test_a_caller_that_is_cancelled_takes_its_call_with_it() -> None:
    house = Warehouse()
    async with connected(house.server) as connection:
        task = asyncio.create_task(McpTools(connection).call("hang", {}))
        await house.entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(40):
            await house.cancelled.wait()
        assert not (await McpTools(connection).call("rows", {"count": 1})).is_error


async def test_a_call_that_takes_too_long_is_given_up_and_cancelled_in_the_server() -> None:
    house = Warehouse()
    async with connected(house.server, times=ConnectionTimes(on_this_machine(0.1), 20.0)) as connection:
        with pytest.raises(ToolTimedOut):
            await connection.call("hang", {})
        async with asyncio.timeout(40):
            await house.cancelled.wait()
        house.entered.clear()
        result = await McpTools(connection).call("hang", {})
    assert (result.is_error, (result.data or {})["code"]) == (True, "timeout")


async def test_closing_the_connection_ends_open_calls_as_unavailable() -> None:
    house = Warehouse()
    async with connected(house.server) as connection:
        task = asyncio.create_task(connection.call("hang", {}))
        await house.entered.wait()
    with pytest.raises(ToolsUnavailable):
        await task
    with pytest.raises(ToolsUnavailable):
        await connection.call("rows", {"count": 1})


async def test_a_server_that_is_not_there_is_unavailable_and_tried_again() -> None:
    house, attempts = Warehouse(), 0

    def target() -> Any:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            raise ConnectionRefusedError("nobody there")
        return house.server

    async with McpConnection(target, name="warehouse", times=TIMES) as connection:
        assert len(await connection.tools()) == 4
    assert attempts == 3


async def test_a_server_that_never_comes_up_is_told_by_its_last_fault() -> None:
    def target() -> Any:
        raise ConnectionRefusedError("nobody there")

    times = ConnectionTimes(connect=5.0, patience=0.05, first_delay=0.01, last_delay=0.01)
    async with McpConnection(target, name="warehouse", times=times) as connection:
        with pytest.raises(ToolsUnavailable, match="nobody there"):
            await McpTools(connection).specs()
        result = await McpTools(connection).call("rows", {"count": 1})
    assert (result.is_error, (result.data or {})["code"]) == (True, "unavailable")
    assert "nobody there" not in result.text


async def test_waits_between_attempts_double_up_to_their_limit() -> None:
    slept: list[float] = []
    enough = asyncio.Event()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) >= 6:
            enough.set()
            await asyncio.Event().wait()

    def target() -> Any:
        raise ConnectionRefusedError("nobody there")

    times = ConnectionTimes(connect=0.05, first_delay=1.0, last_delay=10.0)
    async with McpConnection(target, name="w", times=times, sleep=sleep, jitter=lambda: 0.5):
        await enough.wait()
    assert slept == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


MORTAL = """
import os
from mcp.server import MCPServer
server = MCPServer("mortal")
@server.tool()
async def pid() -> str:
    return str(os.getpid())
@server.tool()
async def die() -> str:
    os._exit(3)
server.run("stdio")
"""


async def test_a_server_process_that_dies_is_started_again(tmp_path: Path) -> None:
    script = tmp_path / "mortal.py"
    script.write_text(MORTAL)
    times = ConnectionTimes(call=20.0, connect=20.0, first_delay=0.01)
    async with connected(StdioServerParameters(command=sys.executable, args=[str(script)]), times=times) as connection:
        tools = McpTools(connection)
        first = await tools.call("pid", {})
        dead = await tools.call("die", {})
        second = await tools.call("pid", {})
    assert (dead.is_error, (dead.data or {})["code"]) == (True, "unavailable")
    assert not first.is_error
    assert not second.is_error
    assert first.text != second.text


@asynccontextmanager
async def over_http(house: Warehouse, port: int) -> AsyncIterator[int]:
    """The server on a loopback port (0 takes a free one) until the block ends; open streams are cut."""
    app = house.server.streamable_http_app()
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", timeout_graceful_shutdown=0, ws="none")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(40):
            while not server.started:
                await asyncio.sleep(0.005)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await serving


async def test_a_server_over_http_that_goes_away_and_comes_back_never_cancels_its_callers() -> None:
    times = ConnectionTimes(on_this_machine(1.0), 20.0, first_delay=0.02, last_delay=0.05)
    url = ""
    async with McpConnection(lambda: url, name="warehouse", times=times) as connection:
        tools = McpTools(connection)
        async with over_http(Warehouse(), 0) as port:
            url = f"http://127.0.0.1:{port}/mcp"
            assert (await tools.call("rows", {"count": 1})).data == {"row_count": 1}
        gone = await tools.call("rows", {"count": 2})
        async with over_http(Warehouse(), port):
            back = await tools.call("rows", {"count": 3})
    assert (gone.is_error, (gone.data or {})["code"] in {"unavailable", "timeout"}) == (True, True)
    assert back.data == {"row_count": 3}


async def test_a_connection_that_was_never_opened_is_unavailable_at_once() -> None:
    connection = McpConnection(lambda: Warehouse().server, name="closed")
    assert not connection.connected
    with pytest.raises(ToolsUnavailable, match="not open"):
        await connection.call("rows", {"count": 1})
    result = await McpTools(connection).call("rows", {"count": 1})
    assert (result.is_error, (result.data or {})["code"]) == (True, "unavailable")


async def test_many_callers_each_get_their_own_answer() -> None:
    async with connected(Warehouse().server) as connection:
        tools = McpTools(connection)
        results = await asyncio.gather(*(tools.call("rows", {"count": number}) for number in range(40)))
    assert [(result.data or {})["row_count"] for result in results] == list(range(40))


async def test_arguments_that_change_after_the_call_do_not_change_the_call() -> None:
    arguments: dict[str, Any] = {"count": 3}
    async with connected(Warehouse().server) as connection:
        await connection.tools()
        calling = asyncio.create_task(connection.call("rows", arguments))
        await asyncio.sleep(0)
        arguments["count"] = 99
        assert (await calling).structured_content == {"row_count": 3}


async def test_a_tool_that_breaks_leaves_the_connection_to_the_others() -> None:
    async with connected(Warehouse().server) as connection:
        tools = McpTools(connection)
        broken, whole = await asyncio.gather(tools.call("boom", {}), tools.call("rows", {"count": 1}))
        assert (broken.is_error, whole.is_error) == (True, False)
        assert connection.connected


async def test_settling_on_a_server_that_is_not_there_is_no_and_not_an_error() -> None:
    def target() -> Any:
        raise ConnectionRefusedError("nobody there")

    times = ConnectionTimes(connect=5.0, patience=0.05, first_delay=60.0)
    async with McpConnection(target, name="warehouse", times=times) as connection:
        assert not await connection.settled()
    async with connected(Warehouse().server) as connection:
        assert await connection.settled()


async def test_the_last_known_tools_stand_while_the_server_is_away() -> None:
    house, there = Warehouse(), True

    def target() -> Any:
        if not there:
            raise ConnectionRefusedError("nobody there")
        return house.server

    async with McpConnection(target, name="warehouse", times=TIMES) as connection:
        tools = McpTools(connection)
        before = await tools.specs()
        there = False
        assert await tools.specs() == before
