"""Shared transactions: each piece as if it were alone, many in one commit, and words for what goes wrong."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, event, func, insert, select

from bot.store import StoreUnreadable, StoreUnwritable, open_store
from bot.store.database import Database
from bot.store.tables import SeenRow
from tests.bot.store.conftest import MOMENT, Clock
from tests.bot.store.test_faults import stopped
from tests.fakes.postgres import Postgres


class Refused(Exception):
    """A piece of work that changes its mind."""


def keep(key: str) -> Any:
    def piece(connection: Connection) -> str:
        connection.execute(insert(SeenRow), {"key": key, "seen_at": MOMENT})
        return key

    return piece


def refuse(connection: Connection) -> None:
    keep("refused")(connection)
    raise Refused


def count(connection: Connection) -> int:
    return connection.scalars(select(func.count()).select_from(SeenRow)).one()


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    async with open_store(url, Clock()) as store:
        yield store.database


async def test_pieces_that_come_together_are_committed_together(url: str) -> None:
    commits: list[Any] = []
    async with opened(url) as database:
        event.listen(database.plain, "commit", commits.append)
        kept = await asyncio.gather(*(database.write(keep(f"k{n}")) for n in range(50)))
        assert kept == [f"k{n}" for n in range(50)]
        assert await database.read(count) == 50
    assert 1 <= len(commits) < 10


async def test_a_piece_that_fails_fails_alone_and_leaves_nothing(url: str) -> None:
    async with opened(url) as database:
        works = [keep("a"), refuse, keep("b"), keep("a")]
        outcomes = await asyncio.gather(*map(database.write, works), return_exceptions=True)
        assert outcomes[0] == "a"
        assert isinstance(outcomes[1], Refused)
        assert outcomes[2] == "b"
        assert "IntegrityError" in type(outcomes[3]).__name__
        assert await database.read(count) == 2


async def test_pieces_are_run_in_the_order_in_which_they_were_given(url: str) -> None:
    async with opened(url) as database:
        counts = await asyncio.gather(*(database.write(work) for n in range(20) for work in (keep(f"k{n}"), count)))
    assert counts[1::2] == list(range(1, 21))


async def test_who_is_cancelled_while_waiting_does_not_disturb_the_others(url: str) -> None:
    async with opened(url) as database:
        first, second = (asyncio.create_task(database.write(keep(key))) for key in ("a", "b"))
        await asyncio.sleep(0)
        first.cancel()
        assert await second == "b"
        with pytest.raises(asyncio.CancelledError):
            await first


async def test_a_session_of_its_own_and_shared_pieces_take_turns(url: str) -> None:
    async with open_store(url, Clock()) as store:
        sights = await asyncio.gather(
            *(work for n in range(20) for work in (store.first_sight(f"s{n}"), store.database.write(keep(f"k{n}"))))
        )
        assert sights[::2] == [True] * 20
        assert await store.database.read(count) == 40


async def test_what_is_asked_of_a_closed_store_is_refused(url: str) -> None:
    async with opened(url) as database:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        await database.write(count)


async def test_shared_pieces_survive_a_server_that_goes_away(postgres: Postgres) -> None:
    async with opened(postgres.database()) as database:
        await database.write(keep("before"))
        async with stopped(postgres):
            with pytest.raises(StoreUnwritable, match="cannot be reached"):
                await database.write(keep("meanwhile"))
            with pytest.raises(StoreUnreadable, match="cannot be reached"):
                await database.read(count)
        await database.write(keep("after"))
        assert await database.read(count) == 2


async def test_a_connection_that_was_lost_while_it_rested_costs_one_more_try_and_nobody_notices(
    postgres: Postgres,
) -> None:
    address = postgres.database()
    async with opened(address) as database:
        await database.write(keep("before"))
        assert await database.read(count) == 1
        ours = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        with psycopg.connect(address, autocommit=True) as connection:
            ended = connection.execute(f"{ours} AND pid <> pg_backend_pid()").fetchall()
        assert len(ended) >= 2
        assert await database.write(keep("after")) == "after"
        assert await database.read(count) == 2


async def test_a_connection_that_is_lost_in_the_midst_of_a_piece_makes_it_be_done_again_whole(
    postgres: Postgres,
) -> None:
    tries: list[int] = []

    def cut_off(connection: Connection) -> int:
        tries.append(count(connection))
        keep("cut off")(connection)
        if len(tries) == 1:
            connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
        return count(connection)

    async with opened(postgres.database()) as database:
        assert await database.write(cut_off) == 1
    assert tries == [0, 0]


async def test_a_connection_that_is_lost_each_time_is_a_fault_of_the_database(postgres: Postgres) -> None:
    tries: list[None] = []

    def cut_off(connection: Connection) -> None:
        tries.append(None)
        connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    async with opened(postgres.database()) as database:
        with pytest.raises(StoreUnwritable, match="cannot be reached"):
            await database.write(cut_off)
        await database.write(keep("after"))
    assert len(tries) == 2
