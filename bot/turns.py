"""The queue between an acknowledged event and its handler: each event once, in order within a thread, threads side by
side. This engine lives in the process; the events' keys live in the store."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import structlog

from handlers.surface import Event, PatrolRequest

log = structlog.get_logger()

Handle = Callable[[Event], Awaitable[None]]
FirstSight = Callable[[str], Awaitable[bool]]

MAX_WAITING = 10_000
"""Events that may wait at once in one process; beyond it an event is refused and the platform redelivers it."""


class TurnsFull(Exception):
    """Too many events are waiting; the platform should deliver this one again later."""


def lane(event: Event) -> str:
    """The queue that an event waits in: its thread. A patrol waits for nothing: who asks for one that runs already is
    told so and shares its report."""
    return event.key if isinstance(event, PatrolRequest) else event.thread


class Turns:
    """Runs `handle` for each submitted event, one at a time per lane."""

    def __init__(self, handle: Handle, first_sight: FirstSight, *, max_running: int = 64) -> None:
        self._handle = handle
        self._first_sight = first_sight
        self._room = asyncio.Semaphore(max_running)
        self._lanes: dict[str, deque[Event]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._arriving: set[asyncio.Future[None]] = set()
        self._waiting = 0
        self._closed = False

    async def submit(self, event: Event) -> bool:
        """Queue an event; False when it was seen before. Returns at once, before any work is done.

        Raises TurnsFull when too much is waiting or the process is stopping.
        """
        # Before the key is remembered: what is refused here must be new when it is delivered again.
        if self._closed or self._waiting >= MAX_WAITING:
            raise TurnsFull
        arrival = asyncio.get_running_loop().create_future()
        self._arriving.add(arrival)
        try:
            if not await self._first_sight(event.key):
                return False
            self._queue(event)
        finally:
            self._arriving.discard(arrival)
            arrival.cancel()
        return True

    def _queue(self, event: Event) -> None:
        self._waiting += 1
        name = lane(event)
        if name in self._lanes:
            self._lanes[name].append(event)
        else:
            # No await between the look and this line, or two workers could serve one thread.
            self._lanes[name] = deque([event])
            worker = asyncio.create_task(self._work(name), name=f"turns:{name}")
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    async def _work(self, name: str) -> None:
        queue = self._lanes[name]
        try:
            while queue:
                event = queue.popleft()
                self._waiting -= 1
                # Within the lane, so that a thread whose turn waits for room keeps its order.
                async with self._room:
                    await self._handle(event)
        finally:
            # A cut-off worker leaves events behind; their places must not stay taken.
            self._waiting -= len(queue)
            del self._lanes[name]

    async def idle(self) -> None:
        """Wait until nothing is queued or running."""
        while self._workers:
            await asyncio.wait(self._workers)

    async def close(self, seconds: float) -> int:
        """Take nothing more, give running turns `seconds` to finish, then cancel. Returns how many were cut off."""
        self._closed = True
        # Events whose key is being remembered count as taken in: delivered again, they would be dropped as seen.
        if self._arriving:
            await asyncio.wait(self._arriving, timeout=seconds)
        if not self._workers:
            return 0
        _, late = await asyncio.wait(self._workers, timeout=seconds)
        for worker in late:
            worker.cancel()
        # Waited for, so that a cancelled turn still closes its history before the database goes.
        await asyncio.gather(*late, return_exceptions=True)
        if late:
            log.warning("stopped before these turns were done", turns=len(late))
        return len(late)
