"""The bad network itself: each weather does what it says, and only that."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.fakes.network import Network, Weather, network

SENT = bytes(range(256)) * 400


@pytest.fixture
async def way() -> AsyncIterator[Network]:
    """The way to a server that gives back what it gets."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with network(*server.sockets[0].getsockname()[:2]) as way:
        yield way
    server.close()


async def exchange(way: Network, sent: bytes = SENT) -> bytes:
    """What comes back; raises ConnectionError when the connection is reset."""
    reader, writer = await asyncio.open_connection("127.0.0.1", way.port)
    try:
        writer.write(sent)
        writer.write_eof()
        return await reader.read(-1)
    finally:
        writer.close()


@pytest.mark.parametrize("weather", [Weather(), Weather(pieces=500), Weather(pieces=9000, delay=0.001)], ids=str)
async def test_every_byte_arrives_in_order_however_it_travels(way: Network, weather: Weather) -> None:
    way.weather = weather
    assert await exchange(way) == SENT


async def test_a_cut_answer_ends_after_its_bytes_in_a_reset(way: Network) -> None:
    way.weather = Weather(answers=100)
    with pytest.raises(ConnectionError):
        await exchange(way)


async def test_a_server_that_is_down_resets_at_once(way: Network) -> None:
    way.weather = Weather(down=True)
    with pytest.raises(ConnectionError):
        await exchange(way)


async def test_a_silent_server_keeps_the_connection_and_says_nothing(way: Network) -> None:
    way.weather = Weather(silent=True)
    reader, writer = await asyncio.open_connection("127.0.0.1", way.port)
    writer.write(b"hello")
    while way.swallowed < 5:
        await asyncio.sleep(0)
    assert not reader.at_eof()
    writer.close()


async def test_a_storm_meets_one_connection_and_passes(way: Network) -> None:
    way.storms = [Weather(down=True)]
    with pytest.raises(ConnectionError):
        await exchange(way)
    assert await exchange(way) == SENT
    assert way.connections == 2


async def test_connections_under_way_can_be_cut(way: Network) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", way.port)
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    way.cut()
    with pytest.raises(ConnectionError):
        await reader.readexactly(1)
    writer.close()
