"""The store that the agents, the handlers and the queue are given: sessions, events already seen, posted reports."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Connection, delete, func, insert, select, update

from agent.messages import Message
from agent.patrol.report import PatrolReport
from agent.session import SavedTurn, ThreadLocks
from bot.clock import Now
from bot.store.answers import Answers
from bot.store.batches import written
from bot.store.blobs import Blobs
from bot.store.database import Database
from bot.store.findings import Findings
from bot.store.group import Outcome
from bot.store.predictions import Predictions
from bot.store.retention import Keep, Pruned, prune
from bot.store.tables import ReportRow, SeenRow, SessionRow, TurnRow
from bot.store.usage import Usages

JOINED_FOR = timedelta(hours=1)
"""A thread that this process joined is not joined again for so long: the row says by the day when it was last used."""
MOST_JOINED = 10_000


class Store:
    """Each method is one transaction. It is the `SessionStore` of the agents and the `Reports` of the handlers;
    `blobs`, `usage` and `answers` are its other halves, and `database` is for what else is kept beside it.

    Every method that writes raises StoreUnwritable, every other one StoreUnreadable.
    """

    def __init__(self, database: Database, now: Now) -> None:
        self.database = database
        self.blobs = Blobs(database, now)
        self.usage = Usages(database, now)
        self.findings = Findings(database, now)
        self.answers = Answers(database, now)
        self.predictions = Predictions(database, now)
        self.database = database
        self._now = now
        self._locks = ThreadLocks()
        self._joined: dict[str, datetime] = {}
        # about nothing: the platform is waiting for these
        self._joins = written(database, self._join)

    async def load(self, thread: str) -> Sequence[SavedTurn]:
        """The thread's turns, oldest first; empty when there are none."""
        query = select(TurnRow.model, TurnRow.messages).where(TurnRow.thread == thread).order_by(TurnRow.position)
        rows = await self.database.read(lambda connection: connection.execute(query).all())
        return [SavedTurn(row.model, tuple(cast(Sequence[Message], row.messages))) for row in rows]

    async def append(self, thread: str, turn: SavedTurn, *, position: int | None = None) -> None:
        """Add a turn at the end of the thread's history, or as its number `position` unless one stands there."""
        now = self._now()

        def append(connection: Connection) -> None:
            self._touch(connection, thread, now)
            self._add_turn(connection, thread, turn, position)

        if position is None:  # twice would not be as once
            async with self.database.writing() as session:
                await (await session.connection()).run_sync(append)
        else:
            await self.database.write(append, about=thread)

    async def clear(self, thread: str) -> None:
        """Forget the thread's history; the thread itself stays known."""
        async with self.database.writing() as session:
            await session.execute(delete(TurnRow).where(TurnRow.thread == thread))

    def exclusive(self, thread: str) -> AbstractAsyncContextManager[None]:
        """Holds the thread within this process."""
        return self._locks.hold(thread)

    async def knows(self, thread: str) -> bool:
        """Whether Starwatch takes part in this thread."""
        query = select(SessionRow.thread).where(SessionRow.thread == thread)
        return await self.database.read(lambda connection: connection.execute(query).first() is not None)

    async def join(self, thread: str) -> None:
        """Take part in a thread from now on, so that follow-ups need no mention."""
        now = self._now()
        if (joined := self._joined.get(thread)) is not None and now - joined < JOINED_FOR:
            return
        await self._joins.run((thread, now))
        self._joined[thread] = now
        while len(self._joined) > MOST_JOINED:
            del self._joined[next(iter(self._joined))]

    def _join(self, connection: Connection, joined: Sequence[tuple[str, datetime]]) -> Sequence[Outcome[None]]:
        # in one order in all processes, or two with the same threads could wait for each other
        rows = [{"thread": thread, "created_at": now, "used_at": now} for thread, now in sorted(joined)]
        connection.execute(self.database.upsert(SessionRow, ("thread",), ("used_at",)), rows)
        return [Outcome() for _ in joined]

    async def tie(self, thread: str, report: PatrolReport, opening: Sequence[Message]) -> None:
        """Keep a posted report, and open its thread with a history that knows it. Twice is as once."""
        now = self._now()
        row = {"report_id": report.report_id, "created_at": now, "body": report.to_json()}

        def tie(connection: Connection) -> None:
            connection.execute(self.database.upsert(ReportRow, ("report_id",), ("created_at", "body")), row)
            self._touch(connection, thread, now)
            self._add_turn(connection, thread, SavedTurn(report.model, tuple(opening)), 0)

        await self.database.write(tie, about=thread)

    async def find(self, report_id: str) -> Mapping[str, Any] | None:
        """A posted report by its id, in the form of `PatrolReport.to_json`."""
        async with self.database.reading() as session:
            row = await session.get(ReportRow, report_id)
        return row.body if row else None

    async def first_sight(self, key: str) -> bool:
        """True exactly once for a key, over restarts and over processes that share the database."""
        async with self.database.writing() as session:
            return await self.database.add_new(session, SeenRow, {"key": key, "seen_at": self._now()})

    async def saw(self, key: str) -> bool:
        """Whether `first_sight` was asked for this key."""
        async with self.database.reading() as session:
            return await session.get(SeenRow, key) is not None

    async def prune(self, keep: Keep) -> Pruned:
        """Forget what is older than `keep` allows; to be called once a day or more often."""
        await self.predictions.prune()
        return await prune(self.database, self._now(), keep)

    def _touch(self, connection: Connection, thread: str, now: datetime) -> None:
        if not self.database.insert_new(connection, SessionRow, {"thread": thread, "created_at": now, "used_at": now}):
            # also locks the row, so that two processes give two turns of a thread different positions
            connection.execute(update(SessionRow).where(SessionRow.thread == thread).values(used_at=now))

    def _add_turn(self, connection: Connection, thread: str, turn: SavedTurn, position: int | None) -> None:
        end = select(func.coalesce(func.max(TurnRow.position) + 1, 0)).where(TurnRow.thread == thread)
        count = connection.scalars(end).one()
        if position is not None and position < count:
            return
        messages = [dict(message) for message in turn.messages]
        row = {"thread": thread, "position": count, "model": turn.model, "messages": messages}
        connection.execute(insert(TurnRow), row)
