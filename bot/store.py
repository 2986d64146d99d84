"""Starwatch's own database: sessions, events already seen, and the reports it posted. SQLite by default, any
SQLAlchemy async address otherwise."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import JSON, DateTime, ForeignKey, Index, String, delete, event, func, make_url, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from agent.messages import Message
from agent.patrol.report import PatrolReport
from agent.session import SavedTurn, ThreadLocks
from bot.clock import Now
from bot.errors import SettingsError

SEEN_FOR = timedelta(hours=48)
"""How long an event key is remembered; platforms redeliver for up to a day."""


_TRIES = 4
# A thread may be joined and written to at once; who comes second finds the other's row when it looks again.


class Base(DeclarativeBase):
    """The tables of this module."""


class SessionRow(Base):
    """One thread that Starwatch has taken part in."""

    __tablename__ = "sessions"
    thread: Mapped[str] = mapped_column(String(255), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class TurnRow(Base):
    """One finished turn of a session, in order of `position`: its messages as they were sent, and the model they were
    sent to."""

    __tablename__ = "turns"
    thread: Mapped[str] = mapped_column(ForeignKey("sessions.thread", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(String(128))
    messages: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


class SeenRow(Base):
    """An event that was taken in, so that its redelivery is not answered again."""

    __tablename__ = "seen_events"
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    __table_args__ = (Index("seen_events_by_age", "seen_at"),)


class ReportRow(Base):
    """A posted report, kept so that a reply under it, or its Investigate button, knows what it said."""

    __tablename__ = "reports"
    report_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)


class Store:
    """Reads and writes the tables above, each method one transaction. It is the `SessionStore` of the agents and the
    `Reports` of the handlers."""

    def __init__(self, engine: AsyncEngine, now: Now) -> None:
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)
        self._now = now
        self._locks = ThreadLocks()

    async def load(self, thread: str) -> Sequence[SavedTurn]:
        """The thread's turns, oldest first; empty when there are none."""
        query = select(TurnRow).where(TurnRow.thread == thread).order_by(TurnRow.position)
        async with self._sessions() as session:
            rows = (await session.scalars(query)).all()
        return [SavedTurn(row.model, tuple(cast(Sequence[Message], row.messages))) for row in rows]

    async def append(self, thread: str, turn: SavedTurn) -> None:
        """Add a turn at the end of the thread's history."""

        async def add(session: AsyncSession) -> None:
            await self._ensure(session, thread)
            await self._add_turn(session, thread, turn)

        await self._write(add)

    async def clear(self, thread: str) -> None:
        """Forget the thread's history; the thread itself stays known."""
        async with self._sessions.begin() as session:
            await session.execute(delete(TurnRow).where(TurnRow.thread == thread))

    def exclusive(self, thread: str) -> AbstractAsyncContextManager[None]:
        """Holds the thread within this process."""
        return self._locks.hold(thread)

    async def knows(self, thread: str) -> bool:
        """Whether Starwatch takes part in this thread."""
        async with self._sessions() as session:
            return await session.get(SessionRow, thread) is not None

    async def join(self, thread: str) -> None:
        """Take part in a thread from now on, so that follow-ups need no mention."""
        await self._write(lambda session: self._ensure(session, thread))

    async def tie(self, thread: str, report: PatrolReport, opening: Sequence[Message]) -> None:
        """Keep a posted report, and open its thread with a history that knows it."""
        # merge, as a report may be posted again after a failure half way: the second one stands.
        row = ReportRow(report_id=report.report_id, created_at=self._now(), body=report.to_json())

        async def keep(session: AsyncSession) -> None:
            await session.merge(row)
            await self._ensure(session, thread)
            await self._add_turn(session, thread, SavedTurn(report.model, tuple(opening)))

        await self._write(keep)

    async def find(self, report_id: str) -> Mapping[str, Any] | None:
        """A posted report by its id, in the form of `PatrolReport.to_json`."""
        async with self._sessions() as session:
            row = await session.get(ReportRow, report_id)
        return row.body if row else None

    async def first_sight(self, key: str) -> bool:
        """True exactly once for a key, over restarts and over processes that share the database."""
        now = self._now()
        try:
            async with self._sessions.begin() as session:
                # Swept here and not by a clock: whoever writes keeps the table small, and nobody else has to run.
                await session.execute(delete(SeenRow).where(SeenRow.seen_at < now - SEEN_FOR))
                session.add(SeenRow(key=key, seen_at=now))
        except IntegrityError:
            return False
        return True

    async def _write(self, change: Callable[[AsyncSession], Awaitable[None]]) -> None:
        """One transaction that looks before it writes; made anew when another one wrote the same row in between."""
        for tries_left in reversed(range(_TRIES)):
            try:
                async with self._sessions.begin() as session:
                    await change(session)
                return
            except IntegrityError:
                if not tries_left:
                    raise

    async def _ensure(self, session: AsyncSession, thread: str) -> None:
        if await session.get(SessionRow, thread) is None:
            session.add(SessionRow(thread=thread, created_at=self._now()))
            await session.flush()

    async def _add_turn(self, session: AsyncSession, thread: str, turn: SavedTurn) -> None:
        # Computed by the database, within the transaction that inserts: two writers then collide instead of
        # overwriting.
        end = select(func.coalesce(func.max(TurnRow.position) + 1, 0)).where(TurnRow.thread == thread)
        position = (await session.scalars(end)).one()
        messages = [dict(message) for message in turn.messages]
        session.add(TurnRow(thread=thread, position=position, model=turn.model, messages=messages))


def _sqlite_pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    # WAL lets readers go on while a turn is saved; foreign keys are off in SQLite until they are asked for.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@asynccontextmanager
async def open_store(url: str, now: Now) -> AsyncIterator[Store]:
    """The store at a SQLAlchemy async address, its tables made when missing.

    Raises SettingsError when the address cannot be used.
    """
    try:
        address = make_url(url)
        # SQLite makes the file but not its folder, and what was said in chats is for its owner alone.
        if address.get_backend_name() == "sqlite" and address.database not in (None, "", ":memory:"):
            Path(str(address.database)).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        engine = create_async_engine(address)
    except (SQLAlchemyError, ImportError, OSError) as error:
        raise SettingsError(f"STARWATCH_DATABASE_URL: cannot be used ({type(error).__name__}); name an address such as "
                            "sqlite+aiosqlite:////path/starwatch.db") from None  # fmt: skip
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _sqlite_pragmas)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
    except (SQLAlchemyError, OSError) as error:
        await engine.dispose()
        raise SettingsError(
            f"STARWATCH_DATABASE_URL: {address.render_as_string(hide_password=True)} cannot be opened "
            f"({type(error).__name__}); check the path, its permissions and the disk"
        ) from None
    try:
        yield Store(engine, now)
    finally:
        await engine.dispose()
