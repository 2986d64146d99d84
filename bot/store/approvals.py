"""Approvals in our own database: decided once, over restarts and replicas, and each approved call begun once."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, cast

import structlog
from sqlalchemy import Connection, Row, select, update

from agent.approval import Outcome, Proposal
from agent.journal import Json
from agent.tools import Effect
from bot.clock import Now
from bot.store.database import Database
from bot.store.errors import StoreUnwritable
from bot.store.tables import ApprovalRow, DeedRow, InboxRow
from handlers.permits import Approval, Deed, Fate, State

log = structlog.get_logger()

_A = ApprovalRow.__table__.c
_BEGUN = ("running", "stopping", "parked")


class Approvals:
    """Implements `handlers.permits.Ledger`. What reads raises StoreUnreadable, what writes StoreUnwritable."""

    def __init__(self, database: Database, now: Now) -> None:
        self._database = database
        self._now = now

    async def open(self, approval: Approval) -> Approval:
        """See `Ledger`."""
        row = {
            "approval_id": approval.id,
            "turn": approval.turn,
            "thread": approval.thread,
            "asker": approval.asker,
            "proposals": [asdict(one) for one in approval.proposals],
            "digest": approval.digest,
            "state": "waiting",
            "asked_at": approval.asked_at,
            "expires_at": approval.expires_at,
        }

        def open_(connection: Connection) -> Approval:
            self._database.insert_new(connection, ApprovalRow, row)
            return _found(connection, _A.approval_id == approval.id)[0]

        return await self._database.write(open_, about=approval.thread)

    async def shown(self, approval_id: str, message: str) -> None:
        """See `Ledger`."""
        statement = update(ApprovalRow).where(_A.approval_id == approval_id).values(message=message)
        await self._database.write(lambda connection: connection.execute(statement))

    async def find(self, approval_id: str) -> Approval | None:
        """See `Ledger`."""
        found = await self._database.read(lambda connection: _found(connection, _A.approval_id == approval_id))
        return found[0] if found else None

    async def of_turn(self, turn: str) -> Sequence[Approval]:
        """See `Ledger`."""
        return await self._database.read(lambda connection: _found(connection, _A.turn == turn))

    async def waiting(self) -> Sequence[Approval]:
        """See `Ledger`."""
        open_ = (_A.state == "waiting") & (_A.expires_at > self._now())
        return await self._database.read(lambda connection: _found(connection, open_, 100))

    async def settle(self, approval_id: str, outcome: Outcome, user: str = "", name: str = "") -> bool:
        """See `Ledger`."""
        async with self._database.writing() as session:
            connection = await session.connection()
            return await connection.run_sync(_settled, approval_id, outcome, (user, name), self._now())

    async def begin(self, approval_id: str, call_id: str) -> Deed:
        """See `Ledger`."""
        row = {"approval_id": approval_id, "call_id": call_id, "state": "begun", "begun_at": self._now()}
        # in a transaction of its own, never made twice: the second time would look like a call that was begun before
        async with self._database.writing() as session:
            if await self._database.add_new(session, DeedRow, row):
                return Deed(fresh=True)
            known = await session.get(DeedRow, (approval_id, call_id))
            return Deed(fresh=False, result=known.result if known else None)

    async def end(self, approval_id: str, call_id: str, fate: Fate, result: Json | None) -> None:
        """See `Ledger`."""
        mine = (DeedRow.approval_id == approval_id, DeedRow.call_id == call_id)
        statement = update(DeedRow).where(*mine).values(state=fate, result=result)
        try:
            await self._database.write(lambda connection: connection.execute(statement))
        except StoreUnwritable as fault:
            log.error("what became of an approved call is not kept", approval=approval_id, fate=fate, why=str(fault))


def _settled(connection: Connection, approval_id: str, outcome: Outcome, who: tuple[str, str], now: datetime) -> bool:
    mine = select(ApprovalRow.__table__).where(_A.approval_id == approval_id, _A.state == "waiting").with_for_update()
    row = connection.execute(mine).first()
    if row is None:
        return False
    late = _aware(row.expires_at) <= now
    if outcome != "withdrawn" and late != (outcome == "expired"):
        return False
    turns = (InboxRow.turn == row.turn, InboxRow.part.is_(None))
    alive = select(InboxRow.key).where(*turns, InboxRow.state.in_(_BEGUN))
    if outcome == "approved" and connection.execute(alive).first() is None:
        return False
    decided = {"state": outcome, "decided_by": who[0], "decider": who[1][:255], "decided_at": now}
    connection.execute(update(ApprovalRow).where(_A.approval_id == approval_id).values(**decided))
    # together with the decision: no crash comes between the two, and the turn is found whoever is told
    connection.execute(update(InboxRow).where(*turns, InboxRow.state == "parked").values(wakes_at=now))
    return True


def _found(connection: Connection, wanted: Any, most: int = 1_000) -> list[Approval]:
    rows = connection.execute(select(ApprovalRow.__table__).where(wanted).order_by(_A.asked_at).limit(most)).all()
    ids = [row.approval_id for row in rows]
    deeds = select(DeedRow.approval_id, DeedRow.call_id, DeedRow.state).where(DeedRow.approval_id.in_(ids))
    fates: dict[str, dict[str, Fate]] = {}
    for deed in connection.execute(deeds):
        fates.setdefault(deed.approval_id, {})[deed.call_id] = cast(Fate, deed.state)
    return [_approval(row, fates.get(row.approval_id, {})) for row in rows]


def _approval(row: Row[Any], fates: Mapping[str, Fate]) -> Approval:
    return Approval(
        id=row.approval_id,
        turn=row.turn,
        thread=row.thread,
        asker=row.asker,
        proposals=tuple(_proposal(one) for one in row.proposals),
        digest=row.digest,
        asked_at=_aware(row.asked_at),
        expires_at=_aware(row.expires_at),
        state=cast(State, row.state),
        by=row.decided_by,
        name=row.decider,
        decided_at=row.decided_at and _aware(row.decided_at),
        message=row.message,
        fates=fates,
    )


def _proposal(record: Mapping[str, Any]) -> Proposal:
    return Proposal(record["call_id"], record["tool"], record["arguments"], Effect(**record["effect"]))


def _aware(moment: datetime) -> datetime:
    # SQLite gives moments back without their zone
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
