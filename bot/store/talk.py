"""Where and until when we were spoken to, as far as it was written down: what a surface asks for that was deaf."""

from collections.abc import Sequence

from sqlalchemy import func, select

from bot.store.database import Database
from bot.store.tables import InboxRow, SessionRow


class Talk:
    """Implements `bot.slack.catchup.Known`. Both methods raise StoreUnreadable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def newest(self, surface: str) -> str:
        """When the newest message of a surface was sent, in its own words; empty when there is none."""
        # what has no time of its own is filed behind everything that has one
        sent = InboxRow.lane.startswith(f"{surface}:", autoescape=True) & ~InboxRow.place.startswith("~")
        async with self._database.reading() as session:
            return (await session.scalars(select(func.max(InboxRow.place)).where(sent))).one() or ""

    async def lately(self, surface: str, most: int) -> Sequence[str]:
        """Threads of a surface that we take part in, those last used first; at most that many."""
        ours = SessionRow.thread.startswith(f"{surface}:", autoescape=True)
        query = select(SessionRow.thread).where(ours).order_by(SessionRow.used_at.desc()).limit(most)
        async with self._database.reading() as session:
            return list(await session.scalars(query))
