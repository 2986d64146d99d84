"""Predictions in the database: what is open, what came out, and what is forgotten."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from agent.patrol.predictions import Statement
from bot.store import open_store
from bot.store.predictions import Predictions
from tests.bot.store.conftest import MOMENT, Clock

MADE = MOMENT.replace(tzinfo=None)
SAID = Statement("c-1", "disk_used_pct", 90.0, False, MADE, 24, 0.9, 0.87, "High")


@pytest.fixture
async def kept(url: str, clock: Clock) -> AsyncIterator[Predictions]:
    async with open_store(url, clock) as store:
        yield store.predictions


async def test_a_statement_is_open_until_it_is_graded(kept: Predictions) -> None:
    other = replace(SAID, horizon=48)
    await kept.keep([SAID, other])
    assert {one.horizon for one in await kept.open()} == {24, 48}
    assert await kept.graded() == []
    await kept.keep([replace(SAID, state="hit")])
    assert await kept.open() == [other]
    assert await kept.graded() == [replace(SAID, state="hit")]


async def test_the_same_statement_twice_is_one(kept: Predictions) -> None:
    await kept.keep([SAID])
    await kept.keep([SAID])
    assert await kept.open() == [SAID]


async def test_a_void_statement_is_neither_open_nor_part_of_the_record(kept: Predictions) -> None:
    await kept.keep([replace(SAID, state="void")])
    assert (await kept.open(), await kept.graded()) == ([], [])


async def test_an_old_record_is_left_aside_and_a_very_old_one_forgotten(kept: Predictions, clock: Clock) -> None:
    await kept.keep([replace(SAID, state="missed")])
    clock.forward(days=100)
    assert await kept.graded() == []
    assert await kept.prune() == 0
    clock.forward(days=300)
    assert await kept.prune() == 1
