"""What becomes of turns in which a process died: told from those it was only stopped in, suspected, done alone."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from dbos import DBOS, SetWorkflowID

from bot.clock import utc_now
from bot.store import open_store
from bot.turns.durable import Ref, turn_workflow
from bot.turns.inbox import MOST_DEATHS, SUSPECTS, Claim, TakenOver
from bot.turns.stored import StoredInbox
from handlers.surface import Event
from handlers.turn import Turn
from tests.bot.turns.conftest import QUICK, durable
from tests.bot.turns.desk import Desk, question, settle
from tests.bot.turns.test_inbox import NOON, Bench, claimed

ALONE = MOST_DEATHS - 1
"""Deaths after which a turn is the only one of its kind that a process does."""


@pytest.fixture
async def bench(url: str) -> AsyncIterator[Bench]:
    async with open_store(url, lambda: NOON) as here, open_store(url, lambda: NOON) as there:
        yield Bench(here, there)


async def died(inbox: StoredInbox, lane: str, times: int) -> None:
    """A worker of the lane's event dies so often, each time before it has done anything."""
    await inbox.put(question(f"k-{lane}", lane))
    for _ in range(times):
        claim = await claimed(inbox, f"w-{lane}", lane)
        # a dead process is through with nothing, but the next one does not know what it was doing
        inbox.through(claim)


async def test_deaths_in_one_step_are_counted_and_a_step_further_they_count_anew(bench: Bench) -> None:
    await bench.here.put(question("k1"))
    counted = []
    for attempt in range(6):
        claim = await claimed(bench.here, "w1")
        counted.append(claim.died)
        bench.here.through(claim)
        if attempt == 2:
            await bench.steps.keep(claim, "round:1", "{}")
    assert counted == [0, 1, 2, 1, 2, 3]


async def test_a_turn_that_was_stopped_in_good_order_goes_on_anywhere_and_nobody_died_of_it(bench: Bench) -> None:
    await bench.here.put(question("k1"))
    for number in range(MOST_DEATHS + 1):
        claim = await claimed(bench.here, f"w{number}")
        assert (claim.attempt, claim.died) == (number + 1, 0)
        await bench.here.release([claim])
        assert await bench.there.idle(0, most=10) == ["t1"]
    again = await claimed(bench.there, "another process")
    assert again.died == 0
    with pytest.raises(TakenOver):
        await bench.here.finish(claim)
    assert not await bench.there.finish(again)


async def test_only_what_is_still_this_process_s_is_handed_on(bench: Bench) -> None:
    for lane in ("t1", "t2"):
        await bench.here.put(question(f"k-{lane}", lane))
    zombie, mine = await claimed(bench.here, "w", "t1"), await claimed(bench.here, "w", "t2")
    heir = await claimed(bench.there, "w", "t1")
    await bench.here.release([zombie, mine])
    assert await bench.there.idle(0, most=10) == ["t2"]
    assert not await bench.there.finish(heir)


async def test_a_turn_that_is_being_stopped_when_its_process_is_tells_so_in_the_next(bench: Bench) -> None:
    await bench.here.put(question("k1"))
    claim = await claimed(bench.here, "w1")
    await bench.there.stop("t1")
    await bench.here.release([claim])
    assert (await claimed(bench.there, "w2")).stopping


async def test_of_suspects_a_process_does_one_at_a_time_and_everything_else_beside_it(bench: Bench) -> None:
    for lane in ("s1", "s2", "s3"):
        await died(bench.there, lane, ALONE)
    for lane in ("t1", "t2"):
        await bench.here.put(question(f"k-{lane}", lane))
    lanes = ("s1", "t1", "s2", "t2", "s3")
    claims = await asyncio.gather(*(bench.here.claim(lane, f"w-{lane}") for lane in lanes))
    assert [claim.lane for claim in claims if claim is not None] == ["s1", "t1", "t2"]
    suspect = claims[0]
    assert suspect is not None
    assert suspect.suspect
    assert bench.here.next_suspect() is None
    assert await bench.here.idle(0, most=10) == []
    assert await bench.here.claim("s2", "w-s2") is None
    bench.here.through(suspect)
    assert not await bench.here.finish(suspect)
    assert bench.here.next_suspect() == "s2"
    second = await claimed(bench.here, "w-s2", "s2")
    assert second.died == ALONE
    assert bench.here.next_suspect() is None
    bench.here.through(second)
    assert bench.here.next_suspect() == "s3"
    assert bench.here.next_suspect() is None


async def test_the_more_deaths_the_fewer_are_done_at_once(bench: Bench) -> None:
    for times, most in SUSPECTS.items():
        lanes = [f"{times} deaths {number}" for number in range(most + 2)]
        for lane in lanes:
            await died(bench.there, lane, times)
        begun = [claim for lane in lanes if (claim := await bench.here.claim(lane, f"w-{lane}")) is not None]
        assert [claim.died for claim in begun] == [times] * most


