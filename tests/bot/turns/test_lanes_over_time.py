"""Lanes under any order of waking, beginning, ending and refusing: never too many at work, never one forgotten."""

import asyncio
from collections import Counter

import structlog
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.turns.lanes import Lanes

MOST = 2
LANES = st.sampled_from("abcd")


class Traffic(RuleBasedStateMachine):
    """A loop of its own that is run until nothing is left to do after each thing that happens."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.lanes = Lanes(self.begin, MOST)
        self.at_work: Counter[str] = Counter()
        self.owed: set[str] = set()
        self.refused: set[str] = set()
        self.missed: set[str] = set()
        self.order: list[str] = []
        self.waiting: list[str] = []
        self.closed = False

    def teardown(self) -> None:
        self.loop.close()

    async def begin(self, lane: str) -> None:
        assert not self.closed
        if lane in self.refused:
            self.missed.add(lane)
            raise OSError(lane)
        self.at_work[lane] += 1
        self.owed.discard(lane)
        self.order.append(lane)

    def happens(self, work, *arguments, **more) -> None:
        async def once() -> None:
            work(*arguments, **more)
            for _ in range(3 * len("abcd")):
                await asyncio.sleep(0)

        with structlog.testing.capture_logs():
            self.loop.run_until_complete(once())

    @precondition(lambda self: not self.closed)
    @rule(lane=LANES)
    def an_event_comes(self, lane: str) -> None:
        self.owed.add(lane)
        self.missed.discard(lane)
        self.happens(self.lanes.wake, lane)

    @precondition(lambda self: not self.closed)
    @rule(lane=LANES)
    def an_event_is_found_waiting(self, lane: str) -> None:
        # the worker in the lane will see it by itself
        if not self.at_work[lane]:
            self.owed.add(lane)
            self.missed.discard(lane)
        self.happens(self.lanes.found, lane)

    @precondition(lambda self: self.at_work.total())
    @rule(data=st.data(), more=st.booleans())
    def a_worker_ends(self, data: st.DataObject, more: bool) -> None:
        lane = data.draw(st.sampled_from(sorted(self.at_work.elements())))
        self.at_work[lane] -= 1
        if more:
            self.owed.add(lane)
        self.happens(self.lanes.ended, lane, more=more)

    @precondition(lambda self: self.at_work.total() < MOST and not self.closed)
    @rule(lane=LANES)
    def a_worker_comes_back_from_before_the_start(self, lane: str) -> None:
        if not self.at_work[lane]:
            self.at_work[lane] += 1
            self.happens(self.lanes.begun, lane)

    @rule(lane=LANES)
    def a_lane_cannot_be_begun_for_a_while(self, lane: str) -> None:
        self.refused ^= {lane}

    @precondition(lambda self: not self.closed)
    @rule(really=st.integers(0, 9))
    def the_process_ends(self, really: int) -> None:
        if not really:
            self.closed = True
            self.loop.run_until_complete(self.lanes.close())

    @invariant()
    def each_lane_has_one_worker_and_no_more_are_at_work_than_allowed(self) -> None:
        assert all(count <= 1 for count in self.at_work.values())
        assert self.at_work.total() <= MOST

    @invariant()
    def nobody_is_kept_waiting_while_there_is_room(self) -> None:
        if not self.closed and self.at_work.total() < MOST:
            idle = {lane for lane in self.owed if not self.at_work[lane]}
            # what could not be begun is looked for again later, by whoever finds it waiting
            assert idle <= self.missed

    @invariant()
    def room_and_places_are_told_as_they_are(self) -> None:
        assert 0 <= self.lanes.room <= MOST - self.at_work.total()
        if not self.closed and self.lanes.room:
            assert all(not self.lanes.place(lane) for lane in self.order[-1:])


TestTraffic = Traffic.TestCase
TestTraffic.settings = settings(max_examples=40, stateful_step_count=25)
