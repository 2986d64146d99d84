"""What the clock's slots lead to: a patrol in time, word of one that was missed, tidying up."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.patrols import HOUSEKEEPING, ByClock, schedules
from bot.settings import Settings
from handlers.surface import Event, PatrolRequest
from tests.bot.store.conftest import Clock
from tests.fakes.thinking import Surface

SLOT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


class Bench:
    def __init__(self, clock: Clock) -> None:
        self.clock, self.admitted, self.surface, self.tidied = clock, list[Event](), Surface(), 0
        self.by_clock = ByClock("slack:T:C", self.admit, self.surface, self.tidy, clock)

    async def tidy(self) -> None:
        self.tidied += 1

    async def admit(self, event: Event) -> bool:
        self.admitted.append(event)
        return True


@pytest.fixture
def bench() -> Bench:
    clock = Clock()
    clock.moment = SLOT
    return Bench(clock)


def test_without_a_channel_only_the_housekeeping_is_scheduled() -> None:
    assert [schedule.name for schedule in schedules(Settings())] == [HOUSEKEEPING]
    both = schedules(Settings(patrol_channel="C", patrol_morning="07:30", timezone="Asia/Tokyo"))
    assert [(one.name, one.at, one.zone) for one in both[1:]] == [
        ("morning", "07:30", "Asia/Tokyo"),
        ("evening", "18:00", "Asia/Tokyo"),
    ]


@pytest.mark.parametrize("late", [timedelta(0), timedelta(hours=2)])
async def test_a_slot_that_is_little_late_becomes_a_patrol_with_one_key(bench: Bench, late: timedelta) -> None:
    bench.clock.moment += late
    await bench.by_clock("morning", SLOT)
    assert bench.admitted == [PatrolRequest("clock:morning:2026-11-20T08:00", "slack:T:C", "clock", "morning")]
    assert bench.surface.posts == []


async def test_a_slot_missed_by_more_is_told_of_instead(bench: Bench) -> None:
    bench.clock.forward(hours=2, seconds=1)
    await bench.by_clock("morning", SLOT)
    assert bench.admitted == []
    ((place, document),) = bench.surface.posts
    assert place == "slack:T:C"
    assert "morning patrol of 2026-11-20 08:00 UTC did not run" in document.fallback


async def test_the_slot_of_the_housekeeping_tidies_up_and_patrols_nothing(bench: Bench) -> None:
    await bench.by_clock(HOUSEKEEPING, SLOT)
    assert (bench.tidied, bench.admitted, bench.surface.posts) == (1, [], [])
