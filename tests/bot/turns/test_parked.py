"""Turns that wait for people: nobody is at work on them, nothing overtakes them, and they go on when they may."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from agent.approval import Proposal, digest
from agent.tools import Effect
from bot.store import Store, open_store
from bot.store.approvals import Approvals
from bot.turns import Stopped
from bot.turns.inbox import MOST_DEATHS, Claim, TakenOver
from bot.turns.stored import StoredInbox
from handlers.permits import Approval
from tests.bot.turns.desk import question
from tests.bot.turns.test_inbox import NOON, claimed

UNTIL = timedelta(minutes=30)


class Bench:
    """Two processes that share one database and its clock, and a turn of lane t1 that asks for an approval."""

    def __init__(self, here: Store, there: Store) -> None:
        self.moment = NOON
        self.here, self.there = (StoredInbox(store.database, lambda: self.moment) for store in (here, there))
        self.ledger, self.other = (Approvals(store.database, lambda: self.moment) for store in (here, there))

    async def asked(self) -> Claim:
        await self.here.put(question("k1"))
        claim = await claimed(self.here, "w1")
        proposals = (Proposal("c1", "far_delete", {"name": "prod-1"}, Effect("far", "Deletes.")),)
        asked = Approval("a1", claim.turn, "t1", "U1", proposals, digest(proposals), NOON, NOON + UNTIL)
        assert await self.ledger.open(asked) == asked
        assert await self.other.open(asked) == asked
        return claim

    async def parked(self) -> Claim:
        claim = await self.asked()
        assert not await self.here.park(claim, "a1")
        return claim


@pytest.fixture
async def bench(url: str) -> AsyncIterator[Bench]:
    async with open_store(url, lambda: NOON) as here, open_store(url, lambda: NOON) as there:
        yield Bench(here, there)


async def test_a_parked_turn_is_nobodys_and_nothing_of_its_lane_is_begun(bench: Bench) -> None:
    await bench.parked()
    await bench.here.put(question("k2"))
    assert await bench.here.claim("t1", "w1") is None
    assert await bench.there.claim("t1", "w2") is None
    assert await bench.there.idle(0, most=10) == []
    assert await bench.here.under_way("k1")


async def test_a_decision_wakes_the_turn_wherever_it_is_made(bench: Bench) -> None:
    parked = await bench.parked()
    assert await bench.other.settle("a1", "approved", "U2", "Bob")
    assert await bench.there.waiting() == 1
    assert await bench.there.idle(60, most=10) == ["t1"]
    again = await claimed(bench.there, "w2")
    assert (again.turn, again.attempt, again.parks, again.stopping) == (parked.turn, 2, 1, False)
    with pytest.raises(TakenOver):
        await bench.here.finish(parked)
    assert not await bench.there.finish(again)


async def test_a_decision_that_comes_before_the_turn_is_parked_is_not_missed(bench: Bench) -> None:
    claim = await bench.asked()
    assert await bench.other.settle("a1", "declined", "U2", "Bob")
    assert await bench.here.park(claim, "a1")
    assert await bench.there.idle(60, most=10) == ["t1"]


async def test_an_expiry_wakes_the_turn_and_no_earlier(bench: Bench) -> None:
    await bench.parked()
    assert not await bench.ledger.settle("a1", "expired")
    bench.moment += UNTIL
    assert await bench.there.idle(60, most=10) == ["t1"]
    assert not await bench.ledger.settle("a1", "approved", "U2", "Bob")
    assert await bench.ledger.settle("a1", "expired")
    assert (await claimed(bench.there, "w2")).attempt == 2


async def test_a_stop_of_a_parked_turn_is_taken_up_by_whoever_looks_next(bench: Bench) -> None:
    await bench.parked()
    await bench.here.put(question("k2"))
    assert (await bench.there.stop("t1"))[1] == Stopped(running=1, waiting=1)
    assert await bench.there.idle(60, most=10) == ["t1"]
    assert (await claimed(bench.there, "w2")).stopping


async def test_a_turn_that_is_stopped_while_it_is_parked_is_not_lost(bench: Bench) -> None:
    claim = await bench.asked()
    await bench.there.stop("t1")
    await bench.here.park(claim, "a1")
    assert (await claimed(bench.there, "w2")).stopping


async def test_one_of_many_decides(bench: Bench) -> None:
    await bench.parked()
    assert await bench.ledger.settle("a1", "declined", "U2", "Bob")
    assert not await bench.other.settle("a1", "approved", "U3", "Eve")
    kept = await bench.other.find("a1")
    assert kept is not None
    assert (kept.state, kept.by, kept.name) == ("declined", "U2", "Bob")
    assert await bench.ledger.waiting() == []


async def test_what_has_ended_cannot_be_approved(bench: Bench) -> None:
    claim = await bench.asked()
    await bench.here.finish(claim)
    assert not await bench.ledger.settle("a1", "approved", "U2", "Bob")
    assert await bench.ledger.settle("a1", "withdrawn")


async def test_an_approved_call_is_begun_once_and_its_result_is_kept(bench: Bench) -> None:
    await bench.parked()
    first, second = await bench.ledger.begin("a1", "c1"), await bench.other.begin("a1", "c1")
    assert (first.fresh, second.fresh, second.result) == (True, False, None)
    await bench.ledger.end("a1", "c1", "done", {"text": "deleted"})
    third = await bench.other.begin("a1", "c1")
    assert (third.fresh, third.result) == (False, {"text": "deleted"})
    kept = await bench.ledger.find("a1")
    assert kept is not None
    assert kept.fates == {"c1": "done"}


async def test_a_turn_that_waits_for_people_is_not_taken_to_be_stuck(bench: Bench) -> None:
    await bench.parked()
    assert await bench.here.stuck(NOON + UNTIL - timedelta(minutes=1)) == []


async def test_a_turn_that_nobody_takes_up_when_it_may_go_on_is_stuck(bench: Bench) -> None:
    await bench.parked()
    assert [key for key, _, _ in await bench.here.stuck(NOON + UNTIL)] == ["k1"]


async def test_to_wait_for_people_is_not_to_die(bench: Bench) -> None:
    claim = await bench.asked()
    for number in range(MOST_DEATHS + 1):
        await bench.here.park(claim, "a1")
        bench.moment += UNTIL
        claim = await claimed(bench.there, f"w{number}")
    assert claim.died == 0
