"""Starwatch's own database: what was said, what was seen, what was reported; all of it survives a restart."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.messages import user_text
from bot.errors import SettingsError
from bot.store import SEEN_FOR, open_store

MOMENT = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


def at_three() -> datetime:
    return MOMENT


async def test_a_history_comes_back_in_order_after_a_restart(sqlite_url: str) -> None:
    answer = {
        "role": "assistant",
        "content": [{"type": "tool_use", "id": "t1", "name": "x", "input": {"a": [1, None]}}],
    }
    async with open_store(sqlite_url, at_three) as store:
        await store.append("slack:T:C:1", [user_text("first"), answer])  # type: ignore[list-item]
        await store.append("slack:T:C:1", [user_text("second")])
        await store.append("slack:T:C:2", [user_text("elsewhere")])
    async with open_store(sqlite_url, at_three) as store:
        assert await store.load("slack:T:C:1") == [user_text("first"), answer, user_text("second")]


async def test_a_cleared_thread_is_still_known(sqlite_url: str) -> None:
    async with open_store(sqlite_url, at_three) as store:
        await store.append("t", [user_text("hello")])
        await store.clear("t")
        assert await store.load("t") == []
        assert await store.knows("t")
        assert not await store.knows("another")


async def test_a_cleared_thread_starts_again_at_its_beginning(sqlite_url: str) -> None:
    async with open_store(sqlite_url, at_three) as store:
        await store.append("t", [user_text("old")])
        await store.clear("t")
        await store.append("t", [user_text("new")])
        assert await store.load("t") == [user_text("new")]


async def test_an_event_is_new_exactly_once_even_after_a_restart(sqlite_url: str) -> None:
    async with open_store(sqlite_url, at_three) as store:
        assert await store.first_sight("Ev1")
        assert not await store.first_sight("Ev1")
    async with open_store(sqlite_url, at_three) as store:
        assert not await store.first_sight("Ev1")
        assert await store.first_sight("Ev2")


async def test_old_event_keys_are_forgotten_so_that_the_table_stays_small(sqlite_url: str) -> None:
    async with open_store(sqlite_url, at_three) as store:
        await store.first_sight("Ev1")
    async with open_store(sqlite_url, lambda: MOMENT + SEEN_FOR + timedelta(seconds=1)) as store:
        await store.first_sight("Ev2")
        assert await store.first_sight("Ev1")


async def test_two_processes_on_one_database_take_an_event_once(sqlite_url: str) -> None:
    async with open_store(sqlite_url, at_three) as one, open_store(sqlite_url, at_three) as other:
        assert [await one.first_sight("Ev1"), await other.first_sight("Ev1")] == [True, False]


async def test_a_thread_under_a_report_knows_that_report(sqlite_url: str) -> None:
    async with open_store(sqlite_url, at_three) as store:
        await store.save_report("p-1", {"report_id": "p-1", "fleet_narrative": "quiet"})
        await store.open_thread("slack:T:C:9", report_id="p-1")
        await store.open_thread("slack:T:C:9")
        assert await store.report_of("slack:T:C:9") == {"report_id": "p-1", "fleet_narrative": "quiet"}
        assert await store.report_of("slack:T:C:10") is None
        assert await store.report("p-2") is None


async def test_the_database_is_for_its_owner_alone(sqlite_url: str) -> None:
    async with open_store(sqlite_url, at_three):
        path = Path(sqlite_url.removeprefix("sqlite+aiosqlite:///"))
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "url", ["nonsense", "sqlite+nodriver:///x", "mysql+nodriver://h/d", "sqlite+aiosqlite:////proc/x/y.db"]
)
async def test_an_unusable_address_is_one_line_naming_the_setting(url: str) -> None:
    with pytest.raises(SettingsError, match="STARWATCH_DATABASE_URL"):
        async with open_store(url, at_three):
            pass


async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("dear operator, " * 100)
    with pytest.raises(SettingsError, match="cannot be opened"):
        async with open_store(f"sqlite+aiosqlite:///{path}", at_three):
            pass
    assert path.read_text().startswith("dear operator")
