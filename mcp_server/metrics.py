"""What the door has done since it was opened, in counts and timings: taken by those who show or export them."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from time import perf_counter

BOUNDS = (0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 30.0)
"""Upper bounds of a timing's buckets, seconds; what takes longer is in the last bucket, which has none."""


class Count(StrEnum):
    """What is counted."""

    CONNECTED = "connections_opened"
    NOT_CONNECTED = "connections_failed"
    STALE = "connections_found_dead"
    NOT_TRIED = "connections_refused_by_breaker"
    RETRIED = "statements_retried"
    KILLED_TIMEOUT = "statements_killed_at_time_limit"
    KILLED_CANCELLED = "statements_killed_for_gone_callers"
    KILLED_CUT = "statements_killed_at_caps"
    NOT_KILLED = "kills_failed"
    CUT_ROWS = "results_cut_at_rows"
    CUT_BYTES = "results_cut_at_bytes"
    ROWS = "rows_fetched"


class Timer(StrEnum):
    """What is timed."""

    CONNECT = "connect"
    WAIT = "wait_for_connection"
    STATEMENT = "statement"
    CALL = "call"


@dataclass(frozen=True, slots=True)
class Timing:
    """How often and how long, in seconds; `buckets` counts by BOUNDS, the last one what was longer."""

    count: int = 0
    total: float = 0.0
    longest: float = 0.0
    buckets: tuple[int, ...] = (0,) * (len(BOUNDS) + 1)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All figures at one moment. `calls` and `statements` count by verdict: `ok`, an error's code, `cancelled`…"""

    counts: Mapping[Count, int]
    timings: Mapping[Timer, Timing]
    calls: Mapping[str, int]
    statements: Mapping[str, int]
    refusals: Mapping[str, int] = field(default_factory=dict)
    """By the rule that was broken."""


@dataclass(slots=True)
class Metrics:
    """Counts up; never blocks, never fails. All on one event loop."""

    _counts: Counter[Count] = field(default_factory=Counter)
    _timings: dict[Timer, Timing] = field(default_factory=dict)
    _calls: Counter[str] = field(default_factory=Counter)
    _statements: Counter[str] = field(default_factory=Counter)
    _refusals: Counter[str] = field(default_factory=Counter)

    def add(self, count: Count, amount: int = 1) -> None:
        """Count something."""
        self._counts[count] += amount

    def took(self, timer: Timer, seconds: float) -> None:
        """Note how long something took."""
        before = self._timings.get(timer, Timing())
        buckets = list(before.buckets)
        buckets[bisect_left(BOUNDS, seconds)] += 1
        self._timings[timer] = Timing(
            before.count + 1, before.total + seconds, max(before.longest, seconds), tuple(buckets)
        )

    @contextmanager
    def timed(self, timer: Timer) -> Iterator[None]:
        """Note how long the block takes, however it ends."""
        started = perf_counter()
        try:
            yield
        finally:
            self.took(timer, perf_counter() - started)

    def call(self, verdict: str, seconds: float) -> None:
        """Note a tool call that has ended."""
        self._calls[verdict] += 1
        self.took(Timer.CALL, seconds)

    def statement(self, verdict: str, seconds: float) -> None:
        """Note a statement that has ended, whether it ran or was refused."""
        self._statements[verdict] += 1
        self.took(Timer.STATEMENT, seconds)

    def refusal(self, rule: str) -> None:
        """Note that a call broke one of our rules."""
        self._refusals[rule] += 1

    def snapshot(self) -> Snapshot:
        """A copy of all figures; what never happened reads as 0."""
        return Snapshot(
            {count: self._counts[count] for count in Count},
            {timer: self._timings.get(timer, Timing()) for timer in Timer},
            dict(self._calls),
            dict(self._statements),
            dict(self._refusals),
        )
