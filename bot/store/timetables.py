"""When which channel gets its reports, as people set it."""

from collections.abc import Sequence

from sqlalchemy import select

from bot.store.database import Database
from bot.store.finding_tables import TimetableRow
from handlers.timetable import Timetable, timetable_json, timetable_of


class StoredTimetables:
    """What was set with `/patrol schedule`. What writes raises StoreUnwritable, what reads StoreUnreadable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, place: str) -> Timetable | None:
        """The timetable of a channel; None when nobody set one."""
        async with self._database.reading() as session:
            row = await session.get(TimetableRow, place)
        return timetable_of(row.body) if row else None

    async def all(self) -> Sequence[Timetable]:
        """Every timetable that was set."""
        async with self._database.reading() as session:
            rows = (await session.scalars(select(TimetableRow).order_by(TimetableRow.place))).all()
        return [timetable_of(row.body) for row in rows]

    async def put(self, timetable: Timetable) -> None:
        """Set it, in place of the one before."""
        async with self._database.writing() as session:
            await session.merge(TimetableRow(place=timetable.place, body=timetable_json(timetable)))
