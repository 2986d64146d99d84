"""Presses behind the gate."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from bot.admission import Admission, Role
from bot.gate import Gate
from bot.pressing import Pressing
from bot.store import Store, open_store
from bot.turns import LocalTurns
from bot.work import Handling
from handlers.buttons import HOME, INVESTIGATE, investigation
from handlers.deps import Deps
from handlers.flight import Flights
from handlers.surface import Event, Investigate, Press, Stop, SurfaceError
from tests.fakes.thinking import Agents, Patrols, Reports, Surface

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PRESS = Press("k1", INVESTIGATE, investigation("R-1", "c-1"), "U1", "slack:T:C:1.1", "slack:T:C:1.1")
AT_HOME = Press("k2", INVESTIGATE, investigation("R-1", "c-1"), "U1", "slack:T:U1", "")


class Roles:
    def __init__(self) -> None:
        self.known: dict[str, Role] = {}
        self.fault: SurfaceError | None = None

    async def of(self, user: str) -> Role:
        if self.fault:
            raise self.fault
        return self.known.get(user, Role.MEMBER)


class House:
    def __init__(self, store: Store, admission: Admission) -> None:
        self.surface, self.roles = Surface(), Roles()
        self.queued: list[Event] = []
        self.deps = Deps(self.surface, Agents(), Patrols(), Reports(), Flights(), lambda: "ref-1", submit=self._submit)
        self.turns = LocalTurns(Handling(self.deps))
        self.gate = Gate(lambda: self.turns, store, self.surface, self.roles, admission)
        self.pressing = Pressing(self.gate, self.deps)
        self.hold = asyncio.Event()
        self.hold.set()

    async def _submit(self, event: Event) -> None:
        await self.hold.wait()
        self.queued.append(event)

    async def press(self, press: Press) -> list[Event]:
        await self.pressing.act(press)
        await self.pressing.idle()
        return self.queued


@pytest.fixture
async def store(own_database: str) -> AsyncIterator[Store]:
    async with open_store(own_database, lambda: NOON) as store:
        yield store


async def test_a_press_is_acted_on_beside_the_queue(store: Store) -> None:
    assert await House(store, Admission()).press(PRESS) == [Investigate("k1", PRESS.thread, "U1", "c-1", "R-1")]


async def test_a_press_is_acted_on_once_over_restarts(store: Store) -> None:
    await House(store, Admission()).press(PRESS)
    assert await House(store, Admission()).press(PRESS) == []


@pytest.mark.parametrize(
    "admission",
    [Admission(users=frozenset({"U2"})), Admission(channels=frozenset({"D"})), Admission(teams=frozenset({"X"}))],
)
async def test_who_may_not_ask_may_not_press(store: Store, admission: Admission) -> None:
    assert await House(store, admission).press(PRESS) == []


async def test_a_guest_may_not_press_and_is_told_so_alone(store: Store) -> None:
    house = House(store, Admission())
    house.roles.known["U1"] = Role.GUEST
    assert await house.press(PRESS) == []
    ((place, user, document),) = house.surface.whispers
    assert (place, user) == (PRESS.thread, "U1")
    assert document.fallback.startswith("Sorry, I may only answer people of this workspace")
    assert house.surface.posts == []


async def test_a_guest_who_opens_our_home_is_told_nothing(store: Store) -> None:
    house = House(store, Admission())
    house.roles.known["U1"] = Role.GUEST
    await house.press(Press(**_fields(AT_HOME, action=HOME, value="")))
    assert (house.surface.whispers, house.surface.homes) == ([], [])


async def test_a_role_that_cannot_be_found_out_lets_nobody_press(store: Store) -> None:
    house = House(store, Admission())
    house.roles.fault = SurfaceError("away")
    assert await house.press(PRESS) == []


async def test_our_home_is_open_where_channels_are_listed_but_not_for_strangers_to_the_list(store: Store) -> None:
    assert len(await House(store, Admission(channels=frozenset({"C"}))).press(AT_HOME)) == 1
    assert await House(store, Admission(users=frozenset({"U2"}))).press(Press(**_fields(AT_HOME, key="k3"))) == []


async def test_a_press_returns_before_it_is_done_and_the_end_waits_for_it(store: Store) -> None:
    house = House(store, Admission())
    house.hold.clear()
    assert await house.pressing.take(PRESS)
    assert house.queued == []
    asyncio.get_running_loop().call_later(0.01, house.hold.set)
    await house.pressing.close(5)
    assert len(house.queued) == 1


async def test_the_end_does_not_wait_for_ever(store: Store) -> None:
    house = House(store, Admission())
    house.hold.clear()
    await house.pressing.take(PRESS)
    await house.pressing.close(0)
    assert house.queued == []


async def test_a_stop_goes_to_the_gate_and_ends_what_is_shown(store: Store) -> None:
    house = House(store, Admission())
    await house.pressing.act(Stop("s1", "slack:T:C:1.1", "U1"))
    assert len(house.surface.posts) == 1
    assert house.surface.statuses == [("slack:T:C:1.1", "")]


def _fields(press: Press, **other: str) -> dict[str, str]:
    return {name: getattr(press, name) for name in ("key", "action", "value", "user", "thread", "message")} | other
