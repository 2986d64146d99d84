"""Commands of the protocol, by raw clients and by real ones."""

import datetime as dt
import shutil
import struct
import subprocess
from asyncio import to_thread
from decimal import Decimal
from typing import Any

import aiomysql
import pymysql
import pytest
from pymysql.err import MySQLError

from sandbox.wire.packets import Payload, lenstr
from tests.sandbox.conftest import Connect, rows
from tests.sandbox.wire.client import RawClient
from tests.sandbox.wire.conftest import OpenRaw

TYPES = (
    "SELECT true AS t, CAST(7 AS SMALLINT) AS s, 70000 AS i, 5000000000 AS b, CAST(1.5 AS FLOAT) AS f, "
    "CAST(2.5 AS DOUBLE) AS d, CAST(3.25 AS DECIMAL(10, 2)) AS n, CAST('2026-01-02' AS DATE) AS day, "
    "CAST('2026-01-02 03:04:05.5' AS DATETIME) AS at, 'text' AS c, NULL AS z, [1, 2] AS l"
)
VALUES = (
    *(1, 7, 70000, 5000000000, 1.5, 2.5, Decimal("3.25")),
    *(dt.date(2026, 1, 2), dt.datetime(2026, 1, 2, 3, 4, 5, 500000), "text", None, "[1,2]"),
)


@pytest.fixture
async def client(port: int, raw: OpenRaw) -> RawClient:
    opened = await raw(port)
    await opened.login("reader", "reader")
    return opened


async def prepare(client: RawClient, sql: str) -> tuple[int, int]:
    packet = Payload(await client.command(0x16, sql.encode()))
    packet.take(1)
    statement, _, parameters = packet.integer(4), packet.integer(2), packet.integer(2)
    if parameters:
        assert len(await client.until_eof()) == parameters
    return statement, parameters


async def binary_rows(client: RawClient, body: bytes) -> tuple[list[int], list[bytes]]:
    """Column types and row packets of an execution."""
    count = (await client.command(0x17, body))[0]
    definitions = await client.until_eof()
    assert len(definitions) == count
    return [definition[-6] for definition in definitions], await client.until_eof()


async def test_values_arrive_with_their_types(port: int, connect: Connect) -> None:
    connection = await connect(port)
    assert await rows(connection, TYPES) == [VALUES]


async def test_binary_rows_carry_the_same_values(client: RawClient) -> None:
    statement, _ = await prepare(client, TYPES)
    types, [row] = await binary_rows(client, struct.pack("<IBI", statement, 0, 1))
    assert types == [1, 2, 3, 8, 4, 5, 246, 10, 12, 253, 6, 254]
    packet = Payload(row)
    assert packet.take(1) == b"\0"
    assert packet.take(2) == bytes([0, 0b10000])  # the eleventh value, after two reserved bits, is NULL
    assert struct.unpack("<bhiqfd", packet.take(1 + 2 + 4 + 8 + 4 + 8)) == (1, 7, 70000, 5000000000, 1.5, 2.5)
    assert packet.lenstr() == b"3.25"
    assert packet.lenstr() == struct.pack("<HBB", 2026, 1, 2)
    assert packet.lenstr() == struct.pack("<HBBBBBI", 2026, 1, 2, 3, 4, 5, 500000)
    assert (packet.lenstr(), packet.lenstr()) == (b"text", b"[1,2]")


async def test_parameters_of_every_type_become_values(client: RawClient) -> None:
    statement, count = await prepare(client, "SELECT ?, ?, ?, ?, ?, ?, '?' -- ?\n")
    assert count == 6
    kinds = struct.pack("<6H", 3, 8, 5, 253, 12, 253)
    moment = struct.pack("<HBBBBB", 2026, 1, 2, 3, 4, 5)
    values = struct.pack("<iqd", -1, 5, 2.5) + lenstr(b"it's \\ \xe6\x97\xa5") + lenstr(moment)
    body = struct.pack("<IBI", statement, 0, 1) + bytes([0b100000, 1]) + kinds + values
    _, [row] = await binary_rows(client, body)
    assert b"it's \\ \xe6\x97\xa5" in row
    assert b"2026-01-02 03:04:05" in row
    assert row.endswith(lenstr(b"?"))


