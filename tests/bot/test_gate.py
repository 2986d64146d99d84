"""Who gets an answer, who gets a polite line, and who silence."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.gate import LOOP, NOT_LISTED, Admission, Gate, Role
from bot.store import Store, Usage, open_store
from bot.turns import LocalTurns
from bot.work import Handling
from handlers.deps import Deps
from handlers.document import Document, Note, Prose
from handlers.flight import Flights
from handlers.surface import Deleted, Edited, PatrolRequest, Question, Stop, SurfaceError
from tests.fakes.thinking import Agents, Patrols, Reports, Surface

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ASKED = Question("slack:T:C:1.1", "slack:T:C:1.1", "U1", "fleet?", "1.1")
ALONE = Question("slack:T:D:1.1", "slack:T:D:1.1", "U1", "fleet?", "1.1", direct=True)


class Roles:
    """Everybody is a member unless told otherwise."""

    def __init__(self) -> None:
        self.known: dict[str, Role] = {}
        self.fault: SurfaceError | None = None

    async def of(self, user: str) -> Role:
        if self.fault:
            raise self.fault
        return self.known.get(user, Role.MEMBER)


class House:
    """A gate with everything behind it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.surface = Surface()
        self.roles = Roles()
        self.agents = Agents()
        self.time = 0.0
        self.rules(Admission())

    def rules(self, admission: Admission) -> None:
        self.gate = Gate(lambda: self.turns, self.store, self.surface, self.roles, admission, lambda: self.time)
        deps = Deps(self.surface, self.agents, Patrols(), Reports(), Flights(), lambda: "ref-1")
        self.turns = LocalTurns(Handling(deps, self.gate))

    async def said(self, *events: Question | PatrolRequest) -> list[str]:
        """What was posted on these events, in order."""
        before = len(self.surface.posts)
        for event in events:
            await self.gate.admit(event)
            await self.turns.idle()
        return [text(document) for _, document in self.surface.posts[before:]]


def text(document: Document) -> str:
    return " ".join(
        part.text if isinstance(part, Note) else part.markdown
        for part in document.parts
        if isinstance(part, Note | Prose)
    )


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_store(f"sqlite:///{tmp_path}/own.db", lambda: NOON) as store:
        yield House(store)


async def test_a_member_is_answered_and_the_thread_is_joined(house: House) -> None:
    (answer,) = await house.said(ASKED)
    assert answer.startswith("You said: fleet?")
    assert await house.store.knows(ASKED.thread)


@pytest.mark.parametrize("role", [Role.GUEST, Role.STRANGER, Role.NOBODY])
async def test_others_get_silence_in_a_channel_and_one_polite_line_when_alone(house: House, role: Role) -> None:
    house.roles.known["U1"] = role
    assert await house.said(ASKED) == []
    again = replace(ALONE, key="slack:T:D:2.1", thread="slack:T:D:2.1")
    assert await house.said(ALONE, again) == [NOT_LISTED]
    assert house.agents.threads == {}


async def test_guests_are_answered_where_the_settings_let_them(house: House) -> None:
    house.roles.known["U1"] = Role.GUEST
    house.rules(Admission(roles=frozenset({Role.MEMBER, Role.GUEST})))
    assert len(await house.said(ASKED)) == 1


LISTS = [
    Admission(teams=frozenset({"T9"})),
    Admission(channels=frozenset({"C9"})),
    Admission(users=frozenset({"U9"})),
]


@pytest.mark.parametrize("admission", LISTS)
async def test_what_is_on_no_list_is_not_even_kept(house: House, admission: Admission) -> None:
    house.rules(admission)
    assert await house.said(ASKED) == []
    assert not await house.store.knows(ASKED.thread)
    house.rules(Admission(frozenset({"T"}), frozenset({"C"}), frozenset({"U1"})))
    assert len(await house.said(ASKED)) == 1


async def test_who_is_not_on_the_list_of_users_is_told_so_once_when_alone_and_never_answered(house: House) -> None:
    house.rules(Admission(users=frozenset({"U9"})))
    again = replace(ALONE, key="slack:T:D:2.1", thread="slack:T:D:2.1")
    assert await house.said(ALONE, again) == [NOT_LISTED]
    assert house.agents.threads == {}


async def test_a_limit_of_the_day_is_said_and_holds_for_each_purse(house: House) -> None:
    house.rules(Admission(limits={"user": Usage(turns=2)}))
    events = [replace(ASKED, key=f"slack:T:C:{n}.1", thread=f"slack:T:C:{n}.1") for n in range(3)]
    *answers, refused = await house.said(*events)
    assert len(answers) == 2
    assert refused.startswith("Your limit for today is reached.")
    assert len(await house.said(replace(ASKED, key="slack:T:C:9.1", user="U2"))) == 1


async def test_the_clock_needs_no_leave(house: House) -> None:
    house.rules(Admission(users=frozenset({"U9"}), limits={"workspace": Usage(turns=1)}))
    slots = [PatrolRequest(f"clock:{n}", "slack:T:C", "clock", "nonsense") for n in range(2)]
    assert len(await house.said(*slots)) == 2


async def test_when_nobody_can_say_who_asks_nobody_is_answered(house: House) -> None:
    house.roles.fault = SurfaceError("Slack could not be reached for users.info")
    assert await house.said(ASKED) == []
    assert house.agents.threads == {}


async def test_two_programs_that_talk_to_each_other_are_cut_short(house: House) -> None:
    events = [replace(ASKED, key=f"k{n}") for n in range(LOOP + 5)]
    assert len(await house.said(*events)) == LOOP
    house.time = 61.0
    assert len(await house.said(replace(ASKED, key="later"))) == 1


async def test_a_stop_with_nothing_to_stop_says_so_once(house: House) -> None:
    for _ in range(2):
        await house.gate.act(Stop("s1", ASKED.thread, "U1"))
    assert [text(document) for _, document in house.surface.posts] == ["Nothing is running here."]


async def test_who_may_not_ask_may_not_stop_or_change_either(house: House) -> None:
    house.rules(Admission(users=frozenset({"U1"})))
    house.agents.hold.clear()
    await house.gate.admit(ASKED)
    waits = replace(ASKED, key="slack:T:C:2.1", text="disks?")
    await house.gate.admit(waits)
    for control in (
        Stop("s", ASKED.thread, "U9"),
        Edited(waits.key, waits.thread, "U9", "?"),
        Deleted(waits.key, waits.thread, "U9"),
    ):
        await house.gate.act(control)
    await house.gate.act(Edited(waits.key, waits.thread, "U1", "memory?"))
    house.agents.hold.set()
    await house.turns.idle()
    assert house.agents.threads[ASKED.thread] == ["fleet?", "memory?"]
