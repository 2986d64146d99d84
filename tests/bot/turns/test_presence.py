"""Signs of life in Postgres: who gives none is taken for dead, and who lost its session says again that it lives."""

import asyncio
from contextlib import AsyncExitStack

import psycopg

from bot.turns.presence import PostgresPresence
from tests.fakes.postgres import Postgres


async def opened(stack: AsyncExitStack, address: str, executor: str, silent: float) -> PostgresPresence:
    presence = PostgresPresence(address, executor, silent)
    await presence.connect()
    stack.push_async_callback(presence.close)
    return presence


async def test_who_gives_no_sign_of_life_loses_its_lock_and_who_gives_some_keeps_it(postgres: Postgres) -> None:
    address = postgres.database()
    async with AsyncExitStack() as stack:
        frozen = await opened(stack, address, "one", 3600)
        assert await frozen.take("one")
        patient, impatient = [await opened(stack, address, "two", silent) for silent in (3600, 0)]
        assert not await patient.take("one")
        assert not await patient.take("one")
        assert not await impatient.take("one")
        async with asyncio.timeout(60):
            while not await patient.take("one"):
                await asyncio.sleep(0.01)


async def test_a_lost_session_is_made_anew_and_the_lock_is_taken_again_when_it_is_free(postgres: Postgres) -> None:
    address = postgres.database()
    async with AsyncExitStack() as stack:
        mine = await opened(stack, address, "one", 3600)
        assert await mine.take("one")
        other = await opened(stack, address, "two", 3600)
        await terminated(address)
        other = await opened(stack, address, "two", 3600)
        async with asyncio.timeout(60):
            while not await other.take("one"):
                await asyncio.sleep(0.01)
        living = asyncio.create_task(mine.live(0.01))
        await asyncio.sleep(0.05)  # it finds the lock taken, and looks again
        await other.give_back("one")
        async with asyncio.timeout(60):
            while await other.take("one"):
                await other.give_back("one")
                await asyncio.sleep(0.05)
        living.cancel()
        await asyncio.wait({living})


async def terminated(address: str) -> None:
    """End every other session of the database, as a restart of the server does."""
    async with await psycopg.AsyncConnection.connect(address, autocommit=True) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
