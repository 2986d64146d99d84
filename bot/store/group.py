"""Transactions shared by whoever waits: many small pieces of work, one trip to a thread, one commit.

A turn writes often and little: one by one, commits and hops between threads would cost more than the writing."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

T = TypeVar("T")
Piece = Callable[[Connection], T]
"""Some statements and what they gave. It may be run again from the start after a rollback, so it must leave nothing
behind but rows."""

MOST = 256
"""Pieces of one transaction: those that wait behind it wait no longer than these take."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What a piece gave, or what it raised."""

    value: T | None = None
    fault: Exception | None = None


class Group:
    """One connection in a thread of its own. Pieces are run in the order in which they were given; a piece that fails
    fails alone, and no piece returns before it is committed. `begin` is the statement that opens a transaction, `turn`
    is held while one is open."""

    def __init__(
        self, engine: Engine, *, begin: str = "", turn: AbstractAsyncContextManager[Any] | None = None
    ) -> None:
        self._engine = engine
        self._begin = begin
        self._turn = turn or nullcontext()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._waiting: deque[tuple[Piece[Any], asyncio.Future[Any]]] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._closed = False

    async def run(self, piece: Piece[T]) -> T:
        """What the piece gave, once it is committed. Raises what the piece raises, and what the driver does. Who is
        cancelled while waiting does not learn whether it was committed. Raises RuntimeError once closed."""
        if self._closed:
            raise RuntimeError("the store is closed")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((piece, future))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work(), name="store")
        return await future

    async def _work(self) -> None:
        try:
            while self._waiting:
                async with self._turn:
                    batch = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
                    pieces = [piece for piece, _ in batch]
                    loop = asyncio.get_running_loop()
                    outcomes = await loop.run_in_executor(self._thread, self._outcomes, pieces)
                for (_, future), outcome in zip(batch, outcomes, strict=True):
                    tell(future, outcome)
        finally:
            self._worker = None

    def _outcomes(self, pieces: Sequence[Piece[Any]]) -> list[Outcome[Any]]:
        try:
            return self._transactions(pieces)
        except Exception as fault:  # noqa: BLE001 - it goes to whoever is waiting for the piece
            if len(pieces) == 1:
                return [Outcome(fault=fault)]
        # nothing of them was committed; alone, only the piece at fault fails
        return [self._outcomes([piece])[0] for piece in pieces]

    def _transactions(self, pieces: Sequence[Piece[Any]]) -> list[Outcome[Any]]:
        try:
            return self._transaction(pieces)
        except DBAPIError as fault:
            if not fault.connection_invalidated:
                raise
        # Nobody asked the connection whether it was still there, which would cost a trip to the server each time. Now
        # all that rested are let go, and if this one is lost as well, then so is the database.
        return self._transaction(pieces)

    def _transaction(self, pieces: Sequence[Piece[Any]]) -> list[Outcome[Any]]:
        with self._engine.connect() as connection:
            if self._begin:
                connection.exec_driver_sql(self._begin)
            outcomes = [Outcome(piece(connection)) for piece in pieces]
            connection.commit()
            return outcomes

    async def close(self) -> None:
        """Finish what waits, then end the thread."""
        self._closed = True
        if self._worker is not None:
            await asyncio.wait({self._worker})
        self._thread.shutdown()


def tell(future: asyncio.Future[Any], outcome: Outcome[Any]) -> None:
    """Give whoever waits for it what became of it."""
    if future.done():  # whoever asked was cancelled meanwhile
        return
    if outcome.fault is not None:
        future.set_exception(outcome.fault)
    else:
        future.set_result(outcome.value)
