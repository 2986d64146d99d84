"""Who gets an answer, who gets a polite line, and who silence."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from agent.model import Usage as Tokens
from agent.progress import Spent
from bot.admission import Admission, Role, admission
from bot.gate import BY_CLOCK, CHANGED, LOOP, TAKEN_BACK, Gate
from bot.settings import Settings
from bot.slack.service import slack_config
from bot.store import Cause, Payer, Store, StoreUnreadable, Usage, Usages, open_store
from bot.turns import LocalTurns
from bot.work import Handling
from handlers.deps import Deps
from handlers.document import Document, Note, Prose
from handlers.flight import Flights
from handlers.locale import ENGLISH
from handlers.purse import Leave
from handlers.surface import Deleted, Edited, Event, Investigate, PatrolRequest, Question, Stop, SurfaceError
from handlers.turn import Turn
from tests.bot.turns.desk import Desk, settle
from tests.fakes.thinking import Agents, Patrols, Reports, Surface

NOT_LISTED = ENGLISH.say("refused.not_listed")
SONNET = "claude-sonnet-5-5"
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
        self.patrols = Patrols()
        self.time = 0.0
        self.rules(Admission())

    def rules(self, admission: Admission) -> None:
        self.gate = Gate(lambda: self.turns, self.store, self.surface, self.roles, admission, lambda: self.time)
        deps = Deps(self.surface, self.agents, self.patrols, Reports(), Flights(), lambda: "ref-1")
        self.turns = LocalTurns(Handling(deps, self.gate))

    async def said(self, *events: Question | PatrolRequest) -> list[str]:
        """What was posted on these events, in order."""
        before = len(self.surface.posts)
        for event in events:
            await self.gate.admit(event)
            await self.turns.idle()
        return [text(document) for _, document in self.surface.posts[before:]]

    def texts(self) -> list[str]:
        """All that was posted."""
        return [text(document) for _, document in self.surface.posts]

    async def running(self) -> None:
        """Wait until a turn has shown its last step."""
        while not self.surface.statuses or "prod-0" not in self.surface.statuses[-1][1]:
            await asyncio.sleep(0)


def text(document: Document) -> str:
    return " ".join(
        part.text if isinstance(part, Note) else part.markdown
        for part in document.parts
        if isinstance(part, Note | Prose)
    )


@pytest.fixture
async def house(own_database: str) -> AsyncIterator[House]:
    async with open_store(own_database, lambda: NOON) as store:
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


def dollars(amount: float) -> Spent:
    """A call that costs so many dollars, all for output."""
    return Spent(SONNET, Tokens(output_tokens=round(amount / 10 * 1_000_000)))


async def used(house: House, scope: str) -> Usage:
    """What the only payer of a scope used today."""
    (usage,) = (await house.store.usage.today(scope)).values()  # type: ignore[arg-type]
    return usage


def asks(count: int, first: int = 1, **more: str) -> list[Question]:
    """Questions in as many threads."""
    return [
        replace(ASKED, key=f"slack:T:C:{n}.1", thread=f"slack:T:C:{n}.1", **more) for n in range(first, first + count)
    ]


async def test_near_a_limit_of_money_a_cheaper_model_answers_then_rules_then_nobody(house: House) -> None:
    house.rules(Admission(limits={"user": Usage(micro_dollars=1_000_000)}, thrifty=0.8, cheaper=True))
    house.agents.spent = (dollars(0.80),)
    first, second = await house.said(*asks(2))
    assert ENGLISH.say("thrift.cheaper") not in first
    assert ENGLISH.say("thrift.cheaper") in second
    assert house.agents.thrifts == ["", "cheaper"]
    assert await used(house, "user") == Usage(2, 160_000, 1_600_000)
    assert await house.said(*asks(1, 3)) == [ENGLISH.say("refused.user")]


async def test_the_last_part_of_a_limit_is_for_rules_alone(house: House) -> None:
    house.rules(Admission(limits={"workspace": Usage(micro_dollars=1_000_000)}, cheaper=True))
    house.agents.spent = (dollars(0.95),)
    _, second = await house.said(*asks(2))
    assert house.agents.thrifts == ["", "rules"]
    assert second.startswith(ENGLISH.say("thrift.rules"))


async def test_without_a_cheaper_model_rules_answer_near_a_limit_of_tokens(house: House) -> None:
    house.rules(Admission(limits={"channel": Usage(tokens=100)}))
    house.agents.spent = (Spent("somebody's", Tokens(input_tokens=80)),)
    assert len(await house.said(*asks(2))) == 2
    assert house.agents.thrifts == ["", "rules"]
    assert await house.said(*asks(1, 3)) == [ENGLISH.say("refused.channel")]


async def test_a_model_of_unknown_price_is_held_by_tokens_alone(house: House) -> None:
    house.rules(Admission(limits={"user": Usage(micro_dollars=1)}))
    house.agents.spent = (Spent("somebody's", Tokens(input_tokens=80)),)
    assert len(await house.said(*asks(5))) == 5
    assert await used(house, "user") == Usage(5, 400, 0)


async def test_what_a_stopped_turn_used_is_charged_as_well(house: House) -> None:
    house.agents.hold.clear()
    house.agents.spent = (dollars(0.5),)
    await house.gate.admit(ASKED)
    await house.running()
    await house.gate.act(Stop("s1", ASKED.thread, "U1"))
    await house.turns.idle()
    assert house.texts() == ["Stopped. Done until then: Thinking; Reading metrics of prod-0."]
    assert await used(house, "workspace") == Usage(1, 50_000, 500_000)


async def test_what_a_failed_turn_used_is_charged_as_well(house: House) -> None:
    house.agents.fault = RuntimeError("a defect")
    house.agents.spent = (dollars(0.5),)
    (apology,) = await house.said(ASKED)
    assert "something went wrong" in apology
    assert (await used(house, "user")).micro_dollars == 500_000


async def test_a_turn_that_is_done_again_is_charged_once(house: House) -> None:
    for _ in range(2):
        await house.gate.charge(ASKED, [dollars(0.25)])
    assert (await used(house, "channel")).micro_dollars == 250_000


async def test_a_turn_that_was_taken_back_while_it_ran_ends_without_a_word_and_is_charged(house: House) -> None:
    house.agents.hold.clear()
    house.agents.spent = (dollars(0.5),)
    await house.gate.admit(ASKED)
    await house.running()
    await house.gate.act(Deleted(ASKED.key, ASKED.thread, "U1"))
    await house.turns.idle()
    assert house.surface.posts == []
    assert house.surface.statuses[-1] == (ASKED.thread, "")
    assert (await used(house, "user")).micro_dollars == 500_000


async def test_who_asks_too_fast_is_told_so_once_and_answered_again_a_minute_later(house: House) -> None:
    house.rules(Admission(bursts={"user": 3}))
    assert [text.startswith("You said") for text in await house.said(*asks(6))] == [True, True, True, False]
    assert house.texts()[-1] == ENGLISH.say("refused.minute")
    # others are not held up by it
    assert len(await house.said(*asks(1, 7, user="U2"))) == 1
    house.time = 60.0
    assert len(await house.said(*asks(4, 8))) == 4
    assert house.texts().count(ENGLISH.say("refused.minute")) == 2


async def test_a_message_that_is_delivered_again_is_not_asked_again(house: House) -> None:
    house.rules(Admission(bursts={"user": 3}))
    first, *others = asks(3)
    answers = await house.said(first, first, first, first, *others)
    assert [answer.startswith("You said") for answer in answers] == [True] * 3


async def test_a_channel_has_a_pace_of_its_own(house: House) -> None:
    house.rules(Admission(bursts={"user": 5, "channel": 3}))
    events = [replace(event, user=f"U{n}") for n, event in enumerate(asks(5))]
    *answers, told = await house.said(*events)
    assert len(answers) == 3
    assert told == ENGLISH.say("refused.minute")


async def test_who_asks_too_fast_uses_no_turn_of_the_day(house: House) -> None:
    house.rules(Admission(bursts={"user": 1}))
    await house.said(*asks(3))
    assert await used(house, "user") == Usage(turns=1)


async def test_strangers_are_answered_where_the_settings_let_them(house: House) -> None:
    house.roles.known["U1"] = Role.STRANGER
    house.rules(admission(Settings(roles="stranger")))
    assert len(await house.said(ASKED)) == 1
    house.roles.known["U1"] = Role.MEMBER
    assert await house.said(*asks(1, 2)) == []


@pytest.mark.parametrize(("roles", "heard"), [("member", False), ("member,guest", False), ("member,stranger", True)])
def test_channels_shared_with_others_are_listened_to_only_when_strangers_may_ask(roles: str, heard: bool) -> None:
    token = {"slack_bot_token": SecretStr("xoxb-1"), "slack_app_token": SecretStr("xapp-1")}
    assert slack_config(Settings(roles=roles, **token)).shared_channels is heard


def test_the_settings_become_the_rules() -> None:
    made = admission(
        Settings(
            channels="C1, C2",
            roles="member,guest",
            user_turns_per_day=7,
            user_dollars_per_day=1.5,
            channel_tokens_per_day=9,
            workspace_dollars_per_day=0.0000001,
            thrifty_percent=50,
            cheaper_model="claude-haiku-5-5",
        )
    )
    assert made.channels == {"C1", "C2"}
    assert made.roles == {Role.MEMBER, Role.GUEST}
    assert made.limits["user"] == Usage(7, 0, 1_500_000)
    assert made.limits["channel"] == Usage(1000, 9, 0)
    # the smallest limit there is, and not none
    assert made.limits["workspace"].micro_dollars == 1
    assert made.thrifty == 0.5
    # without a key there is no model at all, cheaper or not
    assert not made.cheaper


@pytest.mark.parametrize(
    ("share", "thrift"), [(0, ""), (0.79, ""), (0.8, "cheaper"), (0.94, "cheaper"), (0.95, "rules"), (3, "rules")]
)
def test_saving_begins_where_the_settings_say(share: float, thrift: str) -> None:
    assert Admission(cheaper=True).thrift(share) == thrift
    assert Admission().thrift(share) == ("rules" if thrift else "")


async def test_a_question_that_is_changed_while_it_is_answered_is_answered_as_it_is_now(house: House) -> None:
    house.agents.hold.clear()
    await house.gate.admit(ASKED)
    await house.running()
    for _ in range(2):
        await house.gate.act(Edited(ASKED.key, ASKED.thread, "U1", "disks?"))
    assert [(user, text(seen)) for _, user, seen in house.surface.whispers] == [("U1", ENGLISH.say("edit.seen"))]
    house.agents.hold.set()
    await house.turns.idle()
    # this agent never listens, so the change is answered by the next turn; the loop's own tests have one that does
    assert house.agents.threads[ASKED.thread] == ["fleet?", CHANGED.format(text="disks?")]


async def test_a_question_that_is_changed_after_its_answer_is_left_alone(house: House) -> None:
    await house.said(ASKED)
    await house.gate.act(Edited(ASKED.key, ASKED.thread, "U1", "disks?"))
    await house.turns.idle()
    assert house.agents.threads[ASKED.thread] == ["fleet?"]
    assert house.surface.whispers == []


class Listening(Desk):
    """Hears what was said meanwhile before it waits, and once more behind that, as an agent does between rounds."""

    async def handle(self, event: Event, turn: Turn) -> None:
        while not (heard := await turn.journal.heard("heard:0")):
            await asyncio.sleep(0)
        self.texts["heard"] = " ".join(heard)
        await super().handle(event, turn)


@pytest.mark.parametrize("user", ["U1", ""])
async def test_a_turn_that_heard_a_message_is_told_that_it_was_taken_back(house: House, user: str) -> None:
    desk = Listening()
    house.turns = LocalTurns(desk)
    adds = replace(ASKED, key="slack:T:C:2.1", text="and the disks", order="2.1")
    for said in (ASKED, adds):
        await house.gate.admit(said)
    await settle(lambda: "heard" in desk.texts)
    for _ in range(2):
        await house.gate.act(Deleted(adds.key, adds.thread, user))
    desk.let(ASKED.key)
    await house.turns.idle()
    assert desk.texts["heard"] == "and the disks"
    assert desk.heard == {ASKED.key: [TAKEN_BACK.format(text="and the disks")]}
    assert desk.log == [f"+{ASKED.key}", f"-{ASKED.key}"]
    await house.gate.act(Deleted(adds.key, adds.thread, user))
    await house.turns.idle()
    assert len(desk.log) == 2


async def test_in_a_conversation_with_us_alone_a_list_of_channels_changes_nothing(house: House) -> None:
    house.rules(Admission(channels=frozenset({"C9"})))
    house.agents.hold.clear()
    await house.gate.admit(ALONE)
    await house.running()
    waits = replace(ALONE, key="slack:T:D:2.1", text="disks?", order="2.1")
    drops = replace(ALONE, key="slack:T:D:3.1", text="memory?", order="3.1")
    await house.gate.admit(waits)
    await house.gate.admit(drops)
    await house.gate.act(Edited(waits.key, waits.thread, "U1", "cpu?"))
    await house.gate.act(Deleted(drops.key, drops.thread, "U1"))
    house.agents.hold.set()
    await house.turns.idle()
    assert house.agents.threads[ALONE.thread] == ["fleet?", "cpu?"]
    house.agents.hold.clear()
    house.surface.statuses.clear()
    await house.gate.admit(replace(ALONE, key="slack:T:D:4.1", order="4.1"))
    await house.running()
    # by the platform's own button, which does not say what kind of channel it stands in
    await house.gate.act(Stop("s0", ALONE.thread, "U1"))
    await house.turns.idle()
    assert house.texts().pop().startswith("Stopped.")
    house.surface.posts.pop()
    await house.gate.act(Stop("s1", ALONE.thread, "U1", direct=True))
    await house.gate.act(Stop("s2", ASKED.thread, "U1"))
    assert house.texts()[2:] == [ENGLISH.say("stop.nothing")]


async def test_the_clock_needs_no_leave(house: House) -> None:
    house.rules(Admission(users=frozenset({"U9"}), limits={"workspace": Usage(turns=1)}))
    slots = [PatrolRequest(f"clock:{n}", "slack:T:C", "clock", "nonsense") for n in range(2)]
    assert len(await house.said(*slots)) == 2


def slots(count: int, first: int = 1) -> list[PatrolRequest]:
    """As many morning patrols that the clock asks for."""
    return [PatrolRequest(f"clock:morning:{n}", "slack:T:C", BY_CLOCK, "morning") for n in range(first, first + count)]


async def test_past_the_budget_of_the_workspace_rules_patrol_for_the_clock_and_no_slot_is_without_a_report(
    house: House,
) -> None:
    house.rules(Admission(limits={"workspace": Usage(micro_dollars=1_000_000)}, cheaper=True))
    house.patrols.spent = (dollars(0.85),)
    await house.said(*slots(4))
    assert house.patrols.thrifts == ["", "cheaper", "rules", "rules"]
    told = [document.fallback for _, document in house.surface.posts]
    assert sum(one.startswith("Morning patrol: 1 critical") for one in told) == 4
    # what the clock spent is the day's: people are refused now, as the clock never is
    assert await used(house, "workspace") == Usage(0, 340_000, 3_400_000)
    assert await house.said(*asks(1)) == [ENGLISH.say("refused.workspace")]


async def test_what_people_spent_makes_the_clock_and_the_sentinel_thrifty(house: House) -> None:
    house.rules(Admission(limits={"workspace": Usage(tokens=100), "user": Usage(tokens=1)}))
    house.agents.spent = (Spent("somebody's", Tokens(input_tokens=120)),)
    await house.said(*asks(1))
    await house.said(*slots(1))
    assert house.patrols.thrifts == ["rules"]
    leave = await house.gate.leave(Investigate("clock:sentinel:1:a", "slack:T:C:9.1", BY_CLOCK, "a", "sentinel"))
    assert leave == Leave(thrift="rules")


async def test_a_limit_of_turns_or_of_one_channel_is_none_for_the_clock(house: House) -> None:
    house.rules(Admission(limits={"workspace": Usage(turns=1), "channel": Usage(tokens=1), "user": Usage(tokens=1)}))
    house.patrols.spent = (dollars(0.85),)
    await house.said(*slots(3))
    assert house.patrols.thrifts == ["", "", ""]


class Illegible(Usages):
    """Purses that nobody can look into."""

    async def of(self, payers: Sequence[Payer]) -> Mapping[Payer, Usage]:
        raise StoreUnreadable(Cause.BUSY)


async def test_a_budget_that_cannot_be_read_costs_no_slot_its_report(house: House) -> None:
    house.rules(Admission(limits={"workspace": Usage(tokens=1)}))
    house.store.usage = Illegible(house.store.database, lambda: NOON)
    await house.said(*slots(1))
    assert house.patrols.thrifts == [""]


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


async def test_what_was_taken_back_by_somebody_whom_the_platform_does_not_name_is_not_answered(house: House) -> None:
    house.rules(Admission(users=frozenset({"U1"})))
    house.agents.hold.clear()
    await house.gate.admit(ASKED)
    await house.running()
    waits = replace(ASKED, key="slack:T:C:2.1", text="disks?", order="2.1")
    await house.gate.admit(waits)
    await house.gate.act(Deleted(waits.key, waits.thread, ""))
    house.agents.hold.set()
    await house.turns.idle()
    assert house.agents.threads[ASKED.thread] == ["fleet?"]


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
