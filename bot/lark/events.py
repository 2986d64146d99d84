"""Lark's payloads as events: pure, and None for everything that is not a person asking us something."""

from collections.abc import Mapping
from typing import Any

from bot.lark.place import Place
from bot.lark.transcript import order_of, words_of
from bot.lark.writing import ASK
from bot.lark.writing import STOP as STOP_BUTTON
from handlers.buttons import HOME, WELCOME
from handlers.commands import is_stop
from handlers.markdown import excerpt
from handlers.surface import Deleted, PatrolRequest, Press, Question, Stop

Payload = Mapping[str, Any]

RECEIVED = "im.message.receive_v1"
RECALLED = "im.message.recalled_v1"
PRESSED = "card.action.trigger"
MENU = "application.bot.menu_v6"
ENTERED = "im.chat.access_event.bot_p2p_chat_entered_v1"

LONGEST_QUESTION = 12_000
"""Characters of a message that are read; the rest is left out, and the question says so."""
COMMAND = "/patrol"
MENU_PATROL = "patrol"
"""The key of an entry of the bot's menu that asks for a patrol; `patrol_morning` asks for a morning one, and so on."""


def kind(payload: Payload) -> str:
    """The type of an event or callback; empty for what is neither."""
    return str((payload.get("header") or {}).get("event_type", ""))


def event_id(payload: Payload) -> str:
    """The id of a delivery, the same when Lark delivers it again."""
    return str((payload.get("header") or {}).get("event_id", ""))


def question(payload: Payload, app: str, bot: str, *, shared_chats: bool = False) -> Question | None:
    """A message of a person of our company; None for those of bots and of other companies. `bot` is our open id."""
    event, message = payload["event"], payload["event"]["message"]
    sender = event["sender"]
    if sender.get("sender_type") != "user" or not _ours(payload, sender, shared_chats):
        return None
    text = words_of(message["message_type"], message["content"], message.get("mentions") or (), bot)
    if message["message_type"] not in ("text", "post"):
        return None
    read = text if len(text) <= LONGEST_QUESTION else f"{text[:LONGEST_QUESTION]} […the message goes on]"
    chat, root = message["chat_id"], message.get("root_id") or message["message_id"]
    return Question(
        key=str(Place(app, chat, message["message_id"])),
        thread=str(Place(app, chat, root)),
        user=sender["sender_id"]["open_id"],
        text=read or "help",
        order=order_of(message.get("create_time")),
        direct=message.get("chat_type") == "p2p",
    )


def mentions(payload: Payload, bot: str) -> bool:
    """Whether a message mentions us; one that mentions all does not."""
    found = payload["event"]["message"].get("mentions") or ()
    return any((mention.get("id") or {}).get("open_id") == bot for mention in found)


def stop(question: Question) -> Stop | None:
    """The question as a wish to stop, if it is one."""
    if not is_stop(question.text):
        return None
    return Stop(question.key, question.thread, question.user, question.direct)


def typed_patrol(question: Question) -> PatrolRequest | None:
    """The question as a typed command, if it is one: Lark knows no commands of its own."""
    command, _, words = question.text.partition(" ")
    if command.casefold() != COMMAND:
        return None
    channel = question.thread.rpartition(":")[0]
    return PatrolRequest(question.key, channel, question.user, excerpt(words, 200))


def recalled(payload: Payload, app: str) -> Deleted:
    """Somebody took a message back; Lark does not say who, and only its owner or an administrator can."""
    event = payload["event"]
    place = str(Place(app, event["chat_id"], event["message_id"]))
    return Deleted(place, place, "")


def press(payload: Payload, app: str, *, shared_chats: bool = False) -> Press | Stop | Question | None:
    """A pressed button, a choice from a menu or a form that was sent; None for a member of another company and for a
    button that is none of ours."""
    event, action = payload["event"], payload["event"]["action"]
    value = action.get("value")
    if not _ours(payload, event["operator"], shared_chats) or not isinstance(value, dict) or "action" not in value:
        return None
    context = event.get("context") or {}
    carrier = str(Place(app, context.get("open_chat_id", ""), context.get("open_message_id", "")))
    thread, user = str(value.get("thread") or carrier), event["operator"]["open_id"]
    key = f"lark:action:{app}:{event_id(payload)}"
    if value["action"] == STOP_BUTTON:
        return Stop(key, thread, user)
    order = order_of(int((payload["header"].get("create_time") or "0")[:13]))
    if value["action"] == ASK:
        return Question(key, thread, user, str(value.get("value", ""))[:LONGEST_QUESTION], order, direct=True)
    chosen = action.get("option")
    return Press(
        key=key,
        action=str(value["action"]),
        value=str(value.get("value", "") if chosen is None else chosen),
        user=user,
        thread=thread,
        message=str(value.get("message") or carrier),
        trigger=str(event.get("token", "")),
        entered={str(name): str(one or "") for name, one in (action.get("form_value") or {}).items()},
        order=order,
    )


def menu(payload: Payload, app: str) -> PatrolRequest | Press | None:
    """A choice from the bot's menu, which stands in the chat with us alone: a patrol, or our home."""
    event = payload["event"]
    user = event["operator"]["operator_id"]["open_id"]
    chosen, key = str(event.get("event_key", "")), f"lark:menu:{app}:{event_id(payload)}"
    place = str(Place(app, user))
    if chosen == MENU_PATROL or chosen.startswith(f"{MENU_PATROL}_"):
        words = chosen.removeprefix(MENU_PATROL).replace("_", " ").strip()
        return PatrolRequest(key, place, user, words)
    return Press(key, HOME, "", user, place, "") if chosen in (HOME, "help") else None


def entered(payload: Payload, app: str) -> tuple[Press, Press]:
    """Somebody opened the chat with us: our home, and first questions. The same keys for a person always: they are
    welcomed once."""
    user = payload["event"]["operator_id"]["open_id"]
    place = str(Place(app, user))
    home = Press(f"lark:welcome:{app}:{user}", HOME, "", user, place, "")
    return home, Press(f"lark:prompts:{app}:{user}", WELCOME, "", user, place, "")


def _ours(payload: Payload, person: Payload, shared_chats: bool) -> bool:
    tenant = person.get("tenant_key")
    return shared_chats or tenant is None or tenant == payload["header"].get("tenant_key")
