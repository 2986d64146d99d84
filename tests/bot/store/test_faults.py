"""A full disk, a read-only file, a torn journal, a server that goes away: nothing half-written, and words for it."""

import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.messages import user_text
from agent.session import SavedTurn
from bot.errors import SettingsError
from bot.store import Cause, Store, StoreFault, StoreUnreadable, StoreUnwritable, migrated, open_store
from tests.bot.store.conftest import Clock
from tests.fakes.postgres import Postgres

SMALL = 80 * 4096
"""Bytes: room for the tables and little more."""


def turn(text: str) -> SavedTurn:
    return SavedTurn("m", (user_text(text),))


def path_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite+aiosqlite:///"))


def integrity(path: Path) -> str:
    connection = sqlite3.connect(path)
    try:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    finally:
        connection.close()


async def fill(store: Store) -> int:
    """Add turns until nothing more fits; how many did."""
    for number in range(1_000):
        try:
            await store.append("t", turn("x" * 20_000), position=number)
        except StoreUnwritable as fault:
            assert fault.cause is Cause.FULL
            return number
    raise AssertionError("never full")


async def test_on_a_full_disk_writes_are_refused_whole_and_reads_go_on(sqlite_url: str, clock: Clock) -> None:
    async with open_store(sqlite_url, clock, most_bytes=SMALL) as store:
        kept = await fill(store)
        assert kept > 0
        assert len(await store.load("t")) == kept
        with pytest.raises(StoreUnwritable, match="no room left"):
            await store.blobs.put(list(range(100_000)))
        assert await store.knows("t")
    assert integrity(path_of(sqlite_url)) == "ok"
    async with open_store(sqlite_url, clock) as store:
        await store.append("t", turn("room again"), position=kept)
        assert len(await store.load("t")) == kept + 1


async def test_forgetting_makes_room_again(sqlite_url: str, clock: Clock) -> None:
    async with open_store(sqlite_url, clock, most_bytes=SMALL) as store:
        await fill(store)
        await store.clear("t")
        assert await fill(store) > 0


async def test_a_read_only_file_still_answers_and_says_why_it_takes_nothing(sqlite_url: str, clock: Clock) -> None:
    async with open_store(sqlite_url, clock) as store:
        await store.append("t", turn("before"))
    read_only = f"sqlite:///file:{path_of(sqlite_url)}?mode=ro&uri=true"
    async with open_store(read_only, clock) as store:
        assert await store.load("t") == [turn("before")]
        for refused in (store.first_sight("Ev1"), store.join("u"), store.append("t", turn("after"))):
            with pytest.raises(StoreUnwritable, match="may not be written to") as caught:
                await refused
            assert caught.value.cause is Cause.READ_ONLY


async def test_a_database_held_by_somebody_else_is_busy_not_broken(sqlite_url: str, clock: Clock) -> None:
    async with open_store(f"{sqlite_url}?timeout=0", clock) as store:
        await store.join("t")
        other = sqlite3.connect(path_of(sqlite_url), isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        assert await store.knows("t"), "readers do not wait for a writer"
        other.execute("ROLLBACK")
        other.close()


@pytest.mark.parametrize("torn", [1, 100, 4096, 5000])
async def test_a_journal_with_a_torn_end_loses_its_end_alone(
    sqlite_url: str, clock: Clock, tmp_path: Path, torn: int
) -> None:
    crashed = tmp_path / "crashed.db"
    async with open_store(sqlite_url, clock) as store:
        for number in range(5):
            await store.append("t", turn(f"{number}"))
        # what a machine that lost power leaves: the file and a journal whose last bytes did not arrive
        for suffix in ("", "-wal"):
            shutil.copy(f"{path_of(sqlite_url)}{suffix}", f"{crashed}{suffix}")
    with Path(f"{crashed}-wal").open("r+b") as journal:
        journal.truncate(Path(f"{crashed}-wal").stat().st_size - torn)
    async with open_store(f"sqlite:///{crashed}", clock) as store:
        texts = [saved.messages[0]["content"][0]["text"] for saved in await store.load("t")]
        assert texts == [str(number) for number in range(len(texts))]
        assert len(texts) >= 3
        await store.append("t", turn("next"))
    assert integrity(crashed) == "ok"


async def test_a_damaged_file_is_told_apart_from_an_empty_one(sqlite_url: str, clock: Clock) -> None:
    async with open_store(sqlite_url, clock) as store:
        await fill_pages(store)
    path = path_of(sqlite_url)
    with path.open("r+b") as stream:
        stream.seek(4096)
        stream.write(b"\xff" * (path.stat().st_size - 4096))
    with pytest.raises((StoreFault, SettingsError)) as caught:
        async with open_store(sqlite_url, clock) as store:
            await store.load("t")
    assert "errors of its disk" in str(caught.value) or "cannot be opened" in str(caught.value)


async def fill_pages(store: Store) -> None:
    for number in range(5):
        await store.append("t", turn("x" * 20_000), position=number)


@asynccontextmanager
async def stopped(server: Postgres) -> AsyncIterator[None]:
    """The server is away while the context is open."""
    server.stop()
    try:
        yield
    finally:
        server.start()


async def test_a_server_that_goes_away_and_comes_back_is_used_again(postgres: Postgres, clock: Clock) -> None:
    async with open_store(postgres.database(), clock) as store:
        await store.append("t", turn("before"))
        async with stopped(postgres):
            with pytest.raises(StoreUnwritable, match="cannot be reached"):
                await store.first_sight("Ev1")
            with pytest.raises(StoreUnreadable, match="cannot be reached"):
                await store.load("t")
        assert await store.first_sight("Ev1")
        assert await store.load("t") == [turn("before")]


async def test_a_server_switched_to_read_only_is_said_to_be(postgres: Postgres, clock: Clock) -> None:
    url = postgres.database()
    await migrated(url)
    async with open_store(f"{url}?options=-c%20default_transaction_read_only%3Don", clock) as store:
        with pytest.raises(StoreUnwritable, match="may not be written to"):
            await store.join("t")
        assert not await store.knows("t")


@pytest.mark.parametrize("cause", list(Cause))
def test_the_words_for_a_channel_name_no_address_and_no_statement(cause: Cause) -> None:
    for fault in (StoreUnwritable(cause), StoreUnreadable(cause)):
        words = str(fault)
        assert words.endswith(".")
        assert words.count(":") == 1
        assert "sqlite" not in words.lower()
        assert "postgres" not in words.lower()
