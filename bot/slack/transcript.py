"""What people said in a thread, read back from Slack's messages: pure, and of our own only that they are ours."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.slack.events import SPOKEN, words
from handlers.surface import Said

HEARD = 200
"""Messages that are given back, the latest ones."""


def said_in(messages: Iterable[Mapping[str, Any]], me: str, after: str = "") -> Sequence[Said]:
    """The messages behind the ts `after`, oldest first; joins, deletions and the like say nothing. Ours are those of
    the user `me`; what other programs wrote is left out."""
    told = [_said(message, me) for message in messages if _spoken(message, me) and str(message["ts"]) > after]
    return sorted(told, key=lambda one: one.order)[-HEARD:]


def _spoken(message: Mapping[str, Any], me: str) -> bool:
    if message.get("user") == me:
        return True
    return message.get("subtype") in SPOKEN and not message.get("bot_id") and bool(message.get("user"))


def _said(message: Mapping[str, Any], me: str) -> Said:
    user = str(message["user"])
    return Said(user, words(str(message.get("text", "")), me), str(message["ts"]), ours=user == me)
