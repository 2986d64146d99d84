"""Threads that are answered in without a mention."""

from bot.following import Following
from handlers.preferences import FOLLOW, MUTED, Passing


class All:
    async def knows(self, thread: str) -> bool:
        return thread.startswith("slack:T:C")


async def test_our_own_threads_are_followed() -> None:
    following = Following(All(), Passing())
    assert await following.knows("slack:T:C:1.1")
    assert not await following.knows("slack:T:D:1.1")


async def test_a_muted_thread_is_not_and_its_neighbour_is() -> None:
    preferences = Passing()
    await preferences.put("slack:T:C:1.1", MUTED, "on")
    following = Following(All(), preferences)
    assert not await following.knows("slack:T:C:1.1")
    assert await following.knows("slack:T:C:2.2")


async def test_a_channel_that_wants_mentions_is_not() -> None:
    preferences = Passing()
    await preferences.put("slack:T:C", FOLLOW, "off")
    assert not await Following(All(), preferences).knows("slack:T:C:1.1")
    await preferences.put("slack:T:C", FOLLOW, "")
    assert await Following(All(), preferences).knows("slack:T:C:1.1")
