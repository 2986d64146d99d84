"""Rate budgets of a chat platform: a token bucket per method and place, held up by what the platform asks to wait.

Waiting before a call costs nobody anything; a platform that has to refuse calls refuses those of everybody."""

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from handlers.faults import SurfaceAway

log = structlog.get_logger()

PATIENCE = 60.0
"""Seconds that one call waits for its turn. Beyond that the caller is told, who can keep what is to be said."""
BUCKETS = 10_000
HELD = Counter[str]()
"""How often this process was asked to wait, by method, over all platforms."""


@dataclass(frozen=True, slots=True)
class Budget:
    """`burst` calls at once, and `per_minute` in the long run; in each place (channel, card) when `by_place`."""

    per_minute: float
    burst: int = 1
    by_place: bool = False


class _Bucket:
    """When the next call may go. Full again after `burst` times the distance of two calls."""

    def __init__(self, budget: Budget) -> None:
        self._distance = 60.0 / budget.per_minute
        self._ahead = self._distance * (budget.burst - 1)
        self._due = float("-inf")
        self.held_until = float("-inf")
        self.line = asyncio.Lock()

    def wait(self, now: float) -> float:
        return max(self._due - self._ahead, self.held_until) - now

    def take(self, now: float) -> None:
        self._due = max(self._due, now) + self._distance

    def idle(self, now: float) -> bool:
        return not self.line.locked() and max(self._due, self.held_until) <= now


class _Subject:
    """What calls about one thing share: which of them is the newest, and the line that they stand in."""

    def __init__(self) -> None:
        self.newest = object()
        self.line = asyncio.Lock()
        self.callers = 0


def _never() -> bool:
    return False


class Pace:
    """The budgets of one platform; one per process and access token. Callers of a bucket go in the order they came."""

    def __init__(
        self,
        budgets: Mapping[str, Budget],
        otherwise: Budget,
        *,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._budgets = budgets
        self._otherwise = otherwise
        self._patience = patience
        self._clock = clock
        self._sleep = sleep
        self._buckets: OrderedDict[tuple[str, str], _Bucket] = OrderedDict()
        self._subjects: dict[str, _Subject] = {}

    async def turn(self, method: str, place: str = "", outdated: Callable[[], bool] = _never) -> bool:
        """True when the method may be called. False, and no budget used, when the call is `outdated` by then. Raises
        SurfaceAway when waiting would take longer than the patience."""
        bucket = self._bucket(method, place)
        until = self._clock() + self._patience
        async with bucket.line:
            # looked at again after each sleep: meanwhile the platform may have asked for more time
            while (wait := bucket.wait(now := self._clock())) > 0 and not outdated():
                if now + wait > until:
                    raise SurfaceAway(f"{method} is held up by the platform's limits for {wait:.0f} s", wait)
                await self._sleep(wait)
            if outdated():
                return False
            bucket.take(self._clock())
        return True

    @asynccontextmanager
    async def showing(self, subject: str) -> AsyncIterator[Callable[[], bool]]:
        """For a call that shows how `subject` stands now, tried as often as it takes: gives what tells whether another
        one about it came meanwhile, so that what this one shows is out of date. One call about a subject is under way
        at a time, or an older one could arrive behind a newer one."""
        shown = self._subjects.setdefault(subject, _Subject())
        mine = shown.newest = object()
        shown.callers += 1
        try:
            async with shown.line:
                yield lambda: shown.newest is not mine
        finally:
            shown.callers -= 1
            if not shown.callers:
                del self._subjects[subject]

    async def newest(self, method: str, place: str, subject: str) -> bool:
        """`turn` for a call that shows how `subject` stands now and is tried once."""
        async with self.showing(subject) as outdated:
            return await self.turn(method, place, outdated)

    def wait(self, method: str, place: str = "") -> float:
        """Seconds until a call of this method may go, for those who would rather leave it out than wait."""
        return max(0.0, self._bucket(method, place).wait(self._clock()))

    def hold(self, method: str, place: str, seconds: float) -> None:
        """The platform asks to wait for so long before the next call of this method."""
        bucket = self._bucket(method, place)
        bucket.held_until = max(bucket.held_until, self._clock() + seconds)
        HELD[method] += 1
        log.warning("the chat platform asks to wait", method=method, place=place, seconds=seconds)

    def _bucket(self, method: str, place: str) -> _Bucket:
        budget = self._budgets.get(method, self._otherwise)
        key = (method, place if budget.by_place else "")
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(budget)
            self._forget_idle()
        self._buckets.move_to_end(key)
        return bucket

    def _forget_idle(self) -> None:
        now = self._clock()
        # the least used one is in front; one that somebody waits in must stay, or two lines would form
        while len(self._buckets) > BUCKETS and next(iter(self._buckets.values())).idle(now):
            self._buckets.popitem(last=False)
