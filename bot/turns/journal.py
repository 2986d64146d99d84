"""The journal of a turn that survives its process: what an attempt at it does, and what those before it did."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import structlog

from agent.journal import Json
from agent.journal import Work as Step
from bot.store.errors import Cause, StoreUnwritable
from bot.turns.inbox import Claim, TakenOver
from bot.turns.large import Blobs, stand_in, whole
from bot.turns.running import Running
from bot.turns.steps import Steps
from bot.turns.stored import StoredInbox

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the journals of all turns of a process are kept, and of which `version` their steps are."""

    inbox: StoredInbox
    steps: Steps
    blobs: Blobs
    running: Running
    version: str


class TurnJournal:
    """The steps of one attempt at a turn. One that finds the turn taken over by another process parks it."""

    def __init__(self, claim: Claim, shelf: Shelf) -> None:
        self._claim = claim
        self._shelf = shelf
        self._version = f"{shelf.version}/"
        ours = [name for name in claim.steps if name.startswith(self._version)]
        self._left = {name.removeprefix(self._version): claim.steps[name] for name in ours}
        self._anew = len(ours) < len(claim.steps)
        if self._anew:
            log.warning("a turn of another version is begun anew", turn=claim.turn)
        # one that waited for people has written down all that it did; of others that cannot be known
        self._fresh = claim.attempt - claim.parks == 1 and not self._anew
        self._quiet = False
        self._broken = False

    async def step(self, name: str, work: Step) -> Json:
        if (written := self._left.pop(name, None)) is not None:
            return await whole(written, self._shelf.blobs)
        result = await work()
        if not self._broken:
            await self._keep(name, result)
        return result

    async def results(self) -> Sequence[Json]:
        found: list[Json] = []
        for written in self._left.values():
            with suppress(LookupError):
                found.append(await whole(written, self._shelf.blobs))
        return found

    async def park(self, approval: str) -> None:
        if self._broken:
            raise StoreUnwritable(Cause.UNREACHABLE)
        with self._ours():
            woken = await self._shelf.inbox.park(self._claim, approval)
        self._shelf.running.rest(self._claim.turn, woken=woken)
        raise asyncio.CancelledError

    async def _keep(self, name: str, result: Json) -> None:
        try:
            text = await stand_in(result, self._shelf.blobs)
            with self._ours():
                self._quiet = not await self._shelf.steps.keep(self._claim, self._version + name, text)
            # past the step that it was suspected for: the next suspect need not wait for its end
            self._shelf.inbox.through(self._claim)
        except StoreUnwritable as fault:
            # the answer is worth more than its journal; nothing more is written, so that what is has no gaps
            log.warning("a turn goes on unwritten", turn=self._claim.turn, why=str(fault))
            self._broken = True

    async def heard(self, name: str) -> Sequence[str]:
        # An earlier attempt that came by here heard no more than is written down, and what it did next may have been
        # done though not written down: a post, say, and with a full disk any step. What came since is for another turn.
        if name in self._claim.heard or self._left or not self._fresh:
            return self._claim.heard.get(name, ())
        # the last step's writing told that nothing waits: good enough until the next round
        quiet, self._quiet = self._quiet, False
        if quiet or self._broken:
            return ()
        with self._ours():
            return await self._shelf.inbox.hear(self._claim, name)

    @contextmanager
    def _ours(self) -> Iterator[None]:
        try:
            yield
        except TakenOver:
            log.warning("a turn is done by another process now", turn=self._claim.turn)
            self._shelf.running.park(self._claim.turn)
            raise asyncio.CancelledError from None
