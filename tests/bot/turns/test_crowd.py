"""More than there is room for: who waits learns the place, beyond a limit and at the end events are refused in time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert

from bot.clock import utc_now
from bot.store import open_store
from bot.store.tables import InboxRow
from bot.turns import LocalTurns, TurnEngine, TurnsFull
from bot.turns.codec import event_json
from bot.turns.inbox import MemoryInbox, State
from bot.turns.port import MAX_WAITING
from tests.bot.turns.conftest import QUICK, durable
from tests.bot.turns.desk import Desk, question, settle

ROOM = 2
EARLIER = datetime(2026, 11, 20, tzinfo=UTC)
Small = Callable[[Desk, int], AbstractAsyncContextManager[TurnEngine]]


@pytest.fixture(params=["local", "durable"])
def small(request: pytest.FixtureRequest, sqlite_url: str) -> Small:
    """Opens an engine with room for two turns, and so many events that wait already."""
    url = sqlite_url.replace("+aiosqlite", "")

    @asynccontextmanager
    async def local(desk: Desk, waiting: int) -> AsyncIterator[TurnEngine]:
        inbox = MemoryInbox()
        for number in range(waiting):
            await inbox.put(question(f"w{number:05d}", f"thread {number}"))
        engine = LocalTurns(desk, inbox, max_running=ROOM)
        yield engine
        await engine.close(0)

    @asynccontextmanager
    async def stored(desk: Desk, waiting: int) -> AsyncIterator[TurnEngine]:
        await fill(url, waiting)
        async with durable(url, desk, replace(QUICK, max_running=ROOM)) as engine:
            if waiting:
                await settle(lambda: len(desk.log) == ROOM)
            yield engine

    return local if request.param == "local" else stored


async def fill(url: str, waiting: int) -> None:
    """Events as an earlier process left them."""
    asked = (question(f"w{number:05d}", f"thread {number}") for number in range(waiting))
    common = {"state": State.WAITING, "attempts": 0, "received_at": EARLIER, "changed_at": EARLIER}
    rows = [{"key": q.key, "lane": q.thread, "place": q.order, "event": event_json(q), **common} for q in asked]
    async with open_store(url, utc_now) as store:
        if rows:
            await store.database.write(lambda connection: connection.execute(insert(InboxRow), rows))


async def test_who_has_to_wait_for_room_learns_the_place_in_the_queue(small: Small) -> None:
    desk = Desk()
    async with small(desk, 0) as turns:
        places = []
        for key in "abcde":
            await turns.submit(question(key, f"thread of {key}"))
            places.append(turns.ahead(question(key, f"thread of {key}")))
        await settle(lambda: len(desk.log) == ROOM)
        await turns.submit(question("a2", "thread of a"))
        assert turns.ahead(question("z", "nobody's thread")) == 0
    assert places == [0, 0, 1, 2, 3]


async def test_beyond_the_most_that_may_wait_events_are_refused_to_be_delivered_again(small: Small) -> None:
    desk = Desk()
    async with small(desk, MAX_WAITING + ROOM) as turns:
        with pytest.raises(TurnsFull, match="too much to do"):
            await turns.submit(question("one too many"))
    assert "+one too many" not in desk.log


async def test_an_event_that_comes_while_the_process_closes_is_refused_and_what_runs_is_finished(small: Small) -> None:
    desk = Desk()
    async with small(desk, 0) as turns:
        await turns.submit(question("a"))
        await settle(lambda: desk.log == ["+a"])
        closing = asyncio.create_task(turns.close(30))
        await asyncio.sleep(0)
        for late in (question("b"), question("c", "t2")):
            with pytest.raises(TurnsFull):
                await turns.submit(late)
        desk.let("a", "b", "c")
        assert await closing == 0
    assert desk.log == ["+a", "-a"]
