"""Nobody gets in without the password, and no handshake harms the server."""

import asyncio
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymysql.err import OperationalError

from sandbox.engine import Engine
from sandbox.server import serving
from tests.sandbox.conftest import Connect, rows
from tests.sandbox.wire.client import CAPABILITIES, RawClient, handshake, open_client, scramble
from tests.sandbox.wire.conftest import OpenRaw

ERR = 0xFF


def error_code(packet: bytes) -> int:
    assert packet[0] == ERR
    return int(struct.unpack("<H", packet[1:3])[0])


async def test_the_right_password_lets_in(port: int, raw: OpenRaw) -> None:
    client = await raw(port)
    assert (await client.login("reader", "reader"))[0] == 0
    assert (await client.command(0x0E))[0] == 0


@pytest.mark.parametrize(("user", "password"), [("reader", "wrong"), ("reader", ""), ("nobody", "reader"), ("", "")])
async def test_a_wrong_password_ends_the_connection(port: int, raw: OpenRaw, user: str, password: str) -> None:
    client = await raw(port)
    assert error_code(await client.login(user, password)) == 1045
    assert await client.receive() == b""


async def test_an_empty_proof_is_no_password(port: int, raw: OpenRaw) -> None:
    client = await raw(port)
    client.send(handshake(b"reader\0\0mysql_native_password\0"))
    assert error_code(await client.receive()) == 1045


async def test_a_client_that_ignores_the_refusal_gets_no_data(port: int, raw: OpenRaw) -> None:
    client = await raw(port)
    client.send(handshake(b"reader\0\x14" + bytes(20) + b"mysql_native_password\0"))
    client.send(b"\x03SELECT * FROM metrics.amv_hourly_snapshots_v1", 0)
    assert error_code(await client.receive()) == 1045
    assert await client.receive() == b""


async def test_a_client_of_another_plugin_is_switched_to_the_native_one(port: int, raw: OpenRaw) -> None:
    client = await raw(port)
    answer = await client.login("reader", "reader", plugin=b"caching_sha2_password")
    assert answer.startswith(b"\xfemysql_native_password\0")
    nonce = answer.split(b"\0")[1]
    assert nonce == client.nonce
    client.send(scramble("reader", nonce))
    assert (await client.receive())[0] == 0


async def test_an_unknown_database_at_login_is_refused(port: int, connect: Connect) -> None:
    with pytest.raises(OperationalError, match="Unknown database 'nope'"):
        await connect(port, db="nope")


async def test_a_database_at_login_is_the_one_of_unqualified_names(port: int, connect: Connect) -> None:
    connection = await connect(port, db="metrics")
    assert await rows(connection, "SELECT database(), count(*) FROM amv_hourly_snapshots_v1") == [("metrics", 3000)]


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x00",
        bytes(31),
        handshake(b""),
        handshake(b"reader"),
        handshake(b"reader\0\xff"),
        handshake(b"reader\0\x14short"),
        handshake(b"reader\0\x00nodb", CAPABILITIES | 0x8),
        handshake(b"\xff\xfe\0\0"),
        handshake(b"reader\0\xfe" + b"\xff" * 8, CAPABILITIES | 0x200000),
        handshake(b"reader\0\0", CAPABILITIES | 0x800),
        handshake(b"reader\0\0", 0x8000),
        handshake(bytes(70_000)),
    ],
    ids=range(13),
)
async def test_a_malformed_handshake_ends_only_its_own_connection(port: int, raw: OpenRaw, message: bytes) -> None:
    client = await raw(port)
    client.send(message)
    answer = await client.receive()
    assert answer == b"" or answer[0] == ERR
    assert await client.receive() == b""
    healthy = await raw(port)
    assert (await healthy.login("reader", "reader"))[0] == 0


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=200), min_size=20, max_size=20))
def test_garbage_never_lets_in_nor_stops_the_server(engine: Engine, messages: list[bytes]) -> None:
    async def attack() -> None:
        async with serving(engine) as port:
            await asyncio.gather(*(_throw(port, message) for message in messages))
            client = await open_client(port)
            assert (await client.login("reader", "reader"))[0] == 0
            client.writer.close()

    async def _throw(port: int, message: bytes) -> None:
        client = await open_client(port)
        client.writer.write(message)
        client.writer.write_eof()
        answer = await client.receive()
        assert answer == b"" or answer[0] == ERR
        client.writer.close()

    asyncio.run(attack())


async def test_one_client_too_many_is_told_so(engine: Engine, raw: OpenRaw) -> None:
    async with serving(engine, max_connections=1) as port:
        first = await raw(port)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        refused = RawClient(reader, writer)
        assert error_code(await refused.receive()) == 1040
        writer.close()
        assert (await first.login("reader", "reader"))[0] == 0


async def test_the_listener_leaves_nobody_behind_when_it_stops(engine: Engine) -> None:
    async with serving(engine) as port:
        client = await open_client(port)
        await client.login("reader", "reader")
    assert await client.receive() == b""
    client.writer.close()
    assert engine.processes.of(None) == []
