"""The turns that this process is doing right now: begun, stopped from outside, or parked for the next process."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Protocol

import structlog

from agent.journal import UNWRITTEN, Journal, Json
from agent.recorded import spent_in
from bot.store.errors import StoreUnwritable
from bot.turns.inbox import MOST_DEATHS, Claim, Inbox, TakenOver
from bot.turns.port import Work
from handlers.turn import Turn

log = structlog.get_logger()


class Record(Journal, Protocol):
    """The journal of one attempt at a turn."""

    async def results(self) -> Sequence[Json]:
        """What earlier attempts wrote down, as far as it is still kept."""
        ...

    async def park(self, approval: str) -> None:
        """See `handlers.turn.Park`."""
        ...


class Running:
    """Does one claimed event per call, in a task that can be cut off without losing the turn. `limit` is the
    seconds after which a turn is given up, whatever it waits for."""

    def __init__(self, work: Work, inbox: Inbox, limit: float | None = None) -> None:
        self._work = work
        self._inbox = inbox
        self._limit = limit
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._claims: dict[str, Claim] = {}
        self._parked: set[str] = set()
        self._resting: dict[str, bool] = {}
        self._closed = False

    @property
    def turns(self) -> Collection[str]:
        """Ids of the turns under way."""
        return tuple(self._tasks)

    async def run(self, lane: str, worker: str, journal_of: Callable[[Claim], Record]) -> bool:
        """Do the lane's next event, in its own turn; whether more waits in the lane behind it. A turn that is parked
        ends in CancelledError, and its event stays claimed by the worker."""
        if self._closed:
            raise asyncio.CancelledError
        claim = await self._inbox.claim(lane, worker)
        if claim is None:
            return False
        try:
            return await self._run(claim, journal_of(claim))
        finally:
            self._inbox.through(claim)

    async def _run(self, claim: Claim, journal: Record) -> bool:
        turn = Turn(claim.turn, journal, repeated=claim.attempt > 1, park=journal.park)
        # the last words are no step: they may come at any point of the turn, and steps have their order
        aside = replace(turn, journal=UNWRITTEN)
        given_up = claim.died >= MOST_DEATHS
        if claim.stopping or given_up:
            # what is done again spends its steps again; what is not has spent them all the same
            turn.purse.spent.extend(spent_in(await journal.results()))
        if claim.stopping:
            await self._work.stopped(claim.event, aside)
        elif given_up:
            log.error("a turn was given up", turn=turn.id, deaths=claim.died)
            await self._work.given_up(claim.event, aside)
        else:
            given_up = not await self._do(claim, turn)
        if turn.id in self._resting:
            return self._resting.pop(turn.id)
        try:
            if given_up and not claim.stopping:
                # whatever it was that could not be answered: what was added to it can perhaps
                await self._inbox.unhear(claim)
            return await self._inbox.finish(claim)
        except TakenOver:
            log.warning("a turn was done by another process too", turn=turn.id)
            return False

    async def _do(self, claim: Claim, turn: Turn) -> bool:
        """Whether it was done in time, or stopped or parked in time."""
        event = claim.event
        task = asyncio.create_task(self._work.handle(event, turn), name=f"turn:{turn.id}")
        self._tasks[turn.id], self._claims[turn.id] = task, claim
        try:
            done, _ = await asyncio.wait({task}, timeout=self._limit)
        finally:
            # no effect on a task that is done; when this one is cancelled, the work must not go on alone
            task.cancel()
            del self._tasks[turn.id], self._claims[turn.id]
        if not done:
            log.error("a turn took too long", turn=turn.id, seconds=self._limit)
            await asyncio.wait({task})
            await self._work.given_up(event, replace(turn, journal=UNWRITTEN))
            return False
        if not task.cancelled():
            task.result()
        elif turn.id in self._parked:
            raise asyncio.CancelledError
        elif turn.id in self._resting:
            log.info("a turn waits for people", turn=turn.id)
        else:
            await self._work.stopped(event, replace(turn, journal=UNWRITTEN))
        return True

    def park(self, turn: str) -> None:
        """The turn belongs to another process from now on: when it is cut off, nothing is said."""
        self._parked.add(turn)

    def rest(self, turn: str, *, woken: bool) -> None:
        """The turn waits for people from now on: when it is cut off, its worker is through with it. `woken` = it can go
        on already."""
        self._resting[turn] = woken

    def stop(self, turns: Collection[str]) -> None:
        """Cut off those of the turns that are under way here; each tells its thread."""
        for turn in turns:
            if (task := self._tasks.get(turn)) is not None:
                task.cancel()

    async def close(self, seconds: float) -> int:
        """Begin nothing more, wait for `seconds`, park the rest. Returns how many were parked."""
        self._closed = True
        if self._tasks:
            await asyncio.wait(set(self._tasks.values()), timeout=seconds)
        late, claims = dict(self._tasks), list(self._claims.values())
        self._parked |= set(late)
        for task in late.values():
            task.cancel()
        await asyncio.gather(*late.values(), return_exceptions=True)
        if late:
            log.warning("stopped before these turns were done", turns=len(late))
            await self._release(claims)
        return len(late)

    async def _release(self, claims: Collection[Claim]) -> None:
        try:
            await self._inbox.release(claims)
        except StoreUnwritable as fault:
            # found all the same when this process comes back, or is missed
            log.warning("what was stopped cannot be handed on", turns=len(claims), why=str(fault))
