"""Slack as a surface: documents become messages in a thread, and platform errors become SurfaceError."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.pace import Pace
from bot.slack.api import SlackApi, SlackRefusal
from bot.slack.delivery import LOOKED_AT, Delivery
from bot.slack.escape import plain
from bot.slack.marks import metadata_of
from bot.slack.place import Place, parse
from bot.slack.transcript import said_in
from bot.slack.views import home_view, modal
from bot.slack.writing import SlackWriting, Target, Times, growing, show_session
from handlers.document import Document, Form
from handlers.markdown import excerpt
from handlers.surface import Mark, Posted, Press, Said, SurfaceError

log = structlog.get_logger()

# Slack shows one line of it.
STATUS_TEXT = 100
PROMPTS = 4

_NO_STATUS_HERE = {"channel_not_found", "invalid_thread_ts", "no_permission", "not_allowed", "message_not_found"}
_NO_STATUS_AT_ALL = {"missing_scope", "unknown_method", "method_not_supported_for_channel_type", "feature_not_enabled"}
_NOT_INSIDE = {"channel_not_found", "not_in_channel"}
_TOO_LATE = {"expired_trigger_id", "trigger_exchanged", "invalid_trigger_id", "invalid_trigger"}


class SlackSurface:
    """A `handlers.surface.Surface` on one workspace. Links in what it posts lead to `allowed_link_hosts` only. `now`
    gives seconds since the epoch."""

    def __init__(
        self,
        client: AsyncWebClient,
        allowed_link_hosts: Collection[str] = (),
        *,
        pace: Pace | None = None,
        times: Times | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._api = SlackApi(client, pace)
        self._hosts = frozenset(host.lower() for host in allowed_link_hosts)
        self._delivery = Delivery(self._api, self._hosts, now)
        self._times = times or Times()
        self._shows_status = True

    async def post(self, place: str, document: Document, mark: Mark | None = None) -> Posted:
        """Post the document, in as many messages as it takes. In a channel the first one starts the thread and the
        others go below it."""
        where = await self._place(place)
        root, posted = await self._delivery.deliver(where, document, mark)
        return Posted(str(Place(where.team, where.channel, root)), _references(where, posted))

    async def update(self, message: str, document: Document, mark: Mark | None = None) -> None:
        """Redraw a message; the newest of those that wait for it is shown. Raises SurfaceError."""
        where = await self._place(message)
        async with self._api.showing(message) as outdated:
            (rendered, *more) = await self._delivery.rendered(document)
            if more or rendered.files:
                raise SurfaceError("a message can be redrawn only with a document that fits one message without files")
            arguments: dict[str, Any] = {"channel": where.channel, "ts": where.ts, "text": rendered.text}
            arguments["blocks"] = list(rendered.blocks)
            if mark is not None:  # without one the message keeps the mark that it has
                arguments["metadata"] = metadata_of(mark, 0)
            await self._api.current("chat.update", arguments, outdated)

    @asynccontextmanager
    async def writing(self, thread: str, mark: Mark | None, user: str) -> AsyncIterator[SlackWriting]:
        """See `Surface`."""
        target = Target(await self._place(thread), mark, user)
        async with growing(self._api, self._delivery, self._status, target, self._times) as writing:
            yield writing

    async def said(self, thread: str, after: str = "") -> Sequence[Said]:
        """What was said in a thread behind the ts `after`. Raises SurfaceError."""
        where = await self._place(thread)
        asked = {"channel": where.channel, "ts": where.ts, "limit": str(LOOKED_AT)}
        method = "conversations.replies"
        found = await self._api.call(method, asked | ({"oldest": after} if after else {}), reading=True)
        return said_in(found.get("messages", ()), str((await self._api.identity())["user_id"]), after)

    async def inside(self, thread: str) -> bool:
        """Whether we are in the channel of a thread. Raises SurfaceError when that cannot be found out."""
        where = await self._place(thread)
        asked = {"channel": where.channel, "ts": where.ts, "limit": 1}
        try:
            await self._api.call("conversations.replies", asked, reading=True)
        except SlackRefusal as refusal:
            if refusal.code not in _NOT_INSIDE:
                raise
            return False
        return True

    async def whisper(self, place: str, user: str, document: Document) -> None:
        """Show something that only this person sees; in a conversation with them alone it is a post. Raises
        SurfaceError."""
        where = await self._place(place)
        if where.channel == user:
            await self.post(place, document)
            return
        for message in await self._delivery.rendered(document):
            arguments: dict[str, Any] = {"channel": where.channel, "user": user, "text": message.text}
            arguments |= {"thread_ts": where.ts} if where.ts else {}
            arguments |= {"blocks": list(message.blocks)} if message.blocks else {}
            await self._api.call("chat.postEphemeral", arguments)

    async def dialog(self, press: Press, title: str, document: Document, form: Form | None = None) -> None:
        """Open a modal. When it is too late for one, a document that asks nothing is whispered. Raises SurfaceError."""
        view = await asyncio.to_thread(modal, press, title, document, form, self._hosts)
        try:
            await self._api.call("views.open", {"trigger_id": press.trigger, "view": view})
        except SlackRefusal as refusal:
            if refusal.code not in _TOO_LATE or form is not None:
                raise
            await self.whisper(press.thread, press.user, document)

    async def suggest(self, place: str, prompts: Sequence[tuple[str, str]]) -> None:
        """Pin first questions to the conversation with us alone. Raises SurfaceError."""
        where = await self._place(place)
        told = [{"title": title, "message": message} for title, message in prompts[:PROMPTS]]
        await self._api.call("assistant.threads.setSuggestedPrompts", {"channel_id": where.channel, "prompts": told})

    async def home(self, user: str, document: Document) -> None:
        """Publish the page that this person sees on our Home tab. Raises SurfaceError."""
        view = await asyncio.to_thread(home_view, document, self._hosts)
        await self._api.call("views.publish", {"user_id": user, "view": view})

    async def status(self, thread: str, text: str) -> None:
        """Show what is being done under the thread, an empty text clears it. Where Slack shows no status, nothing."""
        where = parse(thread)
        if not text:
            await show_session(self._api, where, "active")
        if not self._shows_status:
            return
        shown = excerpt(plain(text), STATUS_TEXT).translate({ord("<"): "‹", ord(">"): "›"})
        arguments = {"channel_id": where.channel, "thread_ts": where.ts, "status": shown}
        try:
            await self._api.call("assistant.threads.setStatus", arguments)
        except SlackRefusal as refusal:
            if refusal.code in _NO_STATUS_AT_ALL:
                self._shows_status = False
                log.warning("Slack shows no status for this app", code=refusal.code)
            elif refusal.code not in _NO_STATUS_HERE:
                raise

    async def _status(self, thread: str, text: str) -> None:
        try:
            await self.status(thread, text)
        except SurfaceError as error:
            log.warning("the status of a thread could not be shown", thread=thread, why=str(error))

    async def _place(self, text: str) -> Place:
        try:
            where = parse(text)
        except ValueError:
            raise SurfaceError(
                f"{text!r} is no Slack channel or thread; use a channel id such as C0123456789"
            ) from None
        if where.team:
            return where
        return Place(str((await self._api.identity())["team_id"]), where.channel, where.ts)


def _references(where: Place, posted: Iterable[str]) -> tuple[str, ...]:
    return tuple(str(Place(where.team, where.channel, ts)) for ts in posted)
