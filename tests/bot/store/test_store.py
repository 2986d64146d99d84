"""Starwatch's own database: what was said, what was seen, what was reported; all of it survives a restart."""

import asyncio
import stat
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from agent.messages import user_text
from agent.patrol.report import PatrolReport
from agent.session import SavedTurn
from bot.errors import SettingsError
from bot.store import open_store
from bot.store.tables import SessionRow
from tests.bot.store.conftest import MOMENT, Clock


def at_three() -> datetime:
    return MOMENT


def turn(*texts: str, model: str = "m") -> SavedTurn:
    return SavedTurn(model, tuple(user_text(text) for text in texts))


async def test_a_history_comes_back_in_order_after_a_restart(url: str) -> None:
    call = {"type": "tool_use", "id": "t1", "name": "x", "input": {"a": [1, None, "é"]}}
    first = SavedTurn("claude", (user_text("first"), {"role": "assistant", "content": [call]}))
    async with open_store(url, at_three) as store:
        await store.append("slack:T:C:1", first)
        await store.append("slack:T:C:1", turn("second"))
        await store.append("slack:T:C:2", turn("elsewhere"))
    async with open_store(url, at_three) as store:
        assert await store.load("slack:T:C:1") == [first, turn("second")]


async def test_a_cleared_thread_is_still_known(url: str) -> None:
    async with open_store(url, at_three) as store:
        await store.append("t", turn("hello"))
        await store.clear("t")
        assert await store.load("t") == []
        assert await store.knows("t")
        assert not await store.knows("another")


async def test_a_cleared_thread_starts_again_at_its_beginning(url: str) -> None:
    async with open_store(url, at_three) as store:
        await store.append("t", turn("old"))
        await store.clear("t")
        await store.append("t", turn("new"))
        assert await store.load("t") == [turn("new")]


async def test_a_joined_thread_is_known_before_anything_was_said(url: str) -> None:
    async with open_store(url, at_three) as store:
        await store.join("t")
        await store.join("t")
        assert await store.knows("t")


async def test_two_turns_of_a_thread_wait_for_each_other(url: str) -> None:
    order: list[str] = []
    async with open_store(url, at_three) as store:

        async def hold(name: str) -> None:
            async with store.exclusive("t"):
                order.append(f"+{name}")
                await asyncio.sleep(0)
                order.append(f"-{name}")

        await asyncio.gather(hold("a"), hold("b"))
    assert order == ["+a", "-a", "+b", "-b"]


async def test_an_event_is_new_exactly_once_even_after_a_restart(url: str) -> None:
    async with open_store(url, at_three) as store:
        assert await store.first_sight("Ev1")
        assert not await store.first_sight("Ev1")
    async with open_store(url, at_three) as store:
        assert not await store.first_sight("Ev1")
        assert await store.first_sight("Ev2")


async def test_two_processes_on_one_database_take_an_event_once(url: str) -> None:
    async with open_store(url, at_three) as one, open_store(url, at_three) as other:
        assert [await one.first_sight("Ev1"), await other.first_sight("Ev1")] == [True, False]


async def test_a_thread_under_a_report_starts_with_that_report(url: str) -> None:
    report = PatrolReport("p-1", "morning", "All quiet.", (), (), (), (), "rules-only", "rules-only")
    async with open_store(url, at_three) as store:
        await store.tie("slack:T:C:9", report, [user_text("the report")])
        await store.append("slack:T:C:9", turn("what about it?"))
        assert [t.messages[0] for t in await store.load("slack:T:C:9")] == [
            user_text("the report"),
            user_text("what about it?"),
        ]
    async with open_store(url, at_three) as store:
        assert (await store.find("p-1") or {})["fleet_narrative"] == "All quiet."
        assert await store.find("p-2") is None
        assert await store.knows("slack:T:C:9")


async def test_two_processes_that_add_to_one_thread_at_once_keep_every_turn(url: str) -> None:
    async with open_store(url, at_three) as one, open_store(url, at_three) as other:
        await asyncio.gather(*(store.append("t", turn(f"{n}")) for n in range(10) for store in (one, other)))
        assert len(await one.load("t")) == 20


async def test_a_turn_that_is_saved_again_is_saved_once(url: str) -> None:
    async with open_store(url, at_three) as store:
        for _ in range(2):
            await store.append("t", turn("first"), position=0)
            await store.append("t", turn("second"), position=1)
        assert await store.load("t") == [turn("first"), turn("second")]


async def test_a_hundred_events_at_once_are_each_new_once(url: str) -> None:
    async with open_store(url, at_three) as one, open_store(url, at_three) as other:
        seen = await asyncio.gather(*(store.first_sight(f"Ev{n}") for n in range(50) for store in (one, other)))
    assert sum(seen) == 50


HOSTILE = ["\x00", "\ud800", "\u202e", "'; DROP TABLE turns; --", "é" * 5_000, '{"a": NaN}']


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
async def test_any_text_comes_back_as_it_was(url: str, text: str) -> None:
    async with open_store(url, at_three) as store:
        await store.append("t", turn(text))
        assert await store.load("t") == [turn(text)]