async def test_among_many_the_one_that_kills_is_found_and_no_other_is_given_up(bench: Bench) -> None:
    open_, poison, deaths = [f"t{number:02d}" for number in range(90)], "t41", 0
    for lane in open_:
        await bench.here.put(question(f"k-{lane}", lane))

    async def life(process: StoredInbox) -> bool:
        """Begin all that may be begun, over and over; whether that killed the process, as it does in the worst case:
        before any of the others gets on."""
        while open_:
            claims = await asyncio.gather(*(process.claim(lane, f"w-{lane}") for lane in open_))
            begun = [claim for claim in claims if claim is not None]
            if any(claim.lane == poison and claim.died < MOST_DEATHS for claim in begun):
                return True
            for claim in begun:
                assert (claim.died == MOST_DEATHS) == (claim.lane == poison)
                process.through(claim)
                await process.finish(claim)
                open_.remove(claim.lane)
        return False

    while await life(StoredInbox(bench.here.database, lambda: NOON)):
        deaths += 1
    assert deaths == MOST_DEATHS
    assert not open_


async def test_a_suspect_that_was_set_aside_here_may_be_done_by_another_process(bench: Bench) -> None:
    for lane in ("s1", "s2"):
        await died(bench.there, lane, ALONE)
    await claimed(bench.here, "w-s1", "s1")
    assert await bench.here.claim("s2", "w-s2") is None
    assert await bench.there.idle(0, most=10) == ["s2"]
    assert (await claimed(bench.there, "x", "s2")).died == ALONE


async def test_to_be_set_aside_is_no_death_and_ends_the_claim_of_who_had_it(bench: Bench) -> None:
    await died(bench.there, "s1", ALONE)
    await bench.here.put(question("k-s2", "s2"))
    for _ in range(ALONE):
        zombie = await claimed(bench.there, "w-s2", "s2")
    await claimed(bench.here, "w-s1", "s1")
    for _ in range(MOST_DEATHS):
        assert await bench.here.claim("s2", "w-s2") is None
    with pytest.raises(TakenOver):
        await bench.there.finish(zombie)
    assert (await claimed(bench.there, "w-s2", "s2")).died == ALONE


async def test_a_suspect_that_gets_on_is_none_any_more(bench: Bench) -> None:
    await died(bench.there, "s1", ALONE)
    claim = await claimed(bench.here, "w-s1", "s1")
    await bench.steps.keep(claim, "round:1", "{}")
    bench.here.through(claim)
    again = await claimed(bench.here, "w-s1", "s1")
    assert (again.died, again.suspect) == (1, False)


@pytest.mark.parametrize("times", [ALONE, MOST_DEATHS])
async def test_last_words_wait_for_no_suspect(bench: Bench, times: int) -> None:
    await died(bench.there, "s1", ALONE)
    await died(bench.there, "s2", times)
    await claimed(bench.here, "w-s1", "s1")
    if times == ALONE:
        await bench.there.stop("s2")
    last = await claimed(bench.here, "w-s2", "s2")
    assert not last.suspect
    assert last.stopping == (times == ALONE)
    assert last.died >= times


async def test_what_a_turn_heard_waits_again_when_it_is_given_up(bench: Bench) -> None:
    for lane in ("t1", "t2"):
        await bench.here.put(question(f"k-{lane}", lane))
    zombie, other = await claimed(bench.here, "w", "t1"), await claimed(bench.here, "w", "t2")
    for key in ("k-t1-2", "k-t1-3"):
        await bench.here.put(question(key, "t1"))
        await bench.here.hear(zombie, f"heard:{key}")
    await bench.here.put(question("k-t2-2", "t2"))
    await bench.here.hear(other, "heard:1")
    claim = await claimed(bench.there, "w", "t1")
    with pytest.raises(TakenOver):
        await bench.here.unhear(zombie)
    await bench.there.unhear(claim)
    assert await bench.there.finish(claim)
    assert not await bench.here.finish(other)
    for key in ("k-t1-2", "k-t1-3"):
        claim = await claimed(bench.there, key, "t1")
        assert (claim.event.key, claim.attempt) == (key, 1)
        await bench.there.finish(claim)


async def left_behind(url: str, times: int) -> Claim:
    """A turn with something added to it, in which a process died so often."""
    async with open_store(url, utc_now) as store:
        inbox = StoredInbox(store.database, utc_now)
        await inbox.put(question("poison"))
        claim = await claimed(inbox, "left")
        await inbox.put(question("added"))
        assert await inbox.hear(claim, "heard:1") == ["added"]
        for _ in range(times - 1):
            claim = await claimed(inbox, "left")
            inbox.through(claim)
    return claim


async def gone_on(desk: Desk) -> None:
    """What DBOS does with the worker that a dead process left."""
    with SetWorkflowID("left"):
        await DBOS.start_workflow_async(turn_workflow, Ref(lanes=["t1"]))


