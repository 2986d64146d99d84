"""A loopback port before the warehouse that hears what clients say, and can be cut or be without a warehouse."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sandbox.launch import Endpoint


class Forwarder:
    """Forwards bytes both ways while `connected`; without a warehouse behind it, it hangs up at once."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.port = 0
        self.sent = bytearray()
        self.connected = True
        self._endpoint = endpoint
        self._open: list[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = []
        self._serving: set[asyncio.Task[None]] = set()

    def killed(self) -> list[int]:
        """The connection ids that were asked to be killed, in order."""
        return [int(number) for number in re.findall(rb"KILL QUERY (\d+)", self.sent)]

    def cut(self) -> int:
        """End all connections without a goodbye; how many there were."""
        ended, self._open = self._open, []
        for pair in ended:
            for writer in pair:
                writer.transport.abort()
        return len(ended)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client's connection."""
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            if self.connected:
                await self._forward(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            self._serving.discard(task)

    async def finish(self) -> None:
        """Cut what is open and wait until every connection has ended."""
        self.cut()
        if self._serving:
            await asyncio.wait(self._serving)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self._endpoint.host, self._endpoint.port)
        pair = (writer, far_writer)
        self._open.append(pair)
        await asyncio.gather(_pump(reader, far_writer, self.sent), _pump(far_reader, writer, bytearray()))
        if pair in self._open:
            self._open.remove(pair)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: bytearray) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            heard += data
            writer.write(data)
            await writer.drain()
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


@asynccontextmanager
async def forwarder(endpoint: Endpoint) -> AsyncIterator[Forwarder]:
    """A listening forwarder; all its connections have ended when the context has."""
    way = Forwarder(endpoint)
    server = await asyncio.start_server(way.serve, "127.0.0.1", 0)
    way.port = server.sockets[0].getsockname()[1]
    try:
        yield way
    finally:
        server.close()
        await server.wait_closed()
        await way.finish()
