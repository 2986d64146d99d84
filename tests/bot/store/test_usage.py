"""What users, channels and workspaces spend in a day, and the limits to it."""

import asyncio

import pytest

from bot.store import Payer, Usage, open_store
from bot.store.usage import Begun
from tests.bot.store.conftest import Clock

ANN = Payer("user", "T1:U1")
BOB = Payer("user", "T1:U2")
ROOM = Payer("channel", "T1:C1")


async def test_a_turn_is_charged_to_everybody_it_concerns_exactly_once(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        assert await store.usage.charge("turn-1", [ANN, ROOM], Usage(tokens=100, micro_dollars=2_000))
        assert not await store.usage.charge("turn-1", [ANN, ROOM], Usage(tokens=100, micro_dollars=2_000))
        assert await store.usage.charge("turn-2", [BOB, ROOM], Usage(tokens=1, micro_dollars=5))
    async with open_store(url, clock) as store:
        assert await store.usage.of([ANN, BOB, ROOM]) == {
            ANN: Usage(0, 100, 2_000),
            BOB: Usage(0, 1, 5),
            ROOM: Usage(0, 101, 2_005),
        }


async def test_a_new_day_begins_with_nothing_spent(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        await store.usage.charge("turn-1", [ANN], Usage(tokens=100))
        clock.forward(hours=20, minutes=59)
        assert (await store.usage.of([ANN]))[ANN] == Usage(tokens=100)
        clock.forward(minutes=1)
        assert (await store.usage.of([ANN]))[ANN] == Usage()


@pytest.mark.parametrize("used", [Usage(tokens=50), Usage(micro_dollars=900)], ids=["tokens", "money"])
async def test_a_payer_at_a_limit_begins_no_turn_and_nothing_is_counted(url: str, clock: Clock, used: Usage) -> None:
    limits = {"user": Usage(turns=9, tokens=50, micro_dollars=900)}
    async with open_store(url, clock) as store:
        await store.usage.charge("before", [ANN], used)
        assert (await store.usage.begin("turn-1", [ANN, ROOM], limits)).full == ANN
        assert await store.usage.of([ANN, ROOM]) == {ANN: used, ROOM: Usage()}
        assert (await store.usage.begin("turn-2", [BOB, ROOM], limits)).full is None


async def test_turns_begun_at_once_do_not_pass_the_limit_together(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as one, open_store(url, clock) as other:
        stores = (one, other) * 6
        begun = await asyncio.gather(
            *(store.usage.begin(f"{n}", [ANN, ROOM], {"channel": Usage(turns=5)}) for n, store in enumerate(stores))
        )
        assert [one.full for one in begun].count(None) == 5
        assert (await one.usage.of([ANN]))[ANN].turns == 5


async def test_a_redelivered_turn_is_counted_once_and_let_through_again(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        for _ in range(3):
            assert (await store.usage.begin("turn-1", [ANN], {"user": Usage(turns=1)})).full is None
        assert (await store.usage.of([ANN]))[ANN] == Usage(turns=1)
        assert (await store.usage.begin("turn-2", [ANN], {"user": Usage(turns=1)})).full == ANN


async def test_without_a_limit_nobody_is_stopped(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        for number in range(20):
            assert await store.usage.begin(f"{number}", [ANN], {"user": Usage()}) == Begun()


@pytest.mark.parametrize(
    ("used", "share"),
    [
        (Usage(turns=9), 0.0),
        (Usage(tokens=50), 0.5),
        (Usage(tokens=10, micro_dollars=800), 0.8),
        (Usage(tokens=99, micro_dollars=800), 0.99),
    ],
)
async def test_who_begins_is_told_how_much_of_the_tightest_limit_is_used(
    url: str, clock: Clock, used: Usage, share: float
) -> None:
    limits = {"user": Usage(turns=10, tokens=100, micro_dollars=1000), "channel": Usage(tokens=1000)}
    async with open_store(url, clock) as store:
        await store.usage.charge("before", [ANN, ROOM], used)
        for _ in range(2):
            assert (await store.usage.begin("turn-1", [ANN, ROOM], limits)).share == share
        # one person's limit is nothing to the next one, the room's is
        assert (await store.usage.begin("turn-2", [BOB, ROOM], limits)).share == used.tokens / 1000


async def test_what_was_used_today_can_be_told_by_payer(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        await store.usage.charge("turn-1", [ANN, ROOM], Usage(tokens=5, micro_dollars=7))
        await store.usage.begin("turn-2", [BOB, ROOM], {})
        assert await store.usage.today("user") == {ANN.name: Usage(0, 5, 7), BOB.name: Usage(1)}
        clock.forward(days=1)
        assert await store.usage.today("user") == {}
