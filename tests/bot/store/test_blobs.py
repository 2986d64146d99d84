"""Large values: stored once, under a handle that cannot name another value."""

import asyncio
import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.store import BlobGone, Keep, open_store
from tests.bot.store.conftest import Clock

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


async def test_a_value_comes_back_with_the_order_of_its_keys(url: str, clock: Clock) -> None:
    value = {"rows": [[1, "a", None], [2.5, "é\x00", True]], "columns": ["b", "a"], "a": {}}
    async with open_store(url, clock) as store:
        handle = await store.blobs.put(value)
    async with open_store(url, clock) as store:
        found = await store.blobs.get(handle)
    assert found == value
    assert list(found) == ["rows", "columns", "a"]


async def test_the_same_value_put_at_once_by_many_is_one(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as one, open_store(url, clock) as other:
        handles = await asyncio.gather(*(store.blobs.put({"rows": [7] * 500}) for store in (one, other) * 5))
        assert len(set(handles)) == 1
        clock.forward(days=30)
        assert (await one.prune(Keep())).blobs == 1


@settings(max_examples=30)
@given(st.lists(JSON, min_size=2, max_size=2))
def test_two_values_never_share_a_handle(pair: list[Any]) -> None:
    async def handles(folder: str) -> list[str]:
        async with open_store(f"sqlite:///{folder}/own.db", Clock()) as store:
            kept = [await store.blobs.put(value) for value in pair]
            assert [await store.blobs.get(handle) for handle in kept] == pair
            return kept

    with TemporaryDirectory() as folder:
        first, second = asyncio.run(handles(folder))
    assert (first == second) <= (pair[0] == pair[1])


async def test_an_unknown_handle_is_gone(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        with pytest.raises(BlobGone):
            await store.blobs.get("b-unknown")


async def test_a_value_put_again_lives_on_from_then(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        handle = await store.blobs.put("again")
        clock.forward(days=20)
        assert await store.blobs.put("again") == handle
        clock.forward(days=20)
        assert (await store.prune(Keep())).blobs == 0
        assert await store.blobs.get(handle) == "again"


@pytest.mark.parametrize("body", [b"", b"not compressed", bytes.fromhex("789c4b04000062006200")], ids=len)
async def test_a_value_that_was_tampered_with_is_gone_rather_than_wrong(
    sqlite_url: str, clock: Clock, body: bytes
) -> None:
    async with open_store(sqlite_url, clock) as store:
        handle = await store.blobs.put("true")
        with sqlite3.connect(Path(sqlite_url.removeprefix("sqlite+aiosqlite:///"))) as connection:
            connection.execute("UPDATE blobs SET body = ?", (body,))
        connection.close()
        with pytest.raises(BlobGone):
            await store.blobs.get(handle)


async def test_what_is_not_json_is_refused(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        with pytest.raises(TypeError):
            await store.blobs.put(object())
