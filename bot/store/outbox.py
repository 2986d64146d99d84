"""What could not be posted: kept in order, for one process at a time, remembered for a while when it is out."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update

from bot.clock import Now
from bot.store.database import Database
from bot.store.finding_tables import PageRow
from bot.store.tables import OutboxRow, SessionRow, TurnRow
from handlers.findings import UNDRAWN

LOOKED_AT = 200
"""Posts among which one is looked for whose place is free."""
STAND_IN = "outbox-"
"""Begins the last part of the name of a thread that is not there yet."""
HOLD = timedelta(minutes=5)
"""How long a process has for one post before another may try."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One post that waits: the part of a turn that it is, for a thread or channel. `document` is plain JSON."""

    name: str
    place: str
    turn: str
    part: str
    document: Mapping[str, Any]
    kept_at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """The outbox at a glance. `oldest` and `why` are of the one that waits longest."""

    count: int
    oldest: datetime | None = None
    why: str = ""


def stand_in_of(place: str, name: str) -> str:
    """The thread that a kept post is in. One that it is to begin has a name of ours until the platform gives it one."""
    return place if place.count(":") >= 3 else f"{place}:{STAND_IN}{name}"


def message_of(place: str, name: str) -> str:
    """What a kept post is called until the platform gives it a name: the form of a message in that channel."""
    return ":".join([*place.split(":")[:3], f"{STAND_IN}{name}"])


def waits_as(stand_in: str) -> str:
    """The name of the post that a stand-in, of a thread or of a message, speaks of."""
    return stand_in.rpartition(STAND_IN)[2]


def is_stand_in(place: str) -> bool:
    """Whether a thread is one that is not there yet."""
    return place.rpartition(":")[2].startswith(STAND_IN)


def name_of(turn: str, part: str) -> str:
    """The name of a post, the same whenever its turn is repeated."""
    return hashlib.sha256(f"{turn}\n{part}".encode()).hexdigest()[:32]


