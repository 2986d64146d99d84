"""Whatever the network does, a call ends with a code, nothing is left running, and the next call is served."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from mcp_server.config import WarehouseConfig
from mcp_server.errors import Code, WarehouseError
from mcp_server.executor import Executor
from mcp_server.metrics import Count, Metrics
from sandbox.launch import Endpoint
from tests.fakes.mysql_proxy import FAIR, MysqlProxy, Weather, proxy
from tests.machine import on_this_machine
from tests.mcp_server.test_executor import ENDLESS, MANY, until_running

Configs = Callable[..., WarehouseConfig]

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ROWS = f"{MANY} LIMIT 200"


class Hands:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def clock(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)


class Line:
    """An executor behind a proxy, its metrics and its clock."""

    def __init__(self, way: MysqlProxy, config: WarehouseConfig) -> None:
        self.way = way
        self.hands = Hands()
        self.metrics = Metrics()
        self.executor = Executor(config, self.metrics, clock=self.hands.clock, now=self.hands.now)

    def count(self, what: Count) -> int:
        return self.metrics.snapshot().counts[what]

    async def until_heard(self, words: bytes) -> None:
        async with asyncio.timeout(40):
            while words not in self.way.sent:
                await asyncio.sleep(0)

    async def until_accepted(self, count: int) -> None:
        async with asyncio.timeout(40):
            while self.way.accepted < count:
                await asyncio.sleep(0)

    async def answers(self) -> bool:
        return (await self.executor.fetch("SELECT 1", max_rows=1)).rows == [[1]]

    async def fails(self, sql: str = "SELECT 1") -> WarehouseError:
        with pytest.raises(WarehouseError) as caught:
            await self.executor.fetch(sql, max_rows=500)
        return caught.value


Lines = Callable[..., AbstractAsyncContextManager[Line]]


def in_a_hurry(at_once: int = 1) -> dict[str, float]:
    """Limits that run out soon, and leave time for what goes well, `at_once` times at once."""
    moment = on_this_machine(max(0.2, 0.02 * at_once))
    return {"timeout_seconds": moment, "connect_seconds": moment}


@pytest.fixture
def line(config: Configs, known_warehouse: Endpoint) -> Lines:
    """Opens an executor behind a proxy of the known warehouse."""

    @asynccontextmanager
    async def opened(**settings: object) -> AsyncIterator[Line]:
        async with proxy(known_warehouse) as way:
            made = Line(way, config(port=way.port, **settings))
            async with made.executor:
                yield made

    return opened


BAD = [
    Weather(ends_after=30),
    Weather(ends_after=30, resets=True),
    Weather(ends_after=400),
    Weather(ends_after=2_000, resets=True),
    Weather(silent_after=0),
    Weather(silent_after=30),
    Weather(silent_after=2_000),
    Weather(garbles_after=0),
    Weather(garbles_after=200),
    Weather(garbles_after=2_000),
]


@pytest.mark.parametrize("weather", BAD, ids=str)
async def test_bad_weather_ends_in_a_code_and_the_next_call_is_served(line: Lines, weather: Weather) -> None:
    async with line(**in_a_hurry(), pool_size=1) as there:
        there.way.weather = weather
        error = await there.fails(ROWS)
        assert error.code in {Code.UNAVAILABLE, Code.TIMEOUT, Code.EXECUTION}
        assert str(there.way.port) not in error.text()
        there.way.weather = FAIR
        assert len((await there.executor.fetch(ROWS, max_rows=500)).rows) == 200


async def test_one_wrong_bit_anywhere_ends_in_an_answer_or_a_code(config: Configs, known_warehouse: Endpoint) -> None:
    async def ask(place: int) -> None:
        async with proxy(known_warehouse, seed=place) as way:
            way.weather = Weather(flips_at=place)
            there = Line(way, config(port=way.port, **in_a_hurry(20)))
            async with there.executor:
                with suppress(WarehouseError):
                    await there.executor.fetch("SELECT biz_id, created_at, deleted, 1.5 FROM byoc.clusters", max_rows=9)
                way.weather = FAIR
                assert await there.answers()

    for start in range(0, 600, 120):
        await asyncio.gather(*(ask(place) for place in range(start, start + 120, 6)))


@pytest.mark.parametrize("slices", [1, 7, 300])
async def test_a_result_in_slices_is_whole(line: Lines, slices: int) -> None:
    async with line() as there:
        expected = (await there.executor.fetch(f"{MANY} ORDER BY message LIMIT 50", max_rows=50)).rows
        there.way.cut()
        there.way.weather = Weather(slices=slices)
        assert (await there.executor.fetch(f"{MANY} ORDER BY message LIMIT 50", max_rows=50)).rows == expected
        assert there.count(Count.RETRIED) == 1


async def test_a_slow_warehouse_is_waited_for_within_the_time_limit(line: Lines) -> None:
    async with line() as there:
        there.way.weather = Weather(delay=0.02)
        assert await there.answers()
        assert there.count(Count.RETRIED) == 0


async def test_a_warehouse_that_falls_silent_mid_result_is_killed_and_given_up(line: Lines, config: Configs) -> None:
    async with Executor(config()) as watcher, line(**in_a_hurry()) as there:
        assert await there.answers()
        there.way.fall_silent()
        error = await there.fails(ENDLESS)
        assert error.code is Code.TIMEOUT
        await until_running(watcher, 0)
        assert await there.answers()


async def test_all_connections_that_died_at_rest_cost_one_retry(line: Lines) -> None:
    async with line() as there:
        pause = "SELECT COUNT(*) FROM TABLE(generate_series(1, 3000000)) AS t"
        await asyncio.gather(*(there.executor.fetch(pause, max_rows=1) for _ in range(4)))
        assert there.way.reset() >= 2
        assert await there.answers()
        assert there.count(Count.RETRIED) == 1


async def test_a_half_open_connection_at_rest_is_found_by_a_ping(line: Lines) -> None:
    async with line(**in_a_hurry(), idle_seconds=0) as there:
        assert await there.answers()
        assert there.way.fall_silent() == 1
        assert await there.answers()
        assert (there.count(Count.STALE), there.count(Count.RETRIED)) == (1, 0)


async def test_a_retry_ends_with_the_time_of_the_first_attempt(line: Lines) -> None:
    async with line(timeout_seconds=on_this_machine(0.5)) as there:
        call = asyncio.create_task(there.fails(ENDLESS))
        await there.until_heard(b"endless")
        there.way.reset()
        assert (await call).code is Code.TIMEOUT
        assert there.count(Count.RETRIED) == there.count(Count.KILLED_TIMEOUT) == 1


async def test_five_failed_connections_open_the_breaker_and_then_nobody_connects(line: Lines) -> None:
    async with line() as there:
        there.way.connected = False
        for number in range(5):
            there.hands.seconds = float(number)
            assert (await there.fails()).code is Code.UNAVAILABLE
        tried = there.way.accepted
        error = await there.fails()
        assert there.way.accepted == tried == 5
        assert error.code is Code.UNAVAILABLE
        assert "since 2026-03-01 12:00:00 UTC" in error.text()
        assert "tried again in 5 s" in error.text()
        assert there.count(Count.NOT_TRIED) == 1


async def test_one_caller_tries_again_and_its_success_lets_all_in(line: Lines) -> None:
    async with line() as there:
        there.way.connected = False
        for _ in range(5):
            await there.fails()
        there.hands.seconds = 6
        await there.fails()
        assert there.way.accepted == 6
        there.hands.seconds = 12
        assert "tried again in 4 s" in (await there.fails()).text()
        there.way.connected = True
        there.hands.seconds = 17
        assert await there.answers()
        assert there.executor.breaker.health().state == "closed"


async def test_while_one_caller_tries_the_others_are_told_so(line: Lines) -> None:
    async with line() as there:
        there.way.connected = False
        for _ in range(5):
            await there.fails()
        there.hands.seconds = 6
        there.way.connected, there.way.weather = True, Weather(delay=0.05)
        probe = asyncio.create_task(there.executor.fetch("SELECT 1", max_rows=1))
        await there.until_accepted(6)
        assert "being tried at this moment" in (await there.fails()).text()
        assert (await probe).rows == [[1]]
        assert await there.answers()


async def test_a_cancelled_probe_leaves_the_next_caller_to_try(line: Lines) -> None:
    async with line(connect_seconds=5) as there:
        there.way.connected = False
        for _ in range(5):
            await there.fails()
        there.hands.seconds = 6
        there.way.connected, there.way.weather = True, Weather(silent_after=0)
        probe = asyncio.create_task(there.executor.fetch("SELECT 1", max_rows=1))
        await there.until_accepted(6)
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)
        there.way.weather = FAIR
        assert await there.answers()


async def test_a_wrong_password_opens_the_breaker_before_it_locks_the_account(line: Lines) -> None:
    async with line(password=SecretStr("wrong")) as there:
        for _ in range(8):
            assert (await there.fails()).code is Code.UNAVAILABLE
        assert there.way.accepted == 5


async def test_a_warehouse_that_resets_every_statement_opens_the_breaker(line: Lines) -> None:
    async with line() as there:
        # Enough to log in, too little for the rows.
        there.way.weather = Weather(ends_after=1_200, resets=True)
        for _ in range(5):
            assert (await there.fails(ROWS)).code is Code.UNAVAILABLE
        assert there.executor.breaker.health().state == "open"


async def test_open_connections_are_used_while_no_new_ones_can_be_had(line: Lines) -> None:
    async with line() as there:
        assert await there.answers()
        there.way.connected = False
        slow = "SELECT COUNT(*) FROM TABLE(generate_series(1, 3000000)) AS t"
        calls = (there.executor.fetch(slow, max_rows=1) for _ in range(6))
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert sum(isinstance(result, WarehouseError) for result in results) == 5
        assert there.executor.breaker.health().state == "open"
        assert await there.answers()


async def test_errors_of_statements_do_not_open_the_breaker(line: Lines) -> None:
    async with line() as there:
        for _ in range(8):
            assert (await there.fails("SELECT nothing FROM byoc.clusters")).code is Code.UNKNOWN_COLUMN
        assert there.executor.breaker.health().state == "closed"
        assert there.way.accepted == 1


async def test_kills_are_counted_by_their_reason(line: Lines, config: Configs) -> None:
    async with Executor(config()) as watcher, line() as there:
        await there.executor.fetch(MANY, max_rows=10)
        call = asyncio.create_task(there.executor.fetch(ENDLESS, max_rows=1))
        await until_running(watcher, 1)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        await until_running(watcher, 0)
        assert [there.count(what) for what in (Count.KILLED_CUT, Count.KILLED_CANCELLED, Count.CUT_ROWS)] == [1, 1, 1]
        assert there.count(Count.ROWS) == 10


async def test_a_kill_that_comes_too_late_is_no_failure(line: Lines) -> None:
    async with line(**in_a_hurry()) as there:
        for _ in range(3):
            await there.fails(ENDLESS)
        assert (there.count(Count.KILLED_TIMEOUT), there.count(Count.NOT_KILLED)) == (3, 0)


async def test_a_kill_that_cannot_be_sent_is_counted_and_does_not_fail_the_answer(line: Lines) -> None:
    async with line(**in_a_hurry()) as there:
        assert await there.answers()
        there.way.connected = False
        assert (await there.fails(ENDLESS)).code is Code.TIMEOUT
        assert there.count(Count.NOT_KILLED) == 1
