"""Events taken in, begun and ended, each for many at once: the statements that every event passes through."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Table,
    Update,
    and_,
    bindparam,
    case,
    delete,
    func,
    inspect,
    or_,
    select,
    tuple_,
    update,
)

from bot.clock import Now
from bot.store.database import Database
from bot.store.group import Outcome
from bot.store.tables import InboxRow, StepRow
from bot.turns.codec import event_of
from bot.turns.inbox import OPEN, SUSPECTS, Claim, Sight, State, TakenOver

LONGEST = timedelta(hours=4)
"""A turn that began longer ago has lost its worker: whatever the settings, those give up earlier."""
LONGEST_KEY = 255

INBOX: Table = inspect(InboxRow).local_table  # type: ignore[assignment]
_IN = INBOX.c

HOLDS = (State.RUNNING, State.STOPPING, State.PARKED)
"""States of an event that keeps others of its lane from being begun."""


class Missed(Exception):
    """Somebody else was quicker with one of many; alone, only that one is missed."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A worker's wish for the next event of a lane."""

    lane: str
    worker: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Later:
    """What a worker gets in place of a suspect that there is no room for, after so many deaths."""

    died: int


def left(now: Any) -> Any:
    """Whether an event was begun, and nobody is at work on it though somebody could be."""
    woken = and_(_IN.state == State.PARKED, _IN.wakes_at <= now)
    return or_(woken, and_(_IN.state == State.STOPPING, _IN.worker.is_(None)))


_STATES = select(_IN.key, _IN.state).where(_IN.key.in_(bindparam("keys", expanding=True)))


