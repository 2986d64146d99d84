"""The stored inbox: which event is whose turn, in which order, and that only one at a time has a lane."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from bot.store import Store, open_store
from bot.turns.claims import LONGEST
from bot.turns.inbox import Claim, Sight, TakenOver
from bot.turns.steps import Steps
from bot.turns.stored import StoredInbox
from tests.bot.turns.desk import question

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Bench:
    """Two processes that share one database and its clock."""

    def __init__(self, here: Store, there: Store) -> None:
        self.now = NOON
        self.here, self.there = (StoredInbox(store.database, lambda: self.now) for store in (here, there))
        self.steps = Steps(here.database)


@pytest.fixture
async def bench(url: str) -> AsyncIterator[Bench]:
    async with open_store(url, lambda: NOON) as here, open_store(url, lambda: NOON) as there:
        yield Bench(here, there)


async def claimed(inbox: StoredInbox, worker: str, lane: str = "t1") -> Claim:
    claim = await inbox.claim(lane, worker)
    assert claim is not None
    return claim


async def test_while_a_turn_runs_nobody_else_gets_the_next_event_of_its_lane(bench: Bench) -> None:
    for key in ("k1", "k2"):
        await bench.here.put(question(key))
    first = await claimed(bench.here, "w1")
    assert await bench.there.claim("t1", "w2") is None
    assert await bench.here.finish(first)
    assert (await claimed(bench.there, "w2")).event.key == "k2"


async def test_an_earlier_message_that_comes_late_does_not_overtake_the_turn_that_runs(bench: Bench) -> None:
    await bench.here.put(question("k2"))
    first = await claimed(bench.here, "w1")
    await bench.there.put(question("k1"))
    assert await bench.there.claim("t1", "w2") is None
    await bench.here.finish(first)
    assert (await claimed(bench.there, "w2")).event.key == "k1"


async def test_of_many_that_claim_a_lane_at_once_one_gets_it(bench: Bench) -> None:
    for number in range(6):
        await bench.here.put(question(f"k{number}"))
    claims = await asyncio.gather(
        *(inbox.claim("t1", f"w{n}{side}") for n in range(8) for side, inbox in enumerate((bench.here, bench.there)))
    )
    got = [claim for claim in claims if claim is not None]
    assert [claim.event.key for claim in got] == ["k0"]


async def test_all_events_of_a_lane_are_done_in_order_whoever_fights_for_them(bench: Bench) -> None:
    done: list[str] = []
    at_work = 0

    async def worker(inbox: StoredInbox, name: str) -> None:
        nonlocal at_work
        tries = 0
        while len(done) < 12:
            tries += 1
            claim = await inbox.claim("t1", f"{name}{tries}")
            if claim is None:
                continue
            at_work += 1
            assert at_work == 1
            await bench.steps.keep(claim, "look", "{}")
            done.append(claim.event.key)
            at_work -= 1
            await inbox.finish(claim)

    for number in range(12):
        await bench.here.put(question(f"k{number:02d}"))
    await asyncio.gather(*(worker(inbox, f"w{n}") for n, inbox in enumerate((bench.here, bench.there) * 2)))
    assert done == [f"k{number:02d}" for number in range(12)]


async def test_a_worker_that_begins_again_finds_its_event_and_what_was_written_down(bench: Bench) -> None:
    await bench.here.put(question("k1"))
    first = await claimed(bench.here, "w1")
    await bench.steps.keep(first, "round:1", '{"a": 1}')
    await bench.here.put(question("k2", text="and the disks?"))
    assert await bench.here.hear(first, "heard:1") == ["and the disks?"]
    again = await claimed(bench.there, "w1")
    assert (again.event.key, again.turn, again.attempt) == ("k1", first.turn, 2)
    assert again.steps == {"round:1": '{"a": 1}'}
    assert again.heard == {"heard:1": ["and the disks?"]}


async def test_who_was_taken_over_can_write_hear_and_finish_nothing(bench: Bench) -> None:
    await bench.here.put(question("k1"))
    zombie = await claimed(bench.here, "w1")
    heir = await claimed(bench.there, "w1")
    await bench.here.put(question("k2"))
    with pytest.raises(TakenOver):
        await bench.steps.keep(zombie, "round:1", "{}")
    with pytest.raises(TakenOver):
        await bench.here.hear(zombie, "heard:1")
    with pytest.raises(TakenOver):
        await bench.here.finish(zombie)
    assert await bench.there.hear(heir, "heard:1") == ["k2"]


async def test_one_who_was_taken_over_does_not_spoil_what_others_write_at_once(bench: Bench) -> None:
    for lane in ("t1", "t2"):
        await bench.here.put(question(f"k-{lane}", lane))
    zombie, fine = await claimed(bench.here, "w1"), await claimed(bench.here, "w2", "t2")
    await claimed(bench.there, "w1")
    outcomes = await asyncio.gather(
        bench.steps.keep(zombie, "a", "1"),
        bench.steps.keep(fine, "a", "2"),
        bench.steps.keep(fine, "b\0", "3"),
        return_exceptions=True,
    )
    assert isinstance(outcomes[0], TakenOver)
    assert outcomes[1:] == [False, False]
    assert (await claimed(bench.here, "w2", "t2")).steps == {"a": "2", "b\\0": "3"}


async def test_a_written_step_tells_whether_something_waits(bench: Bench) -> None:
    await bench.here.put(question("k1"))
    claim = await claimed(bench.here, "w1")
    assert not await bench.steps.keep(claim, "round:1", "{}")
    await bench.there.put(question("k2"))
    assert await bench.steps.keep(claim, "tool:1", "{}")


async def test_the_journal_of_a_turn_goes_with_it(bench: Bench) -> None:
    await bench.here.put(question("k1"))
    claim = await claimed(bench.here, "w1")
    await bench.steps.keep(claim, "round:1", "{}")
    assert not await bench.here.finish(claim)
    assert await bench.here.claim("t1", "w1") is None


async def test_lanes_that_nobody_sees_to_are_found_and_others_are_not(bench: Bench) -> None:
    for lane in ("left", "run", "new"):
        await bench.here.put(question(f"k-{lane}", lane))
    await claimed(bench.here, "w1", "run")
    await bench.here.put(replace(question("k-run-2", "run"), user="U2"))
    bench.now += timedelta(seconds=5)
    await bench.here.put(question("k-later", "later"))
    assert await bench.there.idle(2, most=10) == ["left", "new"] or await bench.there.idle(2, most=10) == [
        "new",
        "left",
    ]
    assert len(await bench.there.idle(2, most=1)) == 1
    assert "later" in await bench.there.idle(0, most=10)


async def test_a_turn_whose_worker_is_lost_for_good_is_taken_up_again(bench: Bench) -> None:
    await bench.here.put(question("k1"))
    lost = await claimed(bench.here, "w1")
    bench.now += LONGEST + timedelta(seconds=1)
    assert await bench.there.idle(2, most=10) == ["t1"]
    again = await claimed(bench.there, "w2")
    assert (again.turn, again.attempt) == (lost.turn, 2)
    with pytest.raises(TakenOver):
        await bench.here.finish(lost)


async def test_events_that_come_together_are_each_met_as_if_alone(bench: Bench) -> None:
    await bench.here.put(question("old"))
    await claimed(bench.here, "w1")
    await bench.there.put(question("known", "t2"))
    keys = ["new", "old", "known", "new", "other", "new"]
    sights = await asyncio.gather(*(bench.here.put(question(key, f"thread of {key}")) for key in keys))
    assert sights == [Sight.NEW, Sight.OLD, Sight.WAITING, Sight.WAITING, Sight.NEW, Sight.WAITING]
    assert await bench.there.waiting() == 3


async def test_an_event_that_cannot_be_kept_does_not_take_others_along(bench: Bench) -> None:
    unkeepable = replace(question("k2", "t2"), text="\ud800")
    outcomes = await asyncio.gather(
        *map(bench.here.put, (question("k1"), unkeepable, question("k3", "t3"))), return_exceptions=True
    )
    assert (outcomes[0], outcomes[2]) == (Sight.NEW, Sight.NEW)
    assert await bench.here.waiting() == 2 + (outcomes[1] is Sight.NEW)


async def test_two_processes_that_take_the_same_events_in_at_once_agree_on_who_was_first(bench: Bench) -> None:
    keys = [f"k{number:02d}" for number in range(40)]
    here = (bench.here.put(question(key, key)) for key in keys)
    there = (bench.there.put(question(key, key)) for key in reversed(keys))
    sights = await asyncio.gather(*here, *there)
    assert sights.count(Sight.NEW) == 40
    for key, one, other in zip(keys, sights[:40], reversed(sights[40:]), strict=True):
        assert {one, other} == {Sight.NEW, Sight.WAITING}, key


async def test_many_lanes_are_begun_and_ended_at_once_each_with_its_own(bench: Bench) -> None:
    lanes = [f"t{number:02d}" for number in range(30)]
    for place in (2, 1):
        await asyncio.gather(*(bench.here.put(question(f"{lane}-{place}", lane)) for lane in lanes))
    claims = await asyncio.gather(*(bench.here.claim(lane, f"w-{lane}") for lane in [*lanes, "empty"]))
    assert claims.pop() is None
    begun = [claim for claim in claims if claim is not None]
    assert [claim.event.key for claim in begun] == [f"{lane}-1" for lane in lanes]
    assert [claim.worker for claim in begun] == [f"w-{lane}" for lane in lanes]
    more = await asyncio.gather(*map(bench.here.finish, begun))
    assert more == [True] * 30


async def test_of_those_begun_at_once_only_the_one_that_is_another_process_s_is_left_out(bench: Bench) -> None:
    for lane in ("t1", "t2", "t3"):
        await bench.here.put(question(f"k-{lane}", lane))
    theirs = await claimed(bench.there, "w-there", "t2")
    claims = await asyncio.gather(*(bench.here.claim(lane, "w-here") for lane in ("t1", "t2", "t3")))
    assert [claim and claim.event.key for claim in claims] == ["k-t1", None, "k-t3"]
    assert not await bench.there.finish(theirs)


async def test_of_those_ended_at_once_only_the_one_that_was_taken_over_is_told_so(bench: Bench) -> None:
    for lane in ("t1", "t2", "t3"):
        await bench.here.put(question(f"k-{lane}", lane))
    claims = [await claimed(bench.here, "w", lane) for lane in ("t1", "t2", "t3")]
    await bench.here.put(question("k-t3-2", "t3"))
    heir = await claimed(bench.there, "w", "t2")
    outcomes = await asyncio.gather(*map(bench.here.finish, claims), return_exceptions=True)
    assert (outcomes[0], outcomes[2]) == (False, True)
    assert isinstance(outcomes[1], TakenOver)
    assert not await bench.there.finish(heir)


async def test_what_was_heard_ends_with_its_turn_and_what_another_heard_does_not(bench: Bench) -> None:
    for lane in ("t1", "t2"):
        await bench.here.put(question(f"k-{lane}", lane))
    one, other = await claimed(bench.here, "w", "t1"), await claimed(bench.here, "w", "t2")
    for claim in (one, other):
        await bench.here.put(question(f"added-{claim.lane}", claim.lane))
        assert await bench.here.hear(claim, "heard:1") == [f"added-{claim.lane}"]
    assert not await bench.here.finish(one)
    assert not await bench.here.under_way("added-t1")
    assert await bench.here.under_way("added-t2")


async def test_a_crowd_costs_statements_by_the_batch_not_by_the_event(bench: Bench) -> None:
    statements: list[str] = []
    event.listen(bench.here.database.plain, "before_cursor_execute", lambda *a: statements.append(a[2].split()[0]))
    lanes = [f"t{number:03d}" for number in range(100)]
    await asyncio.gather(*(bench.here.put(question(f"k-{lane}", lane)) for lane in lanes))
    claims = await asyncio.gather(*(bench.here.claim(lane, "w") for lane in lanes))
    assert len([claim for claim in claims if claim is not None]) == 100
    await asyncio.gather(*(bench.here.finish(claim) for claim in claims if claim is not None))
    assert len(statements) < 20, statements
