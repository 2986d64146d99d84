"""The first sign that a question was heard."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.reaction import MOST, SOON, Reaction
from bot.turns import TurnsFull
from handlers.locale import Locale
from handlers.surface import Event, PatrolRequest, Question, SurfaceError
from tests.fakes.thinking import Surface

ASKED = Question("slack:T:C:1.1", "slack:T:C:1.1", "U1", "fleet?", "1.1")


class Door:
    """Takes each event once, from people in `allowed`."""

    def __init__(self, allowed: Sequence[str] = ("U1",)) -> None:
        self.taken: list[Event] = []
        self.allowed = allowed
        self.fault: SurfaceError | None = None
        self.full = False

    async def admit(self, event: Event) -> bool:
        if self.full:
            raise TurnsFull("too much to do")
        if event in self.taken:
            return False
        self.taken.append(event)
        return True

    async def may(self, user: str) -> bool:
        if self.fault:
            raise self.fault
        return user in self.allowed


async def chinese(place: str, user: str) -> Locale:
    return Locale("zh")


@pytest.fixture
def surface() -> Surface:
    return Surface()


async def test_a_new_question_is_shown_as_heard_in_its_askers_language(surface: Surface) -> None:
    reaction = Reaction(Door(), surface, chinese)
    assert await reaction.admit(ASKED)
    await reaction.idle()
    assert surface.statuses == [(ASKED.thread, "正在思考")]


async def test_nobody_waits_for_the_sign(surface: Surface) -> None:
    surface.gate.clear()
    reaction = Reaction(Door(), surface, chinese)
    assert await reaction.admit(ASKED)
    assert surface.statuses == []
    surface.gate.set()
    await reaction.idle()


async def test_a_redelivery_and_a_patrol_get_no_sign(surface: Surface) -> None:
    reaction = Reaction(Door(), surface, chinese)
    await reaction.admit(ASKED)
    assert not await reaction.admit(ASKED)
    await reaction.admit(PatrolRequest("p", "slack:T:C", "U1", ""))
    await reaction.idle()
    assert len(surface.statuses) == 1


async def test_whoever_gets_no_answer_gets_no_sign(surface: Surface) -> None:
    reaction = Reaction(Door(allowed=()), surface, chinese)
    assert await reaction.admit(ASKED)
    await reaction.idle()
    assert surface.statuses == []


async def test_a_platform_that_refuses_the_sign_costs_nothing(surface: Surface) -> None:
    door = Door()
    door.fault = SurfaceError("away")
    reaction = Reaction(door, surface, chinese)
    assert await reaction.admit(ASKED)
    await reaction.idle()
    assert surface.statuses == []


async def test_a_sign_that_would_come_late_is_left_out(surface: Surface) -> None:
    now = iter([0.0, SOON * 2])
    reaction = Reaction(Door(), surface, chinese, clock=lambda: next(now))
    await reaction.admit(ASKED)
    await reaction.idle()
    assert surface.statuses == []


async def test_who_has_to_wait_is_told_the_place_in_the_queue_however_late_that_is(surface: Surface) -> None:
    now = iter([0.0, SOON * 2])
    reaction = Reaction(Door(), surface, chinese, lambda event: 12, clock=lambda: next(now))
    await reaction.admit(ASKED)
    await reaction.idle()
    assert surface.statuses == [(ASKED.thread, "正忙:您的问题排在第 12 位")]


async def test_who_is_refused_for_now_is_told_so_each_time_and_the_platform_hears_it(surface: Surface) -> None:
    door = Door()
    door.full = True
    reaction = Reaction(door, surface, chinese)
    for _ in range(2):
        with pytest.raises(TurnsFull):
            await reaction.admit(ASKED)
    await reaction.idle()
    assert [text for _, text in surface.statuses] == ["过于繁忙,暂时无法受理;稍后会自动重试"] * 2


async def test_a_flood_is_taken_in_whole_and_only_its_first_are_told(surface: Surface) -> None:
    surface.gate.clear()
    door = Door()
    reaction = Reaction(door, surface, chinese, lambda event: len(door.taken))
    for number in range(MOST + 100):
        assert await reaction.admit(replace(ASKED, key=f"k{number}"))
    surface.gate.set()
    await reaction.idle()
    assert len(door.taken) == MOST + 100
    assert len(surface.statuses) == MOST
