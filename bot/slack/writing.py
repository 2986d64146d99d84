"""An answer that grows on Slack: a status and a plan while tools run, a stream from the first word on, the whole at the
end. Slack's ways with streams (they end after minutes, hold 12,000 characters, may be ended by people) stay in here."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import structlog

from bot.slack.api import SlackApi, SlackRefusal
from bot.slack.delivery import Delivery
from bot.slack.escape import plain
from bot.slack.marks import metadata_of
from bot.slack.place import Place
from bot.slack.streamed import Sanitizer, harmless
from handlers.document import Document, Prose
from handlers.markdown import excerpt
from handlers.surface import Mark, Posted, Step, SurfaceError
from handlers.telling import THINKING

log = structlog.get_logger()

Sleep = Callable[[float], Awaitable[None]]

PIECE = 11_000
"""Characters of one call; Slack takes 12,000."""
WHOLE = 11_000
"""Characters of one stream. Beyond it the answer goes on in another one."""
LONGEST = 230.0
"""Seconds after which a stream goes on in a new one; Slack ends them after about 300."""
PAUSE = 0.6
"""Seconds between two pieces, in which words gather: Slack grants 100 in a minute."""
BUSY = 1.0
"""Seconds that the first words may have to wait for their turn before they are kept for the whole answer."""
PLAN_AFTER = 1.5
"""Seconds that tools run before a plan is posted; a short turn shows its status alone."""
TITLE = 250
LAST_WORDS = 5.0
"""Seconds that a call under way gets before the answer is finished without it."""

_TABLE = re.compile(r"^[ \t]*\|", re.MULTILINE)
_ENDED = {"message_not_in_streaming_state", "message_not_found", "streaming_state_conflict"}
_STATES = {"running": "in_progress", "done": "complete", "failed": "error"}


@dataclass(frozen=True, slots=True)
class Times:
    """The clock of a writing, and how it waits."""

    clock: Callable[[], float] = time.monotonic
    sleep: Sleep = asyncio.sleep


@dataclass(frozen=True, slots=True)
class Target:
    """Where an answer is written, as which post of a turn, and for whom."""

    where: Place
    mark: Mark | None
    user: str


@dataclass(slots=True)
class _Stream:
    """The stream that is open: its message, what it holds and since when."""

    ts: str
    text: str
    since: float


Status = Callable[[str, str], Awaitable[None]]
"""Shows a status in a thread."""


class SlackWriting:
    """A `handlers.surface.Writing`. One task talks to Slack; what comes meanwhile is gathered and goes out together."""

    def __init__(self, api: SlackApi, delivery: Delivery, status: Status, target: Target, times: Times) -> None:
        self._api = api
        self._delivery = delivery
        self._status = status
        self._target = target
        self._times = times
        self._sanitizer = Sanitizer()
        self._waiting = ""
        self._taken_back = False
        self._steps: Sequence[Step] = ()
        self._shown_steps: Sequence[Step] = ()
        self._plan = ""
        self._began = times.clock()
        self._stream: _Stream | None = None
        self._written: list[str] = []
        """Messages that hold streamed text, first to last."""
        self._raw = ""
        self._changed = asyncio.Event()
        self._hurry = asyncio.Event()
        """Set when the pause between two calls is to be cut short: the first word came, or the end."""
        self._ended = False
        # a conversation without a thread takes no streams
        self._broken = not target.where.ts
        self._tried = False
        self._worker: asyncio.Task[None] | None = None

    async def steps(self, steps: Sequence[Step]) -> None:
        """See `Writing`."""
        self._steps = tuple(steps)
        self._wake()

    async def text(self, piece: str) -> None:
        """See `Writing`."""
        if piece:
            self._raw += piece
            self._waiting += self._sanitizer.feed(piece)
            if self._stream is None:
                self._hurry.set()
        else:
            self._sanitizer, self._waiting, self._raw = Sanitizer(), "", ""
            self._taken_back = self._worker is not None
        self._wake()

    async def finish(self, document: Document) -> Posted:
        """See `Writing`."""
        await self.rest()
        target = self._target
        stream = self._stream
        if stream is not None and not self._broken and (rest := self._as_streamed(document, stream)) is not None:
            messages = await self._delivery.rendered(rest)
            if len(messages) == 1 and not messages[0].files and await self._closed(stream, messages[0].blocks):
                await self._clear_plan()
                return self._posted(target.where.ts, [stream.ts])
        if stream is not None:
            with suppress(SurfaceError):
                await self._stop(stream)
        # the first try may have arrived although its failure says otherwise
        mark = replace(target.mark, repeated=True) if self._tried and target.mark else target.mark
        self._tried = True
        root, posted = await self._delivery.deliver(target.where, document, mark, self._written)
        self._written = []
        await self._clear_plan()
        return self._posted(root, posted)

    async def rest(self) -> None:
        """End the task that talks to Slack; a second time does nothing."""
        self._ended = True
        self._hurry.set()
        self._changed.set()
        worker, self._worker = self._worker, None
        if worker is None:
            return
        await asyncio.wait({worker}, timeout=LAST_WORDS)
        if not worker.cancel() and not worker.cancelled() and (fault := worker.exception()) is not None:
            self._broken = True
            log.error("writing an answer broke off", exc_info=fault)

    async def take_back(self) -> None:
        """Remove whatever was shown and is no answer."""
        await self.rest()
        await self._retract()
        await self._clear_plan()

    async def leave(self) -> None:
        """End what is streamed where it stands: somebody has read it already, or the turn goes on in another process,
        which will find it."""
        await self.rest()
        if self._stream is not None:
            await self._stop(self._stream, " …")
        await self._clear_plan()

    def _wake(self) -> None:
        self._changed.set()
        if self._worker is None and not self._ended:
            self._worker = asyncio.create_task(self._work(), name=f"writing:{self._target.where}")

    async def _work(self) -> None:
        while not self._ended:
            await self._changed.wait()
            self._changed.clear()
            if self._ended or self._broken:
                return
            try:
                await self._show()
            except SurfaceError as error:
                # what is streamed is a courtesy: the whole answer is still to come, as a post
                log.warning("an answer cannot be shown while it is written", why=str(error))
                self._broken = True
                return
            await self._pause()

    async def _pause(self) -> None:
        over = asyncio.create_task(self._hurry.wait())
        pause = asyncio.ensure_future(self._times.sleep(PAUSE))
        try:
            await asyncio.wait({over, pause}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
            pause.cancel()

    async def _show(self) -> None:
        if not self._ended:
            self._hurry.clear()
        if self._taken_back:
            self._taken_back = False
            await self._retract()
        if self._waiting.strip() or (self._waiting and self._stream):
            await self._stream_on()
        elif self._steps != self._shown_steps and self._stream is None:
            await self._show_steps()

    async def _show_steps(self) -> None:
        steps = self._shown_steps = self._steps
        if not steps:
            return
        await self._status(str(self._target.where), steps[-1].text)
        tools = any(step.id != THINKING for step in steps)
        if tools and self._times.clock() - self._began >= PLAN_AFTER:
            await self._show_plan(steps)

    async def _show_plan(self, steps: Sequence[Step]) -> None:
        where = self._target.where
        # plain: Slack takes the texts of a plan letter by letter
        title = excerpt(plain(steps[-1].text), TITLE)
        tasks = [
            {"task_id": step.id[:255], "title": excerpt(plain(step.text), TITLE), "status": _STATES[step.state]}
            for step in steps
        ]
        arguments: dict[str, Any] = {"channel": where.channel, "text": title}
        arguments["blocks"] = [{"type": "plan", "title": title, "tasks": tasks}]
        if self._plan:
            await self._api.newest("chat.update", arguments | {"ts": self._plan}, self._plan)
        else:
            told = arguments | {"thread_ts": where.ts, "unfurl_links": False, "unfurl_media": False}
            self._plan = str((await self._api.call("chat.postMessage", told))["ts"])

    async def _stream_on(self) -> None:
        """Send what waits, in a stream that has room and time for it."""
        while (piece := self._waiting[:PIECE]) and not self._taken_back:
            self._waiting = self._waiting[PIECE:]
            stream = self._stream
            if stream is not None and self._is_over(stream, len(piece)):
                await self._stop(stream)
                stream = None
            if stream is None:
                if self._api.wait("chat.startStream", self._target.where.channel) > BUSY:
                    # many are answered at once: better the whole soon than the first words late
                    self._waiting = piece + self._waiting
                    return
                self._stream = await self._start(piece)
            elif not await self._append(stream, piece):
                self._stream = None
                if not self._taken_back:
                    self._waiting = piece + self._waiting

    def _is_over(self, stream: _Stream, more: int) -> bool:
        return len(stream.text) + more > WHOLE or self._times.clock() - stream.since > LONGEST

    async def _start(self, piece: str) -> _Stream:
        where = self._target.where
        arguments = {"channel": where.channel, "thread_ts": where.ts, "markdown_text": piece}
        arguments |= {"recipient_team_id": where.team, "recipient_user_id": self._target.user}
        since = self._times.clock()
        ts = str((await self._api.call("chat.startStream", arguments))["ts"])
        self._written.append(ts)
        return _Stream(ts, piece, since)

    async def _append(self, stream: _Stream, piece: str) -> bool:
        """Whether Slack still took it; a stream that it has ended goes on in a new one."""
        arguments = {"channel": self._target.where.channel, "ts": stream.ts, "markdown_text": piece}
        try:
            await self._api.call("chat.appendStream", arguments)
        except SlackRefusal as refusal:
            if refusal.code not in _ENDED:
                raise
            log.info("Slack ended a stream; it goes on in a new one", code=refusal.code)
            return False
        stream.text += piece
        return True

    async def _stop(self, stream: _Stream, last: str = "") -> None:
        self._stream = None
        arguments = {"channel": self._target.where.channel, "ts": stream.ts}
        try:
            await self._api.call("chat.stopStream", arguments | ({"markdown_text": last} if last else {}))
        except SlackRefusal as refusal:
            if refusal.code not in _ENDED:
                raise

    async def _closed(self, stream: _Stream, blocks: Sequence[dict[str, Any]]) -> bool:
        """Whether the stream could be ended with the blocks that belong below it, and with the mark of the post."""
        arguments: dict[str, Any] = {"channel": self._target.where.channel, "ts": stream.ts}
        if text := self._waiting + self._sanitizer.rest():
            arguments["markdown_text"] = text
        arguments["blocks"] = list(blocks)
        arguments["metadata"] = metadata_of(self._target.mark, 0)
        try:
            await self._api.call("chat.stopStream", arguments)
        except SlackRefusal as refusal:
            log.info("Slack did not take the end of a stream; the answer is drawn anew", code=refusal.code)
            return False
        self._stream, self._written = None, []
        return True

    def _as_streamed(self, document: Document, stream: _Stream) -> Document | None:
        """What belongs below the stream, when the stream shows the answer's words as they are to stay."""
        prose = [part for part in document.parts if isinstance(part, Prose)]
        # a turn that was cut off before may have left something in the thread, which only a delivery looks for
        if self._target.mark is not None and self._target.mark.repeated:
            return None
        if len(prose) != 1 or self._written != [stream.ts] or prose[0].markdown.strip() != self._raw.strip():
            return None
        # links to listed hosts and native tables are only in the drawn answer, as is what had to be written otherwise
        if harmless(self._raw) != self._raw or _TABLE.search(self._raw) or len(self._raw) > WHOLE:
            return None
        rest = tuple(part for part in document.parts if part is not prose[0])
        return replace(document, parts=rest) if rest else None

    async def _retract(self) -> None:
        if self._stream is not None:
            await self._stop(self._stream)
        written, self._written = self._written, []
        for ts in written:
            await self._delivery.remove(self._target.where.channel, ts)

    async def _clear_plan(self) -> None:
        plan, self._plan = self._plan, ""
        if plan:
            await self._delivery.remove(self._target.where.channel, plan)

    def _posted(self, root: str, posted: Sequence[str]) -> Posted:
        where = self._target.where
        references = tuple(str(Place(where.team, where.channel, ts)) for ts in posted)
        return Posted(str(Place(where.team, where.channel, root)), references)


