"""How many calls may pass, per person and in all: on a clock that the tests move."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mcp import Client

from mcp_server.config import WarehouseConfig
from mcp_server.door import Door
from mcp_server.errors import RateLimited
from mcp_server.limits import Allowance, Limits, Window
from mcp_server.principal import Principal
from mcp_server.server import build_server

ANN = Principal("slack", "C1", "U1")
ANN_ELSEWHERE = Principal("slack", "C2", "U1")
BOB = Principal("slack", "C1", "U2")
PATROL = Principal("patrol")


class Gate:
    def __init__(self, **allowance: float) -> None:
        self.seconds = 0.0
        self.limits = Limits(lambda: self.seconds, Allowance(**allowance))

    async def passes(self, who: Principal = ANN) -> int:
        """0 when a call may pass, else the seconds to wait."""
        try:
            async with self.limits.turn(who):
                return 0
        except RateLimited as error:
            return error.seconds


async def test_sixty_calls_a_minute_pass_and_the_next_is_told_how_long_to_wait() -> None:
    gate = Gate()
    for _ in range(60):
        assert await gate.passes() == 0
        gate.seconds += 0.5
    assert await gate.passes() == 30
    gate.seconds = 59.9
    assert await gate.passes() == 1
    gate.seconds = 60
    assert await gate.passes() == 0
    assert await gate.passes() == 1


async def test_a_person_is_one_in_all_channels_and_takes_nothing_from_others() -> None:
    gate = Gate(per_minute=2)
    assert [await gate.passes(who) for who in (ANN, ANN_ELSEWHERE, ANN, BOB)] == [0, 0, 60, 0]


async def test_a_patrol_is_not_metered_but_shares_the_limit_of_all() -> None:
    gate = Gate(per_minute=1, all_per_minute=5)
    assert [await gate.passes(PATROL) for _ in range(6)] == [0, 0, 0, 0, 0, 60]
    assert await gate.passes(BOB) == 60


async def test_refused_calls_do_not_prolong_the_wait() -> None:
    gate = Gate(per_minute=1)
    assert await gate.passes() == 0
    for second in range(1, 60):
        gate.seconds = float(second)
        assert await gate.passes() == 60 - second
    gate.seconds = 60
    assert await gate.passes() == 0


async def test_calls_at_once_wait_for_their_turn_in_order() -> None:
    gate = Gate(at_once=1)
    order: list[int] = []

    async def call(number: int) -> None:
        async with gate.limits.turn(ANN):
            order.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*(call(number) for number in range(5)))
    assert order == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("limit", ["at_once", "all_at_once"])
async def test_a_call_that_waits_too_long_for_its_turn_is_told_so(limit: str) -> None:
    gate = Gate(**{limit: 1, "patience": 0.05})
    async with gate.limits.turn(ANN):
        assert await gate.passes(ANN) == 1
        assert (await gate.passes(BOB) == 0) is (limit == "at_once")
    assert await gate.passes(ANN) == 0


async def test_a_cancelled_or_failed_call_gives_its_turn_back() -> None:
    gate = Gate(at_once=1, patience=0.05)

    async def held() -> None:
        async with gate.limits.turn(ANN):
            await asyncio.Event().wait()

    for _ in range(3):
        task = asyncio.create_task(held())
        await asyncio.sleep(0)
        waiting = asyncio.create_task(held())
        await asyncio.sleep(0)
        for one in (waiting, task):
            one.cancel()
        await asyncio.gather(task, waiting, return_exceptions=True)
    with pytest.raises(ValueError, match="inside"):
        async with gate.limits.turn(ANN):
            raise ValueError("inside")
    assert await gate.passes() == 0


async def test_names_without_number_do_not_fill_the_memory() -> None:
    gate = Gate(all_per_minute=100_000)
    async with AsyncExitStack() as busy:
        await busy.enter_async_context(gate.limits.turn(BOB))
        for number in range(3_000):
            gate.seconds += 0.1
            await gate.passes(Principal("slack", "C1", f"U{number}x"))
        assert gate.limits.users < 1_500
        gate.seconds += 3_600
        assert await gate.passes(ANN) == 0


@given(st.integers(1, 5), st.lists(st.floats(0, 50), max_size=60))
def test_no_minute_has_more_calls_than_allowed(most: int, pauses: list[float]) -> None:
    window = Window(most)
    passed: list[float] = []
    now = 0.0
    for pause in pauses:
        now += pause
        wait = window.wait(now)
        assert 0 <= wait <= 60
        if wait == 0:
            window.add(now)
            passed.append(now)
    for at in passed:
        assert sum(0 <= other - at < 60 for other in passed) <= most


@given(st.floats(0, 1e9), st.floats(0, 60, exclude_max=True))
@example(4.367752363253423, 0.0)
def test_whoever_has_to_wait_waits_some_time_and_no_more_than_a_minute(then: float, pause: float) -> None:
    window = Window(1)
    window.add(then)
    now = then + pause
    assert (window.wait(now) == 0) is (now - then >= 60)
    assert 0 <= window.wait(now) <= 60


async def test_a_call_too_many_is_an_answer_with_its_code_and_the_door_stays_well(
    config: Callable[..., WarehouseConfig],
) -> None:
    async with (
        Door(config(), allowance=Allowance(per_minute=2), clock=lambda: 100.0) as door,
        Client(build_server(door)) as client,
    ):
        ask = {"sql": "SELECT 1 AS one FROM byoc.clusters LIMIT 1"}
        answers = [await client.call_tool("read_query", ask) for _ in range(4)]
        assert [answer.is_error for answer in answers] == [False, False, True, True]
        assert answers[2].structured_content["code"] == "rate_limited"
        assert answers[2].structured_content["retry_after_seconds"] == 60
        assert answers[2].content[0].text == (
            "RATE_LIMITED: 2 calls a minute are allowed | read_query | try: wait 60 s, then ask again"
        )
        assert (await door.read("SELECT 2 AS two FROM byoc.clusters LIMIT 1")).rows == [[2]]
        assert door.metrics.snapshot().calls == {"ok": 3, "rate_limited": 2}
