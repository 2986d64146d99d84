"""The inbox in our own database: what every process of the bot knows of each message."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, exists, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from bot.clock import Now
from bot.store.batches import Batches, written
from bot.store.database import Database
from bot.store.group import Outcome
from bot.store.tables import ApprovalRow, InboxRow
from bot.turns.claims import HOLDS, INBOX, LONGEST, LONGEST_KEY, Ask, Later, claims, finish, left, put, release
from bot.turns.codec import event_json, event_of
from bot.turns.inbox import OPEN, SUSPECTS, Claim, Sight, State, TakenOver
from bot.turns.port import Stopped, lane
from bot.turns.steps import RUNS
from handlers.commands import command_of
from handlers.surface import Event, Question

_IN = INBOX.c


class StoredInbox:
    """Implements `bot.turns.inbox.Inbox`; what writes raises StoreUnwritable, what only reads StoreUnreadable."""

    def __init__(self, database: Database, now: Now) -> None:
        self.database = database
        self._now = now
        # about nothing: the platform is waiting for these
        self._puts = written(database, partial(put, database))
        self._claims = Batches(self._claimed)
        self._ends = written(database, partial(finish, now), about="turns")

        self._suspects: dict[str, int] = {}
        self._aside: dict[str, int] = {}

    async def put(self, event: Event) -> Sight:
        """See `Inbox`."""
        now, name = self._now(), lane(event)[:LONGEST_KEY]
        row = {
            "key": event.key[:LONGEST_KEY],
            "lane": name,
            # one that has no time of its own comes behind those that arrived before it
            "place": getattr(event, "order", "") or f"~{now.timestamp():017.6f}",
            "event": event_json(event),
            "state": State.WAITING,
            "attempts": 0,
            "received_at": now,
            "changed_at": now,
        }

        return await self._puts.run(row)

    async def waiting(self) -> int:
        """See `Inbox`."""
        query = select(func.count()).select_from(INBOX).where(_to_do(self._now()))
        return await self.database.read(lambda connection: connection.scalars(query).one())

    async def claim(self, lane: str, worker: str) -> Claim | None:
        """See `Inbox`."""
        try:
            claimed = await self._claims.run(Ask(lane[:LONGEST_KEY], worker, self._now()))
            return claimed if isinstance(claimed, Claim) else None
        except IntegrityError:
            # two claims of one lane met, with different events in sight: the database lets one of them through
            return None

    async def _claimed(self, asks: Sequence[Ask]) -> Sequence[Outcome[Claim | Later | None]]:
        outcomes = await self.database.write(partial(claims, asks=asks, room=self._room()), about="turns")
        for ask, outcome in zip(asks, outcomes, strict=True):
            if isinstance(outcome.value, Later):
                self._aside[ask.lane] = outcome.value.died
            elif outcome.value is not None and outcome.value.suspect:
                self._suspects[outcome.value.turn] = outcome.value.died
        return outcomes

    def _room(self) -> Mapping[int, int]:
        under_way = list(self._suspects.values())
        return {died: most - under_way.count(died) for died, most in SUSPECTS.items()}

    def through(self, claim: Claim) -> None:
        """See `Inbox`."""
        self._suspects.pop(claim.turn, None)

    def next_suspect(self) -> str | None:
        """The lane of a suspect that was set aside here, once there is room for it; each is named once."""
        room = self._room() if self._aside else {}
        lane = next((lane for lane, died in self._aside.items() if room[died] > 0), None)
        if lane is not None:
            del self._aside[lane]
        return lane

    async def release(self, claims: Collection[Claim]) -> None:
        """See `Inbox`."""
        if claims:
            now = self._now()
            await self.database.write(lambda connection: release(connection, claims, now), about="turns")

    async def unhear(self, claim: Claim) -> None:
        """See `Inbox`."""
        again = update(INBOX).where(_IN.turn == claim.turn, _IN.state == State.HEARD)
        again = again.values(state=State.WAITING, turn=None, part=None, changed_at=self._now())

        def unhear(connection: Connection) -> None:
            _lead(connection, claim)
            connection.execute(again)

        await self.database.write(unhear, about=claim.lane)

    async def hear(self, claim: Claim, name: str) -> Sequence[str]:
        """See `Inbox`."""
        now = self._now()
        return await self.database.write(lambda connection: _heard(connection, claim, name, now), about=claim.lane)

    async def finish(self, claim: Claim) -> bool:
        """See `Inbox`."""
        return await self._ends.run(claim)

    async def idle(self, seconds: float, most: int) -> Sequence[str]:
        """Up to `most` lanes, longest waiting first, in which something waits for `seconds` and nobody is at work, or
        somebody was who is lost. Suspects that there is no room for here are left out."""
        other = aliased(InboxRow)
        now = self._now()
        at_work = exists().where(other.lane == InboxRow.lane, other.state.in_(HOLDS), other.part.is_(None))
        waits = and_(
            InboxRow.state == State.WAITING, InboxRow.received_at <= now - timedelta(seconds=seconds), ~at_work
        )
        lost = and_(InboxRow.changed_at < now - LONGEST, *RUNS)
        full = [died for died, room in self._room().items() if room <= 0]
        free = and_(left(now), or_(_IN.state == State.STOPPING, _IN.died.not_in(full)))
        query = select(InboxRow.lane).where(or_(waits, lost, free)).group_by(InboxRow.lane)
        query = query.order_by(func.min(InboxRow.received_at)).limit(most)
        return await self.database.read(lambda connection: connection.scalars(query).all())

    async def stop(self, lane: str) -> tuple[Sequence[str], Stopped]:
        """See `Inbox`."""
        running = select(InboxRow).where(InboxRow.lane == lane, InboxRow.state.in_((State.RUNNING, State.PARKED)))
        async with self.database.writing() as session:
            waiting = (await session.scalars(_waiting_in(lane))).all()
            stopped = (await session.scalars(running)).all()
            for row in waiting:
                row.state, row.changed_at = State.WITHDRAWN, self._now()
            for row in stopped:
                row.state, row.changed_at = State.STOPPING, self._now()
        return [row.turn or "" for row in stopped], Stopped(len(stopped), len(waiting))

    async def edit(self, key: str, text: str) -> bool:
        """See `Inbox`."""
        async with self.database.writing() as session:
            row = await session.get(InboxRow, key[:LONGEST_KEY], with_for_update=True)
            if row is None or row.state != State.WAITING or row.event["kind"] != "Question":
                return False
            row.event = row.event | {"text": text}
        return True

    async def under_way(self, key: str) -> bool:
        """See `Inbox`."""
        async with self.database.reading() as session:
            row = await session.get(InboxRow, key[:LONGEST_KEY])
        return row is not None and row.state in OPEN

    async def heard(self, key: str) -> Question | None:
        """See `Inbox`."""
        async with self.database.reading() as session:
            row = await session.get(InboxRow, key[:LONGEST_KEY])
        said = event_of(row.event) if row is not None and row.state == State.HEARD else None
        return said if isinstance(said, Question) else None

    async def withdraw(self, key: str) -> tuple[bool, str]:
        """See `Inbox`."""
        async with self.database.writing() as session:
            row = await session.get(InboxRow, key[:LONGEST_KEY], with_for_update=True)
            if row is None or row.state not in (State.WAITING, State.RUNNING, State.PARKED):
                return False, ""
            was_running = row.state != State.WAITING
            row.state, row.changed_at = State.STOPPING if was_running else State.WITHDRAWN, self._now()
        return True, (row.turn or "") if was_running else ""

    async def lane_of(self, turn: str) -> str:
        """The lane of a turn, empty for an unknown one."""
        query = select(_IN.lane).where(_IN.turn == turn).limit(1)
        return await self.database.read(lambda connection: connection.scalars(query).first() or "")

    async def stopping(self, turns: Collection[str]) -> Sequence[str]:
        """See `Inbox`."""
        query = select(_IN.turn).where(_IN.state == State.STOPPING, _IN.part.is_(None))
        stopping = await self.database.read(lambda connection: connection.scalars(query).all())
        return [turn for turn in stopping if turn in turns]

    async def park(self, claim: Claim, approval: str) -> bool:
        """Let the turn wait until people have decided on an approval, or it expires; whether they have by now. Nobody
        is at work on it meanwhile. Raises TakenOver."""
        now = self._now()
        return await self.database.write(lambda connection: _parked(connection, claim, approval, now), about=claim.lane)

    async def prune(self, before: datetime) -> int:
        """Forget what was over before that moment; how many messages those were. No earlier than platforms give up to
        deliver again, and no earlier than the queue forgets the turns."""
        over = InboxRow.state.in_((State.DONE, State.WITHDRAWN))
        async with self.database.writing() as session:
            result: Any = await session.execute(delete(InboxRow).where(over, InboxRow.changed_at < before))
            return int(result.rowcount)

    async def backlog(self) -> tuple[int, datetime | None]:
        """How many messages wait, and since when the one that waits longest (UTC)."""
        waits = InboxRow.state == State.WAITING
        async with self.database.reading() as session:
            count = (await session.scalars(select(func.count()).select_from(InboxRow).where(waits))).one()
            oldest = (await session.scalars(select(func.min(InboxRow.received_at)).where(waits))).one()
        # SQLite gives moments back without their zone
        return count, oldest and oldest.replace(tzinfo=oldest.tzinfo or UTC)

    async def stuck(self, since: datetime) -> Sequence[tuple[str, str, datetime]]:
        """Key, state and last change of what waits or runs and did not move since that moment, oldest first."""
        query = (
            select(InboxRow)
            .where(or_(InboxRow.state.in_(_MOVES), left(since)), InboxRow.changed_at < since)
            .order_by(InboxRow.changed_at)
            .limit(100)
        )
        async with self.database.reading() as session:
            return [(row.key, row.state, row.changed_at) for row in await session.scalars(query)]


_MOVES = (State.WAITING, State.RUNNING, State.STOPPING, State.HEARD)


def _to_do(now: datetime) -> Any:
    return or_(_IN.state == State.WAITING, left(now))


_ORDER = (InboxRow.place, InboxRow.received_at, InboxRow.key)


def _waiting_in(lane: str) -> Any:
    waiting = select(InboxRow).where(InboxRow.lane == lane[:LONGEST_KEY], InboxRow.state == State.WAITING)
    return waiting.order_by(*_ORDER).with_for_update()


def _parked(connection: Connection, claim: Claim, approval: str, now: datetime) -> bool:
    _lead(connection, claim)
    asked = select(ApprovalRow.state, ApprovalRow.expires_at).where(ApprovalRow.approval_id == approval)
    # locked, so that who decides at this moment either finds the turn parked or is seen here
    row = connection.execute(asked.with_for_update()).first()
    decided = row is None or row.state != "waiting"
    parked: Mapping[str, Any] = {"state": State.PARKED, "worker": None, "parks": claim.parks + 1, "changed_at": now}
    wakes_at = now if row is None or decided else row.expires_at
    # one that was stopped at this moment stays so, and is ended by whoever comes next
    connection.execute(
        update(INBOX).where(_IN.turn == claim.turn, _IN.state == State.RUNNING).values(wakes_at=wakes_at, **parked)
    )
    connection.execute(update(INBOX).where(_IN.turn == claim.turn, _IN.state == State.STOPPING).values(worker=None))
    return decided


def _lead(connection: Connection, claim: Claim) -> None:
    """Raises TakenOver unless the turn is still that worker's. Until the transaction ends nobody takes it over."""
    mine = select(_IN.key).where(_IN.turn == claim.turn, _IN.worker == claim.worker, _IN.attempts == claim.attempt)
    mine = mine.where(_IN.part.is_(None), _IN.state.in_(OPEN)).with_for_update()
    if connection.execute(mine).first() is None:
        raise TakenOver(claim.turn)


def _heard(connection: Connection, claim: Claim, name: str, now: datetime) -> list[str]:
    _lead(connection, claim)
    waits = and_(_IN.lane == claim.lane, _IN.state == State.WAITING)
    before = and_(_IN.turn == claim.turn, _IN.part == name)
    query = select(INBOX).where(or_(waits, before)).order_by(_IN.place, _IN.received_at, _IN.key).with_for_update()
    rows = [row for row in connection.execute(query) if row.part == name or _adds(row, claim)]
    if new := [row.key for row in rows if row.part is None]:
        heard: Mapping[str, Any] = {"state": State.HEARD, "turn": claim.turn, "part": name, "changed_at": now}
        connection.execute(update(INBOX).where(_IN.key.in_(new)).values(**heard))
    return [str(row.event["text"]) for row in rows]


def _adds(row: Row[Any], claim: Claim) -> bool:
    if row.event["kind"] != "Question" or row.event["user"] != claim.event.user:
        return False
    return command_of(str(row.event["text"])) is None
