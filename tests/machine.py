"""How long things take on the machine at hand, for the few tests in which a limit of time must really run out."""

import os
from functools import lru_cache
from time import perf_counter

_AS_USUAL = 0.006
"""Seconds of the sum below on an idle machine of the year 2026."""


def on_this_machine(seconds: float) -> float:
    """How long something may take that is done within `seconds` where nothing else runs: longer on a slow machine, and
    longer again where several want each processor."""
    return seconds * _slowness() * max(1.0, 2 * os.getloadavg()[0] / (os.cpu_count() or 1))


@lru_cache
def _slowness() -> float:
    started = perf_counter()
    sum(number * number for number in range(100_000))
    return max(1.0, (perf_counter() - started) / _AS_USUAL)
