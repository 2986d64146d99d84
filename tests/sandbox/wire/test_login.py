"""Nobody gets in without the password, and no handshake harms the server."""

import asyncio
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymysql.err import OperationalError

from sandbox.engine import Engine
from sandbox.server import LoginDesk, serving
from sandbox.session import SqlSession
from sandbox.wire.backend import Peer
from sandbox.wire.listener import Listener
from sandbox.wire.login import MAX_HANDSHAKE, Credentials
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


class Doorstep(LoginDesk):
    """Lets in, and loses each client in the moment between that and its OK packet."""

    def login(self, credentials: Credentials, peer: Peer) -> SqlSession:
        session = super().login(credentials, peer)
        peer.disconnect()
        return session


@pytest.mark.parametrize("database", [b"", b"metrics"])
async def test_a_client_that_vanishes_on_the_doorstep_leaves_no_session(engine: Engine, database: bytes) -> None:
    engine.lock()
    async with Listener(Doorstep(engine)).open("127.0.0.1", 0) as port:
        client = await open_client(port)
        proof = scramble("reader", client.nonce)
        tail = b"reader\0" + bytes([len(proof)]) + proof + database + b"\0mysql_native_password\0"
        client.send(handshake(tail, CAPABILITIES | (0x8 if database else 0)))
        assert await client.receive() == b""
        client.writer.close()
    assert engine.processes.of(None) == []


async def test_a_refused_database_leaves_no_session(engine: Engine) -> None:
    async with serving(engine) as port:
        client = await open_client(port)
        proof = scramble("reader", client.nonce)
        client.send(handshake(b"reader\0" + bytes([len(proof)]) + proof + b"nope\0", 0x1 | 0x8 | 0x200 | 0x8000))
        assert error_code(await client.receive()) == 1049
        assert await client.receive() == b""
        client.writer.close()
    assert engine.processes.of(None) == []


@pytest.mark.parametrize(
    "tail",
    [
        b"reader\0\x14" + bytes(19),
        b"reader\0\xff" + bytes(20),
        b"\xff\xfe\0\0mysql_native_password\0",
        b"reader",
        b"",
        b"reader\0\x00metrics",
    ],
    ids=["proof cut", "proof overlong", "name not utf-8", "name without end", "no name", "database without end"],
)
async def test_a_handshake_that_lies_about_its_lengths_is_cut_off(port: int, raw: OpenRaw, tail: bytes) -> None:
    client = await raw(port)
    client.send(handshake(tail, CAPABILITIES | 0x8))
    answer = await client.receive()
    assert answer == b"" or error_code(answer) == 1045
    assert await client.receive() == b""


async def test_a_proof_for_another_connection_does_not_let_in(port: int, raw: OpenRaw) -> None:
    overheard, replaying = await raw(port), await raw(port)
    proof = scramble("reader", overheard.nonce)
    replaying.send(handshake(b"reader\0" + bytes([len(proof)]) + proof + b"mysql_native_password\0"))
    assert error_code(await replaying.receive()) == 1045


async def test_no_two_greetings_share_their_nonce(port: int, raw: OpenRaw) -> None:
    nonces = {(await raw(port)).nonce for _ in range(20)}
    assert len(nonces) == 20
    assert all(len(nonce) == 20 and b"\0" not in nonce for nonce in nonces)


async def test_a_stranger_may_not_send_a_handshake_of_any_size(port: int, raw: OpenRaw) -> None:
    client = await raw(port)
    client.send(handshake(b"x" * MAX_HANDSHAKE))
    assert await client.receive() == b""
