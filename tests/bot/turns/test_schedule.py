"""The clock: each slot once, however many processes there are and whenever they were down."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from dbos import DBOS

from bot.turns.schedule import Clock, Schedule, forget
from tests.bot.turns.conftest import durable
from tests.bot.turns.desk import Desk, question, settle

MORNING = Schedule("morning", "08:00", "Asia/Shanghai")
EIGHT_IN_SHANGHAI = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)


class Slots:
    def __init__(self) -> None:
        self.seen: list[tuple[str, datetime]] = []

    async def __call__(self, name: str, moment: datetime) -> None:
        self.seen.append((name, moment.astimezone(UTC)))


async def missed(days: int) -> None:
    """As the queue itself makes up for slots at a start."""
    end = EIGHT_IN_SHANGHAI + timedelta(minutes=1)
    await asyncio.to_thread(DBOS.backfill_schedule, "morning", end - timedelta(days=days), end)


async def test_a_slot_is_done_once_at_its_time_in_its_zone(url: str) -> None:
    slots = Slots()
    async with durable(url, Desk()):
        clock = Clock(slots)
        await clock.start([MORNING])
        for _ in range(2):
            await missed(days=2)
        await settle(lambda: len(slots.seen) == 2)
        clock.stop()
    assert sorted(slots.seen) == [("morning", EIGHT_IN_SHANGHAI - timedelta(days=days)) for days in (1, 0)]


async def test_a_schedule_that_is_no_longer_set_is_forgotten(url: str) -> None:
    async with durable(url, Desk()):
        for schedules in ([MORNING, Schedule("evening", "18:30", "UTC")], [MORNING]):
            clock = Clock(Slots())
            await clock.start(schedules)
            clock.stop()
        (known,) = await DBOS.list_schedules_async()
    assert (known["schedule_name"], known["schedule"]) == ("morning", "0 8 * * *")
    assert known["automatic_backfill"]


async def test_schedules_change_while_the_clock_runs_and_may_be_weekly(url: str) -> None:
    slots = Slots()
    async with durable(url, Desk()):
        clock = Clock(slots)
        await clock.start([MORNING, Schedule("evening", "18:30", "UTC")])
        await clock.apply([MORNING, Schedule("weekly@x:C", "09:05", "Europe/Berlin", day="mon")])
        known = {
            one["schedule_name"]: (one["schedule"], one["cron_timezone"]) for one in await DBOS.list_schedules_async()
        }
        end = datetime(2026, 11, 24, tzinfo=UTC)
        await asyncio.to_thread(DBOS.backfill_schedule, "weekly@x:C", end - timedelta(days=8), end)
        await settle(lambda: len(slots.seen) == 2)
        clock.stop()
    assert known == {"morning": ("0 8 * * *", "Asia/Shanghai"), "weekly@x:C": ("5 9 * * mon", "Europe/Berlin")}
    # 09:05 in Berlin on two Mondays
    mondays = [datetime(2026, 11, day, 8, 5, tzinfo=UTC) for day in (16, 23)]
    assert sorted(slots.seen) == [("weekly@x:C", moment) for moment in mondays]


async def test_ended_turns_are_forgotten_and_waiting_ones_are_not(url: str) -> None:
    desk = Desk()
    async with durable(url, desk) as turns:
        desk.let("a")
        await turns.submit(question("a", "t1"))
        await turns.submit(question("b", "t2"))
        await settle(lambda: {"-a", "+b"} <= set(desk.log))
        later = datetime.now(UTC) + timedelta(days=1)
        gone = 0
        async with asyncio.timeout(60):
            while not gone:
                gone = await forget(later)
        left = await DBOS.list_workflows_async()
    assert gone == 1
    assert [workflow.status for workflow in left] == ["PENDING"]


@pytest.mark.parametrize("moment", [EIGHT_IN_SHANGHAI])
async def test_a_process_that_is_closing_leaves_slots_alone(url: str, moment: datetime) -> None:
    slots = Slots()
    async with durable(url, Desk()):
        clock = Clock(slots)
        await clock.start([MORNING])
        clock.stop()
    assert slots.seen == []


async def test_a_schedule_may_come_every_few_minutes(url: str) -> None:
    async with durable(url, Desk()):
        clock = Clock(Slots())
        await clock.start([Schedule("sentinel", "00:00", "UTC", made_up=False, every=15)])
        clock.stop()
        (known,) = await DBOS.list_schedules_async()
    assert (known["schedule"], known["automatic_backfill"]) == ("*/15 * * * *", False)