async def test_a_turn_that_is_given_up_is_told_and_what_was_added_to_it_is_answered(url: str) -> None:
    await left_behind(url, MOST_DEATHS)
    desk = Desk()
    desk.open = True
    async with durable(url, desk):
        await gone_on(desk)
        await settle(lambda: "-added" in desk.log)
    assert desk.log == ["?poison", "+added", "-added"]


async def test_a_turn_with_one_death_less_is_tried_once_more(url: str) -> None:
    await left_behind(url, MOST_DEATHS - 1)
    desk = Desk()
    desk.open = True
    async with durable(url, desk):
        await gone_on(desk)
        await settle(lambda: "-poison" in desk.log)
    assert desk.log == ["+poison", "-poison"]
    assert desk.heard["poison"] == ["added"]


class Hanging(Desk):
    """Hears what was added, then never ends."""

    async def handle(self, event: Event, turn: Turn) -> None:
        self.log.append(f"+{event.key}")
        if event.key != "slow":
            return
        await self.gates["added"].wait()
        self.heard[event.key] = list(await turn.journal.heard("heard:1"))
        await asyncio.Event().wait()


async def test_what_was_added_to_a_turn_that_took_too_long_is_answered_too(url: str) -> None:
    desk = Hanging()
    async with durable(url, desk, replace(QUICK, limit=2.0)) as turns:
        await turns.submit(question("slow"))
        await turns.submit(question("t-added"))
        desk.let("added")
        await settle(lambda: "+t-added" in desk.log)
    assert desk.log == ["+slow", "?slow", "+t-added"]
    assert desk.heard.get("slow", []) in (["t-added"], [])


async def test_suspects_are_done_one_after_the_other(url: str) -> None:
    async with open_store(url, utc_now) as store:
        inbox = StoredInbox(store.database, utc_now)
        for lane in ("s1", "s2", "s3"):
            await died(inbox, lane, ALONE)
    desk = Desk()
    # nobody looks for them: each is begun when the one before it is over
    async with durable(url, desk, replace(QUICK, watch=1000.0)) as turns:
        for lane in ("s1", "s2", "s3"):
            with SetWorkflowID(f"w-{lane}"):
                await DBOS.start_workflow_async(turn_workflow, Ref(lanes=[lane]))
        await turns.submit(question("k-t", "t"))
        await settle(lambda: "+k-t" in desk.log and len(desk.log) == 2)
        for number in (2, 3):
            desk.let(next(entry[1:] for entry in reversed(desk.log) if entry.startswith("+k-s")))
            await settle(lambda number=number: sum(e.startswith("+k-s") for e in desk.log) == number)  # type: ignore[misc]
        desk.let("k-s1", "k-s2", "k-s3", "k-t")
        await settle(lambda: sum(entry.startswith("-") for entry in desk.log) == 4)
    suspects = [entry for entry in desk.log if entry[1:4] == "k-s"]
    assert [entry[0] for entry in suspects] == ["+", "-"] * 3


class Stepping(Desk):
    """Takes a step, then waits."""

    async def handle(self, event: Event, turn: Turn) -> None:
        async def step() -> None:
            self.log.append(f"*{event.key}")
            await self.gates[f"step of {event.key}"].wait()

        await turn.journal.step("step", step)
        await super().handle(event, turn)


async def test_a_suspect_that_is_past_its_step_lets_the_next_one_begin(url: str) -> None:
    async with open_store(url, utc_now) as store:
        for lane in ("s1", "s2"):
            await died(StoredInbox(store.database, utc_now), lane, ALONE)
    desk = Stepping()
    async with durable(url, desk):
        for lane in ("s1", "s2"):
            with SetWorkflowID(f"w-{lane}"):
                await DBOS.start_workflow_async(turn_workflow, Ref(lanes=[lane]))
        await settle(lambda: len(desk.log) == 1)
        first = desk.log[0].removeprefix("*")
        desk.let(f"step of {first}")
        await settle(lambda: len(desk.log) == 3)
        assert set(desk.log) == {"*k-s1", "*k-s2", f"+{first}"}
        desk.let("k-s1", "k-s2", "step of k-s1", "step of k-s2")
        await settle(lambda: {"-k-s1", "-k-s2"} <= set(desk.log))


async def test_a_turn_may_be_in_the_way_of_any_number_of_stops(url: str) -> None:
    desk = Desk()
    for number in range(MOST_DEATHS + 1):
        async with durable(url, desk) as turns:
            if not number:
                await turns.submit(question("long"))
            await settle(lambda number=number: desk.log.count("+long") == number + 1)  # type: ignore[misc]
    desk.let("long")
    async with durable(url, desk):
        await settle(lambda: "-long" in desk.log)
    assert "?long" not in desk.log
    assert bool(desk.turns["long"].repeated)


async def test_a_released_turn_that_nobody_takes_up_is_stuck(bench: Bench) -> None:
    await bench.here.put(question("k1"))
    await bench.here.release([await claimed(bench.here, "w1")])
    assert [key for key, _, _ in await bench.here.stuck(NOON + timedelta(minutes=5))] == ["k1"]
