"""Work that is done once for all who ask."""

import asyncio

import pytest

from handlers.flight import Flights


class Work:
    """Counts its runs and ends; waits for `gate` in between."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.begun = 0
        self.ended = ""

    async def run(self) -> int:
        self.begun += 1
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.ended = "cancelled"
            raise
        return self.begun


async def until_begun(work: Work) -> None:
    while not work.begun:
        await asyncio.sleep(0)


async def test_all_who_ask_get_the_one_result() -> None:
    flights, work = Flights(), Work()
    waiting = [asyncio.create_task(flights.join("k", work.run)) for _ in range(3)]
    await until_begun(work)
    assert flights.running("k")
    work.gate.set()
    assert await asyncio.gather(*waiting) == [1, 1, 1]
    assert not flights.running("k")


async def test_the_next_after_the_end_starts_anew() -> None:
    flights, work = Flights(), Work()
    work.gate.set()
    assert [await flights.join("k", work.run), await flights.join("k", work.run)] == [1, 2]


async def test_one_who_leaves_does_not_end_it_for_the_others() -> None:
    flights, work = Flights(), Work()
    leaves, stays = (asyncio.create_task(flights.join("k", work.run)) for _ in range(2))
    await until_begun(work)
    leaves.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaves
    work.gate.set()
    assert await stays == 1


async def test_the_last_who_leaves_ends_it() -> None:
    flights, work = Flights(), Work()
    tasks = [asyncio.create_task(flights.join("k", work.run)) for _ in range(2)]
    await until_begun(work)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)
    assert work.ended == "cancelled"
    assert not flights.running("k")


async def test_a_failure_reaches_all_and_is_not_kept() -> None:
    flights = Flights()

    async def fail() -> int:
        raise ValueError("broken")

    results = await asyncio.gather(*(flights.join("k", fail) for _ in range(2)), return_exceptions=True)
    assert [str(result) for result in results] == ["broken", "broken"]
    assert not flights.running("k")