async def test_a_parameter_can_be_sent_ahead_in_pieces(client: RawClient) -> None:
    statement, _ = await prepare(client, "SELECT ?")
    for piece in (b"long ", b"text"):
        client.send(b"\x18" + struct.pack("<IH", statement, 0) + piece, 0)
    body = struct.pack("<IBI", statement, 0, 1) + b"\0\x01" + struct.pack("<H", 253)
    _, [row] = await binary_rows(client, body)
    assert row.endswith(lenstr(b"long text"))


async def test_a_closed_statement_cannot_be_executed(client: RawClient) -> None:
    statement, _ = await prepare(client, "SELECT 1")
    client.send(b"\x19" + struct.pack("<I", statement), 0)
    answer = await client.command(0x17, struct.pack("<IBI", statement, 0, 1))
    assert answer[:3] == b"\xff" + struct.pack("<H", 1243)


async def test_a_connection_may_not_prepare_without_end(client: RawClient) -> None:
    for _ in range(256):
        await prepare(client, "SELECT 1")
    answer = await client.command(0x16, b"SELECT 1")
    assert answer[:3] == b"\xff" + struct.pack("<H", 1461)


@pytest.mark.parametrize("code", [0x05, 0x08, 0x11, 0x12, 0x1C, 0xFE])
async def test_an_unknown_command_is_refused_and_the_connection_lives(client: RawClient, code: int) -> None:
    assert (await client.command(code))[:3] == b"\xff" + struct.pack("<H", 1047)
    assert (await client.command(0x0E))[0] == 0


async def test_short_commands_are_errors_or_ends_but_never_hang(port: int, raw: OpenRaw) -> None:
    for code in (0x02, 0x03, 0x04, 0x16, 0x17, 0x18, 0x19):
        victim = await raw(port)
        await victim.login("reader", "reader")
        victim.send(bytes([code]), 0)
        victim.send(b"\x01", 0)
        while await victim.receive():
            pass


async def test_text_that_is_not_utf8_is_refused(client: RawClient) -> None:
    assert (await client.command(0x03, b"SELECT '\xff'"))[:3] == b"\xff" + struct.pack("<H", 1300)


async def test_ping_init_db_field_list_and_reset(client: RawClient) -> None:
    assert (await client.command(0x0E))[0] == 0
    assert (await client.command(0x02, b"metrics"))[0] == 0
    first = await client.command(0x04, b"dim_customer_profile\0")
    assert b"account_id" in first
    assert len(await client.until_eof()) == 4
    assert (await client.command(0x1F))[0] == 0
    assert (await client.command(0x1B, b"\0\0"))[0] == 0xFE


async def test_an_oversized_packet_ends_the_connection(client: RawClient) -> None:
    for sequence in range(2):
        client.writer.write(b"\xff\xff\xff" + bytes([sequence]) + bytes(0xFFFFFF))
    assert await client.receive() == b""


async def test_all_statements_of_a_text_run_and_answer(client: RawClient) -> None:
    answers = []
    packet = await client.command(0x03, b"SELECT 1; SET query_timeout = 5; SELECT 2 -- ; SELECT 3")
    while packet[0] not in (0xFF,):
        if packet[0] == 0:
            answers.append("ok")
        else:
            await client.until_eof()
            answers.extend(row.decode() for row in await client.until_eof())
            if len(answers) == 3:
                break
        packet = await client.receive()
    assert answers == ["\x011", "ok", "\x012"]


async def test_the_first_failing_statement_ends_the_text(port: int, connect: Connect) -> None:
    connection = await connect(port)
    async with connection.cursor() as cursor:
        await cursor.execute("SET query_timeout = 7; SELECT nope; SET query_timeout = 9")
        with pytest.raises(MySQLError, match="'nope' cannot be resolved"):
            await cursor.nextset()
    assert await rows(connection, "SELECT @@query_timeout") == [(7,)]


