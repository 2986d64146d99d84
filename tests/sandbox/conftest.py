"""A small engine behind a real socket, and clients that are closed after each test."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import aiomysql
import pytest
from pydantic import SecretStr

import schema
from sandbox.accounts import READER, WRITER, Account
from sandbox.engine import Engine, open_engine
from sandbox.server import serving

ADMIN = Account("root", SecretStr("root"), administers=True)
HOURS = (
    "SELECT TIMESTAMP '2026-01-01 00:00:00' + to_hours(CAST(i AS INTEGER)), 'aorpc2fr3', 'c' || (i % 3), "
    "'qps', i, i, i, i, 60, i"
)
Connect = Callable[..., Awaitable[aiomysql.Connection]]


def small_engine() -> Engine:
    """The real schema with 3,000 hourly rows of three clusters."""
    engine = open_engine((READER, WRITER, ADMIN))
    for statement in schema.statements():
        engine.define(statement)
    engine.connection.execute(f"INSERT INTO metrics.amv_hourly_snapshots_v1 {HOURS} FROM range(3000) t(i)")
    return engine


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """One engine for all tests that only read."""
    opened = small_engine()
    yield opened
    opened.close()


@pytest.fixture
def own_engine() -> Iterator[Engine]:
    """An engine that the test may change."""
    opened = small_engine()
    yield opened
    opened.close()


@pytest.fixture
async def port(engine: Engine) -> AsyncIterator[int]:
    """The port of a server in front of the shared engine."""
    async with serving(engine) as bound:
        yield bound


@pytest.fixture
async def own_port(own_engine: Engine) -> AsyncIterator[int]:
    """The port of a server in front of the test's own engine."""
    async with serving(own_engine) as bound:
        yield bound


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Opens aiomysql connections as reader, unless told otherwise; all are closed at the end."""
    async with AsyncExitStack() as opened:

        async def open_one(port: int, user: str = "reader", password: str | None = None, **more: Any) -> Any:
            connection = await aiomysql.connect(
                host="127.0.0.1", port=port, user=user, password=user if password is None else password, **more
            )
            opened.callback(connection.close)
            return connection

        yield open_one


async def rows(connection: Any, sql: str, arguments: Any = None) -> list[tuple[Any, ...]]:
    """All rows of one statement."""
    async with connection.cursor() as cursor:
        await cursor.execute(sql, arguments)
        return list(await cursor.fetchall())
