"""Turns while our own database takes nothing: what runs goes on, what cannot be ended is ended later."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog
from sqlalchemy import event

from agent.journal import Json
from bot.clock import utc_now
from bot.store import Store, open_store
from bot.turns.durable import DurableTurns, durable_turns, turns_address
from bot.turns.stored import StoredInbox
from handlers.surface import Event as Said
from handlers.turn import Turn
from tests.bot.turns.conftest import QUICK
from tests.bot.turns.desk import Desk, question, settle


class Stepper(Desk):
    """Looks twice with a wait between, hears what was added, and posts all of it unless it has posted before, as a
    handler does that finds its post by the mark."""

    def __init__(self, posts: list[list[str]], *, hangs: bool = False) -> None:
        super().__init__()
        self.posts = posts
        self.hangs = hangs
        self.looked: list[str] = []
        self.passed: list[str] = []

    async def handle(self, said: Said, turn: Turn) -> None:
        async def look(name: str) -> Json:
            self.looked.append(f"{name} {said.key}")
            return name

        async def post() -> Json:
            if not any(posted[0] == said.key for posted in self.posts):
                self.posts.append([said.key, *heard])
            return "posted"

        self.log.append(f"+{said.key}")
        for name in ("first", "second"):
            await turn.journal.step(name, lambda name=name: look(name))  # type: ignore[misc]
            self.passed.append(f"{name} {said.key}")
            await self.gates[f"{name} {said.key}"].wait()
        heard = await turn.journal.heard("heard:1")
        await turn.journal.step("post", post)
        self.log.append(f"-{said.key}")
        if self.hangs:
            await asyncio.Event().wait()


class Disk:
    """Our own database as on a disk that is `full` or not: every connection that is used from now on is told."""

    def __init__(self, store: Store) -> None:
        self.full = False
        for pool in (store.database.plain.pool, store.database.engine.sync_engine.pool):
            event.listen(pool, "checkout", self._told)

    def _told(self, connection: Any, *_: object) -> None:
        connection.execute(f"PRAGMA query_only={'ON' if self.full else 'OFF'}")


@asynccontextmanager
async def at_work(url: str, desk: Desk) -> AsyncIterator[tuple[DurableTurns, Disk]]:
    async with open_store(url, utc_now) as store:
        inbox = StoredInbox(store.database, utc_now)
        async with durable_turns(desk, inbox, store.blobs, turns_address(url), QUICK) as turns:
            yield turns, Disk(store)


@pytest.fixture
def url(sqlite_url: str) -> str:
    """A file: a server's full disk looks the same from here, and is tested with the store."""
    return sqlite_url.replace("+aiosqlite", "")


async def test_a_turn_goes_on_while_nothing_can_be_written_and_is_ended_once_that_is_over(url: str) -> None:
    posts: list[list[str]] = []
    desk = Stepper(posts)
    with structlog.testing.capture_logs() as lines:
        async with at_work(url, desk) as (turns, disk):
            await turns.submit(question("a"))
            await settle(lambda: desk.passed == ["first a"])
            disk.full = True
            desk.let("first a", "second a")
            await settle(lambda: any("trying again" in line["event"] for line in lines))
            assert posts == [["a"]]
            disk.full = False
            while await turns.under_way("a"):
                await asyncio.sleep(0.002)
            desk.let("first b", "second b")
            await turns.submit(question("b"))
            await settle(lambda: "-b" in desk.log)
    assert posts == [["a"], ["b"]]
    assert [line["log_level"] for line in lines if line["event"] == "a turn goes on unwritten"][:1] == ["warning"]
    # what was written down before is not done again, however often the turn was tried
    assert desk.looked.count("first a") == 1


async def test_a_message_is_not_lost_when_a_turn_went_on_unwritten_and_was_killed_then(url: str) -> None:
    posts: list[list[str]] = []
    before, after = Stepper(posts, hangs=True), Stepper(posts)
    async with at_work(url, before) as (turns, disk):
        await turns.submit(question("a"))
        await settle(lambda: before.passed == ["first a"])
        disk.full = True
        before.let("first a", "second a")
        await settle(lambda: before.log == ["+a", "-a"])
        disk.full = False
        await turns.submit(question("b"))
    after.let("first a", "second a", "first b", "second b")
    async with at_work(url, after):
        await settle(lambda: "-b" in after.log)
    assert posts == [["a"], ["b"]]


async def test_a_stop_while_nothing_can_be_written_loses_no_turn(url: str) -> None:
    before, after = Desk(), Desk()
    with structlog.testing.capture_logs() as lines:
        async with at_work(url, before) as (turns, disk):
            await turns.submit(question("a"))
            await settle(lambda: before.log == ["+a"])
            disk.full = True
    assert any("cannot be handed on" in line["event"] for line in lines)
    after.open = True
    async with at_work(url, after):
        await settle(lambda: "-a" in after.log)
    assert before.log == ["+a"]
    assert after.log == ["+a", "-a"]
