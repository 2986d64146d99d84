"""Shared transactions: each piece as if it were alone, many in one commit, and words for what goes wrong."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

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
