"""The chats, people and cards of one company on Lark, and what may be done with them."""

import json
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

from tests.fakes.lark import cards as checked
from tests.fakes.lark.state import (
    APP,
    CARD_OPERATIONS,
    CHAT_MESSAGES,
    STREAMS_FOR,
    TENANT,
    Card,
    Message,
    Refused,
)

Body = dict[str, Any]


class Company:
    """Each method with `ids` and `body` is a call of the open platform; it gives back the data, or raises Refused."""

    def __init__(self, chats: tuple[str, ...], clock: Callable[[], float]) -> None:
        self.chats = set(chats)
        self.people: dict[str, dict[str, Any]] = {"ou_anna": {}, "ou_ben": {}}
        """What is special about people, in the fields of the contact API."""
        self.messages: dict[str, Message] = {}
        self.cards: dict[str, Card] = {}
        self.reactions: dict[str, tuple[str, str]] = {}
        self.files: dict[str, tuple[str, bytes]] = {}
        self.images: dict[str, bytes] = {}
        self.topics = True
        """Whether the chats let replies hang under a message."""
        self._clock = clock
        self._sent: dict[str, str] = {}
        self._operations: defaultdict[str, deque[float]] = defaultdict(deque)
        self._numbers = 0

    # messages

    def _messages_create(self, ids: Body, body: Body) -> Body:
        kind, to = body["receive_id_type"], body["receive_id"]
        if kind == "open_id" and to in self.people:
            return self._post(f"oc_p2p_{to}", body, root="")
        if kind != "chat_id" or not self._is_chat(to):
            raise Refused(230002 if kind == "chat_id" else 230013, "The bot can not be outside the group.")
        return self._post(to, body, root="")

    def _messages_reply(self, ids: Body, body: Body) -> Body:
        to = self._message(ids["message_id"])
        in_topic = body.get("reply_in_thread") is True
        if in_topic and not self.topics:
            raise Refused(230071, "reply in thread is not supported in this chat")
        return self._post(to.chat, body, root=to.root or to.id, topic=in_topic)

    def _messages_patch(self, ids: Body, body: Body) -> Body:
        message = self._message(ids["message_id"])
        if message.sender != APP or message.kind != "interactive":
            raise Refused(230027, "not a card of the app")
        if message.card_id:
            raise Refused(230001, "the card is an entity")
        self._within(message.id, CHAT_MESSAGES, 230020)
        message.shows = self._card(body["content"])
        message.content = body["content"]
        message.updates += 1
        return {}

    def _messages_delete(self, ids: Body, body: Body) -> Body:
        message = self._message(ids["message_id"])
        if message.sender != APP:
            raise Refused(230026, "no permission to recall")
        message.recalled = True
        return {}

    def _messages_get(self, ids: Body, body: Body) -> Body:
        return {"items": [self._listed(self._message(ids["message_id"]))]}

    def _messages_list(self, ids: Body, body: Body) -> Body:
        if body["container_id_type"] not in ("chat", "thread"):
            raise Refused(230001, "container_id_type")
        here = "thread" if body["container_id_type"] == "thread" else "chat"
        found = [one for one in self.messages.values() if getattr(one, here) == body["container_id"]]
        found = [one for one in found if not one.recalled]
        if not found:
            raise Refused(230002, "The bot can not be outside the group.")
        if body.get("sort_type") == "ByCreateTimeDesc":
            found.reverse()
        size, start = int(body.get("page_size", 20)), int(body.get("page_token") or 0)
        if not 1 <= size <= 50:
            raise Refused(230001, "page_size")
        more = start + size < len(found)
        page = {"items": [self._listed(one) for one in found[start : start + size]], "has_more": more}
        return page | ({"page_token": str(start + size)} if more else {})

    def _reactions_create(self, ids: Body, body: Body) -> Body:
        message, emoji = self._message(ids["message_id"]), body["reaction_type"]["emoji_type"]
        if emoji not in ("OnIt", "DONE", "THUMBSUP", "ERROR", "Typing"):
            raise Refused(231001, "reaction type is invalid")
        key = f"r-{self._next()}"
        self.reactions[key] = (message.id, emoji)
        return {"reaction_id": key}

    def _reactions_delete(self, ids: Body, body: Body) -> Body:
        if self.reactions.pop(ids["reaction_id"], ("", ""))[0] != ids["message_id"]:
            raise Refused(231011, "the reaction does not exist")
        return {}

    def _files_create(self, ids: Body, body: Body) -> Body:
        if body["file_type"] != "stream" or not body["file"] or len(body["file"]) > 30 * 1024 * 1024:
            raise Refused(234006, "file size invalid")
        key = f"file_{self._next()}"
        self.files[key] = (body["file_name"], body["file"])
        return {"file_key": key}

    def _images_create(self, ids: Body, body: Body) -> Body:
        if body["image_type"] != "message" or not body["image"] or len(body["image"]) > 10 * 1024 * 1024:
            raise Refused(234006, "image size invalid")
        key = f"img_{self._next()}"
        self.images[key] = body["image"]
        return {"image_key": key}

    # cards

    def _cards_create(self, ids: Body, body: Body) -> Body:
        if body["type"] != "card_json":
            raise Refused(300301, "type")
        content = self._card(body["data"])
        card = Card(f"card-{self._next()}", content)
        self._stream(card, content.get("config", {}))
        self.cards[card.id] = card
        return {"card_id": card.id}

    def _cards_update(self, ids: Body, body: Body) -> Body:
        card = self._operated(ids["card_id"], body)
        if body["card"].get("type") != "card_json" or set(body["card"]) != {"type", "data"}:
            raise Refused(300301, "card")
        card.content = self._card(body["card"]["data"])
        self._stream(card, card.content.get("config", {}))
        self._show(card)
        return {}

    def _cards_settings(self, ids: Body, body: Body) -> Body:
        card = self._operated(ids["card_id"], body)
        settings = json.loads(body["settings"])
        if set(settings) - {"config", "card_link"} or set(settings.get("config", {})) - checked.CONFIG:
            raise Refused(300301, "settings")
        self._stream(card, settings.get("config", {}))
        return {}

    def _elements_content(self, ids: Body, body: Body) -> Body:
        card = self._operated(ids["card_id"], body)
        if card.streams_since is None or self._clock() - card.streams_since > STREAMS_FOR:
            raise Refused(300309, "streaming mode is closed")
        element = checked.element(card.content, ids["element_id"])
        if element is None or element["tag"] not in ("markdown", "plain_text"):
            raise Refused(300313, "element not found")
        if not 1 <= len(body["content"]) <= 100_000:
            raise Refused(300301, "content")
        element["content"] = body["content"]
        self._card(json.dumps(card.content))
        self._show(card)
        return {}

    def _cards_convert(self, ids: Body, body: Body) -> Body:
        message = self._message(body["message_id"])
        if not message.card_id:
            raise Refused(300302, "the message holds no card entity")
        return {"card_id": message.card_id}

    def _operated(self, card_id: str, body: Body) -> Card:
        if card_id not in self.cards:
            raise Refused(300302, "card not found")
        card = self.cards[card_id]
        self._within(card_id, CARD_OPERATIONS, 99991400)
        if not isinstance(body["sequence"], int) or not card.sequence < body["sequence"] < 2**31:
            raise Refused(300317, "sequence number compare failed")
        card.sequence = body["sequence"]
        return card

    def _stream(self, card: Card, config: Body) -> None:
        if "streaming_mode" in config:
            card.streams_since = self._clock() if config["streaming_mode"] else None

    def _show(self, card: Card) -> None:
        if card.sent_as:
            self.messages[card.sent_as].shows = card.content
            self.messages[card.sent_as].updates += 1

    def _card(self, content: str) -> Body:
        try:
            card: Body = json.loads(content)
        except (TypeError, ValueError):
            raise Refused(230001, "content is no JSON string") from None
        if len(json.dumps(content, ensure_ascii=False).encode()) > 30 * 1024:
            raise Refused(230025, "The length of the message content reaches its limit.")
        found = checked.problems(card)
        found += [f"no image {one['img_key']}" for one in checked._tagged(card) if self._unknown_image(one)]
        if found:
            raise Refused(230099, f"Failed to create card content, ext=ErrCode: 200621; ErrMsg: {found[0]}")
        return card

    def _unknown_image(self, one: Body) -> bool:
        return one["tag"] == "img" and one.get("img_key") not in self.images

    def _post(self, chat: str, body: Body, root: str, *, topic: bool = True) -> Body:
        if len(body.get("uuid", "")) > 50:
            raise Refused(230001, "uuid")
        if (known := self._sent.get(body.get("uuid", ""))) is not None:
            return self._told(self.messages[known])
        self._within(chat, CHAT_MESSAGES, 230020)
        kind, content = body["msg_type"], body["content"]
        card_id, shows = "", {}
        if kind == "interactive":
            card_id, shows = self._sent_card(content)
        else:
            self._check(kind, content)
        message = self._keep(chat, APP, kind, content, root, topic=topic)
        message.shows, message.card_id = shows, card_id
        if card_id:
            self.cards[card_id].sent_as = message.id
        if body.get("uuid"):
            self._sent[body["uuid"]] = message.id
        return self._told(message)

    def _sent_card(self, content: str) -> tuple[str, Body]:
        told = json.loads(content)
        if told.get("type") != "card":
            return "", self._card(content)
        card = self.cards.get(told.get("data", {}).get("card_id", ""))
        if card is None or card.sent_as:
            raise Refused(230099, "Failed to create card content, ext=ErrCode: 200740; ErrMsg: a card is sent once")
        return card.id, card.content

    def _check(self, kind: str, content: str) -> None:
        told = json.loads(content)
        size = len(json.dumps(content, ensure_ascii=False).encode())
        if size > (30 if kind == "post" else 150) * 1024:
            raise Refused(230025, "The length of the message content reaches its limit.")
        match kind:
            case "text":
                wrong = set(told) != {"text"} or not told["text"]
            case "post":
                wrong = set(told) != {"zh_cn"} or any(
                    node.get("tag") not in ("text", "a", "at", "md", "img")
                    for paragraph in told["zh_cn"]["content"]
                    for node in paragraph
                )
            case "file":
                wrong = told.get("file_key") not in self.files
            case "image":
                wrong = told.get("image_key") not in self.images
            case _:
                wrong = True
        if wrong:
            raise Refused(230001, "Your request contains an invalid request parameter.")

    def _within(self, place: str, most: int, code: int) -> None:
        lately, now = self._operations[place], self._clock()
        while lately and now - lately[0] >= 1:
            lately.popleft()
        if len(lately) >= most:
            raise Refused(code, "request trigger frequency limit", 429, {"x-ogw-ratelimit-reset": "1"})
        lately.append(now)

    def _keep(self, chat: str, sender: str, kind: str, content: str, root: str, *, topic: bool = True) -> Message:
        number = self._next()
        message = Message(f"om_{number}", chat, sender, kind, content, 1_766_000_000_000 + number * 1_001, root)
        if root and topic:
            message.thread = self.messages[root].thread = f"omt_{root.removeprefix('om_')}"
        self.messages[message.id] = message
        return message

    def _message(self, message_id: str) -> Message:
        if message_id not in self.messages:
            raise Refused(231003, "The message is not found.")
        if self.messages[message_id].recalled:
            raise Refused(230011, "The message was withdrawn.")
        return self.messages[message_id]

    def _is_chat(self, chat: str) -> bool:
        return chat in self.chats or chat.removeprefix("oc_p2p_") in self.people

    def _listed(self, one: Message) -> Body:
        ours = one.sender == APP
        sender = {"id": one.sender, "id_type": "app_id" if ours else "open_id"}
        sender |= {"sender_type": "app" if ours else "user", "tenant_key": TENANT}
        content = one.content
        if one.kind == "interactive":
            # as Lark lists a card: a title, and paragraphs of what is read in it
            lines = [[{"tag": "text", "text": line}] for line in checked.shown(one.shows).split("\n")]
            content = json.dumps({"title": "", "elements": lines}, ensure_ascii=False)
        return self._told(one) | {"sender": sender, "body": {"content": content}, "deleted": one.recalled}

    def _told(self, one: Message) -> Body:
        told = {"message_id": one.id, "chat_id": one.chat, "msg_type": one.kind, "create_time": str(one.created)}
        told |= {"root_id": one.root, "parent_id": one.root} if one.root else {}
        return told | ({"thread_id": one.thread} if one.thread else {})

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers
