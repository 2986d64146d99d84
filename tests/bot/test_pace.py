"""The rate budgets: who waits, for how long, and what is not worth sending any more."""

import asyncio

import pytest

from bot import pace
from bot.pace import Budget, Pace
from handlers.faults import SurfaceAway


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        # the time passes whatever else runs meanwhile, as with a real sleep
        until = self.now + seconds
        await asyncio.sleep(0)
        self.now = max(self.now, until)


@pytest.fixture
def time() -> Time:
    return Time()


def paced(time: Time, **budgets: Budget) -> Pace:
    return Pace(budgets, Budget(60, burst=1), clock=time.clock, sleep=time.sleep)


async def test_a_burst_goes_at_once_and_the_rest_at_the_rate(time: Time) -> None:
    one = paced(time, post=Budget(60, burst=3))
    moments = []
    for _ in range(6):
        await one.turn("post")
        moments.append(time.now - 1000)
    assert moments == [0, 0, 0, 1, 2, 3]


async def test_a_rested_method_has_its_burst_again_and_no_more(time: Time) -> None:
    one = paced(time, post=Budget(60, burst=3))
    for _ in range(3):
        await one.turn("post")
    time.now += 3600
    for _ in range(3):
        await one.turn("post")
    assert time.slept == []
    await one.turn("post")
    assert time.slept == [1]


async def test_places_have_budgets_of_their_own_only_where_the_platform_counts_so(time: Time) -> None:
    one = paced(time, post=Budget(60, by_place=True), update=Budget(60))
    await one.turn("post", "C1")
    await one.turn("post", "C2")
    assert time.slept == []
    await one.turn("update", "C1")
    await one.turn("update", "C2")
    assert time.slept == [1]


async def test_a_method_without_a_budget_of_its_own_has_the_common_one(time: Time) -> None:
    one = paced(time)
    await one.turn("users.info")
    await one.turn("users.info")
    await one.turn("auth.test")
    assert time.slept == [1]


async def test_what_the_platform_asks_to_wait_is_waited_by_everybody_in_that_place(time: Time) -> None:
    one = paced(time, post=Budget(600, burst=10, by_place=True))
    one.hold("post", "C1", 30)
    one.hold("post", "C1", 5)
    await one.turn("post", "C2")
    assert time.slept == []
    await one.turn("post", "C1")
    await one.turn("post", "C1")
    assert time.now == 1030


async def test_a_hold_that_comes_while_somebody_waits_holds_that_one_as_well(time: Time) -> None:
    one = paced(time, post=Budget(60))
    await one.turn("post")
    waits = asyncio.create_task(one.turn("post"))
    await asyncio.sleep(0)
    one.hold("post", "", 20)
    await waits
    assert time.now == 1020


async def test_callers_go_in_the_order_they_came(time: Time) -> None:
    one, order = paced(time, post=Budget(60)), []

    async def call(name: int) -> None:
        await one.turn("post")
        order.append(name)

    await asyncio.gather(*(call(name) for name in range(8)))
    assert order == list(range(8))
    assert time.now == 1007


async def test_who_would_wait_too_long_is_told_for_how_long_and_uses_nothing(time: Time) -> None:
    one = paced(time, post=Budget(60))
    one.hold("post", "", 3600)
    with pytest.raises(SurfaceAway, match="held up") as told:
        await one.turn("post")
    assert told.value.retry_after == 3600
    time.now += 3600
    await one.turn("post")
    assert time.slept == []


async def test_of_updates_that_wait_only_the_newest_of_each_subject_goes(time: Time) -> None:
    one, sent = paced(time, update=Budget(60)), []
    await one.turn("update")

    async def update(subject: str, text: str) -> None:
        if await one.newest("update", "C1", subject):
            sent.append((subject, text))

    await asyncio.gather(*(update(subject, f"{n}") for n in range(5) for subject in ("m1", "m2")))
    assert sent == [("m1", "4"), ("m2", "4")]
    assert time.now == 1002


async def test_updates_that_need_not_wait_all_go(time: Time) -> None:
    one = paced(time, update=Budget(60, burst=3))
    assert [await one.newest("update", "C1", "m1") for _ in range(3)] == [True] * 3


async def test_a_caller_who_goes_away_holds_up_nobody(time: Time) -> None:
    one = paced(time, post=Budget(60))
    await one.turn("post")
    first, second = (asyncio.create_task(one.turn("post")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert time.now == 1001
    assert first.cancelled()


async def test_an_update_that_was_called_off_does_not_keep_its_subject(time: Time) -> None:
    one = paced(time, update=Budget(60))
    await one.turn("update")
    gone = asyncio.create_task(one.newest("update", "", "m1"))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait({gone})
    assert await one.newest("update", "", "m1")
    assert one._subjects == {}


async def test_places_of_long_ago_are_forgotten_but_never_one_that_is_held(time: Time) -> None:
    one = paced(time, post=Budget(60, by_place=True))
    one.hold("post", "held", 30)
    for number in range(pace.BUCKETS):
        await one.turn("post", f"{number}")
    time.now += 31
    await one.turn("post", "held")
    await one.turn("post", "new")
    assert len(one._buckets) <= pace.BUCKETS
    assert time.slept == []


async def test_who_would_rather_not_wait_is_told_how_long_it_would_be() -> None:
    now = [0.0]
    pace = Pace({"m": Budget(60, burst=2)}, Budget(60), clock=lambda: now[0])
    assert pace.wait("m") == 0
    await pace.turn("m")
    await pace.turn("m")
    assert pace.wait("m") == 1
    pace.hold("m", "", 5)
    assert pace.wait("m") == 5
    now[0] = 6
    assert pace.wait("m") == 0