async def test_a_pool_serves_dicts_and_parameters(port: int) -> None:
    async with (
        aiomysql.create_pool(
            host="127.0.0.1", port=port, user="reader", password="reader", db="metrics", minsize=2, maxsize=4
        ) as pool,
        pool.acquire() as connection,
        connection.cursor(aiomysql.DictCursor) as cursor,
    ):
        await cursor.execute(
            "SELECT cluster_id, count(*) FROM amv_hourly_snapshots_v1 "
            "WHERE cluster_id IN (%s, %s) GROUP BY 1 ORDER BY 1",
            ("c0", "c1"),
        )
        assert await cursor.fetchall() == [
            {"cluster_id": "c0", "count(*)": 1000},
            {"cluster_id": "c1", "count(*)": 1000},
        ]


async def test_an_unbuffered_cursor_sees_every_row_once(port: int, connect: Connect) -> None:
    connection = await connect(port)
    async with connection.cursor(aiomysql.SSCursor) as cursor:
        await cursor.execute("SELECT last_value FROM metrics.amv_hourly_snapshots_v1 ORDER BY last_value")
        seen = [row[0] async for row in cursor]
    assert seen == [float(number) for number in range(3000)]


async def test_pymysql_works(port: int) -> None:
    def ask() -> Any:
        with pymysql.connect(host="127.0.0.1", port=port, user="reader", password="reader") as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT %s, CAST(%s AS INT)", ("a'b\\c\n", 7))
            return cursor.fetchall()

    assert await to_thread(ask) == (("a'b\\c\n", 7),)


@pytest.mark.skipif(shutil.which("mariadb") is None, reason="no mariadb command line here")
async def test_the_mariadb_command_line_works(port: int) -> None:
    words = ["mariadb", "--no-defaults", "-h127.0.0.1", f"-P{port}", "-ureader", "-preader", "--skip-ssl", "-N", "-B"]

    def ask(sql: str, *more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([*words, *more, "-e", sql], capture_output=True, text=True, timeout=20, check=False)

    answer = await to_thread(ask, "SELECT count(*), 'x' FROM amv_hourly_snapshots_v1; SHOW DATABASES", "metrics")
    assert answer.stdout.split() == ["3000", "x", "alerts", "byoc", "information_schema", "metrics"], answer.stderr
    refused = await to_thread(ask, "SELECT nope FROM metrics.dim_customer_profile")
    assert "ERROR 1054 (42S22)" in refused.stderr


async def test_a_table_name_that_is_not_utf8_is_refused_without_alarm(
    client: RawClient, caplog: pytest.LogCaptureFixture
) -> None:
    packet = await client.command(0x04, b"\xff\xfe\0")
    assert packet[0] == 0xFF
    assert int.from_bytes(packet[1:3], "little") == 1300
    assert (await client.command(0x0E))[0] == 0
    assert caplog.records == []


async def test_a_table_that_may_not_be_seen_has_no_field_list(port: int, raw: OpenRaw) -> None:
    client = await raw(port)
    await client.login("writer", "writer")
    assert (await client.command(0x02, b"metrics"))[0] == 0
    packet = await client.command(0x04, b"dim_customer_profile\0")
    assert int.from_bytes(packet[1:3], "little") == 5203


async def test_a_reset_forgets_settings_and_prepared_statements(client: RawClient) -> None:
    await client.command(0x03, b"SET query_timeout = 7")
    prepared = await client.command(0x16, b"SELECT 1")
    assert (await client.command(0x1F))[0] == 0
    executed = await client.command(0x17, prepared[1:5] + b"\0\x01\0\0\0")
    assert int.from_bytes(executed[1:3], "little") == 1243
    await client.command(0x03, b"SELECT @@query_timeout")
    await client.until_eof()
    assert (await client.until_eof())[-1] == b"\x03300"


async def test_text_without_any_statement_is_answered_with_ok(client: RawClient) -> None:
    for text in (b"", b";;", b"-- nothing", b"/* nothing */ ;"):
        assert (await client.command(0x03, text))[0] == 0
