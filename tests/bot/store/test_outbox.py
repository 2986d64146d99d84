"""What waits to be posted: in order for each place, held by one process at a time, found again where it ended up."""

from datetime import timedelta

import pytest

from agent.messages import user_text
from agent.session import SavedTurn
from bot.store import open_store
from bot.store.outbox import HOLD, Kept, Outbox, Waiting, is_stand_in, stand_in_of
from tests.bot.store.conftest import MOMENT, Clock

DOCUMENT = {"kind": "Document", "fields": {"fallback": "x", "parts": []}}
THREAD, CHANNEL = "slack:T:C:1.1", "slack:T:C"


async def put(outbox: Outbox, clock: Clock, place: str, turn: str, part: str = "answer") -> str:
    clock.forward(seconds=1)
    return await outbox.put(place, turn, part, DOCUMENT, "Slack could not be reached")


async def test_what_is_kept_survives_a_restart_and_comes_out_oldest_first(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        outbox = Outbox(store.database, clock)
        names = [await put(outbox, clock, f"slack:T:C:{n}.1", f"turn-{n}") for n in (3, 1, 2)]
    async with open_store(url, clock) as store:
        outbox = Outbox(store.database, clock)
        taken = [await outbox.take() for _ in range(4)]
    assert [one and one.name for one in taken] == [*names, None]
    assert taken[0] == Kept(names[0], "slack:T:C:3.1", "turn-3", "answer", DOCUMENT, MOMENT + timedelta(seconds=1))


async def test_nothing_goes_before_what_waits_for_the_same_place(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        outbox = Outbox(store.database, clock)
        first = await put(outbox, clock, THREAD, "turn-1")
        second = await put(outbox, clock, THREAD, "turn-2")
        taken = await outbox.take()
        assert taken is not None
        assert taken.name == first
        assert await outbox.take() is None
        await outbox.posted(first, THREAD, stand_in_of(THREAD, first))
        taken = await outbox.take()
        assert taken is not None
        assert taken.name == second
        assert await outbox.places() == [THREAD]


async def test_a_post_of_a_repeated_turn_is_kept_once(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        outbox = Outbox(store.database, clock)
        assert await put(outbox, clock, THREAD, "turn-1") == await put(outbox, clock, THREAD, "turn-1")
        await put(outbox, clock, THREAD, "turn-1", "apology")
        assert (await outbox.waiting()).count == 2


async def test_what_one_process_holds_another_gets_once_the_first_is_taken_for_dead(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as one, open_store(url, clock) as other:
        mine, yours = Outbox(one.database, clock), Outbox(other.database, clock)
        await put(mine, clock, THREAD, "turn-1")
        assert await mine.take()
        assert await yours.take() is None
        clock.moment += HOLD
        assert await yours.take()


async def test_what_is_given_back_can_be_taken_at_once_and_says_why_it_waits(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        outbox = Outbox(store.database, clock)
        assert await outbox.waiting() == Waiting(0)
        name = await put(outbox, clock, THREAD, "turn-1")
        kept_at = clock()
        assert await outbox.take()
        clock.forward(seconds=1)
        await outbox.give_back(name, "token_revoked" + "x" * 500)
        waiting = await outbox.waiting()
        assert (waiting.count, waiting.why[:13]) == (1, "token_revoked")
        assert waiting.oldest == kept_at
        assert await outbox.take()


async def test_a_thread_that_a_kept_post_begins_gets_its_history_and_followers_when_it_is_out(
    url: str, clock: Clock
) -> None:
    said = SavedTurn("m", (user_text("the report"),))
    async with open_store(url, clock) as store:
        outbox = Outbox(store.database, clock)
        name = await put(outbox, clock, CHANNEL, "turn-1", "report")
        stand_in = stand_in_of(CHANNEL, name)
        assert is_stand_in(stand_in)
        await store.append(stand_in, said)
        await put(outbox, clock, stand_in, "turn-1", "more")
        await outbox.take()
        # what stands below it waits until there is something to stand below
        assert await outbox.take() is None
        await outbox.posted(name, THREAD, stand_in)
        assert await outbox.thread(name) == THREAD
        assert await store.load(THREAD) == [said]
        assert not await store.knows(stand_in)
        follower = await outbox.take()
        assert follower is not None
        assert (follower.place, follower.part) == (THREAD, "more")


async def test_a_thread_that_was_there_before_keeps_its_history(url: str, clock: Clock) -> None:
    said = SavedTurn("m", (user_text("hello"),))
    async with open_store(url, clock) as store:
        outbox = Outbox(store.database, clock)
        await store.append(THREAD, said)
        name = await put(outbox, clock, THREAD, "turn-1")
        await outbox.posted(name, THREAD, stand_in_of(THREAD, name))
        assert await store.load(THREAD) == [said]
        assert await store.knows(THREAD)


async def test_what_is_dropped_takes_along_only_what_was_to_stand_below_it(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        outbox = Outbox(store.database, clock)
        begins = await put(outbox, clock, CHANNEL, "turn-1")
        await put(outbox, clock, stand_in_of(CHANNEL, begins), "turn-2")
        answer = await put(outbox, clock, THREAD, "turn-3")
        await put(outbox, clock, THREAD, "turn-4")
        await outbox.drop(begins, stand_in_of(CHANNEL, begins))
        await outbox.drop(answer, stand_in_of(THREAD, answer))
        assert await outbox.places() == [THREAD]
        assert (await outbox.waiting()).count == 1


@pytest.mark.parametrize("posted", [True, False])
async def test_what_is_too_old_is_forgotten(url: str, clock: Clock, posted: bool) -> None:
    async with open_store(url, clock) as store:
        outbox = Outbox(store.database, clock)
        name = await put(outbox, clock, THREAD, "turn-1")
        if posted:
            await outbox.posted(name, THREAD, THREAD)
        assert await outbox.prune(clock()) == 0
        assert await outbox.prune(clock() + timedelta(seconds=1)) == 1
        assert await outbox.thread(name) == ""
