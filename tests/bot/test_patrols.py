"""What the clock's slots lead to: a patrol in time, word of one that was missed, tidying up."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.patrols import HOUSEKEEPING, KEPT, ByClock, schedules
from bot.settings import Settings
from bot.store import Store, open_store
from bot.turns.durable import durable_turns, turns_address
from bot.turns.stored import StoredInbox
from handlers.surface import Event, PatrolRequest, Question
from tests.bot.store.conftest import Clock
from tests.bot.turns.conftest import QUICK
from tests.bot.turns.desk import Desk, settle
from tests.fakes.thinking import Surface

SLOT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


class Bench:
    def __init__(self, store: Store, clock: Clock, address: str) -> None:
        self.clock, self.address, self.admitted = clock, address, list[Event]()
        self.surface, self.inbox = Surface(), StoredInbox(store.database, clock)
        self.by_clock = ByClock("slack:T:C", self.admit, self.surface, store, self.inbox, clock)

    async def admit(self, event: Event) -> bool:
        self.admitted.append(event)
        return True


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    clock, address = Clock(), f"sqlite:///{tmp_path}/own.db"
    clock.moment = SLOT
    async with open_store(address, clock) as store:
        yield Bench(store, clock, address)


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


async def test_the_housekeeping_forgets_old_messages_and_keeps_those_that_wait(bench: Bench) -> None:
    for key in ("old", "waiting"):
        await bench.inbox.put(Question(key, f"t-{key}", "U1", key))
    old = await bench.inbox.claim("t-old", "worker-1")
    assert old is not None
    await bench.inbox.finish(old)
    bench.clock.moment += KEPT + timedelta(minutes=1)
    assert [key for key, _, _ in await bench.inbox.stuck(bench.clock.moment - KEPT)] == ["waiting"]
    desk = Desk()
    desk.open = True
    async with durable_turns(desk, bench.inbox, bench.by_clock.store.blobs, turns_address(bench.address), QUICK):
        await bench.by_clock(HOUSEKEEPING, SLOT)
        await settle(lambda: desk.log == ["+waiting", "-waiting"])
    assert not await bench.inbox.edit("old", "gone")
