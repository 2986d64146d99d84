"""What DBOS does to the loop that it runs in ends with it: others still have to write, read and look up names there."""

import asyncio
import threading

import pytest
from dbos import DBOS

from bot.errors import OperatorError
from tests.bot.turns.conftest import QUICK, durable
from tests.bot.turns.desk import Desk


async def used() -> None:
    """What DBOS is asked first takes the loop's executor."""
    await DBOS.list_workflows_async(status="PENDING", limit=1)


async def test_threads_are_to_be_had_before_during_and_after_the_turns(sqlite_url: str) -> None:
    url = sqlite_url.replace("+aiosqlite", "")
    for _ in range(2):
        async with durable(url, Desk(), QUICK):
            await used()
            assert await asyncio.to_thread(threading.get_ident) != threading.get_ident()
        assert await asyncio.to_thread(threading.get_ident) != threading.get_ident()
        assert await asyncio.get_running_loop().getaddrinfo("127.0.0.1", 80)


async def test_threads_are_to_be_had_after_turns_that_were_cut_off_by_a_fault(sqlite_url: str) -> None:
    with pytest.raises(KeyError):
        async with durable(sqlite_url.replace("+aiosqlite", ""), Desk(), QUICK):
            await used()
            raise KeyError("boom")
    assert await asyncio.to_thread(threading.get_ident) != threading.get_ident()


async def test_threads_are_to_be_had_after_turns_that_never_came_up(sqlite_url: str) -> None:
    url = sqlite_url.replace("+aiosqlite", "")
    async with durable(url, Desk(), QUICK):
        await used()
        with pytest.raises(OperatorError):
            async with durable(url, Desk(), QUICK):
                pass
        assert await asyncio.to_thread(threading.get_ident) != threading.get_ident()
    assert await asyncio.to_thread(threading.get_ident) != threading.get_ident()
