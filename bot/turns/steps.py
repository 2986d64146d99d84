"""The journal of the turns under way in our own database: many turns' steps in one statement, and none of a turn that
another worker took over."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, exists, select
from sqlalchemy.orm import aliased

from bot.store.database import Database
from bot.store.tables import InboxRow, StepRow
from bot.turns.inbox import Claim, State, TakenOver

RUNS = (InboxRow.state.in_((State.RUNNING, State.STOPPING)), InboxRow.part.is_(None))
"""The row of an event that a turn under way began with."""

_Other = aliased(InboxRow)
_WAITS = exists().where(_Other.lane == InboxRow.lane, _Other.state == State.WAITING)


@dataclass(slots=True)
class _Entry:
    claim: Claim
    name: str
    result: str
    kept: "asyncio.Future[bool]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Steps:
    """Writes steps down in the order in which they come; those that come during a write are in the next one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._entries: list[_Entry] = []
        self._writer: asyncio.Task[None] | None = None

    async def keep(self, claim: Claim, name: str, result: str) -> bool:
        """Write down what a step gave, as JSON text; whether anything waits in the lane by then.

        Raises TakenOver, and StoreUnwritable: then it was not written.
        """
        # Postgres takes no NUL, and the name may hold an id that a model made up
        entry = _Entry(claim, name.replace("\0", "\\0"), result)
        self._entries.append(entry)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(), name="steps")
        return await entry.kept

    async def _write(self) -> None:
        try:
            while self._entries:
                entries, self._entries = self._entries, []
                await self._settle(entries)
        finally:
            self._writer = None

    async def _settle(self, entries: Sequence[_Entry]) -> None:
        try:
            waits = await self._database.write(
                lambda connection: _insert(self._database, connection, entries), about="steps"
            )
        except Exception as fault:  # noqa: BLE001 - it goes to all who are waiting for this write
            for entry in entries:
                if not entry.kept.done():
                    entry.kept.set_exception(fault)
            return
        for entry, waiting in zip(entries, waits, strict=True):
            if entry.kept.done():
                continue
            if waiting is None:
                entry.kept.set_exception(TakenOver(entry.claim.turn))
            else:
                entry.kept.set_result(waiting)


def _insert(database: Database, connection: Connection, entries: Sequence[_Entry]) -> list[bool | None]:
    """For each entry whether anything waits in its lane; None for those that were not written, being another's."""
    query = select(InboxRow.turn, InboxRow.worker, InboxRow.attempts, _WAITS)
    turns = {entry.claim.turn for entry in entries}
    owners = {
        turn: (worker, attempts, bool(waits))
        for turn, worker, attempts, waits in connection.execute(query.where(InboxRow.turn.in_(turns), *RUNS))
    }
    outcomes: list[bool | None] = []
    rows: list[Mapping[str, Any]] = []
    for entry in entries:
        worker, attempts, waits = owners.get(entry.claim.turn, ("", 0, False))
        mine = (worker, attempts) == (entry.claim.worker, entry.claim.attempt)
        outcomes.append(waits if mine else None)
        if mine:
            row = {"turn": entry.claim.turn, "name": entry.name, "attempt": attempts, "result": entry.result}
            rows.append(row)
    if rows:
        statement = database.upsert(StepRow, ("turn", "name"), ("attempt", "result"))
        connection.execute(statement, rows)
    return outcomes
