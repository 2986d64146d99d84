"""A surface that does not lose what it is given: while the platform is away it is tried again, then kept in the outbox
and delivered when the platform is back."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace

import structlog

from bot.documents import document_json, document_of
from bot.meters import Meters, PostEnd
from bot.store import StoreFault
from bot.store.outbox import Kept, Outbox, is_stand_in, message_of, stand_in_of, waits_as
from handlers.document import Document, Form
from handlers.faults import AccessEnded, PlaceGone, SurfaceAway
from handlers.surface import Mark, Posted, Press, Said, Step, Surface, SurfaceError, Writing

log = structlog.get_logger()

PROBE = 60.0
"""Seconds between two tries with an access that was ended."""


@dataclass(frozen=True, slots=True)
class Waits:
    """`first` seconds to the second try, doubled up to `longest`, until `patience` is used up; then the outbox, which
    looks whether the platform is back every `look` seconds."""

    first: float = 1.0
    longest: float = 60.0
    patience: float = 900.0
    look: float = 15.0


class _Health:
    """What is known of one platform: since when it is away, and when its access was found ended."""

    def __init__(self, waits: Waits, clock: Callable[[], float]) -> None:
        self._waits = waits
        self._clock = clock
        self._away_since: float | None = None
        self._fault_at = 0.0
        self._ended_at: float | None = None
        self.why = ""

    def well(self) -> None:
        self._away_since = self._ended_at = None

    def away(self) -> float:
        """Seconds that the platform has been away for, now that it was found away."""
        now = self._clock()
        # a fault of long ago, behind which nothing was posted, says nothing about now
        if self._away_since is None or now - self._fault_at > self._waits.patience:
            self._away_since = now
        self._fault_at = now
        return now - self._away_since

    @property
    def ended(self) -> bool:
        """Whether trying is no use yet."""
        return self._ended_at is not None and self._clock() - self._ended_at < PROBE

    def end(self, fault: AccessEnded) -> None:
        if self._ended_at is None:
            log.critical("the chat platform has ended our access; answers are kept until it is back", why=str(fault))
        self._ended_at = self._clock()
        self.why = str(fault)


class PatientSurface:
    """A `Surface` around another one. Only posts with a mark are kept: without one nobody could tell whether they
    arrived. `gone` hears of threads that are there no longer. Clock and sleep are passed in for tests."""

    def __init__(
        self,
        surface: Surface,
        outbox: Outbox,
        *,
        gone: Callable[[str], Awaitable[object]],
        waits: Waits | None = None,
        meters: Meters | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._surface = surface
        self._outbox = outbox
        self._gone = gone
        self._waits = waits or Waits()
        self._posts = (meters or Meters()).posts
        self._clock = clock
        self._sleep = sleep
        self._places: set[str] | None = None
        self._platforms: dict[str, _Health] = {}

    async def post(self, place: str, document: Document, mark: Mark | None = None) -> Posted:
        """See `Surface`. A post that waits in the outbox is in a thread and a message that will be there later. Raises
        SurfaceError when the platform refuses it for good, StoreUnwritable when it can be neither posted nor kept."""
        place = await self._resolved(place)
        if mark is None:
            return await self._surface.post(place, document)
        marked = mark

        async def attempt() -> Posted:
            nonlocal marked
            now, marked = marked, replace(marked, repeated=True)
            return await self._surface.post(place, document, now)

        return await self.patiently(attempt, place, document, mark)

    async def patiently(
        self, attempt: Callable[[], Awaitable[Posted]], place: str, document: Document, mark: Mark
    ) -> Posted:
        """What `attempt` posts, tried again while the platform is away; kept when it stays away. Nothing goes before
        what waits for the same place."""
        if is_stand_in(place) or place in await self._behind():
            return await self._kept(place, document, mark, "something else waits for this place")
        wait, platform = self._waits.first, self._platform(place)
        while True:
            if platform.ended:
                return await self._kept(place, document, mark, platform.why)
            try:
                posted = await attempt()
            except AccessEnded as fault:
                platform.end(fault)
            except PlaceGone:
                self._count("refused")
                await self._told_gone(place)
                raise
            except SurfaceAway as fault:
                pause = max(wait, fault.retry_after or 0.0)
                if platform.away() + pause > self._waits.patience:
                    return await self._kept(place, document, mark, str(fault))
                log.warning("the chat platform is away; a post is tried again", place=place, seconds=pause)
                await self._sleep(pause)
                wait = min(wait * 2, self._waits.longest)
            except SurfaceError:
                self._count("refused")
                raise
            else:
                platform.well()
                self._count("posted")
                return posted

    def _count(self, end: PostEnd) -> None:
        self._posts.labels(end).inc()

    async def update(self, message: str, document: Document, mark: Mark | None = None) -> None:
        """See `Surface`. Not kept while the platform is away: what it would show is out of date by then. A post that
        waits itself is changed where it waits."""
        if is_stand_in(message):
            name = waits_as(message)
            if await self._outbox.redraw(name, document_json(document)):
                return
            if not (message := await self._outbox.message(name)):
                raise SurfaceError("a post that was never made cannot be drawn again")
        await self._surface.update(message, document, mark)

    async def status(self, thread: str, text: str) -> None:
        """See `Surface`. A thread that is not there yet shows none."""
        if not is_stand_in(thread):
            await self._surface.status(thread, text)

    def writing(self, thread: str, mark: Mark | None, user: str) -> AbstractAsyncContextManager[Writing]:
        """See `Surface`."""
        return self._writing(thread, mark, user)

    @asynccontextmanager
    async def _writing(self, thread: str, mark: Mark | None, user: str) -> AsyncIterator[Writing]:
        thread = await self._resolved(thread)
        async with self._surface.writing(thread, mark, user) as writing:
            yield writing if mark is None else _PatientWriting(self, writing, thread, mark)

    async def said(self, thread: str, after: str = "") -> Sequence[Said]:
        """See `Surface`."""
        return await self._surface.said(thread, after)

    async def whisper(self, place: str, user: str, document: Document) -> None:
        """See `Surface`."""
        await self._surface.whisper(place, user, document)

    async def dialog(self, press: Press, title: str, document: Document, form: Form | None = None) -> None:
        """See `Surface`."""
        await self._surface.dialog(press, title, document, form)

    async def suggest(self, place: str, prompts: Sequence[tuple[str, str]]) -> None:
        """See `Surface`."""
        await self._surface.suggest(place, prompts)

    async def home(self, user: str, document: Document) -> None:
        """See `Surface`."""
        await self._surface.home(user, document)

    async def watch(self) -> None:
        """Deliver what waits whenever the platform is back, until cancelled."""
        while True:
            try:
                await self.deliver()
            except StoreFault as fault:
                log.error("the outbox cannot be looked at", why=str(fault))
            await self._sleep(self._waits.look)

    async def deliver(self) -> int:
        """Post what waits, oldest first, as far as its platform takes it; how many were posted."""
        done, failing = 0, set[_Health]()
        while (kept := await self._outbox.take()) is not None:
            platform = self._platform(kept.place)
            try:
                if platform in failing or platform.ended:
                    await self._outbox.give_back(kept.name, pause=self._waits.look)
                else:
                    done += await self._delivered(kept)
            except (SurfaceAway, AccessEnded) as fault:
                failing.add(platform)
                await self._outbox.give_back(kept.name, str(fault), self._waits.look)
                if isinstance(fault, AccessEnded):
                    platform.end(fault)
        self._places = set(await self._outbox.places())
        return done

    async def _delivered(self, kept: Kept) -> bool:
        mark = Mark(kept.turn, kept.part, repeated=True)
        try:
            posted = await self._surface.post(kept.place, document_of(kept.document), mark)
        except (SurfaceAway, AccessEnded):
            raise
        except (SurfaceError, ValueError) as fault:
            log.error("what was kept will never be posted", place=kept.place, part=kept.part, why=str(fault))
            self._count("dropped")
            await self._outbox.drop(kept.name, stand_in_of(kept.place, kept.name))
            return False
        self._platform(kept.place).well()
        self._count("delivered")
        log.info("what was kept is posted", place=kept.place, part=kept.part, kept_at=kept.kept_at.isoformat())
        stand_in = stand_in_of(kept.place, kept.name)
        await self._outbox.posted(kept.name, posted.thread, stand_in, posted.messages)
        return True

    async def _kept(self, place: str, document: Document, mark: Mark, why: str) -> Posted:
        name = await self._outbox.put(place, mark.turn, mark.part, document_json(document), why)
        (await self._behind()).add(place)
        self._count("kept")
        log.error("what could not be posted is kept", place=place, part=mark.part, why=why)
        return Posted(stand_in_of(place, name), (message_of(place, name),))

    async def _behind(self) -> set[str]:
        """The places that something waits for: looked up once, then known from what is kept and delivered here."""
        if self._places is None:
            self._places = set(await self._outbox.places())
        return self._places

    async def _resolved(self, place: str) -> str:
        """The thread itself, when a stand-in's post is out."""
        if not is_stand_in(place):
            return place
        return await self._outbox.thread(waits_as(place)) or place

    async def _told_gone(self, place: str) -> None:
        if _is_thread(place):
            log.warning("a thread is there no longer; what is done for it ends", thread=place)
            await self._gone(place)

    def _platform(self, place: str) -> _Health:
        name = place.partition(":")[0]
        return self._platforms.setdefault(name, _Health(self._waits, self._clock))


class _PatientWriting:
    """A `Writing` whose end is not lost."""

    def __init__(self, surface: PatientSurface, writing: Writing, thread: str, mark: Mark) -> None:
        self._surface = surface
        self._writing = writing
        self._thread = thread
        self._mark = mark

    async def steps(self, steps: Sequence[Step]) -> None:
        """See `Writing`."""
        await self._writing.steps(steps)

    async def text(self, piece: str) -> None:
        """See `Writing`."""
        await self._writing.text(piece)

    async def finish(self, document: Document) -> Posted:
        """See `Writing`."""
        return await self._surface.patiently(lambda: self._writing.finish(document), self._thread, document, self._mark)


def _is_thread(place: str) -> bool:
    return place.count(":") >= 3
