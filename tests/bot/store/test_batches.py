"""Work done for many at once: in order, together, and nobody pays for another's fault."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import Connection

from bot.store import StoreUnwritable, open_store
from bot.store.batches import Batches, written
from bot.store.errors import Cause
from bot.store.group import MOST, Outcome
from bot.store.tables import SeenRow
from tests.bot.store.conftest import MOMENT, Clock
from tests.bot.store.test_group import count


class Bench:
    """Doubles numbers, a batch at a time, as soon as it is let; a batch with a `bad` number in it fails."""

    def __init__(self) -> None:
        self.begun: list[list[int]] = []
        self.gate = asyncio.Event()
        self.bad: Callable[[int], Exception | None] = lambda _: None
        self.batches: Batches[int, int] = Batches(self._double)

    async def _double(self, items: Sequence[int]) -> Sequence[Outcome[int]]:
        self.begun.append([*items])
        await self.gate.wait()
        for item in items:
            if (fault := self.bad(item)) is not None:
                raise fault
        return [Outcome(2 * item) for item in items]

    def ask(self, *items: int) -> list[asyncio.Task[int]]:
        return [asyncio.create_task(self.batches.run(item)) for item in items]

    async def told(self, asked: Sequence[asyncio.Task[int]]) -> list[int | BaseException]:
        self.gate.set()
        return await asyncio.gather(*asked, return_exceptions=True)


async def turns_of_the_loop() -> None:
    """Lets what can begin begin: each of these tasks does so at once or never."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_what_comes_while_a_batch_is_under_way_is_the_next_one(bench: Bench) -> None:
    first = bench.ask(1)
    await turns_of_the_loop()
    later = bench.ask(2, 3, 4)
    await turns_of_the_loop()
    assert bench.begun == [[1]]
    assert await bench.told(first + later) == [2, 4, 6, 8]
    assert bench.begun == [[1], [2, 3, 4]]


async def test_nothing_waits_for_company(bench: Bench) -> None:
    for item in (1, 2):
        assert await bench.told(bench.ask(item)) == [2 * item]
    assert bench.begun == [[1], [2]]


async def test_a_batch_has_an_end(bench: Bench) -> None:
    asked = bench.ask(*range(2 * MOST + 1))
    assert await bench.told(asked) == [2 * number for number in range(2 * MOST + 1)]
    assert [len(batch) for batch in bench.begun] == [MOST, MOST, 1]
    assert [number for batch in bench.begun for number in batch] == [*range(2 * MOST + 1)]


async def test_an_item_that_spoils_its_batch_fails_alone(bench: Bench) -> None:
    bench.bad = lambda item: ValueError(f"{item} is odd") if item % 2 else None
    outcomes = await bench.told(bench.ask(2, 3, 4, 5))
    assert [str(outcome) for outcome in outcomes] == ["4", "3 is odd", "8", "5 is odd"]
    assert bench.begun == [[2, 3, 4, 5], [2], [3], [4], [5]]


async def test_what_is_wrong_with_the_database_is_told_to_all_at_once(bench: Bench) -> None:
    bench.bad = lambda _: StoreUnwritable(Cause.FULL)
    outcomes = await bench.told(bench.ask(1, 2, 3))
    assert all(isinstance(outcome, StoreUnwritable) for outcome in outcomes)
    assert bench.begun == [[1, 2, 3]]


async def test_after_a_failure_it_goes_on(bench: Bench) -> None:
    bench.bad = lambda item: ValueError() if item == 1 else None
    outcomes = await bench.told(bench.ask(1))
    assert isinstance(outcomes[0], ValueError)
    assert await bench.told(bench.ask(2)) == [4]


async def test_who_is_cancelled_while_waiting_takes_nobody_along(bench: Bench) -> None:
    asked = bench.ask(1, 2, 3)
    await turns_of_the_loop()
    asked[1].cancel()
    outcomes = await bench.told(asked)
    assert (outcomes[0], outcomes[2]) == (2, 6)
    assert isinstance(outcomes[1], asyncio.CancelledError)


async def test_an_outcome_may_be_a_fault_of_one_item() -> None:
    async def work(items: Sequence[str]) -> Sequence[Outcome[str]]:
        return [Outcome(item) if item != "b" else Outcome(fault=LookupError(item)) for item in items]

    batches: Batches[str, str] = Batches(work)
    outcomes = await asyncio.gather(*map(batches.run, "abc"), return_exceptions=True)
    assert (outcomes[0], outcomes[2]) == ("a", "c")
    assert isinstance(outcomes[1], LookupError)


async def test_a_batch_that_is_written_is_committed_before_anybody_is_told(url: str) -> None:
    def keep(connection: Connection, keys: Sequence[str]) -> Sequence[Outcome[int]]:
        statement = store.database.insert_all_new(SeenRow)
        connection.execute(statement, [{"key": key, "seen_at": MOMENT} for key in keys])
        return [Outcome(len(keys)) for _ in keys]

    async with open_store(url, Clock()) as store:
        batches = written(store.database, keep)
        sizes = await asyncio.gather(*(batches.run(f"k{number}") for number in range(40)))
        assert await store.database.read(count) == 40
    assert sizes == [40] * 40


async def test_a_key_that_the_database_refuses_is_refused_alone(url: str) -> None:
    def keep(connection: Connection, keys: Sequence[str | None]) -> Sequence[Outcome[None]]:
        connection.execute(store.database.insert_all_new(SeenRow), [{"key": key, "seen_at": MOMENT} for key in keys])
        return [Outcome() for _ in keys]

    async with open_store(url, Clock()) as store:
        batches = written(store.database, keep)
        outcomes = await asyncio.gather(*map(batches.run, ("a", None, "b")), return_exceptions=True)
        assert await store.database.read(count) == 2
    assert [type(outcome).__name__ for outcome in outcomes] == ["NoneType", "IntegrityError", "NoneType"]
