"""What the housekeeping forgets, and what it keeps, wherever something is kept."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from bot.housekeeping import Housekeeping, ages
from bot.settings import Settings
from bot.store import Keep, Store, Usage, open_store
from bot.store.outbox import Outbox
from bot.store.usage import Payer
from bot.turns.durable import durable_turns, turns_address
from bot.turns.stored import StoredInbox
from handlers.surface import Question
from tests.bot.store.conftest import Clock
from tests.bot.turns.conftest import QUICK
from tests.bot.turns.desk import Desk, settle

ANN = Payer("user", "U1")
SHORT = Keep(turns=timedelta(days=3), events=timedelta(days=2), usage=timedelta(days=10))


class House:
    def __init__(self, store: Store, clock: Clock, address: str) -> None:
        self.clock, self.store, self.address = clock, store, address
        self.inbox, self.outbox = StoredInbox(store.database, clock), Outbox(store.database, clock)
        self.before: list[datetime] = []

    def keeping(self, keep: Keep) -> Housekeeping:
        return Housekeeping(self.store, self.inbox, self.outbox, self.clock, keep, self.forget)

    async def forget(self, before: datetime) -> int:
        self.before.append(before)
        return 0

    async def done(self, key: str) -> None:
        """A message that was answered."""
        await self.inbox.put(Question(key, f"t-{key}", "U1", key))
        claim = await self.inbox.claim(f"t-{key}", f"worker-{key}")
        assert claim is not None
        await self.inbox.finish(claim)


@pytest.fixture
async def house(own_database: str) -> AsyncIterator[House]:
    clock, address = Clock(), own_database
    async with open_store(address, clock) as store:
        yield House(store, clock, address)


async def test_each_age_of_the_settings_is_kept_to(house: House) -> None:
    keep = ages(
        Settings(
            keep_sessions_days=1,
            keep_reports_days=2,
            keep_events_days=3,
            keep_blobs_days=5,
            keep_usage_days=6,
            keep_answers_days=7,
            keep_turns_days=4,
        )
    )
    days = [
        getattr(keep, name).days for name in ("sessions", "reports", "events", "turns", "blobs", "usage", "answers")
    ]
    assert days == [1, 2, 3, 4, 5, 6, 7]


def test_the_settings_of_nobody_are_the_ages_of_nobody() -> None:
    assert ages(Settings()) == Keep()


async def test_ended_turns_and_kept_posts_go_at_the_age_of_turns(house: House) -> None:
    await house.done("old")
    await house.outbox.put("slack:T:C:1.1", "turn-1", "answer", {}, "away")
    house.clock.forward(days=3)
    await house.keeping(SHORT).tidy()
    assert (await house.outbox.waiting()).count == 1
    house.clock.forward(seconds=1)
    await house.done("new")
    await house.keeping(SHORT).tidy()
    assert (await house.outbox.waiting()).count == 0
    assert house.before[-1] == house.clock() - SHORT.turns
    # what is forgotten would be taken for new, what is not would not
    assert await house.inbox.put(Question("old", "t-old", "U1", "?")) == "new"
    assert await house.inbox.put(Question("new", "t-new", "U1", "?")) == "old"


async def test_an_event_is_remembered_for_longer_than_it_is_delivered_again(house: House) -> None:
    await house.store.first_sight("Ev1")
    house.clock.forward(hours=24)
    shortest = ages(Settings(keep_events_days=2))
    await house.keeping(shortest).tidy()
    assert not await house.store.first_sight("Ev1")


async def test_what_was_spent_long_ago_goes_and_todays_stays(house: House) -> None:
    await house.store.usage.charge("turn-1", [ANN], Usage(tokens=1))
    house.clock.forward(days=11)
    await house.store.usage.charge("turn-2", [ANN], Usage(tokens=2))
    await house.keeping(SHORT).tidy()
    assert await house.store.usage.today("user") == {"U1": Usage(tokens=2)}


async def test_what_waits_is_kept_and_done_however_old_it_is(house: House) -> None:
    await house.inbox.put(Question("waiting", "t-waiting", "U1", "?"))
    house.clock.forward(days=400)
    desk = Desk()
    desk.open = True
    async with durable_turns(desk, house.inbox, house.store.blobs, turns_address(house.address), QUICK):
        await Housekeeping(house.store, house.inbox, house.outbox, house.clock, SHORT).tidy()
        await settle(lambda: desk.log == ["+waiting", "-waiting"])
