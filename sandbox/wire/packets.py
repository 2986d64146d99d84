"""Packets and the primitive values in them. Every read is bounded: a short or lying packet raises, it never waits."""

from __future__ import annotations

import asyncio
import struct

from sandbox.errors import ProtocolError

MAX_PACKET = 16 << 20
"""Bytes of one message from a client, continuation packets included."""
WRITE_SECONDS = 60.0
"""A client that takes nothing of its result for so long is given up."""
# The length field has three bytes; a frame of exactly this size says that another one follows.
_FRAME = 0xFFFFFF
_HEAD = struct.Struct("<HBB")


def lenint(number: int) -> bytes:
    """A length-encoded integer: 1, 3, 4 or 9 bytes."""
    if number < 251:
        return bytes([number])
    if number < 1 << 16:
        return b"\xfc" + struct.pack("<H", number)
    if number < 1 << 24:
        return b"\xfd" + struct.pack("<I", number)[:3]
    return b"\xfe" + struct.pack("<Q", number)


def lenstr(text: bytes) -> bytes:
    """A length-encoded byte string."""
    return lenint(len(text)) + text


class Payload:
    """A cursor over one message; raises ProtocolError where the message ends too early."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes not yet read."""
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        if count > self.left:
            raise ProtocolError("the packet is shorter than it says")
        start, self._at = self._at, self._at + count
        return self._data[start : self._at]

    def integer(self, width: int, *, signed: bool = False) -> int:
        """A little-endian integer of `width` bytes."""
        return int.from_bytes(self.take(width), "little", signed=signed)

    def until_zero(self) -> bytes:
        """The bytes before the next NUL, which is consumed too."""
        end = self._data.find(b"\0", self._at)
        if end < 0:
            raise ProtocolError("a string has no end")
        start, self._at = self._at, end + 1
        return self._data[start:end]

    def lenint(self) -> int:
        """A length-encoded integer."""
        first = self.integer(1)
        if first < 251:
            return first
        # 251 stands for NULL in rows and 255 for an error packet; neither is a length.
        width = {252: 2, 253: 3, 254: 8}.get(first)
        if width is None:
            raise ProtocolError("a length is malformed")
        return self.integer(width)

    def lenstr(self) -> bytes:
        """A length-encoded byte string."""
        return self.take(self.lenint())

    def rest(self) -> bytes:
        """All bytes not yet read."""
        return self.take(self.left)


class WatchedReader(asyncio.StreamReader):
    """A stream reader that tells at once, also while nobody reads, that the client is gone."""

    def __init__(self) -> None:
        # Small on purpose: beyond it asyncio stops reading the socket, and the client feels that we are slow.
        super().__init__(limit=1 << 16)
        self.gone = asyncio.Event()

    def feed_eof(self) -> None:
        """The client closed its side."""
        super().feed_eof()
        self.gone.set()

    def set_exception(self, exc: BaseException) -> None:
        """The connection broke."""
        super().set_exception(exc)  # type: ignore[arg-type]
        self.gone.set()


class PacketStream:
    """Messages over one TCP connection, with the sequence numbers that the protocol wants."""

    def __init__(self, reader: WatchedReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._sequence = 0
        self._queued = bytearray()

    @property
    def gone(self) -> asyncio.Event:
        """Set once the client has closed or broken the connection."""
        return self._reader.gone

    async def read(self, limit: int = MAX_PACKET) -> bytes:
        """The next whole message.

        Raises:
            ProtocolError: the client is gone, or the message is longer than `limit` bytes.
        """
        parts: list[bytes] = []
        total = 0
        while True:
            head = await self._exactly(4)
            size = int.from_bytes(head[:3], "little")
            self._sequence = (head[3] + 1) & 0xFF
            # Counted before the body is read: a length is a promise, and memory must not be spent on it.
            total += size
            if total > limit:
                raise ProtocolError("the packet is larger than allowed")
            parts.append(await self._exactly(size))
            if size < _FRAME:
                return b"".join(parts)

    def write(self, message: bytes) -> None:
        """Queue one message; `flush` sends it, with all others in one piece: a system call per row is too slow."""
        # One past the end, so that a message of whole frames is closed by an empty one.
        for start in range(0, len(message) + 1, _FRAME):
            part = message[start : start + _FRAME] if start or len(message) > _FRAME else message
            self._queued += _HEAD.pack(len(part) & 0xFFFF, len(part) >> 16, self._sequence)
            self._queued += part
            self._sequence = (self._sequence + 1) & 0xFF

    async def flush(self) -> None:
        """Wait until the client has taken enough of what was queued.

        Raises:
            ProtocolError: the client is gone, or took nothing for WRITE_SECONDS.
        """
        self._writer.write(self._queued)
        self._queued = bytearray()
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                await self._writer.drain()
        except (ConnectionError, TimeoutError) as error:
            raise ProtocolError("the client is gone, or takes nothing") from error

    def close(self) -> None:
        """Close the connection after what was queued."""
        self._writer.close()

    def abort(self) -> None:
        """Cut the connection without sending what is queued."""
        self._writer.transport.abort()

    async def _exactly(self, count: int) -> bytes:
        try:
            return await self._reader.readexactly(count)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise ProtocolError("the client is gone") from error
