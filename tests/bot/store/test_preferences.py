"""Preferences in the database."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.asked import Asked
from bot.store import Store, open_store
from bot.store.preferences import StoredPreferences
from bot.store.retention import Keep
from bot.turns.stored import StoredInbox
from handlers.surface import Question

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
async def store(own_database: str) -> AsyncIterator[Store]:
    async with open_store(own_database, lambda: NOON) as store:
        yield store


async def test_what_is_put_is_there_until_it_is_emptied(store: Store) -> None:
    preferences = StoredPreferences(store.database, lambda: NOON)
    assert await preferences.of("slack:T:C") == {}
    await preferences.put("slack:T:C", "zone", "UTC")
    await preferences.put("slack:T:C", "zone", "Europe/Berlin")
    await preferences.put("slack:T:C", "language", "zh")
    await preferences.put("slack:T:D", "zone", "Asia/Tokyo")
    assert await preferences.of("slack:T:C") == {"zone": "Europe/Berlin", "language": "zh"}
    await preferences.put("slack:T:C", "zone", "")
    await preferences.put("slack:T:C", "zone", "")
    assert await preferences.of("slack:T:C") == {"language": "zh"}


async def test_a_very_long_place_is_one_place(store: Store) -> None:
    preferences = StoredPreferences(store.database, lambda: NOON)
    await preferences.put("x" * 300, "zone", "UTC")
    assert await preferences.of("x" * 300) == {"zone": "UTC"}


async def test_a_question_is_found_by_its_key(store: Store) -> None:
    asked = Question("slack:T:C:1.1", "slack:T:C:1.1", "U1", "fleet?", "1.1")
    await StoredInbox(store.database, lambda: NOON).put(asked)
    assert await Asked(store.database)(asked.key) == asked
    assert await Asked(store.database)("another") is None


async def test_what_a_thread_was_told_goes_with_old_threads_and_a_channels_stays(own_database: str) -> None:
    now = [NOON]
    async with open_store(own_database, lambda: now[0]) as store:
        preferences = StoredPreferences(store.database, lambda: now[0])
        await preferences.put("slack:T:C", "zone", "UTC")
        await preferences.put("slack:T:C:1.1", "muted", "on")
        now[0] = NOON + timedelta(days=91)
        await preferences.put("slack:T:C:2.2", "muted", "on")
        assert (await store.prune(Keep())).preferences == 1
        assert await preferences.of("slack:T:C") == {"zone": "UTC"}
        assert await preferences.of("slack:T:C:1.1") == {}
        assert await preferences.of("slack:T:C:2.2") == {"muted": "on"}