@asynccontextmanager
async def growing(
    api: SlackApi, delivery: Delivery, status: Status, target: Target, times: Times
) -> AsyncIterator[SlackWriting]:
    """A writing. What it showed and did not finish is taken back after a fault, and left as it stands when the turn is
    cut off. While it lasts people can press Slack's own stop."""
    writing = SlackWriting(api, delivery, status, target, times)
    where = target.where
    session = asyncio.create_task(show_session(api, where, "processing", target.user), name=f"session:{where}")
    try:
        yield writing
    except BaseException as fault:
        try:
            await (writing.leave() if isinstance(fault, asyncio.CancelledError) else writing.take_back())
        except SurfaceError as error:
            log.warning("a stream could not be ended or taken back", why=str(error))
        raise
    finally:
        if await session:
            await show_session(api, where, "active")


async def show_session(api: SlackApi, where: Place, status: str, user: str = "") -> bool:
    """Say whether we work in a thread; while we do, Slack shows a stop button. Whether it was said: apps that are no
    agents are refused and answer all the same, and where many are answered at once the beginning is left out."""
    arguments = {"channel_id": where.channel, "thread_ts": where.ts, "status": status}
    if user:
        arguments["initiator_user_id"] = user
    method = "agents.sessions.setStatus"
    if not where.ts or (user and api.wait(method, where.channel) > BUSY):
        return False
    try:
        await api.call(method, arguments)
    except SurfaceError as error:
        log.debug("Slack keeps no session for a thread", why=str(error))
        return False
    return True