class Outbox:
    """Each method is one transaction. What writes raises StoreUnwritable, the rest StoreUnreadable."""

    def __init__(self, database: Database, now: Now) -> None:
        self._database = database
        self._now = now

    async def put(self, place: str, turn: str, part: str, document: Mapping[str, Any], why: str) -> str:
        """Keep a post and give back its name; one that is kept already stays as it is."""
        name, now = name_of(turn, part), self._now()
        row: dict[str, Any] = {
            "name": name,
            "place": place,
            "turn": turn,
            "part": part,
            "document": dict(document),
            "thread": "",
            "message": "",
        }
        row |= {"why": why[:255], "tries": 0, "kept_at": now, "held_until": now}
        async with self._database.writing() as session:
            await self._database.add_new(session, OutboxRow, row)
        return name

    async def take(self) -> Kept | None:
        """The oldest post that nobody holds and that none for the same place waits before, held from now on."""
        now = self._now()
        # compared by the database: SQLite gives moments back without their zone
        query = select(OutboxRow, OutboxRow.held_until > now).where(OutboxRow.thread == "")
        query = query.order_by(OutboxRow.kept_at, OutboxRow.name).limit(LOOKED_AT)
        async with self._database.writing() as session:
            before: set[str] = set()
            for row, held in await session.execute(query.with_for_update()):
                if row.place not in before and not held and not is_stand_in(row.place):
                    row.held_until = now + HOLD
                    row.tries += 1
                    return Kept(row.name, row.place, row.turn, row.part, row.document, _utc(row.kept_at))
                before.add(row.place)
        return None

    async def give_back(self, name: str, why: str = "", pause: float = 0.0) -> None:
        """It was not posted this time either, for the same reason unless another is given; nobody needs to try again
        for `pause` seconds."""
        reason = {"why": why[:255]} if why else {}
        await self._change(name, held_until=self._now() + timedelta(seconds=pause), **reason)

    async def posted(self, name: str, thread: str, stand_in: str, messages: Sequence[str] = ()) -> None:
        """It is out, in this thread, as these messages. What was said and tied under its stand-in belongs there from
        now on, and what it shows of a report is found in it."""
        async with self._database.writing() as session:
            row = await session.get_one(OutboxRow, name)
            row.thread, row.document = thread, {}
            if messages:
                row.message = messages[0]
                # one that became several messages cannot be drawn again in place
                page = {"message": messages[0]} | ({} if len(messages) == 1 else {"number": UNDRAWN})
                shows = PageRow.message == message_of(row.place, name)
                await session.execute(update(PageRow).where(shows).values(**page))
            if not is_stand_in(stand_in):
                return
            await session.execute(
                update(OutboxRow).where(OutboxRow.place == stand_in, OutboxRow.thread == "").values(place=thread)
            )
            if await session.get(SessionRow, stand_in) is None:
                return
            now = self._now()
            await self._database.add_new(session, SessionRow, {"thread": thread, "created_at": now, "used_at": now})
            known = select(func.count()).select_from(TurnRow).where(TurnRow.thread == thread)
            if not (await session.scalars(known)).one():
                await session.execute(update(TurnRow).where(TurnRow.thread == stand_in).values(thread=thread))
            await session.execute(delete(SessionRow).where(SessionRow.thread == stand_in))

    async def drop(self, name: str, stand_in: str) -> None:
        """It will never be posted, nor what was to stand below it."""
        waits = OutboxRow.thread == ""
        async with self._database.writing() as session:
            if row := await session.get(OutboxRow, name):
                await session.execute(delete(PageRow).where(PageRow.message == message_of(row.place, name)))
            await session.execute(delete(OutboxRow).where(OutboxRow.name == name))
            if is_stand_in(stand_in):
                await session.execute(delete(OutboxRow).where(OutboxRow.place == stand_in, waits))

    async def thread(self, name: str) -> str:
        """Where a post ended up; empty while it waits or when it is known no longer."""
        async with self._database.reading() as session:
            row = await session.get(OutboxRow, name)
        return row.thread if row else ""

    async def message(self, name: str) -> str:
        """The message that a post became, the first of several; empty while it waits or when it is known no longer."""
        async with self._database.reading() as session:
            row = await session.get(OutboxRow, name)
        return row.message if row else ""

    async def redraw(self, name: str, document: Mapping[str, Any]) -> bool:
        """Post this in place of what is kept; False when nothing waits under that name any more."""
        waits = (OutboxRow.name == name, OutboxRow.thread == "")
        async with self._database.writing() as session:
            result: Any = await session.execute(update(OutboxRow).where(*waits).values(document=dict(document)))
            return bool(result.rowcount)

    async def places(self) -> Sequence[str]:
        """The threads and channels that something waits for."""
        async with self._database.reading() as session:
            return [*await session.scalars(select(OutboxRow.place).where(OutboxRow.thread == "").distinct())]

    async def waiting(self) -> Waiting:
        """How much waits, since when and why."""
        first = select(OutboxRow).where(OutboxRow.thread == "").order_by(OutboxRow.kept_at).limit(1)
        async with self._database.reading() as session:
            oldest = (await session.scalars(first)).first()
            if oldest is None:
                return Waiting(0)
            count = select(func.count()).select_from(OutboxRow).where(OutboxRow.thread == "")
            return Waiting((await session.scalars(count)).one(), _utc(oldest.kept_at), oldest.why)

    async def prune(self, before: datetime) -> int:
        """Forget what was kept before that moment, posted or not; how many those were."""
        async with self._database.writing() as session:
            result: Any = await session.execute(delete(OutboxRow).where(OutboxRow.kept_at < before))
            return int(result.rowcount)

    async def _change(self, name: str, **values: Any) -> None:
        async with self._database.writing() as session:
            await session.execute(update(OutboxRow).where(OutboxRow.name == name).values(**values))


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
