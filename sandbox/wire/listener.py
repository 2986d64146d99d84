"""The listening socket: accepts clients up to a limit and ends them all when the server stops."""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sandbox.errors import ProtocolError, StartError
from sandbox.wire.backend import Backend
from sandbox.wire.connection import Connection
from sandbox.wire.packets import PacketStream, WatchedReader

_log = logging.getLogger(__name__)
_REFUSAL = b"\xff" + struct.pack("<H", 1040) + b"#08004" + b"Too many connections"


@dataclass(slots=True)
class Listener:
    """Hands every accepted connection to the backend."""

    backend: Backend
    max_connections: int = 256
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _serving: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def open(self, host: str, port: int) -> AsyncIterator[int]:
        """Listen on `host:port` (0: any free port) and yield the port; all clients are gone on exit.

        Raises:
            StartError: the port is taken or the address is not ours.
        """
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(self._protocol, host, port)
        except OSError as error:
            raise StartError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            # First no new clients, then the end of those there are: the other order leaves a gap for one more.
            server.close()
            await self._end_all()
            await server.wait_closed()

    def _protocol(self) -> asyncio.StreamReaderProtocol:
        reader = WatchedReader()
        return asyncio.StreamReaderProtocol(reader, lambda _, writer: self._accept(reader, writer))

    def _accept(self, reader: WatchedReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: WatchedReader, writer: asyncio.StreamWriter) -> None:
        stream = PacketStream(reader, writer)
        try:
            # Told in the form of the protocol, before any greeting, so that pools report it instead of a reset.
            if len(self._serving) > self.max_connections:
                stream.write(_REFUSAL)
                await stream.flush()
                return
            # Answers are many small packets; waiting to fill a segment would add 40 ms to each short query.
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            address = "{}:{}".format(*writer.get_extra_info("peername")[:2])
            await Connection(stream, self.backend, next(self._ids), address).serve()
        except ProtocolError as error:
            _log.debug("a client left: %s", error)
        finally:
            stream.close()

    async def _end_all(self) -> None:
        for task in self._serving:
            task.cancel()
        if self._serving:
            # A statement is interrupted, not abandoned, which takes a moment; but no client may hold up the stop.
            await asyncio.wait(set(self._serving), timeout=5)
