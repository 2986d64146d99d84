"""A MySQL client in the raw: it sends what it is told, well-formed or not, and returns the server's packets."""

import asyncio
import hashlib
import struct
from dataclasses import dataclass

CAPABILITIES = 0x1 | 0x200 | 0x8000 | 0x20000 | 0x80000
SECONDS = 10


def scramble(password: str, nonce: bytes) -> bytes:
    """The proof of a password that mysql_native_password wants."""
    once = hashlib.sha1(password.encode()).digest()
    mask = hashlib.sha1(nonce + hashlib.sha1(once).digest()).digest()
    return bytes(a ^ b for a, b in zip(once, mask, strict=True))


@dataclass
class RawClient:
    """One connection; packets are whole messages."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    nonce: bytes = b""
    sequence: int = 0

    async def receive(self) -> bytes:
        """The next packet; empty when the server closed the connection."""
        try:
            async with asyncio.timeout(SECONDS):
                head = await self.reader.readexactly(4)
                self.sequence = head[3] + 1
                return await self.reader.readexactly(int.from_bytes(head[:3], "little"))
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""

    def send(self, message: bytes, sequence: int | None = None) -> None:
        """Send one packet."""
        number = self.sequence if sequence is None else sequence
        self.writer.write(struct.pack("<I", len(message))[:3] + bytes([number & 255]) + message)

    async def greet(self) -> None:
        """Read the greeting and keep its nonce."""
        packet = await self.receive()
        start = packet.index(b"\0", 1) + 5
        self.nonce = packet[start : start + 8] + packet[start + 27 : start + 39]

    async def login(
        self, user: str, password: str, plugin: bytes = b"mysql_native_password", flags: int = CAPABILITIES
    ) -> bytes:
        """Log in; the server's answer."""
        proof = scramble(password, self.nonce)
        self.send(handshake(user.encode() + b"\0" + bytes([len(proof)]) + proof + plugin + b"\0", flags))
        return await self.receive()

    async def command(self, code: int, body: bytes = b"") -> bytes:
        """Send one command; the first packet of the answer."""
        self.send(bytes([code]) + body, 0)
        return await self.receive()

    async def until_eof(self) -> list[bytes]:
        """The packets before the next EOF packet."""
        packets = []
        while (packet := await self.receive()) and not (packet[0] == 0xFE and len(packet) < 9):
            packets.append(packet)
        return packets


def handshake(tail: bytes, flags: int = CAPABILITIES) -> bytes:
    """A login message: capabilities and the fixed part, then whatever is given."""
    return struct.pack("<IIB", flags, 1 << 24, 45) + b"\0" * 23 + tail


async def open_client(port: int) -> RawClient:
    """A connection that has read the greeting."""
    client = RawClient(*await asyncio.open_connection("127.0.0.1", port))
    await client.greet()
    return client
