"""The journal of the turns under way in our own database: many turns' steps in one statement, and none of a turn that
another worker took over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, bindparam, exists, select
from sqlalchemy.orm import aliased

from bot.store.batches import written
from bot.store.database import Database
from bot.store.group import Outcome
from bot.store.tables import InboxRow, StepRow
from bot.turns.inbox import Claim, State, TakenOver

RUNS = (InboxRow.state.in_((State.RUNNING, State.STOPPING)), InboxRow.part.is_(None))
"""The row of an event that a turn under way began with."""

_Other = aliased(InboxRow)
_WAITS = exists().where(_Other.lane == InboxRow.lane, _Other.state == State.WAITING)
_OWNERS = select(InboxRow.turn, InboxRow.worker, InboxRow.attempts, _WAITS).where(
    InboxRow.turn.in_(bindparam("turns", expanding=True)), *RUNS
)


@dataclass(frozen=True, slots=True)
class _Entry:
    claim: Claim
    name: str
    result: str


class Steps:
    """Writes steps down in the order in which they come."""

    def __init__(self, database: Database) -> None:
        self._batches = written(database, partial(_insert, database), about="turns")

    async def keep(self, claim: Claim, name: str, result: str) -> bool:
        """Write down what a step gave, as JSON text; whether anything waits in the lane by then.

        Raises TakenOver, and StoreUnwritable: then it was not written.
        """
        # Postgres takes no NUL, and the name may hold an id that a model made up
        return await self._batches.run(_Entry(claim, name.replace("\0", "\\0"), result))


def _insert(database: Database, connection: Connection, entries: Sequence[_Entry]) -> Sequence[Outcome[bool]]:
    """For each entry whether anything waits in its lane; TakenOver for those that were not written."""
    turns = list({entry.claim.turn for entry in entries})
    owners = {
        turn: (worker, attempts, bool(waits))
        for turn, worker, attempts, waits in connection.execute(_OWNERS, {"turns": turns})
    }
    outcomes: list[Outcome[bool]] = []
    rows: list[Mapping[str, Any]] = []
    for entry in entries:
        worker, attempts, waits = owners.get(entry.claim.turn, ("", 0, False))
        if (worker, attempts) != (entry.claim.worker, entry.claim.attempt):
            outcomes.append(Outcome(fault=TakenOver(entry.claim.turn)))
            continue
        outcomes.append(Outcome(waits))
        rows.append({"turn": entry.claim.turn, "name": entry.name, "attempt": attempts, "result": entry.result})
    if rows:
        statement = database.upsert(StepRow, ("turn", "name"), ("attempt", "result"))
        connection.execute(statement, rows)
    return outcomes
