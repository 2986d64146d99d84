"""How long each kind of row is kept, and the forgetting of the rest."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, inspect, select, tuple_

from bot.store.database import Database
from bot.store.tables import (
    AnswerRow,
    ApprovalRow,
    Base,
    BlobRow,
    PreferenceRow,
    ReportRow,
    SeenRow,
    SessionRow,
    UsageRow,
)

_BATCH = 500
"""Rows deleted in one transaction: nobody who writes meanwhile waits longer than that takes."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Ages beyond which rows go. Blobs must outlive the journals that name them; `events` is for what
    happens once, and must outlive a platform's redeliveries, which come for up to a day. `turns` is for ended turns,
    the messages behind them and what was kept to be posted, which are forgotten elsewhere."""

    sessions: timedelta = timedelta(days=90)
    reports: timedelta = timedelta(days=365)
    events: timedelta = timedelta(hours=48)
    blobs: timedelta = timedelta(days=21)
    usage: timedelta = timedelta(days=400)
    answers: timedelta = timedelta(days=180)
    turns: timedelta = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Pruned:
    """Rows that went, by kind; a session takes its turns along, an answer what was thought of it."""

    sessions: int
    reports: int
    events: int
    blobs: int
    usage: int
    answers: int = 0
    preferences: int = 0
    approvals: int = 0


async def prune(database: Database, now: datetime, keep: Keep) -> Pruned:
    """Delete what is older than `keep` allows at `now`, in short transactions. Raises StoreUnwritable."""
    return Pruned(
        sessions=await _forget(database, SessionRow, SessionRow.used_at < now - keep.sessions),
        reports=await _forget(database, ReportRow, ReportRow.created_at < now - keep.reports),
        events=await _forget(database, SeenRow, SeenRow.seen_at < now - keep.events),
        blobs=await _forget(database, BlobRow, BlobRow.used_at < now - keep.blobs),
        usage=await _forget(database, UsageRow, UsageRow.day < (now - keep.usage).date()),
        answers=await _forget(database, AnswerRow, AnswerRow.created_at < now - keep.answers),
        approvals=await _forget(database, ApprovalRow, ApprovalRow.asked_at < now - keep.reports),
        # a thread's go with the thread, a channel's stay
        preferences=await _forget(
            database,
            PreferenceRow,
            and_(PreferenceRow.changed_at < now - keep.sessions, PreferenceRow.place.like("%:%:%:%")),
        ),
    )


async def _forget(database: Database, table: type[Base], old: ColumnElement[bool]) -> int:
    key = inspect(table).primary_key
    statement = delete(table).where(tuple_(*key).in_(select(*key).where(old).limit(_BATCH)))
    gone, batch = 0, _BATCH
    while batch == _BATCH:
        async with database.writing() as session:
            result: Any = await session.execute(statement, execution_options={"synchronize_session": False})
            batch = result.rowcount
        gone += batch
    return gone
