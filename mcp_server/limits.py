"""How much one caller and all callers together may ask for: calls a minute, and calls at once."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from mcp_server.clock import Seconds
from mcp_server.errors import RateLimited
from mcp_server.principal import Principal

_MINUTE = 60.0
_MANY_USERS = 1_000

UNMETERED = frozenset({"patrol"})
"""Surfaces without a person behind them: bounded by their own plan, they share only the limits of all callers."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """Calls a minute and calls at once, of one user and of all; `patience` is how long a call waits for its turn, s."""

    per_minute: int = 60
    at_once: int = 4
    all_per_minute: int = 1_200
    all_at_once: int = 16
    patience: float = 10.0


class Window:
    """The calls of the last minute, at most `most` of them. Refused calls do not count."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._times: deque[float] = deque()

    def wait(self, now: float) -> float:
        """Seconds until another call fits; 0 when one fits now."""
        while self._times and now - self._times[0] >= _MINUTE:
            self._times.popleft()
        # the age first: its difference to a minute is never rounded to nothing, nor to more than a minute
        return 0.0 if len(self._times) < self._most else _MINUTE - (now - self._times[0])

    def add(self, now: float) -> None:
        """Count a call."""
        self._times.append(now)

    def empty(self, now: float) -> bool:
        """Whether the last minute had no call."""
        self.wait(now)
        return not self._times


@dataclass(slots=True)
class _Usage:
    """What one user does at present; `inside` counts calls that run or wait."""

    window: Window
    turns: asyncio.Semaphore
    inside: int = field(default=0)


class Limits:
    """The limits of a door. A user is one person on one surface, in whatever channel; a channel where none is named."""

    def __init__(self, clock: Seconds, allowance: Allowance | None = None) -> None:
        self._clock = clock
        self._allowance = allowance or Allowance()
        self._all = Window(self._allowance.all_per_minute)
        self._turns = asyncio.Semaphore(self._allowance.all_at_once)
        self._users: dict[tuple[str, str], _Usage] = {}

    @property
    def users(self) -> int:
        """How many users are remembered."""
        return len(self._users)

    @asynccontextmanager
    async def turn(self, who: Principal) -> AsyncIterator[None]:
        """One call from beginning to end. Raises RateLimited when it may not pass now."""
        usage = self._usage(who)
        self._count(usage if who.surface not in UNMETERED else None)
        with _inside(usage):
            async with self._held(usage.turns, "your calls"), self._held(self._turns, "calls of others"):
                yield

    def _count(self, usage: _Usage | None) -> None:
        now = self._clock()
        if usage is not None and (wait := usage.window.wait(now)) > 0:
            raise RateLimited(f"{self._allowance.per_minute} calls a minute are allowed", wait)
        if (wait := self._all.wait(now)) > 0:
            raise RateLimited("too many calls of all callers together", wait)
        self._all.add(now)
        if usage is not None:
            usage.window.add(now)

    @asynccontextmanager
    async def _held(self, turns: asyncio.Semaphore, whose: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._allowance.patience):
                await turns.acquire()
        except TimeoutError as error:
            raise RateLimited(f"too many {whose} are still running", self._allowance.patience) from error
        try:
            yield
        finally:
            turns.release()

    def _usage(self, who: Principal) -> _Usage:
        key = (who.surface, who.user or f"in {who.channel}")
        if key not in self._users:
            self._forget_idle()
            self._users[key] = _Usage(Window(self._allowance.per_minute), asyncio.Semaphore(self._allowance.at_once))
        return self._users[key]

    def _forget_idle(self) -> None:
        """Names cost an outsider nothing, so those who asked nothing for a minute are not kept."""
        if len(self._users) < _MANY_USERS:
            return
        now = self._clock()
        self._users = {key: one for key, one in self._users.items() if one.inside or not one.window.empty(now)}


@contextmanager
def _inside(usage: _Usage) -> Iterator[None]:
    usage.inside += 1
    try:
        yield
    finally:
        usage.inside -= 1
