"""Events that were taken in, by their keys: a Retry button names the one that failed."""

from bot.store.database import Database
from bot.store.tables import InboxRow
from bot.turns.codec import event_of
from handlers.surface import Event


class Asked:
    """A `handlers.deps.Asked`: remembers as long as the inbox does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, key: str) -> Event | None:
        """The event, None when it is forgotten. Raises StoreUnreadable."""
        async with self._database.reading() as session:
            row = await session.get(InboxRow, key[:255])
        return event_of(row.event) if row is not None else None
