"""Documents into a chat or topic: as many cards as it takes, each once, whatever breaks off in between."""

import asyncio
import hashlib
import json
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import structlog

from bot.charts.picture import NoPicture, Painter
from bot.lark.api import LarkApi
from bot.lark.card import Rendered, rendered, too_large, words
from bot.lark.elements import Origin
from bot.lark.escape import split
from bot.lark.faults import BAD_CARD, NO_TOPICS, LarkPlaceGone, LarkRefusal
from bot.lark.place import Place
from handlers.document import Chart, Document, File, Form
from handlers.surface import Mark, Posted, SurfaceError

log = structlog.get_logger()

MESSAGES = "/open-apis/im/v1/messages"
FILES, IMAGES = "/open-apis/im/v1/files", "/open-apis/im/v1/images"

PLAIN_TEXT = 20_000
"""Bytes of a message without a card."""


class Delivery:
    """Posts and redraws of one app. Links lead to `hosts` only. `new_id` names a message that has no mark, so that a
    call whose reply got lost may be made again."""

    def __init__(
        self,
        api: LarkApi,
        hosts: Collection[str],
        painter: Painter | None = None,
        new_id: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._api = api
        self._hosts = frozenset(host.lower() for host in hosts)
        self._painter = painter
        self._new_id = new_id
        self._without_topics: set[str] = set()

    @property
    def hosts(self) -> Collection[str]:
        """Where links may lead."""
        return self._hosts

    async def rendered(self, document: Document, origin: Origin, form: Form | None = None) -> Rendered:
        """The document as cards and files, pictures uploaded."""
        charts = [part for part in document.parts if isinstance(part, Chart) and too_large(part)]
        pictures = {chart: key for chart in charts if (key := await self._picture(chart))}

        def draw() -> Rendered:
            return rendered(document, self._hosts, origin=origin, form=form, pictures=pictures)

        # long Markdown takes a noticeable moment to parse, which other threads need not wait for
        return await asyncio.to_thread(draw)

    async def deliver(self, where: Place, found: Rendered, mark: Mark | None, *, posted: Sequence[str] = ()) -> Posted:
        """Where the topic is, and all messages. The cards of `posted` are there already. The same mark makes the same
        messages within the hour that Lark remembers them. Raises SurfaceError."""
        messages = list(posted)
        thread = where
        for number, card in enumerate(found.cards):
            if number < len(posted):
                continue
            sent = await self._card(thread, card, self.name(mark, str(number)))
            messages.append(sent.message)
            # a person's own chat is known only now
            thread = thread if thread.message else sent
        for number, file in enumerate(found.files):
            await self._file(thread, file, self.name(mark, f"file-{number}"))
        return Posted(str(thread), tuple(str(Place(where.app, thread.chat, one)) for one in messages))

    def name(self, mark: Mark | None, part: str) -> str:
        """The uuid of one message of a marked post: 32 characters, the same whenever it is asked for."""
        if mark is None:
            return self._new_id()
        told = json.dumps([mark.turn, mark.part, part])
        return hashlib.sha256(told.encode()).hexdigest()[:32]

    async def send(self, where: Place, kind: str, content: str, uuid: str) -> Place:
        """One message, under that of `where` if it names one. Raises SurfaceError."""
        if not where.message:
            told = {"receive_id": where.chat, "msg_type": kind, "content": content, "uuid": uuid}
            sent = await self._api.call(
                "POST", MESSAGES, told, params={"receive_id_type": where.kind}, budget="message", place=where.chat
            )
            return Place(where.app, str(sent.get("chat_id") or where.chat), str(sent["message_id"]))
        in_topic = where.chat not in self._without_topics
        body = {"msg_type": kind, "content": content, "uuid": uuid, "reply_in_thread": in_topic}
        path = f"{MESSAGES}/{where.message}/reply"
        try:
            sent = await self._api.call("POST", path, body, budget="message", place=where.chat)
        except LarkRefusal as refusal:
            if refusal.code not in NO_TOPICS or not in_topic:
                raise
            self._without_topics.add(where.chat)
            return await self.send(where, kind, content, uuid)
        return Place(where.app, where.chat, str(sent["message_id"]))

    async def recall(self, message_id: str) -> None:
        """Take a message of ours back; one that is gone already is no fault, and one that stays is logged."""
        try:
            await self._api.call("DELETE", f"{MESSAGES}/{message_id}")
        except LarkPlaceGone:
            pass
        except SurfaceError as error:
            log.warning("a message could not be taken back", message=message_id, why=str(error))

    async def _card(self, where: Place, card: Mapping[str, Any], uuid: str) -> Place:
        """A message with a card; with its words if Lark takes exception to it."""
        try:
            return await self.send(where, "interactive", json.dumps(card, ensure_ascii=False), uuid)
        except LarkRefusal as refusal:
            if refusal.code not in BAD_CARD:
                raise
            log.error("Lark refused a card; its words go out as text", code=refusal.code)
        first: Place | None = None
        for number, text in enumerate(split(words(dict(card)), PLAIN_TEXT)):
            content = json.dumps({"zh_cn": {"content": [[{"tag": "text", "text": text}]]}}, ensure_ascii=False)
            under = where if where.message else first or where
            sent = await self.send(under, "post", content, f"{uuid}-{number}")
            first = first or sent
        return first or where

    async def _file(self, where: Place, file: File, uuid: str) -> None:
        """Put a file into the topic. One that cannot be uploaded is logged, and fails nothing."""
        try:
            fields = {"file_type": "stream", "file_name": file.name}
            told = await self._api.upload(FILES, fields, "file", file.name, file.content)
            await self.send(where, "file", json.dumps({"file_key": told["file_key"]}), uuid)
        except SurfaceError as error:
            log.error("a file could not be uploaded", name=file.name, why=str(error))

    async def _picture(self, chart: Chart) -> str:
        """The key of an uploaded picture; empty when there is none, so that the chart is drawn as a table."""
        if self._painter is None:
            return ""
        try:
            painted = await self._painter.png(chart)
            told = await self._api.upload(IMAGES, {"image_type": "message"}, "image", "chart.png", painted)
        except (SurfaceError, NoPicture) as error:
            log.warning("a chart cannot be shown as a picture", title=chart.title, why=str(error))
            return ""
        return str(told["image_key"])
