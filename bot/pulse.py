"""How promptly the event loop comes round: the one figure that tells whether this process keeps up with its work."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

import structlog

log = structlog.get_logger()

BEAT = 0.5
"""Seconds between two looks."""
HELD_UP = 1.0
"""Seconds by which a look may be late before it is told at once: acknowledgements are late by as much."""
TOLD_EVERY = 120
"""Looks between two lines of the log that tell of all of them."""


class Pulse:
    """Sleeps, and sees by how much it overslept. `load` tells what is under way, for the log."""

    def __init__(
        self,
        load: Callable[[], Mapping[str, int]],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._load = load
        self._clock = clock
        self._sleep = sleep

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            lags = sorted([await self._look() for _ in range(TOLD_EVERY)])
            median, worst = (round(1000 * lags[at]) for at in (len(lags) // 2, -1))
            log.info("pulse", lag_ms_median=median, lag_ms_worst=worst, **self._load())

    async def _look(self) -> float:
        begun = self._clock()
        await self._sleep(BEAT)
        lag = max(0.0, self._clock() - begun - BEAT)
        if lag >= HELD_UP:
            log.warning("the event loop was held up", seconds=round(lag, 1), **self._load())
        return lag
