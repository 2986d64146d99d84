"""The inbox in our own database: what every process of the bot knows of each message."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update

from bot.clock import Now
from bot.store.database import Database
from bot.store.tables import InboxRow
from bot.turns.codec import event_json, event_of
from bot.turns.inbox import OPEN, Claim, Sight, State
from bot.turns.port import Stopped, lane
from handlers.surface import Event

LONGEST_KEY = 255


class StoredInbox:
    """Implements `bot.turns.inbox.Inbox`; what writes raises StoreUnwritable, what only reads StoreUnreadable."""

    def __init__(self, database: Database, now: Now) -> None:
        self._database = database
        self._now = now

    async def put(self, event: Event) -> Sight:
        """See `Inbox`."""
        now = self._now()
        row = {
            "key": event.key[:LONGEST_KEY],
            "lane": lane(event)[:LONGEST_KEY],
            # one that has no time of its own comes behind those that arrived before it
            "place": getattr(event, "order", "") or f"~{now.timestamp():017.6f}",
            "event": event_json(event),
            "state": State.WAITING,
            "attempts": 0,
            "received_at": now,
            "changed_at": now,
        }
        async with self._database.writing() as session:
            if await self._database.add_new(session, InboxRow, row):
                return Sight.NEW
            known = await session.get_one(InboxRow, row["key"])
            return Sight.WAITING if known.state == State.WAITING else Sight.OLD

    async def waiting(self) -> int:
        """See `Inbox`."""
        query = select(func.count()).select_from(InboxRow).where(InboxRow.state == State.WAITING)
        async with self._database.reading() as session:
            return (await session.scalars(query)).one()

    async def claim(self, lane: str, turn: str) -> Claim | None:
        """See `Inbox`."""
        mine = select(InboxRow).where(InboxRow.turn == turn, InboxRow.state.in_(OPEN), InboxRow.part.is_(None))
        async with self._database.writing() as session:
            row = (await session.scalars(mine)).first() or (await session.scalars(_first(lane))).first()
            if row is None:
                return None
            row.state = State.RUNNING if row.state == State.WAITING else row.state
            row.turn, row.changed_at = turn, self._now()
            row.attempts += 1
            return Claim(event_of(row.event), row.attempts, row.state == State.STOPPING)

    async def hear(self, lane: str, turn: str, name: str) -> Sequence[str]:
        """See `Inbox`."""
        heard = select(InboxRow).where(InboxRow.turn == turn, InboxRow.part == name).order_by(*_ORDER)
        leading = select(InboxRow).where(InboxRow.turn == turn, InboxRow.part.is_(None)).limit(1)
        questions = _waiting_in(lane).where(InboxRow.event["kind"].as_string() == "Question")
        async with self._database.writing() as session:
            lead = (await session.scalars(leading)).one()
            for row in await session.scalars(questions):
                if row.event["user"] != lead.event["user"]:
                    continue
                row.state, row.turn, row.part, row.changed_at = State.HEARD, turn, name, self._now()
            await session.flush()
            return [str(row.event["text"]) for row in await session.scalars(heard)]

    async def finish(self, turn: str) -> None:
        """See `Inbox`."""
        over = update(InboxRow).where(InboxRow.turn == turn, InboxRow.state.in_(OPEN))
        await self._run(over.values(state=State.DONE, changed_at=self._now()))

    async def stop(self, lane: str) -> tuple[Sequence[str], Stopped]:
        """See `Inbox`."""
        running = select(InboxRow).where(InboxRow.lane == lane, InboxRow.state == State.RUNNING)
        async with self._database.writing() as session:
            waiting = (await session.scalars(_waiting_in(lane))).all()
            stopped = (await session.scalars(running)).all()
            for row in waiting:
                row.state, row.changed_at = State.WITHDRAWN, self._now()
            for row in stopped:
                row.state, row.changed_at = State.STOPPING, self._now()
        return [row.turn or "" for row in stopped], Stopped(len(stopped), len(waiting))

    async def edit(self, key: str, text: str) -> bool:
        """See `Inbox`."""
        async with self._database.writing() as session:
            row = await session.get(InboxRow, key[:LONGEST_KEY], with_for_update=True)
            if row is None or row.state != State.WAITING or row.event["kind"] != "Question":
                return False
            row.event = row.event | {"text": text}
        return True

    async def withdraw(self, key: str) -> tuple[bool, str]:
        """See `Inbox`."""
        async with self._database.writing() as session:
            row = await session.get(InboxRow, key[:LONGEST_KEY], with_for_update=True)
            if row is None or row.state not in (State.WAITING, State.RUNNING):
                return False, ""
            was_running = row.state == State.RUNNING
            row.state, row.changed_at = State.STOPPING if was_running else State.WITHDRAWN, self._now()
        return True, (row.turn or "") if was_running else ""

    async def stopping(self, turns: Collection[str]) -> Sequence[str]:
        """See `Inbox`."""
        query = select(InboxRow.turn).where(InboxRow.turn.in_(turns), InboxRow.state == State.STOPPING)
        async with self._database.reading() as session:
            return [turn for turn in await session.scalars(query) if turn]

    async def prune(self, before: datetime) -> int:
        """Forget what was over before that moment; how many messages those were. No earlier than platforms give up to
        deliver again, and no earlier than the queue forgets the turns."""
        over = InboxRow.state.in_((State.DONE, State.WITHDRAWN))
        async with self._database.writing() as session:
            result: Any = await session.execute(delete(InboxRow).where(over, InboxRow.changed_at < before))
            return int(result.rowcount)

    async def stuck(self, since: datetime) -> Sequence[tuple[str, str, datetime]]:
        """Key, state and last change of what waits or runs and did not move since that moment, oldest first."""
        query = (
            select(InboxRow)
            .where(InboxRow.state.in_((State.WAITING, *OPEN)), InboxRow.changed_at < since)
            .order_by(InboxRow.changed_at)
            .limit(100)
        )
        async with self._database.reading() as session:
            return [(row.key, row.state, row.changed_at) for row in await session.scalars(query)]

    async def _run(self, statement: Any) -> None:
        async with self._database.writing() as session:
            await session.execute(statement, execution_options={"synchronize_session": False})


_ORDER = (InboxRow.place, InboxRow.received_at, InboxRow.key)


def _waiting_in(lane: str) -> Any:
    waiting = select(InboxRow).where(InboxRow.lane == lane[:LONGEST_KEY], InboxRow.state == State.WAITING)
    return waiting.order_by(*_ORDER).with_for_update()


def _first(lane: str) -> Any:
    return _waiting_in(lane).limit(1)
