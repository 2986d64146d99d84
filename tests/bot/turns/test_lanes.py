"""Lanes: one worker in each, no more at once than allowed, none forgotten, none a child of another."""

import asyncio
from contextvars import ContextVar
from itertools import pairwise

import structlog

from bot.turns.lanes import Lanes

whose = ContextVar("whose", default="nobody")


class Workers:
    """Begins workers by writing them down; the test ends them."""

    def __init__(self, most: int = 2) -> None:
        self.begun: list[str] = []
        self.owners: list[str] = []
        self.refused: set[str] = set()
        self.lanes = Lanes(self.begin, most)

    async def begin(self, lane: str) -> None:
        if lane in self.refused:
            raise OSError(lane)
        self.begun.append(lane)
        self.owners.append(whose.get())

    async def settled(self) -> list[str]:
        for _ in range(5):
            await asyncio.sleep(0)
        return self.begun


async def test_a_lane_has_one_worker_however_often_it_is_woken() -> None:
    workers = Workers()
    for _ in range(3):
        workers.lanes.found("a")
    assert await workers.settled() == ["a"]
    workers.lanes.ended("a", more=False)
    assert await workers.settled() == ["a"]
    workers.lanes.found("a")
    assert await workers.settled() == ["a", "a"]


async def test_what_comes_when_a_worker_has_looked_for_the_last_time_has_a_worker_of_its_own() -> None:
    workers = Workers()
    for _ in range(3):
        workers.lanes.wake("a")
    assert await workers.settled() == ["a"]
    for _ in range(2):
        workers.lanes.ended("a", more=False)
        assert await workers.settled() == ["a", "a"]


async def test_what_waits_behind_a_turn_is_begun_when_it_ends() -> None:
    workers = Workers()
    workers.lanes.wake("a")
    await workers.settled()
    workers.lanes.ended("a", more=True)
    assert await workers.settled() == ["a", "a"]


async def test_no_more_are_at_work_than_allowed_and_the_longest_waiting_comes_next() -> None:
    workers = Workers(most=2)
    for lane in ("a", "b", "c", "d"):
        workers.lanes.wake(lane)
    assert await workers.settled() == ["a", "b"]
    assert workers.lanes.room == 0
    # its next event comes behind the lanes that have waited for longer
    workers.lanes.ended("a", more=True)
    workers.lanes.ended("b", more=False)
    assert await workers.settled() == ["a", "b", "c", "d"]
    workers.lanes.ended("c", more=False)
    assert await workers.settled() == ["a", "b", "c", "d", "a"]


async def test_a_worker_that_nobody_here_began_takes_its_place_too() -> None:
    workers = Workers(most=1)
    workers.lanes.begun("recovered")
    workers.lanes.wake("a")
    assert await workers.settled() == []
    workers.lanes.ended("recovered", more=False)
    assert await workers.settled() == ["a"]


async def test_a_worker_that_could_not_be_begun_frees_its_place_and_the_lane_can_be_woken_again() -> None:
    workers = Workers(most=1)
    workers.refused.add("a")
    with structlog.testing.capture_logs() as logs:
        workers.lanes.wake("a")
        workers.lanes.wake("b")
        assert await workers.settled() == ["b"]
    assert [entry["lane"] for entry in logs] == ["a"]
    workers.refused.clear()
    workers.lanes.ended("b", more=False)
    workers.lanes.wake("a")
    assert await workers.settled() == ["b", "a"]


async def test_the_next_worker_knows_nothing_of_the_one_that_woke_it() -> None:
    workers = Workers()
    whose.set("the first turn")
    workers.lanes.wake("a")
    await workers.settled()
    assert workers.owners == ["nobody"]


async def test_closed_lanes_begin_nothing_more() -> None:
    workers = Workers(most=1)
    workers.lanes.wake("a")
    workers.lanes.wake("b")
    await workers.settled()
    await workers.lanes.close()
    workers.lanes.ended("a", more=True)
    workers.lanes.wake("c")
    assert await workers.settled() == ["a"]


async def test_a_crowd_begins_one_after_the_other_with_some_time_between() -> None:
    moments: list[float] = []
    last = asyncio.Event()

    async def begin(lane: str) -> None:
        moments.append(asyncio.get_running_loop().time())
        if len(moments) == 4:
            last.set()

    lanes = Lanes(begin, 10, apart=0.005)
    for lane in "abcd":
        lanes.wake(lane)
    await last.wait()
    assert all(later - earlier >= 0.005 for earlier, later in pairwise(moments))


async def test_who_has_not_begun_when_lanes_close_never_does() -> None:
    workers = Workers()
    workers.lanes = Lanes(workers.begin, 10, apart=3600)
    for lane in "abcd":
        workers.lanes.wake(lane)
    assert await workers.settled() == ["a"]
    await workers.lanes.close()
    assert workers.begun == ["a"]
