"""What every engine promises: once each, in order within a thread, side by side between threads, and to be stopped."""

import asyncio
from dataclasses import replace

import pytest

from bot.turns import Stopped, TurnsFull
from handlers.surface import Event, PatrolRequest
from handlers.turn import Turn
from tests.bot.turns.conftest import Opened
from tests.bot.turns.desk import Desk, question, settle


class Hearing(Desk):
    """Hears in the middle of its work: ~key behind that, and then it waits once more."""

    async def handle(self, event: Event, turn: Turn) -> None:
        self.log.append(f"+{event.key}")
        await self.gates[event.key].wait()
        await turn.journal.heard("heard:0")
        self.log.append(f"~{event.key}")
        await self.gates[f"behind {event.key}"].wait()
        self.log.append(f"-{event.key}")


async def test_messages_of_a_thread_are_done_in_the_order_in_which_they_were_sent(opened: Opened) -> None:
    desk = Desk()
    async with opened(desk) as turns:
        await turns.submit(question("k0"))
        await settle(lambda: desk.log == ["+k0"])
        for key in ("k3", "k1", "k2"):
            await turns.submit(question(key))
        desk.let("k0")
        await settle(lambda: desk.log == ["+k0", "-k0"])
    assert desk.heard["k0"] == ["k1", "k2", "k3"]


async def test_threads_do_not_wait_for_each_other(opened: Opened) -> None:
    desk = Desk()
    async with opened(desk) as turns:
        desk.let("quick")
        await turns.submit(question("slow", "t1"))
        await turns.submit(question("quick", "t2"))
        await settle(lambda: "-quick" in desk.log)
        assert "-slow" not in desk.log


async def test_an_event_is_done_once_however_often_it_is_delivered(opened: Opened) -> None:
    desk = Desk()
    desk.open = True
    async with opened(desk) as turns:
        assert [await turns.submit(question("a")) for _ in range(3)] == [True, False, False]
        await settle(lambda: desk.log == ["+a", "-a"])
        assert not await turns.submit(question("a"))
        await turns.submit(question("b"))
        await settle(lambda: "-b" in desk.log)
    assert desk.log == ["+a", "-a", "+b", "-b"]


async def test_what_is_said_during_a_turn_is_heard_by_it_and_has_no_turn_of_its_own(opened: Opened) -> None:
    desk = Desk()
    async with opened(desk) as turns:
        await turns.submit(question("a"))
        await settle(lambda: desk.log == ["+a"])
        await turns.submit(question("b", text="and the disks?"))
        desk.let("a", "b", "c")
        await settle(lambda: "-a" in desk.log)
        await turns.submit(question("c"))
        await settle(lambda: "-c" in desk.log)
    assert desk.heard["a"] == ["and the disks?"]
    assert desk.log == ["+a", "-a", "+c", "-c"]


async def test_a_command_during_a_turn_is_not_heard_by_it_but_obeyed_behind_it(opened: Opened) -> None:
    desk = Desk()
    async with opened(desk) as turns:
        await turns.submit(question("a"))
        await settle(lambda: desk.log == ["+a"])
        await turns.submit(question("b", text="mute"))
        desk.let("a", "b")
        await settle(lambda: "-b" in desk.log)
    assert desk.heard["a"] == []


async def test_what_another_person_says_meanwhile_waits_for_a_turn_with_that_ones_rights(opened: Opened) -> None:
    desk = Desk()
    async with opened(desk) as turns:
        await turns.submit(question("a"))
        await settle(lambda: desk.log == ["+a"])
        await turns.submit(replace(question("b"), user="U2"))
        desk.let("a", "b")
        await settle(lambda: "-b" in desk.log)
    assert desk.heard["a"] == []


async def test_a_stop_ends_the_turn_tells_the_thread_and_forgets_what_waits(opened: Opened) -> None:
    desk = Desk()
    async with opened(desk) as turns:
        await turns.submit(question("a"))
        await turns.submit(question("elsewhere", "t2"))
        await settle(lambda: len(desk.log) == 2)
        await turns.submit(question("b"))
        assert await turns.stop("t1") == Stopped(running=1, waiting=1)
        await settle(lambda: "!a" in desk.log)
        assert desk.turns["a"].steps == ["looked at a"]
        desk.let("c", "elsewhere")
        await turns.submit(question("c"))
        await settle(lambda: {"-c", "-elsewhere"} <= set(desk.log))
        assert await turns.stop("t3") == Stopped()
    assert "+b" not in desk.log


