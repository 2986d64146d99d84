"""How the tables come up to date: from nothing, from what earlier versions made, and never backwards."""

import asyncio
import contextlib
import json
import sqlite3
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from agent.messages import user_text
from agent.session import SavedTurn
from bot.errors import SettingsError
from bot.store import migrate, migrated, open_store
from bot.store.migrate import VERSION_TABLE
from bot.store.opening import DRIVERS
from bot.store.sentinel import SentinelMemory
from bot.store.tables import Base
from tests.bot.store.conftest import Clock

UNVERSIONED = """
CREATE TABLE sessions (thread VARCHAR(255) NOT NULL PRIMARY KEY, created_at {moment} NOT NULL);
CREATE TABLE turns (thread VARCHAR(255) NOT NULL REFERENCES sessions (thread) ON DELETE CASCADE,
    position INTEGER NOT NULL, model VARCHAR(128) NOT NULL, messages JSON NOT NULL, PRIMARY KEY (thread, position));
CREATE TABLE seen_events (key VARCHAR(255) NOT NULL PRIMARY KEY, seen_at {moment} NOT NULL);
CREATE INDEX seen_events_by_age ON seen_events (seen_at);
CREATE TABLE reports (report_id VARCHAR(64) NOT NULL PRIMARY KEY, created_at {moment} NOT NULL, body JSON NOT NULL);
INSERT INTO sessions VALUES ('t', '2026-11-01 00:00:00.000000');
INSERT INTO turns VALUES ('t', 0, 'm', '[{{"role": "user", "content": [{{"type": "text", "text": "before"}}]}}]')
"""
"""What the first version made, before revisions were written down, and one thread in it."""


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """The address of an own database in which nothing is yet, not even a table."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres").database())
    return str(request.getfixturevalue("sqlite_url")).replace("+aiosqlite", "")


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[AsyncConnection]:
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        Path(str(address.database)).parent.mkdir(exist_ok=True)
    engine = create_async_engine(address.set(drivername=DRIVERS[address.get_backend_name()]))
    try:
        async with engine.begin() as connection:
            yield connection
    finally:
        await engine.dispose()


async def run(url: str, statements: str) -> None:
    async with connected(url) as connection:
        for statement in statements.split(";"):
            await connection.exec_driver_sql(statement)


async def test_migrations_make_exactly_the_tables_that_the_code_uses(url: str) -> None:
    def differences(connection: Connection) -> list[Any]:
        options = {"version_table": VERSION_TABLE, "compare_type": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)

    await migrated(url)
    async with connected(url) as connection:
        assert await connection.run_sync(differences) == []


async def test_a_database_from_before_revisions_keeps_what_it_holds(url: str, clock: Clock) -> None:
    moment = "TIMESTAMP WITH TIME ZONE" if url.startswith("postgres") else "DATETIME"
    await run(url, UNVERSIONED.format(moment=moment))
    async with open_store(url, clock) as store:
        await store.append("t", SavedTurn("m", (user_text("after"),)))
        texts = [turn.messages[0]["content"][0]["text"] for turn in await store.load("t")]
    assert texts == ["before", "after"]


def at_revision(revision: str) -> Callable[[Connection], None]:
    """Make the tables of an earlier version."""

    def make(connection: Connection) -> None:
        config = Config(attributes={"connection": connection, "version_table": VERSION_TABLE})
        config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
        command.upgrade(config, revision)

    return make


REMEMBERED = {"clusters": {"a": {"severity": "Critical", "scores": [["2026-11-20T02:00:00", 40.0]]}}, "opened": 1}


@pytest.mark.parametrize(
    ("body", "known"),
    [(zlib.compress(json.dumps(REMEMBERED).encode()), ["a"]), (b"no blob", None), (zlib.compress(b"{"), None)],
)
async def test_what_the_sentinel_remembered_moves_into_its_own_table(
    url: str, clock: Clock, body: bytes, known: list[str] | None
) -> None:
    moment = clock().replace(tzinfo=None)
    async with connected(url) as connection:
        await connection.run_sync(at_revision("0012"))
        await connection.execute(
            text("INSERT INTO blobs (handle, used_at, body) VALUES ('b-1', :at, :body)"), {"at": moment, "body": body}
        )
        for name, report in (("sentinel", "b-1"), ("morning", None)):
            await connection.execute(
                text("INSERT INTO patrol_runs (report_type, holder, beat_at, report) VALUES (:name, '', :at, :report)"),
                {"name": name, "at": moment, "report": report},
            )
    async with open_store(url, clock) as store:
        memory = await SentinelMemory(store.database, clock).load()
    assert (None if memory.clusters is None else list(memory.clusters)) == known
    assert memory.opened == (1 if known else 0)
    async with connected(url) as connection:
        runs = await connection.execute(text("SELECT report_type FROM patrol_runs"))
        assert runs.scalars().all() == ["morning"]


async def test_a_second_start_changes_nothing(url: str) -> None:
    assert await migrated(url) == await migrated(url)


async def test_many_processes_that_start_at_once_migrate_once(url: str) -> None:
    assert len(set(await asyncio.gather(*(migrated(url) for _ in range(6))))) == 1


async def test_on_a_new_file_the_one_that_comes_second_waits_for_the_first(tmp_path: Path) -> None:
    file = tmp_path / "starwatch.db"
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as first:
        # not yet with a write-ahead journal: the second is refused at once then, whatever its patience
        first.execute("BEGIN IMMEDIATE")
        first.execute("CREATE TABLE begun (x)")
        with structlog.testing.capture_logs() as lines:
            second = asyncio.create_task(migrated(f"sqlite:///{file}"))
            while not any("waiting for it" in line["event"] for line in lines):
                await asyncio.sleep(0.002)
                assert not second.done()
            first.execute("COMMIT")
            assert "revision" in await second


async def test_a_newer_database_stops_the_start_and_is_left_alone(url: str, clock: Clock) -> None:
    await migrated(url)
    await run(url, f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(SettingsError, match=r"STARWATCH_DATABASE_URL: .*revision '9999', unknown to this Starwatch"):
        async with open_store(url, clock):
            pass
    async with connected(url) as connection:
        assert (await connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}"))).scalars().all() == ["9999"]


async def test_a_migration_that_fails_leaves_the_database_as_it_was(url: str) -> None:
    await run(url, "CREATE TABLE usage (other INTEGER)")
    with pytest.raises(SettingsError, match="cannot be opened"):
        await migrated(url)

    async with connected(url) as connection:
        assert await connection.run_sync(lambda sync: inspect(sync).get_table_names()) == ["usage"]


async def test_a_password_is_not_shown(url: str) -> None:
    if url.startswith("postgres"):
        assert "geheim" not in await migrated(url.replace("postgres@", "postgres:geheim@"))


async def test_a_neighbour_with_its_own_alembic_is_no_hindrance(url: str) -> None:
    await run(url, "CREATE TABLE alembic_version (version_num VARCHAR(32)); INSERT INTO alembic_version VALUES ('abc')")
    assert await migrated(url) == await migrated(url)


async def test_the_file_is_written_ahead_and_keeps_foreign_keys(sqlite_url: str, clock: Clock) -> None:
    async with open_store(sqlite_url, clock):
        connection = sqlite3.connect(Path(sqlite_url.removeprefix("sqlite+aiosqlite:///")))
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.close()
