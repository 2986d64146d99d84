"""One kind of work for all who wait for it: what comes while a write is under way goes into the next one, whole.

Where shared transactions (`bot.store.group`) save commits, this saves statements: a hundred events are one INSERT."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy import Connection

from bot.store.database import Database
from bot.store.errors import StoreFault
from bot.store.group import MOST, Outcome, tell

I = TypeVar("I")  # noqa: E741 - an item, beside its outcome O
O = TypeVar("O")  # noqa: E741

Work = Callable[[Sequence[I]], Awaitable[Sequence[Outcome[O]]]]
"""What became of each item, in their order. To do it twice is as to do it once."""


class Batches(Generic[I, O]):
    """Does items in the order in which they come, as many at once as have come by then. A batch that fails is done
    again item by item, so that only those at fault fail; but for a StoreFault, which concerns all."""

    def __init__(self, work: Work[I, O]) -> None:
        self._work = work
        self._waiting: deque[tuple[I, asyncio.Future[O]]] = deque()
        self._worker: asyncio.Task[None] | None = None

    async def run(self, item: I) -> O:
        """What became of the item. Raises the fault of its outcome, and what the work raises. Who is cancelled while
        waiting does not learn whether it was done."""
        future: asyncio.Future[O] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._worker is None:
            self._worker = asyncio.create_task(self._run(), name="batches")
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
                outcomes = await self._outcomes([item for item, _ in batch])
                for (_, future), outcome in zip(batch, outcomes, strict=True):
                    tell(future, outcome)
        finally:
            self._worker = None

    async def _outcomes(self, items: Sequence[I]) -> Sequence[Outcome[O]]:
        try:
            return await self._work(items)
        except StoreFault as fault:
            return [Outcome(fault=fault) for _ in items]
        except Exception as fault:  # noqa: BLE001 - it goes to whoever is waiting for the item
            if len(items) == 1:
                return [Outcome(fault=fault)]
        return [outcome for item in items for outcome in await self._outcomes([item])]


def written(
    database: Database, piece: Callable[[Connection, Sequence[I]], Sequence[Outcome[O]]], about: str = ""
) -> Batches[I, O]:
    """Batches that are each a share in a transaction; see `Database.write`, also for `about`."""

    async def work(items: Sequence[I]) -> Sequence[Outcome[O]]:
        return await database.write(lambda connection: piece(connection, items), about=about)

    return Batches(work)
