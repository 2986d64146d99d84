"""Opens our own database at an address, brings its tables up to date, and says in one line why it cannot."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.clock import Now
from bot.errors import SettingsError
from bot.store import migrate
from bot.store.database import Database
from bot.store.errors import Cause, cause_of
from bot.store.store import Store

log = structlog.get_logger()

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
"""What an address may begin with, and the driver that is used for it."""
MOST_BYTES = 4 * 2**30
"""The size that our own SQLite file may reach; beyond it new work is refused rather than the host's disk filled."""
PATIENCE = 10.0
"""Seconds that a process waits for others that begin on the same new file."""

_PAGE = 4096
_POSTGRES: dict[str, Any] = {
    "pool_size": 8,
    "pool_timeout": 10,
    "pool_pre_ping": True,
}
FROZEN = "-cidle_in_transaction_session_timeout=8000"
"""Ends the transaction of a process that was frozen in the midst of it, whose locks would hold all others up."""
_POSTGRES_CONNECTION = {"connect_timeout": "5", "options": f"-c statement_timeout=10000 -c lock_timeout=5000 {FROZEN}"}
"""What an address says itself goes before these."""


@asynccontextmanager
async def open_store(url: str, now: Now, *, most_bytes: int = MOST_BYTES) -> AsyncIterator[Store]:
    """The store at a SQLite or Postgres address, its tables made or brought up to date.

    Raises SettingsError when the address cannot be used, or holds tables of a newer Starwatch.
    """
    async with _opened(url, most_bytes) as (engine, _):
        store = Store(Database(engine, _plain(engine.url, most_bytes)), now)
        try:
            yield store
        finally:
            store.blobs.close()
            await store.database.close()


async def migrated(url: str) -> str:
    """Bring the tables up to date; says in words which database is at which revision. Raises SettingsError."""
    async with _opened(url, MOST_BYTES) as (engine, revision):
        return f"{_shown(engine)} is at revision {revision}"


@asynccontextmanager
async def _opened(url: str, most_bytes: int) -> AsyncIterator[tuple[AsyncEngine, str]]:
    engine = _engine(url, most_bytes)
    try:
        revision = await _prepare(engine)
        yield engine, revision
    finally:
        await engine.dispose()


def _engine(url: str, most_bytes: int) -> AsyncEngine:
    try:
        address = make_url(url)
        driver = DRIVERS[address.get_backend_name()]
        if address.drivername not in DRIVERS and address.drivername != driver:
            raise KeyError(address.drivername)
        address = address.set(drivername=driver)
        if driver == DRIVERS["sqlite"]:
            _make_folder(address)
            # sessions end their transactions themselves; the pool's own rollback would be one more trip to its thread
            engine = create_async_engine(address, pool_reset_on_return=None)
        else:
            engine = create_async_engine(address.set(query={**_POSTGRES_CONNECTION, **address.query}), **_POSTGRES)
    except (SQLAlchemyError, ImportError, OSError, KeyError) as error:
        raise SettingsError(
            f"STARWATCH_DATABASE_URL: cannot be used ({type(error).__name__}); name an address such as "
            "sqlite:////path/starwatch.db or postgresql://user:password@host/database"
        ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _pragmas(most_bytes))
    return engine


def _plain(address: URL, most_bytes: int) -> Engine:
    """The same database for a thread of its own."""
    if address.get_backend_name() != "sqlite":
        # its only user ends its transactions itself and tries again on a lost connection: no trips to ask or tidy up
        return create_engine(address, **_POSTGRES | {"pool_pre_ping": False, "pool_reset_on_return": None})
    engine = create_engine(address.set(drivername="sqlite"), pool_reset_on_return=None)
    event.listen(engine, "connect", _pragmas(most_bytes))
    return engine


def _make_folder(address: URL) -> None:
    database = address.database or ""
    if database not in {"", ":memory:"} and not database.startswith("file:"):
        Path(database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)


def _pragmas(most_bytes: int) -> Any:
    pragmas = (
        "busy_timeout=10000",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"max_page_count={most_bytes // _PAGE}",
    )

    def connected(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return connected


async def _prepare(engine: AsyncEngine) -> str:
    try:
        return await _prepared(engine)
    except (SQLAlchemyError, OSError) as error:
        raise SettingsError(
            f"STARWATCH_DATABASE_URL: {_shown(engine)} cannot be opened "
            f"({type(error).__name__}); check the path, its permissions and the disk, or the server and the account"
        ) from None


async def _prepared(engine: AsyncEngine) -> str:
    """The revision, once the tables are at it. SQLite does not wait for who is about to write where a file is to get
    its write-ahead journal, so several processes that begin on a new file are made to wait here."""
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE
    while True:
        try:
            return await _upgraded(engine)
        except DBAPIError as error:
            if cause_of(error) is not Cause.BUSY or loop.time() > until:
                raise
        log.info("another process has just begun on our own database; waiting for it")
        await asyncio.sleep(0.05)


async def _upgraded(engine: AsyncEngine) -> str:
    async with engine.connect() as connection:
        if await connection.run_sync(migrate.is_newest):
            return str(await connection.run_sync(migrate.current))
    async with engine.begin() as connection:
        return await connection.run_sync(migrate.upgrade)


def _shown(engine: AsyncEngine) -> str:
    return engine.url.set(query={}).render_as_string(hide_password=True)
