"""What Lark sends: the shapes of real payloads, with only the parts that differ between tests as arguments."""

import json
from typing import Any

from tests.fakes.lark.server import APP, BOT, TENANT, VERIFICATION, Message

USER = "ou_anna"
BOT_MENTION = {
    "key": "@_user_1",
    "id": {"open_id": BOT, "union_id": "on_bot"},
    "name": "starwatch",
    "tenant_key": TENANT,
}


def event(kind: str, inner: dict[str, Any], event_id: str = "ev-1", **header: str) -> dict[str, Any]:
    """An event in its envelope."""
    told = {
        "event_id": event_id,
        "event_type": kind,
        "create_time": "1766000000123",
        "token": VERIFICATION,
        "app_id": APP,
        "tenant_key": TENANT,
    }
    return {"schema": "2.0", "header": told | header, "event": inner}


def message(said: Message, event_id: str = "ev-1", *, mentions: bool = True, **more: Any) -> dict[str, Any]:
    """`said` as the event that it raises. `sender` and `tenant` say who it is from, other keys replace parts of the
    message."""
    sender, tenant = more.pop("sender", said.sender), more.pop("tenant", TENANT)
    kind = more.pop("sender_type", "user")
    shown: dict[str, Any] = {
        "message_id": said.id,
        "create_time": str(said.created),
        "chat_id": said.chat,
        "chat_type": "p2p" if said.chat.startswith("oc_p2p") else "group",
        "message_type": said.kind,
        "content": said.content,
    }
    if said.root:
        shown |= {"root_id": said.root, "parent_id": said.root, "thread_id": said.thread}
    if mentions:
        shown["mentions"] = [BOT_MENTION]
    ids = {"open_id": sender, "union_id": f"on_{sender}", "user_id": None}
    inner = {"sender": {"sender_id": ids, "sender_type": kind, "tenant_key": tenant}, "message": shown | more}
    return event("im.message.receive_v1", inner, event_id)


def recalled(said: Message, event_id: str = "ev-2") -> dict[str, Any]:
    """Somebody took `said` back."""
    inner = {"message_id": said.id, "chat_id": said.chat, "recall_time": "1766000009", "recall_type": "message_owner"}
    return event("im.message.recalled_v1", inner, event_id)


def press(carrier: Message, pressed: dict[str, Any], event_id: str = "ev-3", **more: Any) -> dict[str, Any]:
    """Somebody pressed a component of the card `carrier`. `option` is what was chosen,
    `form_value` what was entered."""
    tenant = more.pop("tenant", TENANT)
    value = pressed["behaviors"][0]["value"]
    action = {"value": value, "tag": pressed["tag"], "timezone": "Asia/Shanghai"} | more
    inner = {
        "operator": {"open_id": USER, "union_id": "on_anna", "tenant_key": tenant},
        "token": "c-295ee57216a5dc9de90fefd0aadb4b1d7d",
        "action": action,
        "host": "im_message",
        "context": {"open_message_id": carrier.id, "open_chat_id": carrier.chat},
    }
    return event("card.action.trigger", inner, event_id)


def menu(key: str, event_id: str = "ev-4", user: str = USER) -> dict[str, Any]:
    """Somebody chose from the bot's menu."""
    operator = {"operator_name": "Anna", "operator_id": {"open_id": user, "union_id": "on_anna"}}
    inner = {"operator": operator, "event_key": key, "timestamp": 1766000000}
    return event("application.bot.menu_v6", inner, event_id)


def entered(user: str = USER, event_id: str = "ev-5", last_message: str = "") -> dict[str, Any]:
    """Somebody opened the chat with the bot."""
    inner: dict[str, Any] = {"chat_id": f"oc_p2p_{user}", "operator_id": {"open_id": user}}
    if last_message:
        inner["last_message_id"] = last_message
    return event("im.chat.access_event.bot_p2p_chat_entered_v1", inner, event_id)


def challenge(token: str = VERIFICATION) -> dict[str, Any]:
    """What Lark sends when the address of the events is entered."""
    return {"type": "url_verification", "challenge": "challenge-1", "token": token}


def text(words: str) -> str:
    """The content of a text message."""
    return json.dumps({"text": words}, ensure_ascii=False)
