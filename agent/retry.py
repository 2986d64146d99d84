"""Asking again: few tries, full jitter, and never longer than the turn has left."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from agent.errors import ModelError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RetryRules:
    """`tries` in all; waits are random up to `first_wait` doubled each time, at most `last_wait` seconds. A longer
    `retry-after` is obeyed up to `longest_wait` seconds; past that it is more honest to fail at once."""

    tries: int = 3
    first_wait: float = 0.5
    last_wait: float = 8.0
    longest_wait: float = 60.0


@dataclass(frozen=True, slots=True)
class Retry:
    """Runs attempts after the rules. Clock, sleep and random number (0 to 1) are passed in for tests."""

    rules: RetryRules = RetryRules()
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random

    async def run(self, attempt: Callable[[float | None], Awaitable[T]], seconds_left: float | None) -> T:
        """The first whole result. `attempt` is given the seconds it may take.

        Raises the last `ModelError` when it is not retryable, tries are used up, or the wait would outlast the budget.
        """
        started = self.clock()
        number = 1
        while True:
            left = None if seconds_left is None else seconds_left - (self.clock() - started)
            try:
                return await attempt(left)
            except ModelError as error:
                left = None if seconds_left is None else seconds_left - (self.clock() - started)
                wait = self._wait(error, number)
                # Failing now leaves the floor some time; waiting until nothing is left would not.
                if wait is None or (left is not None and wait >= left):
                    raise
            # Outside of the except block, or a cancellation here would be chained to the fault before it.
            await self.sleep(wait)
            number += 1

    def _wait(self, error: ModelError, number: int) -> float | None:
        """Seconds to wait before the next try; None when there is to be none."""
        rules = self.rules
        # Some faults say themselves how often they are worth it: a stall has cost its whole patience already.
        tries = min(rules.tries, error.most_tries or rules.tries)
        if not error.retryable or number >= tries or (error.retry_after or 0.0) > rules.longest_wait:
            return None
        # The jitter comes on top of retry-after, so that waiting threads do not all come back in the same instant.
        backoff: float = self.jitter() * min(rules.first_wait * 2.0**number, rules.last_wait)
        return (error.retry_after or 0.0) + backoff
