"""What is forgotten, when, and what stays."""

import pytest

from agent.messages import user_text
from agent.patrol.report import PatrolReport
from agent.session import SavedTurn
from bot.store import Keep, Payer, Pruned, Usage, open_store
from tests.bot.store.conftest import Clock

TURN = SavedTurn("m", (user_text("hello"),))
REPORT = PatrolReport("p-1", "morning", "All quiet.", (), (), (), (), "rules-only", "rules-only")


async def test_every_kind_goes_at_its_own_age(url: str, clock: Clock) -> None:
    keep, ann = Keep(), Payer("user", "U1")
    ages = {"events": keep.events, "blobs": keep.blobs, "sessions": keep.sessions, "reports": keep.reports}
    async with open_store(url, clock) as store:
        await store.tie("t", REPORT, [user_text("the report")])
        await store.first_sight("Ev1")
        handle = await store.blobs.put([1])
        await store.usage.charge("turn", [ann], Usage(tokens=1))
        start = clock.moment
        for kind, age in ages.items():
            clock.moment = start + age
            assert getattr(await store.prune(keep), kind) == 0, f"{kind} went too early"
            clock.forward(seconds=1)
            assert getattr(await store.prune(keep), kind) >= 1, f"{kind} stayed"
        clock.moment = start + keep.usage
        clock.forward(days=1)
        assert await store.prune(keep) == Pruned(sessions=0, reports=0, events=0, blobs=0, usage=1)
        assert await store.load("t") == []
        assert await store.find("p-1") is None
        assert await store.first_sight("Ev1")
        with pytest.raises(LookupError):
            await store.blobs.get(handle)


async def test_a_thread_that_is_talked_in_stays_whole(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        await store.append("quiet", TURN)
        await store.append("busy", TURN)
        for _ in range(4):
            clock.forward(days=40)
            await store.append("busy", TURN)
            await store.prune(Keep())
        assert len(await store.load("busy")) == 5
        assert not await store.knows("quiet")


async def test_hundreds_of_old_rows_go_in_one_call(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        for number in range(601):
            await store.first_sight(f"Ev{number}")
        clock.forward(days=3)
        await store.first_sight("new")
        assert (await store.prune(Keep())).events == 601
        assert not await store.first_sight("new")
