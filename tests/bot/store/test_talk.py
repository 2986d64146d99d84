"""What is known of the talk so far, for a surface that was deaf for a while."""

from bot.store import open_store
from bot.store.talk import Talk
from bot.turns.stored import StoredInbox
from handlers.surface import PatrolRequest, Question
from tests.bot.store.conftest import Clock


def question(thread: str, order: str) -> Question:
    return Question(f"{thread}:{order}", thread, "U1", "fleet?", order=order)


async def test_the_newest_message_of_a_surface_is_told_by_the_surfaces_own_clock(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        talk, inbox = Talk(store.database), StoredInbox(store.database, clock)
        assert await talk.newest("slack") == ""
        for order in ("1766.000200", "1766.000300", "1766.000100"):
            await inbox.put(question("slack:T:C:1766.000001", order))
        await inbox.put(question("lark:T:C:9", "9999999999999"))
        await inbox.put(PatrolRequest("slack:command:T:1", "slack:T:C", "U1", "morning"))
        assert await talk.newest("slack") == "1766.000300"


async def test_the_threads_of_a_surface_come_last_used_first(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        for thread in ("slack:T:C:1", "slackish:T:C:1", "slack:T:C:2", "lark:T:C:3", "slack:T:C:3"):
            await store.join(thread)
            clock.forward(minutes=1)
        assert await Talk(store.database).lately("slack", 2) == ["slack:T:C:3", "slack:T:C:2"]
