"""The lanes that this process sees to: one worker at a time in each, so many at once, the others in their turn."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import Context

import structlog

log = structlog.get_logger()


class Lanes:
    """Begins a worker for each lane that is woken, with `begin`, unless one is at work in it; `most` are at work at
    once, begun at least `apart` seconds from each other. It rests on nothing that would be lost with it: who is woken
    twice, or not at all, is only done later."""

    def __init__(self, begin: Callable[[str], Awaitable[None]], most: int, *, apart: float = 0.0) -> None:
        self._begin = begin
        self._most = most
        self._apart = apart
        self._pace = asyncio.Lock()
        self._last = -math.inf
        self._at_work: set[str] = set()
        self._again: set[str] = set()
        self._ready: dict[str, None] = {}
        self._beginning: set[asyncio.Task[None]] = set()
        self._closed = False
        self._closing = asyncio.Event()

    @property
    def room(self) -> int:
        """How many workers more there may be."""
        return max(0, self._most - len(self._at_work) - len(self._ready))

    def place(self, lane: str) -> int:
        """The place of a lane that was just woken among those that wait for room; 0 when it does not."""
        return len(self._ready) if lane in self._ready else 0

    def wake(self, lane: str) -> None:
        """Something came into the lane, perhaps just when the worker in it had looked for the last time."""
        if lane in self._at_work:
            self._again.add(lane)
        self.found(lane)

    def found(self, lane: str) -> None:
        """Something has waited in the lane for a while. A worker that is at work in it will see that when it ends."""
        if self._closed or lane in self._at_work:
            return
        if len(self._at_work) < self._most:
            self._at_work.add(lane)
            # in a context of its own: woken by a worker, the next one is not that worker's child
            task = asyncio.get_running_loop().create_task(self._start(lane), name=f"begin:{lane}", context=Context())
            self._beginning.add(task)
            task.add_done_callback(self._beginning.discard)
        else:
            self._ready[lane] = None

    async def _start(self, lane: str) -> None:
        try:
            await self._paced()
            if self._closed:
                self.ended(lane, more=False)
                return
            await self._begin(lane)
        except Exception:  # the outermost edge of a task of its own: the event waits, and is looked for again
            log.exception("a turn could not be begun", lane=lane)
            self.ended(lane, more=False)

    async def _paced(self) -> None:
        """Turns that begin at one moment would keep step: their models answer together, and each round of theirs waits
        for that of all others. A crowd is drawn out once instead."""
        loop = asyncio.get_running_loop()
        async with self._pace:
            wait = self._last + self._apart - loop.time()
            if wait > 0 and not self._closed:
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._closing.wait()
            self._last = loop.time()

    def begun(self, lane: str) -> None:
        """A worker is at work in the lane, perhaps one that nobody here has begun."""
        self._at_work.add(lane)

    def ended(self, lane: str, more: bool) -> None:
        """The lane's worker is through; `more` = it saw something waiting behind what it did."""
        self._at_work.discard(lane)
        if more or lane in self._again:
            self._again.discard(lane)
            # behind those that have waited for longer
            self._ready[lane] = None
        while self._ready and len(self._at_work) < self._most and not self._closed:
            ready = next(iter(self._ready))
            del self._ready[ready]
            self.wake(ready)

    async def close(self) -> None:
        """Begin no more workers, and wait for those that are being begun."""
        self._closed = True
        self._closing.set()
        if self._beginning:
            await asyncio.wait(self._beginning)
