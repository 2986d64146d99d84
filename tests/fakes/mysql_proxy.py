"""A loopback port before the warehouse that hears what clients say and makes the network as bad as it can be.

Faults apply to connections made while they are set; `cut`, `reset` and `fall_silent` to those that are open. What is
left to chance (sizes of slices, which bit is flipped) comes from a seed."""

import asyncio
import random
import re
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol


class Place(Protocol):
    """Where the warehouse is."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Weather:
    """What befalls the bytes of a connection on their way to the client.

    `delay`: seconds before each piece; `slices`: largest piece, in bytes; `ends_after`: bytes after which the
    connection is ended, in the midst of a packet if need be, by a goodbye (FIN) or, with `resets`, by a reset;
    `silent_after`: bytes after which nothing comes any more while the connection stays open; `garbles_after`: bytes
    after which the bytes are wrong; `flips_at`: the one byte of which one bit is wrong.
    """

    delay: float = 0.0
    slices: int = 65_536
    ends_after: int | None = None
    resets: bool = False
    silent_after: int | None = None
    garbles_after: int | None = None
    flips_at: int | None = None


FAIR = Weather()


class _Line:
    """One client's connection and its counterpart at the warehouse."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter, weather: Weather) -> None:
        self.near = near
        self.far = far
        self.weather = weather
        self.silent = False
        self.left = asyncio.Event()

    def abort(self) -> None:
        self.left.set()
        self.near.transport.abort()
        self.far.transport.abort()

    def reset(self) -> None:
        """Closing with unsent data thrown away sends RST; the far side just ends."""
        linger = struct.pack("ii", 1, 0)
        self.near.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.abort()


class MysqlProxy:
    """Forwards bytes both ways while `connected`; otherwise it hangs up at once, as a refused connection does."""

    def __init__(self, place: Place, seed: int) -> None:
        self.port = 0
        self.sent = bytearray()
        self.accepted = 0
        self.connected = True
        self.weather = FAIR
        self._place = place
        self._chance = random.Random(seed)
        self._lines: list[_Line] = []
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def open(self) -> int:
        """Connections that are forwarded at present."""
        return len(self._lines)

    def killed(self) -> list[int]:
        """The connection ids that were asked to be killed, in order."""
        return [int(number) for number in re.findall(rb"KILL QUERY (\d+)", self.sent)]

    def cut(self) -> int:
        """End all connections without a goodbye; how many there were."""
        return self._all(_Line.abort)

    def reset(self) -> int:
        """The same by a reset."""
        return self._all(_Line.reset)

    def fall_silent(self) -> int:
        """Leave all connections open and forward nothing more to their clients; how many there are."""
        for line in self._lines:
            line.silent = True
        return len(self._lines)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client's connection."""
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        self.accepted += 1
        try:
            if self.connected:
                await self._forward(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            self._serving.discard(task)

    async def finish(self) -> None:
        """Cut what is open and wait until every connection has ended."""
        self.cut()
        if self._serving:
            await asyncio.wait(self._serving)

    def _all(self, end: Callable[[_Line], None]) -> int:
        ended, self._lines = self._lines, []
        for line in ended:
            end(line)
        return len(ended)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self._place.host, self._place.port)
        line = _Line(writer, far_writer, self.weather)
        self._lines.append(line)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._to_warehouse(reader, line))
                group.create_task(self._to_client(far_reader, line))
        finally:
            if line in self._lines:
                self._lines.remove(line)

    async def _to_warehouse(self, reader: asyncio.StreamReader, line: _Line) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                self.sent += data
                line.far.write(data)
                await line.far.drain()
        line.far.close()
        line.left.set()

    async def _to_client(self, reader: asyncio.StreamReader, line: _Line) -> None:
        passed = 0
        with suppress(OSError):
            while data := await reader.read(self._slice(line.weather)):
                if line.weather.delay:
                    await asyncio.sleep(line.weather.delay)
                if line.silent or _reached(line.weather.silent_after, passed + len(data)):
                    # Half-open: nothing comes any more, until the client itself goes away.
                    await line.left.wait()
                    break
                data = self._flipped(line.weather.flips_at, data, passed)
                data, ends = _weathered(line.weather, data, passed)
                line.near.write(data)
                await line.near.drain()
                passed += len(data)
                if ends:
                    line.reset() if line.weather.resets else line.far.close()
                    break
        line.near.close()

    def _flipped(self, place: int | None, data: bytes, passed: int) -> bytes:
        if place is None or not passed <= place < passed + len(data):
            return data
        wrong = bytearray(data)
        wrong[place - passed] ^= 1 << self._chance.randrange(8)
        return bytes(wrong)

    def _slice(self, weather: Weather) -> int:
        return self._chance.randint(1, weather.slices) if weather.slices < FAIR.slices else weather.slices


def _reached(mark: int | None, passed: int) -> bool:
    return mark is not None and passed >= mark


def _weathered(weather: Weather, data: bytes, passed: int) -> tuple[bytes, bool]:
    """The bytes that arrive, and whether the connection ends after them."""
    if _reached(weather.garbles_after, passed + len(data)):
        data = bytes(byte ^ 0xA5 for byte in data)
    if weather.ends_after is None or passed + len(data) < weather.ends_after:
        return data, False
    return data[: max(0, weather.ends_after - passed)], True


@asynccontextmanager
async def proxy(place: Place, *, seed: int = 7) -> AsyncIterator[MysqlProxy]:
    """A listening proxy; all its connections have ended when the context has."""
    way = MysqlProxy(place, seed)
    server = await asyncio.start_server(way.serve, "127.0.0.1", 0)
    way.port = server.sockets[0].getsockname()[1]
    try:
        yield way
    finally:
        server.close()
        await server.wait_closed()
        await way.finish()
