"""The Slack app: which listener takes what. Listeners only turn payloads into events and admit them."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import events
from bot.slack.config import SlackConfig
from handlers.surface import Control, Event, Press, Question, SurfaceError
from handlers.words import Language, say

log = structlog.get_logger()

Submit = Callable[[Event], Awaitable[object]]
"""Admits an event and returns at once; the same key twice is one event. What it raises makes Slack deliver again."""

Act = Callable[[Control | Press], Awaitable[object]]
"""Acts at once: on turns that wait or run, or on what was pressed."""

EVENTS = ("agent_session_stopped", "app_home_opened", "app_mention", "message")
COMMANDS = ("/patrol",)
LOOK = "look_into"
"""The shortcut in the menu of every message."""

AT_ONCE = 1.0
"""Seconds to find out somebody's language in before a command is answered in English; Slack waits for three."""


class Threads(Protocol):
    """The threads that we take part in."""

    async def knows(self, thread: str) -> bool:
        """Whether something was asked or posted by us in this thread."""
        ...


class Readers(Protocol):
    """Knows in which language people read."""

    async def reads(self, user: str) -> tuple[Language | None, str]:
        """Language and time zone of a person. Raises SurfaceError."""
        ...


class Rooms(Protocol):
    """Knows which channels we are in."""

    async def inside(self, thread: str) -> bool:
        """Whether we are in the channel of a thread. Raises SurfaceError."""
        ...


def build_app(
    config: SlackConfig,
    client: AsyncWebClient,
    submit: Submit,
    act: Act,
    threads: Threads,
    readers: Readers | None = None,
    rooms: Rooms | None = None,
) -> AsyncApp:
    """The app with all listeners registered, to be served by `bot.slack.http` or `bot.slack.socket`."""
    app = AsyncApp(
        # has no token of its own: the listeners call nothing, and Socket Mode brings the app token
        client=AsyncWebClient(base_url=client.base_url, ssl=client.ssl, timeout=client.timeout),
        authorize=_identity(client),
        # `bot.slack.http` checks each request before anything of it is parsed, against a clock that is passed in
        request_verification_enabled=False,
        # an event is acknowledged only once it is admitted, so that a crash in between makes Slack deliver it again
        process_before_response=True,
    )
    listeners = _Listeners(config, submit, act, threads, readers, rooms)
    app.event("app_mention")(listeners.mention)
    app.event("message")(listeners.message)
    app.command("/patrol")(listeners.patrol)
    app.event("app_home_opened")(listeners.opened)
    app.event("agent_session_stopped")(listeners.stopped)
    app.action(re.compile(".*", re.DOTALL))(listeners.press)
    app.shortcut(LOOK)(listeners.shortcut)
    app.view(re.compile(".*", re.DOTALL))(listeners.submission)
    return app


def _identity(client: AsyncWebClient) -> Callable[[], Awaitable[AuthorizeResult]]:
    """Who we are, asked once. Bolt's own way acknowledges the event when it cannot find out, which loses it."""
    known: list[AuthorizeResult] = []

    async def authorize() -> AuthorizeResult:
        if not known:
            try:
                told = await client.auth_test()
            except SlackApiError as error:
                raise SurfaceError("Slack does not say who we are, so an event was not taken in") from error
            ids = {"team_id": told["team_id"], "bot_user_id": told["user_id"], "bot_id": told["bot_id"]}
            known.append(AuthorizeResult(enterprise_id=None, **ids))
        return known[0]

    return authorize


class _Listeners:
    """One method per payload; none of them waits for work."""

    def __init__(
        self,
        config: SlackConfig,
        submit: Submit,
        act: Act,
        threads: Threads,
        readers: Readers | None,
        rooms: Rooms | None,
    ) -> None:
        self._shared = config.shared_channels
        self._submit = submit
        self._act = act
        self._threads = threads
        self._readers = readers
        self._rooms = rooms

    async def mention(self, body: dict[str, Any], context: AsyncBoltContext) -> None:
        question = events.mention(body, context.bot_user_id or "", shared_channels=self._shared)
        if question is not None:
            await self._take(question)

    async def _take(self, question: Question) -> None:
        if (wish := events.stop(question)) is not None:
            await self._act(wish)
        else:
            await self._submit(question)

    async def message(self, body: dict[str, Any], context: AsyncBoltContext) -> None:
        if (correction := events.correction(body, context.bot_user_id or "")) is not None:
            await self._act(correction)
            return
        question = events.message(body, context.bot_user_id or "", shared_channels=self._shared)
        if question is not None and (events.direct(body) or await self._threads.knows(question.thread)):
            await self._take(question)

    async def patrol(self, body: dict[str, Any], ack: AsyncAck) -> None:
        await self._submit(events.patrol(body))
        text = say(await self._language(body["user_id"]), "patrol.asked")
        await ack(text=text, response_type="ephemeral")

    async def _language(self, user: str) -> Language:
        if self._readers is None:
            return "en"
        try:
            language, _ = await asyncio.wait_for(self._readers.reads(user), AT_ONCE)
        except (SurfaceError, TimeoutError):
            return "en"
        return language or "en"

    async def stopped(self, body: dict[str, Any]) -> None:
        await self._act(events.halted(body))

    async def opened(self, body: dict[str, Any]) -> None:
        await self._taken(events.opened(body))

    async def press(self, body: dict[str, Any], ack: AsyncAck) -> None:
        await self._taken(events.press(body))
        await ack()

    async def shortcut(self, body: dict[str, Any], ack: AsyncAck) -> None:
        if (question := events.shortcut(body)) is not None:
            if await self._inside(question):
                await self._submit(question)
            else:
                await self._act(events.outside(body, question))
        await ack()

    async def _inside(self, question: Question) -> bool:
        """Whether we can answer there: the menu of every message offers the shortcut, wherever it stands."""
        if self._rooms is None:
            return True
        try:
            return await asyncio.wait_for(self._rooms.inside(question.thread), AT_ONCE)
        except (SurfaceError, TimeoutError) as error:
            log.warning("it cannot be told whether we are in a channel", thread=question.thread, why=repr(error))
            return True

    async def submission(self, body: dict[str, Any], ack: AsyncAck) -> None:
        await self._taken(events.submission(body))
        await ack()

    async def _taken(self, press: Press | None) -> None:
        if press is not None:
            await self._act(press)
        else:
            log.info("a press was passed over: by a stranger, or of nothing of ours")
