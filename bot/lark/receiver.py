"""What becomes of a delivery of Lark's, however it came in. Deliveries are only turned into events and admitted."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import structlog

from bot.lark import events
from handlers.surface import Control, Event, Press, Question

log = structlog.get_logger()

Submit = Callable[[Event], Awaitable[object]]
"""Admits an event and returns at once; the same key twice is one event. What it raises makes Lark deliver again."""

Act = Callable[[Control | Press], Awaitable[object]]
"""Acts at once: on turns that wait or run, or on what was pressed."""


class Threads(Protocol):
    """The threads that we take part in."""

    async def knows(self, thread: str) -> bool:
        """Whether something was asked or posted by us in this thread."""
        ...


class Notices(Protocol):
    """Shows that something was taken in."""

    def heard(self, message: str, thread: str) -> None:
        """This message is what is worked on next in a thread; returns at once."""
        ...


class Receiver:
    """Takes the deliveries of one app, whose id is `app` and whose bot is `bot` (an open id)."""

    def __init__(
        self,
        app: str,
        bot: str,
        submit: Submit,
        act: Act,
        threads: Threads,
        notices: Notices,
        *,
        shared_chats: bool = False,
    ) -> None:
        self._app = app
        self._bot = bot
        self._submit = submit
        self._act = act
        self._threads = threads
        self._notices = notices
        self._shared = shared_chats
        self._kinds: Mapping[str, Callable[[Mapping[str, Any]], Awaitable[None]]] = {
            events.RECEIVED: self._message,
            events.RECALLED: self._recalled,
            events.PRESSED: self._press,
            events.MENU: self._menu,
            events.ENTERED: self._entered,
        }

    async def take(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Take one delivery in, and give what Lark is answered. A kind that nobody waits for is taken and forgotten, or
        Lark would send it again. Raises what `submit` and `act` raise; malformed payloads raise KeyError, TypeError,
        AttributeError or ValueError."""
        handle = self._kinds.get(events.kind(payload))
        if handle is None:
            log.debug("a delivery that nobody waits for", kind=events.kind(payload))
        else:
            await handle(payload)
        return {}

    async def _message(self, payload: Mapping[str, Any]) -> None:
        question = events.question(payload, self._app, self._bot, shared_chats=self._shared)
        if question is None or not await self._for_us(payload, question):
            return
        if (wish := events.stop(question)) is not None:
            await self._act(wish)
        elif (patrol := events.typed_patrol(question)) is not None:
            await self._taken_in(patrol, question)
        else:
            await self._taken_in(question, question)

    async def _for_us(self, payload: Mapping[str, Any], question: Question) -> bool:
        if question.direct or events.mentions(payload, self._bot):
            return True
        return question.thread != question.key and await self._threads.knows(question.thread)

    async def _taken_in(self, event: Event, question: Question) -> None:
        self._notices.heard(question.key, question.thread)
        await self._submit(event)

    async def _recalled(self, payload: Mapping[str, Any]) -> None:
        await self._act(events.recalled(payload, self._app))

    async def _press(self, payload: Mapping[str, Any]) -> None:
        press = events.press(payload, self._app, shared_chats=self._shared)
        if press is None:
            log.info("a press was passed over: by a stranger, or of nothing of ours")
        elif isinstance(press, Question):
            await self._submit(press)
        else:
            await self._act(press)

    async def _menu(self, payload: Mapping[str, Any]) -> None:
        chosen = events.menu(payload, self._app)
        if isinstance(chosen, Press):
            await self._act(chosen)
        elif chosen is not None:
            await self._submit(chosen)

    async def _entered(self, payload: Mapping[str, Any]) -> None:
        for press in events.entered(payload, self._app):
            await self._act(press)
