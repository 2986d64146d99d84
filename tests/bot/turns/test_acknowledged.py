"""What was acknowledged is kept, whatever dies: on a server that is set up as an operator's, with nothing relaxed."""

import asyncio
from collections.abc import Iterator

import pytest

from bot.clock import utc_now
from bot.store import StoreUnwritable, open_store
from bot.turns.inbox import Sight
from bot.turns.stored import StoredInbox
from tests.bot.turns.desk import question
from tests.fakes import postgres

CROWD, BEFORE = 120, 40


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Postgres]:
    with postgres.running(durable=True) as running:
        yield running


async def test_events_acknowledged_before_the_server_died_are_there_when_it_is_back(server: postgres.Postgres) -> None:
    url, acknowledged, enough = server.database(), set[str](), asyncio.Event()

    async def take_in(inbox: StoredInbox, key: str) -> None:
        assert await inbox.put(question(key, f"thread of {key}")) is Sight.NEW
        acknowledged.add(key)
        if len(acknowledged) == BEFORE:
            enough.set()

    async def one_after_the_other(inbox: StoredInbox, lane: int) -> None:
        for number in range(CROWD):
            await take_in(inbox, f"k{lane}-{number:03d}")

    async with open_store(url, utc_now) as store:
        inbox = StoredInbox(store.database, utc_now)
        taking = [asyncio.create_task(one_after_the_other(inbox, lane)) for lane in range(4)]
        await enough.wait()
        await asyncio.to_thread(server.crash)
        outcomes = await asyncio.gather(*taking, return_exceptions=True)
    # every one of them was in the midst of it, or had acknowledged all before the server died
    assert all(outcome is None or isinstance(outcome, StoreUnwritable) for outcome in outcomes)
    server.start()
    async with open_store(url, utc_now) as store:
        inbox = StoredInbox(store.database, utc_now)
        sights = [await inbox.put(question(key, f"thread of {key}")) for key in sorted(acknowledged)]
    assert len(sights) >= BEFORE
    assert set(sights) == {Sight.WAITING}


async def test_nothing_of_ours_relaxes_what_the_server_promises(server: postgres.Postgres) -> None:
    async with open_store(server.database(), utc_now) as store:
        for name in ("synchronous_commit", "fsync", "full_page_writes"):
            statement = f"SHOW {name}"
            told = await store.database.write(lambda c, statement=statement: c.exec_driver_sql(statement).scalar_one())  # type: ignore[misc]
            assert told == "on", name