async def test_a_message_that_is_changed_before_its_turn_is_answered_as_changed(opened: Opened) -> None:
    desk = Desk()
    async with opened(desk) as turns:
        await turns.submit(PatrolRequest("p", "c", "U1", "morning"))
        await turns.submit(question("a"))
        await settle(lambda: "+a" in desk.log)
        await turns.submit(question("b", text="disks of prod-1?"))
        assert await turns.edit("b", "disks of prod-2?")
        assert not await turns.edit("a", "too late")
        assert not await turns.edit("unknown", "?")
        desk.let("a")
        await settle(lambda: "-a" in desk.log)
    assert desk.heard["a"] == ["disks of prod-2?"]


async def test_a_message_is_under_way_from_when_a_turn_takes_it_until_that_turn_ends(opened: Opened) -> None:
    desk = Desk()
    async with opened(desk) as turns:
        await turns.submit(question("a"))
        await settle(lambda: desk.log == ["+a"])
        await turns.submit(question("b"))
        assert [await turns.under_way(key) for key in ("a", "b", "unknown")] == [True, False, False]
        desk.let("a")
        await settle(lambda: "-a" in desk.log)
        while await turns.under_way("a"):
            await asyncio.sleep(0.002)
        assert not await turns.under_way("b")


async def test_what_a_turn_has_heard_is_told_apart_until_that_turn_ends(opened: Opened) -> None:
    desk = Hearing()
    async with opened(desk) as turns:
        await turns.submit(question("a"))
        await settle(lambda: desk.log == ["+a"])
        await turns.submit(question("b", text="and the disks?"))
        assert [await turns.heard(key) for key in ("a", "b", "unknown")] == [None, None, None]
        desk.let("a")
        await settle(lambda: "~a" in desk.log)
        assert await turns.heard("b") == question("b", text="and the disks?")
        assert await turns.heard("a") is None
        desk.let("behind a")
        await settle(lambda: "-a" in desk.log)
        while await turns.under_way("a"):
            await asyncio.sleep(0.002)
        assert await turns.heard("b") is None


async def test_a_message_that_is_deleted_has_no_turn_and_ends_the_one_it_has(opened: Opened) -> None:
    desk = Desk()
    async with opened(desk) as turns:
        await turns.submit(question("a"))
        await settle(lambda: desk.log == ["+a"])
        await turns.submit(question("b"))
        assert await turns.withdraw("b")
        assert not await turns.withdraw("b")
        assert await turns.withdraw("a")
        await settle(lambda: "!a" in desk.log)
        desk.let("c")
        await turns.submit(question("c"))
        await settle(lambda: "-c" in desk.log)
    assert desk.log == ["+a", "!a", "+c", "-c"]


async def test_a_second_patrol_is_taken_up_while_the_first_runs(opened: Opened) -> None:
    desk = Desk()
    async with opened(desk) as turns:
        for key in ("p1", "p2"):
            await turns.submit(PatrolRequest(key=key, channel="slack:T:C", user="U1", words="morning"))
        await settle(lambda: sorted(desk.log) == ["+p1", "+p2"])


async def test_closing_lets_running_turns_finish_and_takes_no_more(opened: Opened) -> None:
    desk = Desk()
    async with opened(desk) as turns:
        await turns.submit(question("a"))
        await settle(lambda: desk.log == ["+a"])
        desk.let("a")
        assert await turns.close(5) == 0
        assert desk.log == ["+a", "-a"]
        with pytest.raises(TurnsFull):
            await turns.submit(question("b"))


async def test_closing_counts_what_it_had_to_cut_off_and_says_nothing_in_the_thread(opened: Opened) -> None:
    desk = Desk()
    async with opened(desk) as turns:
        await turns.submit(question("stuck"))
        await settle(lambda: bool(desk.log))
        assert await turns.close(0) == 1
    assert desk.log == ["+stuck"]
