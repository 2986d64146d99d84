"""A strict stand-in for Lark on loopback: it refuses what Lark refuses and keeps what people would see."""

from tests.fakes.lark.cards import problems
from tests.fakes.lark.door import EncryptedDoor
from tests.fakes.lark.server import APP, BOT, ENCRYPT_KEY, SECRET, TENANT, VERIFICATION, FakeLark, Message, Scripted

__all__ = [
    "APP",
    "BOT",
    "ENCRYPT_KEY",
    "SECRET",
    "TENANT",
    "VERIFICATION",
    "EncryptedDoor",
    "FakeLark",
    "Message",
    "Scripted",
    "problems",
]
