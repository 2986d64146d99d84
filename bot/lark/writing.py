"""An answer that grows in a card: the plan while tools run, the text as it comes, a button that stops it, and at last
the whole document in the same place."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import structlog

from bot.lark import elements as el
from bot.lark.api import LarkApi
from bot.lark.card import SUMMARY, card
from bot.lark.delivery import Delivery
from bot.lark.elements import Origin
from bot.lark.entity import Entity
from bot.lark.escape import escape, letters, split
from bot.lark.markdown import flowing
from bot.lark.place import Place
from handlers.document import Button, Document
from handlers.markdown import excerpt, line
from handlers.newest import Newest
from handlers.surface import Mark, Posted, Step, SurfaceError
from handlers.words import Language, say

log = structlog.get_logger()

STOP = "stop"
"""The action of the button on a card that is being written; `bot.lark.events` reads it back."""
ASK = "ask"
"""The action of a button that asks its value as a question; read back there, too."""
PLAN, ANSWER = "plan", "answer"
SHOWN_STEPS = 8
LONGEST = 18_000
"""Bytes of a text that grows in a card; what is longer is seen when the answer is whole."""
_STATES = {"running": "⏳", "done": "✅", "failed": "⚠️"}
_NOTHING = "…"


class _Seen(NamedTuple):
    """What the reader is to see next."""

    plan: str
    markdown: str


class LarkWriting:
    """A `handlers.surface.Writing` in one topic."""

    def __init__(
        self,
        api: LarkApi,
        delivery: Delivery,
        where: Place,
        mark: Mark | None,
        language: Language,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._api = api
        self._delivery = delivery
        self._where = where
        self._mark = mark
        self._language = language
        self._now = now
        self._plan = ""
        self._markdown = ""
        self._shown = _Seen("", "")
        self._entity: Entity | None = None
        self._message = ""
        self._broken = False
        self._newest: Newest[_Seen] = Newest(self._show, f"writing:{where}")

    async def steps(self, steps: Sequence[Step]) -> None:
        """See `Writing`."""
        latest = steps[-SHOWN_STEPS:]
        lines = [f"… {len(steps) - len(latest)}"] if len(latest) < len(steps) else []
        self._plan = "\n".join([*lines, *(f"{_STATES[step.state]} {escape(line(step.text))}" for step in latest)])
        self._newest.put(_Seen(self._plan, self._markdown))

    async def text(self, piece: str) -> None:
        """See `Writing`."""
        self._markdown = self._markdown + piece if piece else ""
        self._newest.put(_Seen(self._plan, self._markdown))

    async def finish(self, document: Document) -> Posted:
        """See `Writing`."""
        await self._newest.end()
        origin = Origin(thread=str(self._where))
        found = await self._delivery.rendered(document, origin)
        if self._entity is None and self._mark is not None and self._mark.repeated:
            await self._adopt()
        posted: list[str] = []
        if self._entity is not None:
            try:
                await self._entity.replace(found.cards[0])
                posted = [self._message]
            except SurfaceError as error:
                log.warning("a growing card could not be finished; the answer is posted anew", why=str(error))
                await self._delivery.recall(self._message)
        told = await self._delivery.deliver(self._where, found, self._mark, posted=posted)
        self._entity = None
        return told

    async def take_back(self) -> None:
        """Recall what was shown and never finished; nothing when it was."""
        await self._newest.end()
        if self._entity is not None:
            await self._delivery.recall(self._message)

    async def leave(self) -> None:
        """End what was shown where it stands: a repeated turn finishes it, a stopped one says so below. Where no word
        of the answer was read yet, nothing is left."""
        await self._newest.end()
        if self._entity is None or not self._shown.markdown:
            await self.take_back()
            return
        elements = [el.markdown(text) for text in split(f"{self._written(self._shown.markdown)} {_NOTHING}", LONGEST)]
        try:
            await self._entity.replace(card(elements, letters(excerpt(self._shown.markdown, SUMMARY))))
        except SurfaceError as error:
            log.warning("a growing card could not be ended where it stands", why=str(error))

    async def _show(self, seen: _Seen) -> None:
        if self._broken:
            return
        try:
            if self._entity is None:
                self._entity = await self._opened(seen)
            else:
                await self._changed(self._entity, seen)
            self._shown = seen
        except SurfaceError as error:
            # a courtesy: the whole answer is posted in the end, whatever becomes of this
            self._broken = True
            log.warning("an answer cannot be shown while it grows", thread=str(self._where), why=str(error))

    async def _changed(self, entity: Entity, seen: _Seen) -> None:
        if seen.plan != self._shown.plan:
            await entity.stream(PLAN, seen.plan or _NOTHING)
        if seen.markdown != self._shown.markdown:
            await entity.stream(ANSWER, self._written(seen.markdown))

    async def _opened(self, seen: _Seen) -> Entity:
        entity = await Entity.created(self._api, self._growing(seen), self._now)
        uuid = self._delivery.name(self._mark, "growing")
        sent = await self._delivery.send(self._where, "interactive", entity.content, uuid)
        self._message = sent.message
        if self._mark is None or not self._mark.repeated:
            return entity
        # the message may be one that a turn cut off by a crash left behind, with a card of its own
        return await Entity.of(self._api, self._message, self._now)

    async def _adopt(self) -> None:
        """Find the card that this turn left behind when it was cut off; where there is none, one is made."""
        try:
            self._entity = await self._opened(_Seen("", ""))
        except SurfaceError as error:
            log.warning("what a turn left behind cannot be found", thread=str(self._where), why=str(error))

    def _growing(self, seen: _Seen) -> dict[str, Any]:
        working = say(self._language, "lark.writing")
        stop = Button(say(self._language, "lark.stop"), STOP, "")
        elements = [
            el.markdown(seen.plan or escape(working), element_id=PLAN, text_size="notation"),
            el.markdown(self._written(seen.markdown), element_id=ANSWER),
            el.button(stop, Origin(thread=str(self._where)), element_id=STOP, size="small"),
        ]
        return card(elements, working, streaming=True)

    def _written(self, markdown: str) -> str:
        # written anew from the whole text each time, so that no cut between two pieces can make anything of them
        return next(iter(split(flowing(markdown, self._delivery.hosts), LONGEST)), "") or _NOTHING


@asynccontextmanager
async def growing(writing: LarkWriting) -> AsyncIterator[LarkWriting]:
    """The writing. Left by a fault, what was streamed is taken back; cut off, it ends where it stands."""
    try:
        yield writing
    except asyncio.CancelledError:
        await writing.leave()
        raise
    except BaseException:
        await writing.take_back()
        raise
    await writing.take_back()
