"""Several processes on one database: each turn in one of them, a dead one's turns in another."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from sqlalchemy import create_engine

from bot.clock import utc_now
from bot.store import open_store
from bot.turns import Stopped
from bot.turns.durable import turns_address
from tests.bot.turns.conftest import QUICK, durable
from tests.bot.turns.desk import Desk, question, settle
from tests.fakes.postgres import Postgres

LIMIT = "SHOW idle_in_transaction_session_timeout"
MINE = replace(QUICK, executor="mine")


@asynccontextmanager
async def replica(url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Another process that has begun a turn in thread t1."""
    words = ("-m", "tests.bot.turns.replica", url, "theirs")
    process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            assert await process.stdout.readline() == b"begun\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_the_turns_of_a_killed_process_are_taken_over_in_order(url: str) -> None:
    desk = Desk()
    desk.open = True
    async with replica(url) as other, durable(url, desk, MINE) as turns:
        assert not await turns.submit(question("a"))
        other.kill()
        await other.wait()
        await settle(lambda: "-b" in desk.log)
        assert desk.turns["a"].repeated
    assert desk.log == ["+a", "-a", "+b", "-b"]


async def test_a_turn_of_another_process_is_stopped_from_here(url: str) -> None:
    desk = Desk()
    async with replica(url) as other, durable(url, desk, MINE) as turns:
        assert await turns.stop("t1") == Stopped(running=1, waiting=1)
        assert other.stdout is not None
        async with asyncio.timeout(60):
            assert await other.stdout.readline() == b"stopped\n"
    assert desk.log == []


async def test_a_transaction_that_a_frozen_process_holds_is_ended_by_the_database(postgres: Postgres) -> None:
    url = postgres.database()
    async with open_store(url, utc_now) as store:
        ours = await store.database.read(lambda c: c.exec_driver_sql(LIMIT).scalar_one())
    queue = create_engine(turns_address(url).set(drivername="postgresql+psycopg"))
    with queue.connect() as connection:
        theirs = connection.exec_driver_sql(LIMIT).scalar_one()
    queue.dispose()
    assert (ours, theirs) == ("8s", "8s")
