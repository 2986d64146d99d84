"""A bad network on loopback: a TCP proxy that slows, slices, cuts, swallows or refuses, the same way in every run."""

import asyncio
import random
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from socket import SO_LINGER, SOL_SOCKET
from typing import Any


@dataclass(frozen=True, slots=True)
class Weather:
    """What happens to bytes. `delay` in seconds before each piece; `pieces` splits what is sent into such sizes at
    most; `answers` is how many bytes of the far side pass before the connection is reset; `silent` = the far side's
    bytes are swallowed and the connection stays open; `down` = new connections are refused at once."""

    delay: float = 0
    pieces: int = 65_536
    answers: int | None = None
    silent: bool = False
    down: bool = False


FAIR = Weather()


class Network:
    """The way to one server. `weather` may be changed at any time and holds for every byte from then on; `storms` are
    weathers of single connections to come, first come first served."""

    def __init__(self, host: str, port: int, seed: int = 7) -> None:
        self.port = 0
        self.weather = FAIR
        self.storms: list[Weather] = []
        self.connections = 0
        self.swallowed = 0
        self._far = (host, port)
        self._chance = random.Random(seed)
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """Reset every connection."""
        for writer in self._open:
            _reset(writer)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its beginning to its end."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._open.add(writer)
        self.connections += 1
        storm = self.storms.pop(0) if self.storms else None
        try:
            if (storm or self.weather).down:
                _reset(writer)
            else:
                await self._join(reader, writer, storm)
        finally:
            self._open.discard(writer)
            self._tasks.discard(task)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, storm: Weather | None) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._far)
        except OSError:
            _reset(writer)
            return
        self._open.add(far_writer)
        back = asyncio.create_task(self._pump(far_reader, writer, storm, from_far=True))
        try:
            await self._pump(reader, far_writer, storm, from_far=False)
            await back
        finally:
            back.cancel()
            self._open.discard(far_writer)
            for end in (writer, far_writer):
                end.close()
                with suppress(ConnectionError):
                    await end.wait_closed()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, storm: Weather | None, *, from_far: bool
    ) -> None:
        passed = 0
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                weather = storm or self.weather
                if from_far and weather.silent:
                    self.swallowed += len(data)
                    continue
                if from_far and weather.answers is not None and passed + len(data) > weather.answers:
                    writer.write(data[: weather.answers - passed])
                    _reset(writer)
                    return
                passed += len(data)
                await self._send(writer, data, weather)
        with suppress(OSError):
            writer.write_eof()

    async def _send(self, writer: asyncio.StreamWriter, data: bytes, weather: Weather) -> None:
        while data:
            size = len(data) if len(data) <= weather.pieces == 65_536 else self._chance.randint(1, weather.pieces)
            if weather.delay:
                await asyncio.sleep(weather.delay)
            writer.write(data[:size])
            await writer.drain()
            data = data[size:]

    async def finish(self) -> None:
        """Reset what is open and wait until it has ended."""
        self.cut()
        if self._tasks:
            await asyncio.wait(self._tasks)


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection without a goodbye: the peer gets a reset, not an end of file."""
    socket: Any = writer.get_extra_info("socket")
    with suppress(OSError):
        socket.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@asynccontextmanager
async def network(host: str, port: int) -> AsyncIterator[Network]:
    """A way to the server at that address, on a free loopback port."""
    way = Network(host, port)
    server = await asyncio.start_server(way.serve, "127.0.0.1", 0)
    way.port = server.sockets[0].getsockname()[1]
    try:
        yield way
    finally:
        server.close()
        await way.finish()