async def test_the_database_is_for_its_owner_alone(sqlite_url: str) -> None:
    async with open_store(sqlite_url, at_three):
        path = Path(sqlite_url.removeprefix("sqlite+aiosqlite:///"))
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "address",
    [
        "nonsense",
        "sqlite+nodriver:///x",
        "mysql+nodriver://h/d",
        "mysql+aiomysql://h/d",
        "postgresql+asyncpg://h/d",
        "postgresql://127.0.0.1:1/d",
        "sqlite+aiosqlite:////proc/x/y.db",
    ],
)
async def test_an_unusable_address_is_one_line_naming_the_setting(address: str) -> None:
    with pytest.raises(SettingsError, match="STARWATCH_DATABASE_URL"):
        async with open_store(address, at_three):
            pass


async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("dear operator, " * 100)
    with pytest.raises(SettingsError, match="cannot be opened"):
        async with open_store(f"sqlite+aiosqlite:///{path}", at_three):
            pass
    assert path.read_text().startswith("dear operator")


async def test_many_threads_that_are_joined_at_once_are_each_known_and_keep_when_they_began(url: str) -> None:
    clock = Clock()
    async with open_store(url, clock) as one:
        await one.join("t00")
    clock.forward(hours=2)
    threads = [f"t{number:02d}" for number in range(40)]
    async with open_store(url, clock) as one, open_store(url, clock) as other:
        joins = [store.join(thread) for store, order in ((one, threads), (other, threads[::-1])) for thread in order]
        await asyncio.gather(*joins, one.join("t07"))
        assert [await other.knows(thread) for thread in threads] == [True] * 40
        async with one.database.reading() as session:
            rows = (await session.scalars(select(SessionRow).order_by(SessionRow.thread))).all()
    ages = [row.used_at - row.created_at for row in rows]
    assert ages == [timedelta(hours=2)] + [timedelta()] * 39


async def test_a_thread_may_be_joined_and_written_to_at_the_same_time(sqlite_url: str) -> None:
    async with open_store(sqlite_url, at_three) as one, open_store(sqlite_url, at_three) as other:
        await asyncio.gather(*(store.join("t") for store in (one, other) * 4), one.append("t", turn("hello")))
        assert await other.knows("t")
        assert await other.load("t") == [turn("hello")]


async def test_turns_written_by_two_processes_at_once_are_all_kept(sqlite_url: str) -> None:
    async with open_store(sqlite_url, at_three) as one, open_store(sqlite_url, at_three) as other:
        await asyncio.gather(one.append("t", turn("from one")), other.append("t", turn("from the other")))
        kept = await one.load("t")
    assert sorted(str(saved) for saved in kept) == sorted(str(turn(text)) for text in ("from one", "from the other"))


async def test_a_report_is_tied_while_its_thread_is_already_being_joined(sqlite_url: str) -> None:
    report = PatrolReport("p-1", "morning", "All quiet.", (), (), (), (), "rules-only", "rules-only")
    async with open_store(sqlite_url, at_three) as one, open_store(sqlite_url, at_three) as other:
        await asyncio.gather(one.tie("t", report, [user_text("the report")]), other.join("t"), other.join("t"))
        assert len(await one.load("t")) == 1
        assert await other.find("p-1") is not None


async def test_a_report_posted_again_is_kept_once_in_its_newest_form(sqlite_url: str) -> None:
    first = PatrolReport("p-1", "morning", "All quiet.", (), (), (), (), "rules-only", "rules-only")
    again = PatrolReport("p-1", "morning", "Not so quiet.", (), (), (), (), "rules-only", "rules-only")
    async with open_store(sqlite_url, at_three) as store:
        await store.tie("t1", first, [user_text("first")])
        await store.tie("t2", again, [user_text("again")])
        assert (await store.find("p-1") or {})["fleet_narrative"] == "Not so quiet."
        assert await store.load("t1") == [SavedTurn("rules-only", (user_text("first"),))]


@pytest.mark.parametrize("name", ["t'; DROP TABLE sessions; --", "日本", "a\x00b", " ", "x" * 255])
async def test_a_thread_may_be_called_anything(sqlite_url: str, name: str) -> None:
    async with open_store(sqlite_url, at_three) as store:
        await store.append(name, turn("kept"))
        assert await store.load(name) == [turn("kept")]
        assert await store.load(f"{name} ") == []
        assert await store.first_sight(name)
        assert not await store.first_sight(name)


async def test_many_deliveries_of_one_event_at_once_are_one_sight(sqlite_url: str) -> None:
    async with open_store(sqlite_url, at_three) as one, open_store(sqlite_url, at_three) as other:
        seen = await asyncio.gather(*(store.first_sight("Ev1") for store in (one, other) * 5))
    assert sorted(seen) == [False] * 9 + [True]


async def test_a_cancelled_append_leaves_a_whole_history(sqlite_url: str) -> None:
    async with open_store(sqlite_url, at_three) as store:
        await store.append("t", turn("first"))
        late = asyncio.create_task(store.append("t", turn("second")))
        await asyncio.sleep(0)
        late.cancel()
        await asyncio.wait([late])
        await store.append("t", turn("third"))
        kept = await store.load("t")
    assert (kept[0], kept[-1]) == (turn("first"), turn("third"))
