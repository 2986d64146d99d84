"""A statement ends when it is killed, out of time, or its client is gone; nothing is left running."""

import asyncio
from typing import Any

import pytest
from pymysql.err import MySQLError

from tests.sandbox.conftest import Connect, rows
from tests.sandbox.wire.client import open_client

ENDLESS = (
    "SELECT count(*) FROM metrics.amv_hourly_snapshots_v1 a, metrics.amv_hourly_snapshots_v1 b, "
    "metrics.amv_hourly_snapshots_v1 c, metrics.amv_hourly_snapshots_v1 d "
    "WHERE a.avg_value * b.avg_value > c.avg_value + d.avg_value"
)
WIDE = "SELECT a.*, b.* FROM metrics.amv_hourly_snapshots_v1 a, metrics.amv_hourly_snapshots_v1 b"


async def running(watcher: Any) -> list[tuple[str, str]]:
    """Id and text of what the others run."""
    listed = await rows(watcher, "SHOW FULL PROCESSLIST")
    return [(row[0], row[8]) for row in listed if row[4] == "Query" and "PROCESSLIST" not in row[8]]


async def until_running(watcher: Any, text: str) -> str:
    """The connection id of the session that runs `text`, once it does."""
    async with asyncio.timeout(40):
        while True:
            for number, sql in await running(watcher):
                if sql == text:
                    return number


async def until_idle(watcher: Any) -> None:
    async with asyncio.timeout(40):
        while await running(watcher):
            pass


async def test_kill_query_ends_the_statement_and_keeps_the_connection(port: int, connect: Connect) -> None:
    victim, watcher = await connect(port), await connect(port)
    query = asyncio.create_task(rows(victim, ENDLESS))
    number = await until_running(watcher, ENDLESS)
    await rows(watcher, f"KILL QUERY {number}")
    with pytest.raises(MySQLError, match="killed") as ended:
        await query
    assert ended.value.args[0] == 1317
    assert await rows(victim, "SELECT 1") == [(1,)]
    assert await running(watcher) == []


async def test_kill_ends_statement_and_connection(port: int, connect: Connect) -> None:
    victim, watcher = await connect(port), await connect(port)
    query = asyncio.create_task(rows(victim, ENDLESS))
    number = await until_running(watcher, ENDLESS)
    await rows(watcher, f"KILL {number}")
    with pytest.raises((MySQLError, ConnectionError)):
        await query
    await until_idle(watcher)
    listed = await rows(watcher, "SHOW PROCESSLIST")
    assert number not in [row[0] for row in listed]


async def test_nobody_sees_or_kills_the_sessions_of_another_user(port: int, connect: Connect) -> None:
    victim, other = await connect(port), await connect(port, "writer")
    assert [row[1] for row in await rows(other, "SHOW PROCESSLIST")] == ["writer"]
    [(number,)] = await rows(victim, "SELECT connection_id()")
    with pytest.raises(MySQLError, match="Unknown thread id"):
        await rows(other, f"KILL {number}")
    assert await rows(victim, "SELECT 1") == [(1,)]


async def test_an_administrator_sees_and_kills_everybody(port: int, connect: Connect) -> None:
    victim, root = await connect(port), await connect(port, "root")
    query = asyncio.create_task(rows(victim, ENDLESS))
    await rows(root, f"KILL QUERY {await until_running(root, ENDLESS)}")
    with pytest.raises(MySQLError, match="killed"):
        await query


async def test_a_statement_ends_at_its_timeout(port: int, connect: Connect) -> None:
    connection, watcher = await connect(port), await connect(port)
    await rows(connection, "SET query_timeout = 1")
    with pytest.raises(MySQLError, match="reached its timeout of 1 seconds") as ended:
        await rows(connection, ENDLESS)
    assert ended.value.args[0] == 5024
    assert await running(watcher) == []
    assert await rows(connection, "SELECT 1") == [(1,)]


async def test_the_query_of_a_vanished_client_is_stopped(port: int, connect: Connect) -> None:
    watcher = await connect(port)
    client = await open_client(port)
    await client.login("reader", "reader")
    client.send(b"\x03" + ENDLESS.encode(), 0)
    await until_running(watcher, ENDLESS)
    client.writer.transport.abort()
    await until_idle(watcher)
    assert len(await rows(watcher, "SHOW PROCESSLIST")) == 1


async def test_a_client_that_leaves_in_the_middle_of_its_rows_holds_nothing(port: int, connect: Connect) -> None:
    watcher = await connect(port)
    client = await open_client(port)
    await client.login("reader", "reader")
    client.send(b"\x03" + WIDE.encode(), 0)
    for _ in range(50):
        assert await client.receive()
    client.writer.transport.abort()
    await until_idle(watcher)
    assert len(await rows(watcher, "SHOW PROCESSLIST")) == 1


async def test_a_result_is_streamed_and_can_be_killed_half_way(port: int, connect: Connect) -> None:
    watcher = await connect(port)
    client = await open_client(port)
    await client.login("reader", "reader")
    client.send(b"\x03" + WIDE.encode(), 0)
    for _ in range(50):
        await client.receive()
    await rows(watcher, f"KILL QUERY {await until_running(watcher, WIDE)}")
    async with asyncio.timeout(40):
        while (packet := await client.receive())[0] != 0xFF:
            pass
    assert b"killed" in packet
    assert (await client.command(0x0E))[0] == 0
    client.writer.close()


async def test_a_cancelled_call_of_a_pool_leaves_nothing_running(port: int, connect: Connect) -> None:
    victim, watcher = await connect(port), await connect(port)
    query = asyncio.create_task(rows(victim, ENDLESS))
    await until_running(watcher, ENDLESS)
    query.cancel()
    with pytest.raises(asyncio.CancelledError):
        await query
    victim.close()
    await until_idle(watcher)


async def test_short_queries_pass_while_long_ones_run(port: int, connect: Connect) -> None:
    slow, quick = await connect(port), await connect(port)
    query = asyncio.create_task(rows(slow, ENDLESS))
    number = await until_running(quick, ENDLESS)
    assert await rows(quick, "SELECT count(*) FROM metrics.amv_hourly_snapshots_v1") == [(3000,)]
    await rows(quick, f"KILL QUERY {number}")
    with pytest.raises(MySQLError, match="killed"):
        await query
