"""The loop's lag, on a clock that the test moves."""

import asyncio
from collections.abc import Iterable

import structlog

from bot.pulse import BEAT, TOLD_EVERY, Pulse


class Nights:
    """Each sleep lasts as long as it is told to, and then some."""

    def __init__(self, overslept: Iterable[float]) -> None:
        self.now = 0.0
        self._overslept = iter(overslept)

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        late = next(self._overslept, None)
        if late is None:
            raise asyncio.CancelledError
        self.now += seconds + late


async def told(*overslept: float) -> list[dict[str, object]]:
    """The lines of the log about these nights."""
    nights = Nights(overslept)
    with structlog.testing.capture_logs() as lines:
        watching = asyncio.create_task(Pulse(lambda: {"running": 3, "waiting": 7}, nights.clock, nights.sleep).watch())
        await asyncio.wait({watching})
    assert watching.cancelled()
    return [dict(line) for line in lines]


async def test_a_loop_that_was_held_up_is_told_at_once_with_what_was_under_way() -> None:
    (line,) = await told(0.01, 2.04, 0.9)
    assert line["log_level"] == "warning"
    assert (line["event"], line["seconds"], line["running"], line["waiting"]) == (
        "the event loop was held up",
        2.0,
        3,
        7,
    )


async def test_how_late_the_loop_was_is_told_once_a_minute() -> None:
    lines = await told(*([0.002] * (TOLD_EVERY - 1)), 0.25, *([0.001] * TOLD_EVERY), 0.5)
    assert [(line["lag_ms_median"], line["lag_ms_worst"]) for line in lines] == [(2, 250), (1, 1)]
    assert TOLD_EVERY * BEAT == 60


async def test_a_clock_that_goes_back_is_no_lag() -> None:
    assert await told(-3.0, 0.0) == []
