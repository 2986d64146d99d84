"""Turns that live and end with the process: for tests, and wherever losing them does no harm."""

import asyncio
from collections.abc import Sequence
from itertools import count

from agent.journal import Json
from agent.journal import Work as Step
from bot.turns.inbox import Claim, Inbox, MemoryInbox, Sight
from bot.turns.port import MAX_WAITING, Stopped, TurnsFull, Work, lane
from bot.turns.running import Running
from handlers.surface import Event, Question
from handlers.turn import nowhere


class _Journal:
    """Keeps no steps: there is nobody to go on with them. Hears what waits in the lane."""

    def __init__(self, inbox: Inbox, claim: Claim) -> None:
        self._inbox = inbox
        self._claim = claim

    async def step(self, name: str, work: Step) -> Json:
        return await work()

    async def heard(self, name: str) -> Sequence[str]:
        return await self._inbox.hear(self._claim, name)

    async def results(self) -> Sequence[Json]:
        return ()

    async def park(self, approval: str) -> None:
        await nowhere(approval)


class LocalTurns:
    """A `TurnEngine` with one task per lane that has something to do."""

    def __init__(self, work: Work, inbox: Inbox | None = None, *, max_running: int = 64) -> None:
        self._inbox = inbox or MemoryInbox()
        self._running = Running(work, self._inbox)
        self._most = max_running
        self._room = asyncio.Semaphore(max_running)
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._numbers = count(1)
        self._closed = False

    async def submit(self, event: Event) -> bool:
        """See `TurnEngine`."""
        if self._closed or await self._inbox.waiting() >= MAX_WAITING:
            raise TurnsFull("I have too much to do at the moment. Please ask again in a few minutes.")
        sight = await self._inbox.put(event)
        if sight is not Sight.OLD and lane(event) not in self._lanes:
            name = lane(event)
            self._lanes[name] = asyncio.create_task(self._work(name), name=f"lane:{name}")
        return sight is Sight.NEW

    async def _work(self, name: str) -> None:
        try:
            more = True
            while more:
                worker = f"{name}#{next(self._numbers)}"
                async with self._room:
                    more = await self._running.run(name, worker, lambda claim: _Journal(self._inbox, claim))
        finally:
            del self._lanes[name]

    def ahead(self, event: Event) -> int:
        """See `TurnEngine`."""
        # those of the lanes that hold no room; a lane that is just begun is the last of them
        return len(self._lanes) - self._most if self._most < len(self._lanes) and lane(event) in self._lanes else 0

    async def stop(self, thread: str) -> Stopped:
        """See `TurnEngine`."""
        turns, stopped = await self._inbox.stop(thread)
        self._running.stop(turns)
        return stopped

    def wake(self, thread: str) -> None:
        """See `TurnEngine`. No turn of this engine waits for people."""

    async def edit(self, key: str, text: str) -> bool:
        """See `TurnEngine`."""
        return await self._inbox.edit(key, text)

    async def under_way(self, key: str) -> bool:
        """See `TurnEngine`."""
        return await self._inbox.under_way(key)

    async def heard(self, key: str) -> Question | None:
        """See `TurnEngine`."""
        return await self._inbox.heard(key)

    async def withdraw(self, key: str) -> bool:
        """See `TurnEngine`."""
        done, turn = await self._inbox.withdraw(key)
        self._running.stop([turn])
        return done

    async def idle(self) -> None:
        """Wait until nothing is queued or running."""
        while self._lanes:
            await asyncio.wait(set(self._lanes.values()))

    async def close(self, seconds: float) -> int:
        """See `TurnEngine`. What was cut off is lost."""
        self._closed = True
        late = await self._running.close(seconds)
        lanes = set(self._lanes.values())
        for worker in lanes:
            worker.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)
        return late
