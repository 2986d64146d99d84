"""Lark as a surface: documents become cards in a topic, and platform errors become SurfaceError."""

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import structlog

from bot.lark.api import LarkApi
from bot.lark.delivery import MESSAGES, Delivery
from bot.lark.elements import Origin
from bot.lark.entity import Entity
from bot.lark.faults import NOT_AN_OWN_CARD, LarkRefusal
from bot.lark.place import Place, parse
from bot.lark.transcript import HEARD, said
from bot.lark.writing import ASK, LarkWriting, growing
from handlers.document import Actions, Button, Document, Form, Heading
from handlers.locale import Locale, english
from handlers.surface import Mark, Posted, Press, Said, SurfaceError, Writing

log = structlog.get_logger()

REMEMBERED = 5_000
NOTICED = "OnIt"
"""The reaction that says: seen, and being worked on."""

_PAGE = 50


class LarkSurface:
    """A `handlers.surface.Surface` of one app. `app` is its id. `locale` tells how somebody reads; it is asked for
    what stands on a card before there is a document."""

    def __init__(
        self,
        api: LarkApi,
        delivery: Delivery,
        app: str,
        locale: Callable[[str, str], Awaitable[Locale]] = english,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._api = api
        self._delivery = delivery
        self._app = app
        self._locale = locale
        self._now = now
        self._roots: OrderedDict[str, str] = OrderedDict()
        self._heard: OrderedDict[str, str] = OrderedDict()
        self._reactions: OrderedDict[str, list[tuple[str, str]]] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def read_in(self, locale: Callable[[str, str], Awaitable[Locale]]) -> None:
        """From now on `locale` tells how somebody reads."""
        self._locale = locale

    async def post(self, place: str, document: Document, mark: Mark | None = None) -> Posted:
        """See `Surface`. The post takes the place of the reaction that said it was being worked on."""
        where = self._place(place)
        origin = Origin(thread=str(where) if where.message else "")
        found = await self._delivery.rendered(document, origin)
        posted = await self._delivery.deliver(where, found, mark)
        for message in posted.messages:
            self._remember(parse(message).message, parse(posted.thread).message)
        self._settle(str(where))
        return posted

    async def update(self, message: str, document: Document, mark: Mark | None = None) -> None:
        """See `Surface`."""
        where = self._place(message)
        # held until the card is there: drawing takes a while, and an older one must not arrive behind a newer one
        async with self._api.showing(where.message) as outdated:
            root = await self._root(where)
            origin = Origin(thread=str(Place(where.app, where.chat, root)))
            found = await self._delivery.rendered(document, origin)
            if len(found.cards) > 1 or found.files:
                raise SurfaceError("a document that is to be redrawn is too long for one card")
            content = json.dumps(found.cards[0], ensure_ascii=False)
            path = f"{MESSAGES}/{where.message}"
            try:
                await self._api.current(
                    "PATCH", path, {"content": content}, outdated, budget="message", place=where.message
                )
            except LarkRefusal as refusal:
                if refusal.code not in NOT_AN_OWN_CARD:
                    raise
                await (await Entity.of(self._api, where.message, self._now)).replace(found.cards[0])

    async def status(self, thread: str, text: str) -> None:
        """Lark has no such line: a reaction says that it is being worked on, to the message that was heard last in the
        thread, and what is being done stands in the growing card."""
        if not text:
            self._settle(thread)
        elif thread not in self._reactions:
            self._reactions[thread] = []
            where = self._place(self._heard.get(thread, thread))
            if where.message:
                await self._react(where.message, thread)

    def writing(self, thread: str, mark: Mark | None, user: str) -> AbstractAsyncContextManager[Writing]:
        """See `Surface`."""
        return self._writing(thread, mark, user)

    @asynccontextmanager
    async def _writing(self, thread: str, mark: Mark | None, user: str) -> AsyncIterator[Writing]:
        language = (await self._locale(thread, user)).language
        writing = LarkWriting(self._api, self._delivery, self._place(thread), mark, language, self._now)
        try:
            async with growing(writing):
                yield writing
        finally:
            self._settle(thread)

    async def said(self, thread: str, after: str = "") -> Sequence[Said]:
        """See `Surface`. Where no topic hangs under the first message, that message alone."""
        where = self._place(thread)
        root: Sequence[Mapping[str, Any]] = (await self._api.call("GET", f"{MESSAGES}/{where.message}"))["items"]
        topic = next((one.get("thread_id") for one in root), None)
        if not topic:
            return said(root, self._app, after)
        asked = {"container_id_type": "thread", "container_id": str(topic), "page_size": str(_PAGE)}
        asked["sort_type"] = "ByCreateTimeDesc"
        found: list[Mapping[str, Any]] = []
        while len(found) < HEARD:
            page = await self._api.call("GET", MESSAGES, params=asked)
            found.extend(page.get("items", ()))
            if not page.get("has_more"):
                break
            asked["page_token"] = str(page["page_token"])
        return said(found, self._app, after)

    async def whisper(self, place: str, user: str, document: Document) -> None:
        """In the chat that this person has with us alone: what others cannot see, Lark shows nowhere else."""
        await self.post(str(Place(self._app, user)), document)

    async def dialog(self, press: Press, title: str, document: Document, form: Form | None = None) -> None:
        """A card in the chat that the one who pressed has with us alone; what is sent from it speaks of where the
        press was."""
        where = Place(self._app, press.user)
        titled = replace(document, parts=(Heading(title), *document.parts))
        origin = Origin(press.thread, press.message)
        found = await self._delivery.rendered(titled, origin, form)
        await self._delivery.deliver(where, found, Mark(press.key, "dialog", repeated=False))

    async def suggest(self, place: str, prompts: Sequence[tuple[str, str]]) -> None:
        """A card with a button for each question, since nothing can be pinned; a press of it asks the question."""
        buttons = tuple(Button(title, ASK, question) for title, question in prompts)
        if buttons:
            await self.post(place, Document(" · ".join(title for title, _ in prompts), (Actions(buttons),)))

    async def home(self, user: str, document: Document) -> None:
        """A card in the chat that this person has with us alone."""
        await self.post(str(Place(self._app, user)), document)

    def heard(self, message: str, thread: str) -> None:
        """A message was taken in; a sign that it is being worked on is to stand there."""
        self._heard[thread] = message
        self._heard.move_to_end(thread)
        while len(self._heard) > REMEMBERED:
            self._heard.popitem(last=False)

    async def idle(self) -> None:
        """Wait for what was begun in passing."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _react(self, message_id: str, thread: str) -> None:
        body = {"reaction_type": {"emoji_type": NOTICED}}
        told = await self._api.call("POST", f"{MESSAGES}/{message_id}/reactions", body)
        placed = (message_id, str(told["reaction_id"]))
        if thread in self._reactions:
            self._reactions[thread].append(placed)
        else:
            # the answer was faster
            await self._unreact(*placed)
        while len(self._reactions) > REMEMBERED:
            self._reactions.popitem(last=False)

    def _settle(self, thread: str) -> None:
        for message_id, reaction in self._reactions.pop(thread, ()):
            task = asyncio.create_task(self._unreact(message_id, reaction), name=f"settle:{message_id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _unreact(self, message_id: str, reaction: str) -> None:
        try:
            await self._api.call("DELETE", f"{MESSAGES}/{message_id}/reactions/{reaction}")
        except SurfaceError as error:
            log.warning("a reaction could not be taken away", message=message_id, why=str(error))

    async def _root(self, where: Place) -> str:
        """The first message of the topic that a message stands in."""
        if where.message not in self._roots:
            found = (await self._api.call("GET", f"{MESSAGES}/{where.message}"))["items"]
            self._remember(where.message, str(found[0].get("root_id") or where.message))
        return self._roots[where.message]

    def _remember(self, message_id: str, root: str) -> None:
        self._roots[message_id] = root
        while len(self._roots) > REMEMBERED:
            self._roots.popitem(last=False)

    def _place(self, text: str) -> Place:
        try:
            where = parse(text)
        except ValueError:
            raise SurfaceError(
                f"{text!r} is no Lark chat or topic; use a chat id such as oc_0123456789abcdef"
            ) from None
        return where if where.app else Place(self._app, where.chat, where.message)
