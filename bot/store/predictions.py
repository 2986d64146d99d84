"""The patrol's predictions over reports, restarts and replicas: open until they are graded, then their record."""

from collections.abc import Sequence
from datetime import UTC, timedelta

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, delete, select

from agent.patrol.predictions import Statement
from bot.clock import Now
from bot.store.database import Database
from bot.store.prediction_tables import PredictionRow

RECENT = timedelta(days=90)
"""What came out longer ago says little about today's rules and today's fleet."""
KEPT = timedelta(days=365)
MOST = 5_000
"""Statements that a list gives at most, the latest due first."""

_STATEMENT: TypeAdapter[Statement] = TypeAdapter(Statement)


class Predictions:
    """Implements `agent.patrol.predictions.PredictionStore`. What writes raises StoreUnwritable, what reads
    StoreUnreadable."""

    def __init__(self, database: Database, now: Now) -> None:
        self._database = database
        self._now = now

    async def open(self) -> Sequence[Statement]:
        """The statements that were not graded yet."""
        return await self._known(PredictionRow.state == "open")

    async def graded(self) -> Sequence[Statement]:
        """Hits and misses of the last RECENT."""
        recent = PredictionRow.due_at >= self._now() - RECENT
        return await self._known(PredictionRow.state.in_(("hit", "missed")) & recent)

    async def keep(self, statements: Sequence[Statement]) -> None:
        """Add statements, or put them in the place of those with the same key."""
        async with self._database.writing() as session:
            for one in statements:
                await session.merge(_row(one))

    async def prune(self) -> int:
        """Forget what was due longer than KEPT ago; how many rows went."""
        async with self._database.writing() as session:
            gone = await session.execute(
                delete(PredictionRow).where(PredictionRow.due_at < self._now() - KEPT).returning(PredictionRow.key)
            )
            return len(gone.all())

    async def _known(self, wanted: ColumnElement[bool]) -> Sequence[Statement]:
        query = select(PredictionRow).where(wanted).order_by(PredictionRow.due_at.desc(), PredictionRow.key).limit(MOST)
        async with self._database.reading() as session:
            return [_STATEMENT.validate_python(row.body) for row in await session.scalars(query)]


def _row(one: Statement) -> PredictionRow:
    due = one.due.replace(tzinfo=UTC)
    return PredictionRow(key=one.key[:255], state=one.state, due_at=due, body=_STATEMENT.dump_python(one, mode="json"))
