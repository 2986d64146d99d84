"""What channels and threads were told about how we are to behave in them; see `handlers.preferences`."""

from collections.abc import Mapping

from sqlalchemy import delete, select

from bot.clock import Now
from bot.store.database import Database
from bot.store.tables import PreferenceRow

PLACE, VALUE = 255, 255


class StoredPreferences:
    """Implements `handlers.preferences.Preferences`: what writes raises StoreUnwritable, what reads StoreUnreadable."""

    def __init__(self, database: Database, now: Now) -> None:
        self._database = database
        self._now = now

    async def of(self, place: str) -> Mapping[str, str]:
        """See `Preferences`."""
        query = select(PreferenceRow).where(PreferenceRow.place == place[:PLACE])
        async with self._database.reading() as session:
            return {row.name: row.value for row in await session.scalars(query)}

    async def put(self, place: str, name: str, value: str) -> None:
        """See `Preferences`."""
        where = (PreferenceRow.place == place[:PLACE], PreferenceRow.name == name)
        async with self._database.writing() as session:
            if not value:
                await session.execute(delete(PreferenceRow).where(*where))
                return
            row = {"place": place[:PLACE], "name": name, "value": value[:VALUE], "changed_at": self._now()}
            await session.merge(PreferenceRow(**row))
