"""The queue of turns: once each, in order within a thread, side by side between threads."""

import asyncio
from collections.abc import Callable

import pytest

from bot.turns import MAX_WAITING, Turns, TurnsFull
from handlers.surface import Event, PatrolRequest, Question


def question(key: str, thread: str = "t1") -> Question:
    return Question(key=key, thread=thread, user="U1", text=key)


class Seen:
    def __init__(self) -> None:
        self.keys: set[str] = set()

    async def __call__(self, key: str) -> bool:
        new = key not in self.keys
        self.keys.add(key)
        return new


class Desk:
    """A handler that waits until it is told to finish an event, and writes down when each began and ended."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}

    def gate(self, key: str) -> asyncio.Event:
        return self.gates.setdefault(key, asyncio.Event())

    async def __call__(self, event: Event) -> None:
        self.log.append(f"+{event.key}")
        await self.gate(event.key).wait()
        self.log.append(f"-{event.key}")


async def settle(done: Callable[[], bool]) -> None:
    for _ in range(200):
        if done():
            return
        await asyncio.sleep(0)
    raise AssertionError("never settled")


async def test_messages_of_one_thread_are_handled_in_order_without_overlap() -> None:
    desk = Desk()
    turns = Turns(desk, Seen())
    for key in ("a", "b", "c"):
        desk.gate(key).set()
        assert await turns.submit(question(key))
    await turns.idle()
    assert desk.log == ["+a", "-a", "+b", "-b", "+c", "-c"]


async def test_threads_do_not_wait_for_each_other() -> None:
    desk = Desk()
    turns = Turns(desk, Seen())
    await turns.submit(question("slow", "t1"))
    desk.gate("quick").set()
    await turns.submit(question("quick", "t2"))
    await settle(lambda: "-quick" in desk.log)
    assert "-slow" not in desk.log
    desk.gate("slow").set()
    await turns.idle()


async def test_a_redelivered_event_is_dropped() -> None:
    desk = Desk()
    turns = Turns(desk, Seen())
    desk.gate("a").set()
    assert [await turns.submit(question("a")), await turns.submit(question("a"))] == [True, False]
    await turns.idle()
    assert desk.log == ["+a", "-a"]


async def test_submitting_does_not_wait_for_the_work() -> None:
    desk = Desk()
    turns = Turns(desk, Seen())
    await turns.submit(question("a"))
    assert desk.log == []
    desk.gate("a").set()
    await turns.idle()


async def test_a_lane_works_again_after_it_was_empty() -> None:
    desk = Desk()
    turns = Turns(desk, Seen())
    for key in ("a", "b"):
        desk.gate(key).set()
        await turns.submit(question(key))
        await turns.idle()
    assert desk.log == ["+a", "-a", "+b", "-b"]


async def test_a_second_patrol_is_taken_up_while_the_first_runs() -> None:
    desk = Desk()
    turns = Turns(desk, Seen())
    for key in ("p1", "p2"):
        await turns.submit(PatrolRequest(key=key, channel="slack:T:C", user="U1", words="morning"))
    await settle(lambda: desk.log == ["+p1", "+p2"])
    desk.gate("p1").set()
    desk.gate("p2").set()
    await turns.idle()


async def test_no_more_than_the_allowed_number_run_at_once() -> None:
    desk = Desk()
    turns = Turns(desk, Seen(), max_running=2)
    for n in range(5):
        await turns.submit(question(f"q{n}", f"t{n}"))
    await settle(lambda: len(desk.log) == 2)
    for n in range(5):
        desk.gate(f"q{n}").set()
    await turns.idle()
    assert sorted(desk.log) == sorted(f"{sign}q{n}" for sign in "+-" for n in range(5))


async def test_closing_lets_running_turns_finish_and_takes_no_more() -> None:
    desk = Desk()
    turns = Turns(desk, Seen())
    await turns.submit(question("a"))
    desk.gate("a").set()
    assert await turns.close(5) == 0
    assert desk.log == ["+a", "-a"]
    with pytest.raises(TurnsFull):
        await turns.submit(question("b"))


async def test_closing_counts_what_it_had_to_cut_off() -> None:
    desk = Desk()
    turns = Turns(desk, Seen())
    await turns.submit(question("stuck"))
    await settle(lambda: bool(desk.log))
    assert await turns.close(0) == 1
    assert desk.log == ["+stuck"]


async def test_an_event_that_was_refused_may_come_again() -> None:
    desk, seen = Desk(), Seen()
    full = Turns(desk, seen)
    await full.close(0)
    with pytest.raises(TurnsFull):
        await full.submit(question("a"))
    assert seen.keys == set()
    desk.gate("a").set()
    fresh = Turns(desk, seen)
    assert await fresh.submit(question("a"))
    await fresh.idle()
    assert desk.log == ["+a", "-a"]


async def test_beyond_the_allowed_number_of_waiting_events_the_next_is_refused_until_there_is_room() -> None:
    desk, seen = Desk(), Seen()
    turns = Turns(desk, seen)
    await turns.submit(question("first"))
    await settle(lambda: desk.log == ["+first"])
    for number in range(MAX_WAITING):
        assert await turns.submit(question(str(number)))
    with pytest.raises(TurnsFull):
        await turns.submit(question("too many"))
    assert "too many" not in seen.keys
    desk.gate("first").set()
    await settle(lambda: "+0" in desk.log)
    assert await turns.submit(question("too many"))
    assert await turns.close(0) == 1


async def test_what_waited_behind_a_cut_off_turn_gives_its_room_back() -> None:
    desk = Desk()
    turns = Turns(desk, Seen())
    for key in ("stuck", "waiting"):
        await turns.submit(question(key))
    await settle(lambda: desk.log == ["+stuck"])
    assert await turns.close(0) == 1
    assert desk.log == ["+stuck"]
    await turns.idle()


async def test_each_thread_keeps_its_order_when_many_run_side_by_side() -> None:
    desk = Desk()
    turns = Turns(desk, Seen(), max_running=3)
    keys = [f"{thread}{number}" for number in range(4) for thread in "abcde"]
    for key in keys:
        desk.gate(key).set()
        await turns.submit(question(key, key[0]))
    await turns.idle()
    for thread in "abcde":
        assert [one for one in desk.log if one[1] == thread] == [f"{s}{thread}{n}" for n in range(4) for s in "+-"]


async def test_a_deaf_memory_of_events_ends_the_delivery_and_queues_nothing() -> None:
    async def broken(key: str) -> bool:
        raise ConnectionError("no database")

    desk = Desk()
    turns = Turns(desk, broken)
    with pytest.raises(ConnectionError):
        await turns.submit(question("a"))
    await turns.idle()
    assert desk.log == []


async def test_two_deliveries_of_one_event_at_once_are_one_turn() -> None:
    desk = Desk()
    desk.gate("a").set()
    turns = Turns(desk, Seen())
    assert sorted(await asyncio.gather(*(turns.submit(question("a")) for _ in range(5)))) == [False] * 4 + [True]
    await turns.idle()
    assert desk.log == ["+a", "-a"]


async def test_an_event_that_arrives_while_the_queue_closes_is_still_handled() -> None:
    remembered = asyncio.Event()

    async def slow(key: str) -> bool:
        await remembered.wait()
        return True

    desk = Desk()
    turns = Turns(desk, slow)
    arriving = asyncio.create_task(turns.submit(question("late")))
    await asyncio.sleep(0)
    closing = asyncio.create_task(turns.close(5))
    await asyncio.sleep(0)
    assert not closing.done()
    remembered.set()
    assert await arriving
    await settle(lambda: desk.log == ["+late"])
    assert not closing.done()
    desk.gate("late").set()
    assert await closing == 0
    assert desk.log == ["+late", "-late"]


async def test_an_arrival_that_is_given_up_does_not_hold_up_the_end() -> None:
    async def never(key: str) -> bool:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets this event")

    turns = Turns(Desk(), never)
    arriving = asyncio.create_task(turns.submit(question("a")))
    await asyncio.sleep(0)
    closing = asyncio.create_task(turns.close(60))
    await asyncio.sleep(0)
    arriving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await arriving
    assert await closing == 0
