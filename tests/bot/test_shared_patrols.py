"""Two processes on one database that are asked for a patrol at once: one does it, both have its report."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from agent.journal import Json, Work
from agent.patrol.errors import WarehouseUnreadable
from agent.patrol.report import PatrolReport, ReportType
from bot.shared_patrols import DEAD, SharedPatrols
from bot.store import open_store
from tests.fakes.thinking import Patrols, report


class Clock:
    """Time that passes only by the sleeps of those who wait."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
        self.looks = 0
        self.sleepers: set[asyncio.Task[object] | None] = set()
        self.awake, self.parked = asyncio.Event(), asyncio.Event()
        self.awake.set()

    def __call__(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.looks += 1
        self.sleepers.add(asyncio.current_task())
        await asyncio.sleep(0.001)
        if not self.awake.is_set():
            self.parked.set()
            await self.awake.wait()


@dataclass
class Replica:
    """One process: what it would report by itself, and its share in all."""

    own: Patrols
    shared: SharedPatrols

    async def run(self, report_type: ReportType = "on_demand") -> PatrolReport:
        async def on_step(text: str) -> None:
            """Shown nowhere."""

        return await self.shared.run(report_type, "U1", on_step)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres").database())
    return str(request.getfixturevalue("sqlite_url"))


@asynccontextmanager
async def replica(url: str, clock: Clock, report_id: str) -> AsyncIterator[Replica]:
    async with open_store(url, clock) as store:
        own = Patrols()
        own.report = report(report_id=report_id)
        yield Replica(own, SharedPatrols(own, store.database, store.blobs, clock, clock.sleep))


async def begun(*replicas: Replica) -> None:
    """Wait until one of them patrols."""
    async with asyncio.timeout(60):
        while not any(one.own.runs for one in replicas):
            await asyncio.sleep(0.001)


async def test_one_does_it_and_both_have_the_report(url: str, clock: Clock) -> None:
    async with replica(url, clock, "R-1") as one, replica(url, clock, "R-2") as two:
        one.own.gate.clear()
        two.own.gate.clear()
        waiting = [asyncio.create_task(each.run()) for each in (one, two, one, two)]
        await begun(one, two)
        done = one if one.own.runs else two
        async with asyncio.timeout(60):
            while len(clock.sleepers) < 4:  # the three who wait, and the signs of life of the one who works
                await asyncio.sleep(0.001)
        one.own.gate.set()
        two.own.gate.set()
        reports = await asyncio.gather(*waiting)
        assert len(one.own.runs) + len(two.own.runs) == 1
        assert reports == [done.own.report] * 4


async def test_other_types_and_later_patrols_are_done_anew(url: str, clock: Clock) -> None:
    async with replica(url, clock, "R-1") as one, replica(url, clock, "R-2") as two:
        one.own.gate.clear()
        first = asyncio.create_task(one.run())
        await begun(one)
        assert (await two.run("weekly")).report_id == "R-2"
        one.own.gate.set()
        assert (await first).report_id == "R-1"
        assert (await two.run()).report_id == "R-2"
    assert [kind for kind, _ in two.own.runs] == ["weekly", "on_demand"]


async def test_a_patrol_that_fails_or_is_stopped_is_done_by_who_waits(url: str, clock: Clock) -> None:
    async with replica(url, clock, "R-1") as one, replica(url, clock, "R-2") as two:
        for stops in (True, False):
            one.own.runs.clear()
            one.own.gate.clear()
            one.own.fault = None if stops else WarehouseUnreadable()
            first = asyncio.create_task(one.run())
            await begun(one)
            second = asyncio.create_task(two.run())
            if stops:
                first.cancel()
            one.own.gate.set()
            with pytest.raises((asyncio.CancelledError, WarehouseUnreadable)):
                await first
            assert (await second).report_id == "R-2"


async def test_who_gives_no_sign_of_life_is_waited_for_no_longer(url: str, clock: Clock) -> None:
    async with replica(url, clock, "R-1") as one, replica(url, clock, "R-2") as two:
        one.own.gate.clear()
        frozen = Clock()
        async with open_store(url, frozen) as store:
            dead = SharedPatrols(one.own, store.database, store.blobs, frozen, frozen.sleep)
            first = asyncio.create_task(Replica(one.own, dead).run())
            await begun(one)
            second = asyncio.create_task(two.run())
            while clock.looks < 5:
                await asyncio.sleep(0.001)
            assert not second.done()
            clock.now += DEAD + timedelta(seconds=1)  # the other's clock, and so its signs, stand still
            assert (await second).report_id == "R-2"
            one.own.gate.set()
            assert (await first).report_id == "R-1"
        assert (await two.run()).report_id == "R-2"


class Kept:
    """A journal that outlives the attempt."""

    def __init__(self) -> None:
        self.steps: dict[str, Json] = {}

    async def step(self, name: str, work: Work) -> Json:
        if name not in self.steps:
            self.steps[name] = await work()
        return self.steps[name]

    async def heard(self, name: str) -> tuple[str, ...]:
        return ()


async def test_a_turn_that_was_cut_off_goes_on_with_its_own_patrol_and_waits_for_nobody(url: str, clock: Clock) -> None:
    kept = Kept()

    async def on_step(text: str) -> None:
        """Shown nowhere."""

    async with replica(url, clock, "R-1") as one, replica(url, clock, "R-2") as two:
        one.own.gate.clear()
        cut_off = asyncio.create_task(one.shared.run("on_demand", "U1", on_step, kept))
        await begun(one)
        assert (await two.shared.run("on_demand", "U1", on_step, kept)).report_id == "R-2"
        one.own.gate.set()
        assert (await cut_off).report_id == "R-1"
    assert len(kept.steps) == 1


async def test_who_does_it_is_told_in_which_language_a_model_is_to_write(url: str, clock: Clock) -> None:
    async def on_step(text: str) -> None:
        """Shown nowhere."""

    async with replica(url, clock, "R-1") as one:
        await one.shared.run("weekly", "U1", on_step, language="zh")
        await one.run("weekly")
        assert one.own.languages == ["zh", "en"]


async def test_everybody_sees_what_runs_anywhere_and_only_while_it_does(url: str, clock: Clock) -> None:
    async with replica(url, clock, "R-1") as one, replica(url, clock, "R-2") as two:
        assert await two.shared.running() == []
        one.own.gate.clear()
        first = asyncio.create_task(one.run("weekly"))
        await begun(one)
        assert await two.shared.running() == ["weekly"]
        # its heart stands still now: a beat after the time has passed would make it alive again
        clock.awake.clear()
        async with asyncio.timeout(60):
            await clock.parked.wait()
        clock.now += DEAD + timedelta(seconds=1)
        assert await two.shared.running() == []
        clock.awake.set()
        one.own.gate.set()
        await first
        assert await two.shared.running() == []
