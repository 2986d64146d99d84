"""Running statements: caps, time limit, cancellation, lost connections; nothing is left running behind."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr
from pymysql.constants import CLIENT

from mcp_server.breaker import Breaker
from mcp_server.config import WarehouseConfig
from mcp_server.connection import SingleStatementConnection, connect
from mcp_server.errors import Code, DoorError, WarehouseError
from mcp_server.executor import Executor
from mcp_server.metrics import Metrics
from mcp_server.pool import Pool
from sandbox.launch import Endpoint
from tests.fakes.mysql_proxy import proxy
from tests.machine import on_this_machine

Configs = Callable[..., WarehouseConfig]

ENDLESS = "SELECT COUNT(*) AS endless FROM TABLE(generate_series(1, 1000000000000)) AS t WHERE generate_series % 7 = 3"
MANY = "SELECT message FROM byoc.cluster_log"


def pool_of(config: WarehouseConfig) -> Pool:
    """A pool as the executor has it."""
    return Pool(config, Breaker(time.monotonic, lambda: datetime.now(UTC)), Metrics())


async def running(executor: Executor) -> list[str]:
    """The endless statements that the warehouse works on at present."""
    fetched = await executor.fetch("SHOW PROCESSLIST", max_rows=100)
    names = [column.name.lower() for column in fetched.columns]
    infos = [dict(zip(names, row, strict=True)) for row in fetched.rows]
    return [str(info["info"]) for info in infos if "endless" in str(info["info"])]


async def until_running(executor: Executor, count: int) -> None:
    """Wait until the warehouse works on so many endless statements."""
    async with asyncio.timeout(40):
        while len(await running(executor)) != count:
            await asyncio.sleep(0)


async def test_rows_over_the_cap_are_not_fetched_and_the_result_says_more(config: Configs) -> None:
    async with Executor(config()) as executor:
        cut = await executor.fetch(MANY, max_rows=10)
        assert (len(cut.rows), cut.more) == (10, True)
        whole = await executor.fetch(f"{MANY} LIMIT 10", max_rows=10)
        assert (len(whole.rows), whole.more) == (10, False)


async def test_bytes_over_the_cap_are_not_fetched(config: Configs) -> None:
    async with Executor(config(max_bytes=10_000)) as executor:
        fetched = await executor.fetch(MANY, max_rows=20_000)
        assert fetched.more
        assert 0 < sum(len(str(row[0])) for row in fetched.rows) < 10_000
        assert (await executor.fetch("SELECT 1", max_rows=1)).rows == [[1]]


async def test_a_huge_cell_is_cut_and_says_so(config: Configs) -> None:
    async with Executor(config(max_cell_chars=100)) as executor:
        fetched = await executor.fetch("SELECT LPAD('x', 5000, 'y') AS wide", max_rows=1)
        assert fetched.rows == [["y" * 100 + "…[+4900 chars]"]]


async def test_a_statement_is_killed_at_the_time_limit(config: Configs) -> None:
    limit = on_this_machine(0.15)
    async with Executor(config()) as watcher, Executor(config(timeout_seconds=limit)) as executor:
        with pytest.raises(WarehouseError) as caught:
            await executor.fetch(ENDLESS, max_rows=1)
        assert caught.value.code is Code.TIMEOUT
        assert f"{limit:g} s" in caught.value.text()
        await until_running(watcher, 0)
        assert (await executor.fetch("SELECT 1", max_rows=1)).rows == [[1]]


async def test_the_warehouse_itself_knows_the_time_limit_of_every_connection(config: Configs) -> None:
    async with Executor(config(timeout_seconds=7)) as executor:
        assert (await executor.fetch("SELECT @@query_timeout AS t", max_rows=1)).rows in ([[7]], [["7"]])


async def test_what_the_time_limit_ends_is_killed_by_its_id(config: Configs, known_warehouse: Endpoint) -> None:
    limit = on_this_machine(0.15)
    async with proxy(known_warehouse) as way, Executor(config(port=way.port, timeout_seconds=limit)) as executor:
        (own,) = (await executor.fetch("SELECT CONNECTION_ID()", max_rows=1)).rows
        with pytest.raises(WarehouseError):
            await executor.fetch(ENDLESS, max_rows=1)
        assert way.killed() == own


async def test_what_a_cancelled_caller_leaves_is_killed_by_its_id(config: Configs, known_warehouse: Endpoint) -> None:
    async with Executor(config()) as watcher, proxy(known_warehouse) as way:
        async with Executor(config(port=way.port)) as executor:
            (own,) = (await executor.fetch("SELECT CONNECTION_ID()", max_rows=1)).rows
            call = asyncio.create_task(executor.fetch(ENDLESS, max_rows=1))
            await until_running(watcher, 1)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
        assert way.killed() == own


async def test_a_cut_result_is_killed_only_when_more_rows_are_on_their_way(
    config: Configs, known_warehouse: Endpoint
) -> None:
    async with proxy(known_warehouse) as way, Executor(config(port=way.port)) as executor:
        (own,) = (await executor.fetch("SELECT CONNECTION_ID()", max_rows=1)).rows
        await executor.fetch(f"{MANY} LIMIT 11", max_rows=10)
        assert way.killed() == []
        await executor.fetch(MANY, max_rows=10)
        assert way.killed() == own


async def test_a_cancelled_call_leaves_nothing_running(config: Configs) -> None:
    async with Executor(config()) as watcher:
        async with Executor(config()) as executor:
            calls = [asyncio.create_task(executor.fetch(ENDLESS, max_rows=1)) for _ in range(2)]
            await until_running(watcher, 2)
            for call in calls:
                call.cancel()
            results = await asyncio.gather(*calls, return_exceptions=True)
            assert all(isinstance(result, asyncio.CancelledError) for result in results)
        await until_running(watcher, 0)


async def test_closing_kills_what_still_runs_and_tells_its_callers(config: Configs) -> None:
    async with Executor(config()) as watcher:
        async with Executor(config()) as executor:
            calls = [asyncio.create_task(executor.fetch(ENDLESS, max_rows=1)) for _ in range(3)]
            await until_running(watcher, 3)
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert [getattr(result, "code", None) for result in results] == [Code.UNAVAILABLE] * 3
        await until_running(watcher, 0)
        with pytest.raises(WarehouseError, match="closed"):
            await executor.fetch("SELECT 1", max_rows=1)


async def test_an_early_end_leaves_nothing_running(config: Configs) -> None:
    sql = "SELECT generate_series AS endless FROM TABLE(generate_series(1, 1000000000000)) AS t"
    async with Executor(config()) as watcher, Executor(config()) as executor:
        fetched = await executor.fetch(sql, max_rows=5)
        assert (len(fetched.rows), fetched.more) == (5, True)
        await until_running(watcher, 0)


async def test_a_connection_that_died_at_rest_is_replaced_without_a_word(
    config: Configs, known_warehouse: Endpoint
) -> None:
    async with proxy(known_warehouse) as way, Executor(config(port=way.port)) as executor:
        assert (await executor.fetch("SELECT 1", max_rows=1)).rows == [[1]]
        assert way.cut() == 1
        assert (await executor.fetch("SELECT 2", max_rows=1)).rows == [[2]]


async def test_a_rested_connection_is_asked_before_it_is_used(config: Configs, known_warehouse: Endpoint) -> None:
    async with proxy(known_warehouse) as way, Executor(config(port=way.port, idle_seconds=0)) as executor:
        await executor.fetch("SELECT 1", max_rows=1)
        assert way.cut() == 1
        assert (await executor.fetch("SELECT 2", max_rows=1)).rows == [[2]]


async def test_a_connection_lost_under_a_read_is_tried_once_more_and_only_once(
    config: Configs, known_warehouse: Endpoint
) -> None:
    async with (
        Executor(config()) as watcher,
        proxy(known_warehouse) as way,
        Executor(config(port=way.port)) as executor,
    ):
        call = asyncio.create_task(executor.fetch(ENDLESS, max_rows=1))
        await until_running(watcher, 1)
        assert way.cut() == 1
        async with asyncio.timeout(40):
            while way.sent.count(b"endless") < 2:
                await asyncio.sleep(0)
        await until_running(watcher, 1)
        assert not call.done()
        assert way.cut() == 1
        with pytest.raises(WarehouseError) as caught:
            await call
        assert caught.value.code is Code.UNAVAILABLE
        await until_running(watcher, 0)


async def test_at_most_the_pools_number_of_statements_run_at_once(config: Configs) -> None:
    async with Executor(config()) as watcher, Executor(config(pool_size=2)) as executor:
        calls = [asyncio.create_task(executor.fetch(ENDLESS, max_rows=1)) for _ in range(4)]
        await until_running(watcher, 2)
        for _ in range(5):
            assert len(await running(watcher)) == 2
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


async def test_a_caller_that_waits_too_long_for_a_connection_is_told_so(config: Configs) -> None:
    async with pool_of(config(pool_size=1, timeout_seconds=0.2)) as pool, pool.lease():
        with pytest.raises(WarehouseError) as caught:
            async with pool.lease():
                raise AssertionError("there was no second connection to lease")
        assert caught.value.code is Code.UNAVAILABLE
        assert "busy" in caught.value.text()


async def test_many_calls_at_once_get_each_their_own_answer(config: Configs) -> None:
    async with Executor(config(pool_size=4)) as executor:
        fetched = await asyncio.gather(*(executor.fetch(f"SELECT {number}", max_rows=1) for number in range(40)))
        assert [result.rows for result in fetched] == [[[number]] for number in range(40)]


async def test_a_wrong_password_is_unavailable_and_not_repeated_in_the_text(config: Configs) -> None:
    async with Executor(config(password=SecretStr("hunter2"))) as executor:
        with pytest.raises(WarehouseError) as caught:
            await executor.fetch("SELECT 1", max_rows=1)
    assert caught.value.code is Code.UNAVAILABLE
    for secret in ("hunter2", "reader", "127.0.0.1"):
        assert secret not in caught.value.text()


async def test_a_warehouse_that_is_not_there_is_unavailable(config: Configs) -> None:
    closed = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = closed.sockets[0].getsockname()[1]
    closed.close()
    await closed.wait_closed()
    async with Executor(config(port=port)) as executor:
        with pytest.raises(WarehouseError) as caught:
            await executor.fetch("SELECT 1", max_rows=1)
    assert caught.value.code is Code.UNAVAILABLE
    assert str(port) not in caught.value.text()


async def test_a_server_that_never_speaks_is_given_up(config: Configs) -> None:
    silence, served = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silence.wait()
        writer.close()
        await writer.wait_closed()
        served.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with Executor(config(port=server.sockets[0].getsockname()[1], connect_seconds=0.2)) as executor:
        with pytest.raises(WarehouseError) as caught:
            await executor.fetch("SELECT 1", max_rows=1)
    assert caught.value.code is Code.UNAVAILABLE
    silence.set()
    await served.wait()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    "greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x05\x00\x00\x00\x0a8.0\x00", b"\x01\x00\x00\x00\xff", b""]
)
async def test_a_server_of_another_kind_is_unavailable(config: Configs, greeting: bytes) -> None:
    served = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        writer.close()
        await writer.wait_closed()
        served.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with Executor(config(port=server.sockets[0].getsockname()[1])) as executor:
        with pytest.raises(WarehouseError) as caught:
            await executor.fetch("SELECT 1", max_rows=1)
    assert caught.value.code is Code.UNAVAILABLE
    await served.wait()
    server.close()
    await server.wait_closed()


async def test_no_connection_negotiates_multi_statements(config: Configs) -> None:
    plain = SingleStatementConnection(host="127.0.0.1", client_flag=CLIENT.MULTI_STATEMENTS)
    assert not plain.client_flag & CLIENT.MULTI_STATEMENTS
    connection = await connect(config())
    assert not connection.client_flag & CLIENT.MULTI_STATEMENTS
    connection.close()


async def test_a_connection_that_would_run_a_second_statement_is_never_opened(known_warehouse: Endpoint) -> None:
    user, password = known_warehouse.reader
    connection = SingleStatementConnection(
        host=known_warehouse.host, port=known_warehouse.port, user=user, password=password
    )
    connection.client_flag |= CLIENT.MULTI_STATEMENTS
    with pytest.raises(RuntimeError):
        await connection.open()
    assert connection.closed


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT nothing FROM byoc.clusters", Code.UNKNOWN_COLUMN),
        ("SELECT * FROM byoc.nothing", Code.UNKNOWN_TABLE),
        ("SELECT * FROM nothing.clusters", Code.UNKNOWN_TABLE),
        ("SELEC 1", Code.SYNTAX),
        ("INSERT INTO byoc.accounts (biz_id) VALUES ('x')", Code.PERMISSION),
    ],
)
async def test_an_error_of_the_warehouse_has_a_code_and_costs_no_connection(
    config: Configs, sql: str, code: Code
) -> None:
    async with Executor(config(pool_size=1)) as executor:
        own = (await executor.fetch("SELECT CONNECTION_ID()", max_rows=1)).rows
        with pytest.raises(DoorError) as caught:
            await executor.fetch(sql, max_rows=1)
        assert caught.value.code is code
        assert (await executor.fetch("SELECT CONNECTION_ID()", max_rows=1)).rows == own
