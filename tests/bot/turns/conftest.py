"""Engines of every kind at work on a desk."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from bot.clock import utc_now
from bot.store import open_store
from bot.turns import LocalTurns, TurnEngine
from bot.turns.durable import DurableOptions, durable_turns, turns_address
from bot.turns.stored import StoredInbox
from tests.bot.turns.desk import Desk

Opened = Callable[..., AbstractAsyncContextManager[TurnEngine]]

QUICK = DurableOptions(poll=0.01, watch=0.05, threads=4)


@asynccontextmanager
async def durable(url: str, desk: Desk, options: DurableOptions = QUICK) -> AsyncIterator[TurnEngine]:
    """The durable engine on its own database."""
    async with open_store(url, utc_now) as store:
        inbox = StoredInbox(store.database, utc_now)
        async with durable_turns(desk, inbox, store.blobs, turns_address(url), options) as engine:
            yield engine


@asynccontextmanager
async def local(desk: Desk) -> AsyncIterator[TurnEngine]:
    """The engine of one process."""
    engine = LocalTurns(desk)
    try:
        yield engine
    finally:
        await engine.close(0)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """The address of an own database as it is before anything happened."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres").with_tables())
    return str(request.getfixturevalue("own_database"))


@pytest.fixture(params=["local", "sqlite", "postgres"])
def opened(request: pytest.FixtureRequest) -> Opened:
    """Opens an engine for a desk; each kind keeps the same contract."""
    if request.param == "local":
        return local
    if request.param == "postgres":
        address = str(request.getfixturevalue("postgres").with_tables())
    else:
        address = str(request.getfixturevalue("own_database"))
    return lambda desk: durable(address, desk)
