"""The handshake: greeting, the client's answer, and the check of mysql_native_password."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntFlag

from sandbox.errors import ProtocolError
from sandbox.wire.packets import PacketStream, Payload

PLUGIN = b"mysql_native_password"
MAX_HANDSHAKE = 64 << 10
"""Bytes of a login message; a stranger who has not logged in may not make us hold more."""
_SCRAMBLE = 20


class Capability(IntFlag):
    """Protocol features; the server offers no TLS, no compression and no LOCAL INFILE."""

    LONG_PASSWORD = 0x1
    FOUND_ROWS = 0x2
    LONG_FLAG = 0x4
    CONNECT_WITH_DB = 0x8
    PROTOCOL_41 = 0x200
    SSL = 0x800
    TRANSACTIONS = 0x2000
    SECURE_CONNECTION = 0x8000
    MULTI_STATEMENTS = 0x10000
    MULTI_RESULTS = 0x20000
    PLUGIN_AUTH = 0x80000
    CONNECT_ATTRS = 0x100000
    PLUGIN_AUTH_LENENC = 0x200000


# Everything but TLS: this listens on the loopback only, and a client that insists on TLS is refused, not downgraded.
OFFERED = Capability(0)
for _capability in Capability:
    if _capability is not Capability.SSL:
        OFFERED |= _capability


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client claims: `proves(password)` tells whether it knows that password."""

    user: str
    database: str
    proves: Callable[[str], bool]
    used_password: bool


def new_nonce() -> bytes:
    """Twenty random bytes without NUL, as the greeting wants them."""
    # Printable, because clients read the first part up to a NUL, and some treat the rest as text too.
    return bytes(secrets.randbelow(93) + 33 for _ in range(_SCRAMBLE))


def greeting(version: str, connection_id: int, nonce: bytes) -> bytes:
    """The server's first packet (protocol 10)."""
    return (
        b"\x0a"
        + version.encode()
        + b"\0"
        + struct.pack("<I", connection_id)
        + nonce[:8]
        + b"\0"
        + struct.pack("<HBHH", OFFERED & 0xFFFF, 45, 2, OFFERED >> 16)
        + bytes([_SCRAMBLE + 1])
        + b"\0" * 10
        + nonce[8:]
        + b"\0"
        + PLUGIN
        + b"\0"
    )


def proves(password: str, nonce: bytes, answer: bytes) -> bool:
    """Whether `answer` is SHA1(password) XOR SHA1(nonce + SHA1(SHA1(password)))."""
    # The formula is not used for an empty password: its proof is the empty answer, and only that.
    if not password:
        return answer == b""
    # Said before the XOR below, which would silently compare a shorter proof by its beginning.
    if len(answer) != _SCRAMBLE:
        return False
    # SHA-1 is what the protocol prescribes
    once = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    twice = hashlib.sha1(once, usedforsecurity=False).digest()
    mask = hashlib.sha1(nonce + twice, usedforsecurity=False).digest()
    return hmac.compare_digest(bytes(a ^ b for a, b in zip(once, mask, strict=True)), answer)


async def receive(stream: PacketStream, nonce: bytes) -> Credentials:
    """The client's claim; a client that prefers another plugin is switched to the native one.

    Raises:
        ProtocolError: the answer is not a 4.1 handshake, asks for TLS, or the client is gone.
    """
    payload = Payload(await stream.read(MAX_HANDSHAKE))
    # What was not offered is not understood either, so its fields must not shift the ones that follow.
    flags = Capability(payload.integer(4) & (OFFERED | Capability.SSL))
    if Capability.PROTOCOL_41 not in flags or Capability.SSL in flags:
        raise ProtocolError("only protocol 4.1 without TLS is spoken here")
    # Largest packet, character set, filler: none changes what we do, our own limits hold.
    payload.take(28)
    user = _utf8(payload.until_zero())
    answer = _answer(payload, flags)
    database = _utf8(payload.until_zero()) if Capability.CONNECT_WITH_DB in flags and payload.left else ""
    plugin = payload.until_zero() if Capability.PLUGIN_AUTH in flags and payload.left else PLUGIN
    # Newer clients begin with a plugin of MySQL 8; the switch costs one round trip and spares them a setting.
    if plugin not in (PLUGIN, b""):
        stream.write(b"\xfe" + PLUGIN + b"\0" + nonce + b"\0")
        await stream.flush()
        answer = await stream.read(MAX_HANDSHAKE)
    # The proof is not checked here: for an unknown user there is no password, and both must be refused alike.
    return Credentials(user, database, lambda password: proves(password, nonce, answer), bool(answer))


def _answer(payload: Payload, flags: Capability) -> bytes:
    if Capability.PLUGIN_AUTH_LENENC in flags:
        return payload.lenstr()
    if Capability.SECURE_CONNECTION in flags:
        return payload.take(payload.integer(1))
    return payload.until_zero()


def _utf8(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError as error:
        raise ProtocolError("a name is not UTF-8") from error
