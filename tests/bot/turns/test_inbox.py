"""The stored inbox: which event is whose turn, in which order, and that only one at a time has a lane."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.store import Store, open_store
from bot.turns.inbox import Claim, TakenOver
from bot.turns.steps import Steps
from bot.turns.claims import LONGEST
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
