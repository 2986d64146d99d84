"""Clocks that jump, and days that have 23 or 25 hours: each slot of a patrol comes once."""

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dbos import DBOS

from bot.clock import LATE
from bot.patrols import schedules
from bot.store import open_store
from bot.turns import LocalTurns
from bot.turns.schedule import Clock, Schedule
from handlers.surface import Event
from tests.bot.store.conftest import Clock as Time
from tests.bot.test_patrols import SLOT, Bench
from tests.bot.turns.conftest import durable
from tests.bot.turns.desk import Desk

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("jump", [timedelta(hours=-2), timedelta(hours=2), timedelta(days=-1)])
async def test_a_slot_that_comes_again_because_a_clock_was_set_is_done_once(own_database: str, jump: timedelta) -> None:
    desk, time = Desk(), Time()
    desk.open, time.moment = True, SLOT
    turns = LocalTurns(desk)

    class Admitting(Bench):
        async def admit(self, event: Event) -> bool:
            return await turns.submit(event)

    async with open_store(own_database, time) as store:
        bench = Admitting(store, time)
        _, morning, *_ = schedules(await bench.rota.all())
        for moment in (SLOT, SLOT + jump, SLOT + timedelta(seconds=LATE)):
            time.moment = moment
            await bench.by_clock(morning.name, SLOT)
        await turns.idle()
    assert len(desk.log) == 2
    assert bench.surface.posts == []
    await turns.close(0)


@pytest.mark.parametrize("change", [datetime(2026, 3, 29, tzinfo=BERLIN), datetime(2026, 10, 25, tzinfo=BERLIN)])
@pytest.mark.parametrize("at", ["02:30", "08:00"])
async def test_the_days_on_which_summer_time_begins_and_ends_have_each_slot_once(
    sqlite_url: str, change: datetime, at: str
) -> None:
    seen: list[datetime] = []

    async def on_slot(name: str, moment: datetime) -> None:
        seen.append(moment.astimezone(BERLIN))

    async with durable(sqlite_url.replace("+aiosqlite", ""), Desk()):
        clock = Clock(on_slot)
        await clock.start([Schedule("morning", at, "Europe/Berlin")])
        first, last = (change + timedelta(days=days) for days in (-1, 2))
        await asyncio.to_thread(DBOS.backfill_schedule, "morning", first.astimezone(UTC), last.astimezone(UTC))
        async with asyncio.timeout(60):
            while await DBOS.list_workflows_async(status=["ENQUEUED", "PENDING"]):
                await asyncio.sleep(0.005)
        clock.stop()
    assert sorted({moment.date() for moment in seen}) == [(change + timedelta(days=days)).date() for days in (-1, 0, 1)]
    assert len(seen) == 3
