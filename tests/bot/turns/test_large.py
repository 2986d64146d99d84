"""Large results of steps: a checkpoint holds a handle, and the next process gets the whole value."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from bot.clock import utc_now
from bot.store import open_store
from bot.store.tables import StepRow
from bot.turns.large import LARGE
from handlers.surface import Event
from handlers.turn import Turn
from tests.bot.turns.conftest import durable
from tests.bot.turns.desk import Desk, question, settle


class Reader(Desk):
    """Reads rows once per turn, then waits to be told to end."""

    def __init__(self, rows: Any) -> None:
        super().__init__()
        self.rows = rows
        self.read = 0
        self.seen: list[Any] = []
        self.enough = asyncio.Event()

    async def handle(self, event: Event, turn: Turn) -> None:
        async def read() -> Any:
            self.read += 1
            return self.rows

        self.seen.append(await turn.journal.step("tool:1", read))
        await self.enough.wait()


@pytest.mark.parametrize("rows", [{"rows": [[n, "é"] for n in range(LARGE)]}, {"rows": [1]}], ids=["large", "small"])
async def test_a_result_of_any_size_is_read_once_and_found_again(url: str, rows: Any) -> None:
    before, after = Reader(rows), Reader("read again")
    async with durable(url, before) as turns:
        await turns.submit(question("a"))
        await settle(lambda: len(before.seen) == 1)
        async with open_store(url, utc_now) as store, store.database.reading() as session:
            (step,) = await session.scalars(select(StepRow.result))
        assert len(step) < LARGE
    async with durable(url, after):
        await settle(lambda: len(after.seen) == 1)
    assert before.seen == after.seen == [rows]
    assert (before.read, after.read) == (1, 0)
