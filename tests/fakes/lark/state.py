"""What the fake Lark keeps, and how it refuses."""

import re
from dataclasses import dataclass, field
from typing import Any

APP, SECRET, TENANT = "cli_fake", "the-app-secret", "tenant-1"
BOT = "ou_bot"
ENCRYPT_KEY, VERIFICATION = "the-encrypt-key", "the-verification-token"

STREAMS_FOR = 600
"""Seconds that a card streams."""
CARD_OPERATIONS, CHAT_MESSAGES = 10, 5
"""Per second, of one card and in one chat."""

_AT = re.compile(r"<at\b", re.IGNORECASE)


class Refused(Exception):
    """An error code with Lark's words."""

    def __init__(self, code: int, msg: str = "", status: int = 400, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{code} {msg}")
        self.code, self.msg, self.status, self.headers = code, msg, status, headers or {}


@dataclass(slots=True)
class Message:
    """One message in a chat, ours or a person's. `shows` is what a card looks like now."""

    id: str
    chat: str
    sender: str
    kind: str
    content: str
    created: int
    root: str = ""
    thread: str = ""
    shows: dict[str, Any] = field(default_factory=dict)
    card_id: str = ""
    recalled: bool = False
    updates: int = 0


@dataclass(slots=True)
class Card:
    """A card entity of CardKit."""

    id: str
    content: dict[str, Any]
    sequence: int = 0
    streams_since: float | None = None
    sent_as: str = ""


@dataclass(slots=True)
class Scripted:
    """An answer to give instead of the real one."""

    code: int = 0
    msg: str = "scripted"
    status: int = 400
    headers: dict[str, str] = field(default_factory=dict)
    html: bool = False
    lost: bool = False
    """The call is carried out, but its answer never arrives."""


def pings(kind: str, content: Any, texts: list[str]) -> bool:
    """Whether a message would notify somebody by a mention in it. `texts` are those that are parsed for tags."""
    if kind == "text":
        return bool(_AT.search(content["text"]))
    if kind == "post":
        nodes = [node for paragraph in content["zh_cn"]["content"] for node in paragraph]
        return any(node["tag"] == "at" or (node["tag"] == "md" and _AT.search(node["text"])) for node in nodes)
    return any(_AT.search(text) for text in texts)