def put(database: Database, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> Sequence[Outcome[Sight]]:
    """Keep events that are not there yet; how each was met. Of several with one key the first is the new one."""
    fresh = {str(row["key"]): row for row in reversed(rows)}
    # in one order in all processes, or two with the same keys could wait for each other
    statement = database.insert_all_new(InboxRow).returning(_IN.key)
    new = set(connection.execute(statement, [fresh[key] for key in sorted(fresh)]).scalars())
    states = {}
    if old := sorted(fresh.keys() - new):
        states = {row.key: row.state for row in connection.execute(_STATES, {"keys": old})}
    sights = []
    for row in rows:
        key = str(row["key"])
        known = Sight.WAITING if states.get(key, State.WAITING) == State.WAITING else Sight.OLD
        sights.append(Outcome(Sight.NEW if key in new else known))
        new.discard(key)
    return sights


def _first_of_each() -> Any:
    """What each lane is about: who holds it, else the earliest event that waits in it."""
    lost = and_(_IN.state != State.PARKED, _IN.changed_at < bindparam("lost"))
    free = or_(left(bindparam("now")), lost)
    order = (case((_IN.state == State.WAITING, 1), else_=0), _IN.place, _IN.received_at, _IN.key)
    rank = func.row_number().over(partition_by=_IN.lane, order_by=order).label("rank")
    lanes = _IN.lane.in_(bindparam("lanes", expanding=True))
    candidates = select(INBOX, free.label("free"), rank).where(
        lanes, _IN.state.in_((State.WAITING, *HOLDS)), _IN.part.is_(None)
    )
    each = candidates.subquery()
    return select(each).where(each.c.rank == 1)


_FIRSTS = _first_of_each()
_GOT_ON = (
    select(StepRow.turn).where(tuple_(StepRow.turn, StepRow.attempt).in_(bindparam("begun", expanding=True))).distinct()
)
_TAKE = (
    update(INBOX)
    .where(_IN.key == bindparam("of"), _IN.state == bindparam("was"), _IN.attempts == bindparam("before"))
    .values(
        state=bindparam("becomes"),
        turn=bindparam("as_turn"),
        worker=bindparam("by"),
        attempts=bindparam("attempt"),
        died=bindparam("deaths"),
        changed_at=bindparam("now"),
    )
)
_SET_ASIDE = (
    update(INBOX)
    .where(_IN.key == bindparam("of"), _IN.state == bindparam("was"), _IN.attempts == bindparam("before"))
    .values(state=State.PARKED, worker=None, died=bindparam("deaths"), wakes_at=bindparam("now"))
)


def claims(
    connection: Connection, asks: Sequence[Ask], *, room: Mapping[int, int]
) -> Sequence[Outcome[Claim | Later | None]]:
    """Begin the next event of each lane; None for a lane where nothing waits or another worker is at work. Of suspects
    as many are begun as there is `room` for, by their deaths. Raises Missed and IntegrityError when one of several was
    begun by another process at this moment."""
    lanes, now = sorted({ask.lane for ask in asks}), max(ask.now for ask in asks)
    if len(lanes) < len(asks):
        raise Missed
    found = connection.execute(_FIRSTS, {"lanes": lanes, "now": now, "lost": now - LONGEST})
    firsts = {row.lane: row for row in found}
    mine = [(firsts[ask.lane], ask) for ask in asks if _may(firsts.get(ask.lane), ask)]
    deaths = _deaths(connection, [row for row, _ in mine])
    taken: dict[str, dict[str, Any]] = {}
    aside: dict[str, dict[str, Any]] = {}
    left_over = dict(room)
    for row, ask in mine:
        taking = _taking(row, ask, deaths[row.key])
        if taking["becomes"] == State.RUNNING and (died := taking["deaths"]) in SUSPECTS:
            left_over[died] -= 1
            if left_over[died] < 0:
                aside[row.key] = {name: taking[name] for name in ("of", "was", "before", "deaths", "now")}
                continue
        taken[row.key] = taking
    if _written(connection, _TAKE, taken.values()) + _written(connection, _SET_ASIDE, aside.values()) < len(mine):
        if len(asks) > 1:
            raise Missed
        return [Outcome(None)]
    return [_outcome(connection, firsts.get(ask.lane), taken, aside) for ask in asks]


def _may(row: Row[Any] | None, ask: Ask) -> bool:
    return row is not None and (row.state == State.WAITING or row.worker == ask.worker or bool(row.free))


def _deaths(connection: Connection, rows: Sequence[Row[Any]]) -> Mapping[str, int]:
    """How often in a row each turn's worker died in the step that is the next one now. An attempt that wrote something
    down has left the step behind in which those before it died."""
    begun = sorted((row.turn, row.attempts) for row in rows if row.attempts)
    got_on = set(connection.execute(_GOT_ON, {"begun": begun}).scalars()) if begun else set()
    deaths = {}
    for row in rows:
        # one without a worker was ended in good order, or never begun
        died = row.state in (State.RUNNING, State.STOPPING) and row.worker is not None
        deaths[row.key] = (0 if row.turn in got_on else row.died) + died
    return deaths


def _taking(row: Row[Any], ask: Ask, deaths: int) -> dict[str, Any]:
    return {
        "of": row.key,
        "was": row.state,
        "before": row.attempts,
        "becomes": State.STOPPING if row.state == State.STOPPING else State.RUNNING,
        "as_turn": row.turn or f"turn:{row.lane}:{row.place}:{row.key}"[:LONGEST_KEY],
        "by": ask.worker,
        "attempt": row.attempts + 1,
        "deaths": deaths,
        "now": ask.now,
    }


def _written(connection: Connection, statement: Update, rows: Collection[Mapping[str, Any]]) -> int:
    """How many events were as they had been seen, and are changed."""
    # in one order in all processes, or two with the same events could wait for each other
    ordered = sorted(rows, key=lambda row: str(row["of"]))
    return connection.execute(statement, ordered).rowcount if ordered else 0


def _outcome(
    connection: Connection,
    row: Row[Any] | None,
    taken: Mapping[str, Mapping[str, Any]],
    aside: Mapping[str, Mapping[str, Any]],
) -> Outcome[Claim | Later | None]:
    if row is None or (taking := taken.get(row.key)) is None:
        return Outcome(Later(aside[row.key]["deaths"]) if row is not None and row.key in aside else None)
    turn, worker, attempt = taking["as_turn"], taking["by"], taking["attempt"]
    before = _before(connection, turn) if row.attempts else {}
    stopping, deaths = taking["becomes"] == State.STOPPING, taking["deaths"]
    event = event_of(row.event)
    return Outcome(Claim(row.lane, event, turn, worker, attempt, stopping, parks=row.parks, died=deaths, **before))


def _before(connection: Connection, turn: str) -> dict[str, Any]:
    """What earlier attempts at the turn wrote down, as a `Claim` has it."""
    steps = connection.execute(select(StepRow.name, StepRow.result).where(StepRow.turn == turn))
    heard: dict[str, list[str]] = {}
    rows = select(INBOX).where(_IN.turn == turn, _IN.part.is_not(None))
    for row in connection.execute(rows.order_by(_IN.place, _IN.received_at, _IN.key)):
        heard.setdefault(row.part, []).append(str(row.event["text"]))
    return {"steps": {row.name: row.result for row in steps}, "heard": heard}


_TURNS: Any = bindparam("turns", expanding=True)
_LED = tuple_(_IN.turn, _IN.worker, _IN.attempts).in_(bindparam("led", expanding=True))
_OVER = (
    update(INBOX)
    .where(_LED, _IN.part.is_(None), _IN.state.in_(OPEN))
    .values(state=State.DONE, changed_at=bindparam("now"))
    .returning(_IN.turn)
)
_HEARD_OVER = (
    update(INBOX)
    .where(_IN.turn.in_(_TURNS), _IN.state == State.HEARD)
    .values(state=State.DONE, changed_at=bindparam("now"))
)
_FORGET = delete(StepRow).where(StepRow.turn.in_(_TURNS))
_MORE = select(_IN.lane).where(_IN.lane.in_(bindparam("lanes", expanding=True)), _IN.state == State.WAITING).distinct()


_RELEASE = (
    update(INBOX)
    .where(_LED, _IN.part.is_(None), _IN.state.in_((State.RUNNING, State.STOPPING)))
    .values(
        state=case((_IN.state == State.RUNNING, State.PARKED), else_=_IN.state),
        worker=None,
        wakes_at=bindparam("now"),
        changed_at=bindparam("now"),
    )
)


def release(connection: Connection, claims: Collection[Claim], now: datetime) -> None:
    """Give turns back that this process does no longer, and that nobody died of."""
    led = sorted((claim.turn, claim.worker, claim.attempt) for claim in claims)
    connection.execute(_RELEASE, {"led": led, "now": now})


def finish(clock: Now, connection: Connection, ended: Sequence[Claim]) -> Sequence[Outcome[bool]]:
    """End turns and all that belonged to them; whether more waits in the lane of each. TakenOver for a turn that is
    another worker's by now."""
    now, led = clock(), sorted((claim.turn, claim.worker, claim.attempt) for claim in ended)
    over = set(connection.execute(_OVER, {"led": led, "now": now}).scalars())
    if over:
        turns = sorted(over)
        connection.execute(_HEARD_OVER, {"turns": turns, "now": now})
        # nobody repeats a turn that is over
        connection.execute(_FORGET, {"turns": turns})
    more = set(connection.execute(_MORE, {"lanes": sorted({claim.lane for claim in ended})}).scalars())
    return [
        Outcome(claim.lane in more) if claim.turn in over else Outcome(fault=TakenOver(claim.turn)) for claim in ended
    ]
