"""Starwatch's own database: sessions, events already seen, and the reports it posted. SQLite by default, any
SQLAlchemy async address otherwise."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import JSON, DateTime, ForeignKey, Index, String, delete, event, func, make_url, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from agent.messages import Message
from bot.clock import Now
from bot.errors import SettingsError

SEEN_FOR = timedelta(hours=48)
"""How long an event key is remembered; platforms redeliver for up to a day."""


class Base(DeclarativeBase):
    """The tables of this module."""


class SessionRow(Base):
    """One thread that Starwatch has taken part in."""

    __tablename__ = "sessions"
    thread: Mapped[str] = mapped_column(String(255), primary_key=True)
    report_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class MessageRow(Base):
    """One message of a session's history, in order of `position`."""

    __tablename__ = "messages"
    thread: Mapped[str] = mapped_column(ForeignKey("sessions.thread", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(String(16))
    content: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


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
    """All reads and writes of the tables above. Each method is one transaction."""

    def __init__(self, engine: AsyncEngine, now: Now) -> None:
        self._engine = engine
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)
        self._now = now

    async def load(self, thread: str) -> list[Message]:
        """The thread's history; empty when there is none."""
        query = select(MessageRow).where(MessageRow.thread == thread).order_by(MessageRow.position)
        async with self._sessions() as session:
            rows = (await session.scalars(query)).all()
        return [cast(Message, {"role": row.role, "content": row.content}) for row in rows]

    async def append(self, thread: str, messages: Sequence[Message]) -> None:
        """Add messages at the end of the thread's history."""
        async with self._sessions.begin() as session:
            await self._ensure(session, thread)
            end = select(func.coalesce(func.max(MessageRow.position) + 1, 0)).where(MessageRow.thread == thread)
            first = (await session.scalars(end)).one()
            session.add_all(
                MessageRow(thread=thread, position=first + i, role=m["role"], content=m["content"])
                for i, m in enumerate(messages)
            )

    async def clear(self, thread: str) -> None:
        """Forget the thread's history; the thread itself stays known."""
        async with self._sessions.begin() as session:
            await session.execute(delete(MessageRow).where(MessageRow.thread == thread))

    async def knows(self, thread: str) -> bool:
        """Whether Starwatch takes part in this thread."""
        async with self._sessions() as session:
            return await session.get(SessionRow, thread) is not None

    async def open_thread(self, thread: str, report_id: str | None = None) -> None:
        """Take part in a thread from now on, under a report if one is named."""
        async with self._sessions.begin() as session:
            row = await self._ensure(session, thread)
            if report_id is not None:
                row.report_id = report_id

    async def report_of(self, thread: str) -> dict[str, Any] | None:
        """The report that this thread hangs under."""
        query = (
            select(ReportRow.body)
            .join(SessionRow, SessionRow.report_id == ReportRow.report_id)
            .where(SessionRow.thread == thread)
        )
        async with self._sessions() as session:
            return (await session.scalars(query)).one_or_none()

    async def save_report(self, report_id: str, body: dict[str, Any]) -> None:
        """Keep a report for its threads and buttons."""
        async with self._sessions.begin() as session:
            await session.merge(ReportRow(report_id=report_id, created_at=self._now(), body=body))

    async def report(self, report_id: str) -> dict[str, Any] | None:
        """A report by its id."""
        async with self._sessions() as session:
            row = await session.get(ReportRow, report_id)
        return row.body if row else None

    async def first_sight(self, key: str) -> bool:
        """True exactly once for a key, over restarts and over processes that share the database."""
        now = self._now()
        try:
            async with self._sessions.begin() as session:
                await session.execute(delete(SeenRow).where(SeenRow.seen_at < now - SEEN_FOR))
                session.add(SeenRow(key=key, seen_at=now))
        except IntegrityError:
            return False
        return True

    async def _ensure(self, session: AsyncSession, thread: str) -> SessionRow:
        row = await session.get(SessionRow, thread)
        if row is None:
            row = SessionRow(thread=thread, created_at=self._now())
            session.add(row)
            await session.flush()
        return row


def _sqlite_pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
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
