"""One transaction with our own database, and what of its faults becomes a StoreFault."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from bot.store.errors import Cause, StoreFault, StoreUnreadable, StoreUnwritable, cause_of
from bot.store.group import Group, Piece
from bot.store.tables import Base

T = TypeVar("T")

WRITERS = 4
"""Connections for shared transactions where several can write at once: each waits for the server most of the time."""


class Database:
    """Transactions on one database: a session of one's own, or a share in the next transaction of many, which is for
    what is done often. `plain` is the same database without asyncio. Writers of this process wait for each other here
    when the database has one writer at a time anyway, so that they come in order and none is starved."""

    def __init__(self, engine: AsyncEngine, plain: Engine) -> None:
        self.engine = engine
        self.plain = plain
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)
        self._one_writer = engine.dialect.name == "sqlite"
        self._writer = asyncio.Lock()
        begin, turn = ("BEGIN IMMEDIATE", self._writer) if self._one_writer else ("", None)
        self._writes = [Group(plain, begin=begin, turn=turn) for _ in range(1 if self._one_writer else WRITERS)]
        self._reads = Group(plain)

    async def write(self, piece: Piece[T], about: str = "") -> T:
        """Run a piece in a transaction that it may share with others, and return once that is committed. It must be
        such that doing it twice is as doing it once. Pieces `about` the same thing are run in the order in which they
        are given; those about nothing wait for no others. Raises StoreUnwritable, and what the piece raises."""
        first, *others = self._writes
        group = others[zlib.crc32(about.encode(errors="replace")) % len(others)] if about and others else first
        async with _faults(StoreUnwritable):
            return await group.run(piece)

    async def read(self, piece: Piece[T]) -> T:
        """Run a piece that changes nothing. Raises StoreUnreadable, and what the piece raises."""
        async with _faults(StoreUnreadable):
            return await self._reads.run(piece)

    async def close(self) -> None:
        """Finish what waits, and let go of the connections."""
        for group in self._writes:
            await group.close()
        await self._reads.close()
        self.plain.dispose()
        await self.engine.dispose()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session that changes nothing. Raises StoreUnreadable."""
        async with _faults(StoreUnreadable), self._sessions() as session:
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """A transaction, committed at the end and rolled back whole on any error. Raises StoreUnwritable."""
        turn = self._writer if self._one_writer else nullcontext()
        async with _faults(StoreUnwritable), turn, self._sessions.begin() as session:
            if self._one_writer:
                # takes the write lock before the first read, so that what was read still holds when it is written
                await (await session.connection()).exec_driver_sql("BEGIN IMMEDIATE")
            yield session

    def insert_new(self, connection: Connection, table: type[Base], values: Mapping[str, Any]) -> bool:
        """Insert a row unless its key is there; whether it was not."""
        statement = self.insert(table, values).on_conflict_do_nothing().returning(*inspect(table).primary_key)
        return connection.execute(statement).first() is not None

    def insert(self, table: type[Base], values: Mapping[str, Any]) -> "postgresql.Insert | sqlite.Insert":
        """An INSERT that can say what to do on conflict."""
        make = sqlite.insert if self._one_writer else postgresql.insert
        return make(table).values(**values)

    def insert_all_new(self, table: type[Base]) -> "postgresql.Insert | sqlite.Insert":
        """An INSERT of rows that are given when it is run, which leaves out those whose key is there."""
        make = sqlite.insert if self._one_writer else postgresql.insert
        return make(table).on_conflict_do_nothing()

    def upsert(self, table: type[Base], key: Sequence[str], changed: Sequence[str]) -> Any:
        """An INSERT of rows that are given when it is run; of a row whose key is there it changes these columns."""
        make = sqlite.insert if self._one_writer else postgresql.insert
        statement = make(table)
        return statement.on_conflict_do_update(
            index_elements=list(key), set_={name: statement.excluded[name] for name in changed}
        )

    async def add_new(self, session: AsyncSession, table: type[Base], values: Mapping[str, Any]) -> bool:
        """Insert a row unless its key is there; whether it was not."""
        statement = self.insert(table, values).on_conflict_do_nothing().returning(*inspect(table).primary_key)
        return (await session.execute(statement)).first() is not None


@asynccontextmanager
async def _faults(kind: type[StoreFault]) -> AsyncIterator[None]:
    try:
        yield
    except DBAPIError as error:
        cause = cause_of(error)
        if cause is None:
            raise
        raise kind(cause) from error
    except (PoolTimeout, OSError) as error:
        raise kind(Cause.UNREACHABLE) from error
