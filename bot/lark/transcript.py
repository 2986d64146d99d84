"""What was said in a topic, read back from Lark's lists of messages: pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from handlers.surface import Said

Message = Mapping[str, Any]

HEARD = 200
"""The latest messages of a topic that are given."""


def said(messages: Sequence[Message], app: str, after: str = "") -> Sequence[Said]:
    """The messages behind the order `after`, oldest first; ours are those of the app `app`, those of other apps and
    what was recalled are left out."""
    told = [_said(one, app) for one in messages if _spoken(one, app)]
    return sorted((one for one in told if one.order > after), key=lambda one: one.order)[-HEARD:]


def order_of(create_time: object) -> str:
    """A moment of Lark's, in milliseconds, as text that sorts."""
    return f"{create_time or 0!s:0>16}"


def words_of(kind: str, content: str, mentions: Sequence[Message] = (), bot: str = "") -> str:
    """What is read in a message: mentions by name, that of `bot` left out; of a picture or file that it is one."""
    try:
        told = json.loads(content)
    except (TypeError, ValueError, RecursionError):
        return ""
    if not isinstance(told, dict):
        return ""
    if kind == "text":
        text = str(told.get("text", ""))
    elif kind in ("post", "interactive"):
        text = "\n".join(filter(None, [str(told.get("title") or ""), *_lines(told)]))
    else:
        return f"[{kind}]"
    for mention in mentions:
        name = "" if _open_id(mention) == bot else f"@{mention.get('name', '')}"
        text = text.replace(str(mention.get("key", "")) or "@_no_key", name)
    return text.strip()


def _lines(told: Message) -> Iterator[str]:
    """The paragraphs of a rich text, or of a card as Lark lists it."""
    for paragraph in told.get("content") or told.get("elements") or ():
        if isinstance(paragraph, list):
            nodes = [node for node in paragraph if isinstance(node, dict)]
            yield "".join(str(node.get("text") or node.get("user_name") or "") for node in nodes)


def _open_id(mention: Message) -> str:
    told = mention.get("id")
    return str(told.get("open_id", "")) if isinstance(told, dict) else str(told or "")


def _spoken(one: Message, app: str) -> bool:
    sender = one.get("sender") or {}
    return not one.get("deleted") and (sender.get("sender_type") == "user" or sender.get("id") == app)


def _said(one: Message, app: str) -> Said:
    sender = one["sender"]
    text = words_of(str(one.get("msg_type")), (one.get("body") or {}).get("content", ""), one.get("mentions") or ())
    return Said(str(sender["id"]), text, order_of(one.get("create_time")), ours=sender["id"] == app)
