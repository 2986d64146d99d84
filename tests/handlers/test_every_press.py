"""Every button of ours, pressed by anybody, with anything in it, under messages that are gone: nothing breaks, nobody
else is told, and nothing is changed by who may not."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers import buttons, presses
from handlers.document import Document
from handlers.faults import PlaceGone
from handlers.surface import Event, Press, Question, SurfaceError
from handlers.words import WORDS, say
from tests.handlers.conftest import Bench, Desk, words
from tests.handlers.readers import alive, foreign, speaking
from tests.handlers.reports import ID, finding, flagged
from tests.handlers.test_decisions import VALUE, posted
from tests.handlers.test_report_hostile import TEXT
from tests.handlers.test_sources import ANSWER, Answers, Results

OF_FINDINGS = {
    buttons.ACKNOWLEDGE: VALUE,
    buttons.REOPEN: VALUE,
    buttons.SNOOZE: buttons.snooze("3d", VALUE),
    buttons.ASSIGN: VALUE,
    buttons.ASSIGNED: VALUE,
    buttons.KNOWN: VALUE,
    buttons.KNOWN_NOTED: VALUE,
    buttons.FLAG_SQL: VALUE,
}
OF_ANSWERS = {
    buttons.ANSWER_SQL: ANSWER.id,
    buttons.ANSWER_PAGE: ANSWER.id,
    buttons.ANSWER_CSV: buttons.of_statement(ANSWER.id, 0),
    buttons.ANSWER_GOOD: ANSWER.id,
    buttons.ANSWER_BAD: ANSWER.id,
    buttons.ANSWER_WHY: ANSWER.id,
}
OTHERS = {
    buttons.INVESTIGATE: buttons.investigation("R-1", ID.format(1)),
    buttons.RETRY: buttons.retry("k-R-1-x:C"),
    buttons.HOME: "",
    buttons.WELCOME: "",
    buttons.OUTSIDE: "",
    buttons.APPROVE: buttons.approval("0" * 16, "a" * 64),
    buttons.DECLINE: buttons.approval("0" * 16, "a" * 64),
}
ALL: Mapping[str, str] = OF_FINDINGS | OF_ANSWERS | OTHERS
ENTERED = {"who": "me", "note": "JIRA-7", "page": "0", "reason": "too short"}
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh"])


class World:
    """A desk at which a report and an answer were posted, and everything that pressing a button could touch."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.answers, self.results = desk, Answers(), Results()
        desk.deps = replace(desk.deps, answers=self.answers, results=self.results)

    async def press(self, action: str, value: str | None = None, user: str = "U2", **more: object) -> None:
        told = {"thread": ANSWER.thread, "message": ANSWER.thread, "trigger": "t", "entered": ENTERED} | more
        press = Press(f"p-{action}", action, ALL[action] if value is None else value, user, **told)  # type: ignore[arg-type]
        await presses.act(press, self.desk.deps)

    def told(self) -> list[tuple[str, Document]]:
        """Who was shown what, other than by posts and redrawings."""
        surface = self.desk.surface
        return [
            *((user, document) for _, user, document in surface.whispers),
            *((press.user, document) for press, _, document, _ in surface.dialogs),
            *surface.homes,
        ]

    async def changed(self) -> list[object]:
        """Whatever a press may change."""
        standing = [(one.handling.mode, one.assignee_name) for one in await self.desk.store.findings.open()]
        return [standing, list(self.answers.verdicts), list(self.desk.queued), len(self.desk.surface.posts)]


@pytest.fixture
async def world(desk: Desk) -> World:
    await posted(desk, flagged(1, finding(), finding(97.0, "Critical", "cpu_util_pct")))
    return World(desk)


def test_every_button_is_pressed_here() -> None:
    assert set(ALL) == set(presses.PRESSES)


@LANGUAGES
@pytest.mark.parametrize("action", list(ALL))
async def test_who_presses_is_answered_in_their_language_and_nobody_else_is(
    world: World, action: str, language: str
) -> None:
    speaking(world.desk, language)
    await world.press(action)
    assert {user for user, _ in world.told()} <= {"U2"}
    for user, document in world.told():
        assert (user, foreign(document, language, known=("prod-1", "grow the disk"))) == ("U2", [])
        assert alive(document) == []
    for _, title, document, form in world.desk.surface.dialogs:
        assert foreign(document, language, form=form) == []
        assert foreign(Document(title, ()), language) == []
        assert title


@LANGUAGES
@pytest.mark.parametrize("action", list(OF_FINDINGS))
async def test_who_sees_a_part_of_the_fleet_is_told_so_and_changes_and_learns_nothing(
    world: World, action: str, language: str
) -> None:
    speaking(world.desk, language)
    world.desk.patrols.partial = {ANSWER.thread}
    before = await world.changed()
    await world.press(action)
    ((user, document),) = world.told()
    assert (user, words(document)) == ("U2", say("zh" if language == "zh" else "en", "patrol.partial"))
    assert await world.changed() == before
    assert world.desk.surface.updates == []


@LANGUAGES
@pytest.mark.parametrize("action", list(OF_FINDINGS))
async def test_under_a_report_that_is_forgotten_every_button_says_so(world: World, action: str, language: str) -> None:
    speaking(world.desk, language)
    before = await world.changed()
    await world.press(action, ALL[action].replace("R-1", "R-0"))
    ((_, document),) = world.told()
    assert words(document) == say("zh" if language == "zh" else "en", "report.forgotten")
    assert await world.changed() == before


@pytest.mark.parametrize("action", [one for one in OF_FINDINGS if one not in {buttons.ASSIGN, buttons.KNOWN}])
async def test_a_message_that_was_deleted_costs_a_decision_nothing(world: World, action: str) -> None:
    async def gone(message: str, document: Document, mark: object = None) -> None:
        raise PlaceGone("message_not_found")

    world.desk.surface.update = gone  # type: ignore[method-assign]
    await world.press(action)
    if action != buttons.FLAG_SQL:
        # it is not seen on the message, so the one who pressed is told
        ((user, document),) = world.told()
        assert user == "U2"
        assert words(document) == say("en", "decision.done", name="prod-1")
    standing, *_ = await world.changed()
    if action == buttons.ACKNOWLEDGE:
        assert standing == [("acknowledged", "")] * 2
    if action == buttons.ASSIGNED:
        assert standing == [("open", "Bob")] * 2


@pytest.mark.parametrize("action", [*OF_FINDINGS, *OF_ANSWERS])
async def test_a_chat_platform_that_refuses_to_show_anything_is_no_failure_of_ours(world: World, action: str) -> None:
    async def refused(*anything: object, **more: object) -> None:
        raise SurfaceError("not now")

    for name in ("whisper", "dialog", "update", "home"):
        setattr(world.desk.surface, name, refused)
    await world.press(action)
    assert world.told() == []


@pytest.mark.parametrize("action", [one for one in OF_ANSWERS if one not in {buttons.ANSWER_GOOD, buttons.ANSWER_BAD}])
async def test_a_stranger_sees_no_statement_and_no_row_of_an_answer(world: World, action: str) -> None:
    await world.press(action, user="stranger")
    if action == buttons.ANSWER_WHY:
        return
    ((user, document),) = world.told()
    assert (user, words(document)) == ("stranger", say("en", "answer.not_yours"))
    assert world.results.read == []
    assert len(world.desk.surface.posts) == 2


@pytest.mark.parametrize("action", [buttons.ANSWER_SQL, buttons.ANSWER_PAGE, buttons.ANSWER_CSV])
async def test_what_belongs_to_another_thread_is_not_shown_in_this_one(world: World, action: str) -> None:
    await world.press(action, user="anna", thread="x:D:9", message="x:D:9")
    ((_, document),) = world.told()
    assert words(document) == say("en", "answer.not_yours")
    assert world.results.read == []


@LANGUAGES
@pytest.mark.parametrize("action", list(OF_ANSWERS))
async def test_under_an_answer_that_is_forgotten_every_button_says_so(world: World, action: str, language: str) -> None:
    speaking(world.desk, language)
    world.answers.kept.clear()
    await world.press(action)
    ((_, document),) = world.told()
    assert words(document) == say("zh" if language == "zh" else "en", "answer.forgotten")
    assert world.answers.verdicts == []


@pytest.mark.parametrize("action", list(ALL))
async def test_where_nothing_is_kept_no_button_breaks(bench: Bench, action: str) -> None:
    queued: list[Event] = []

    async def submit(event: Event) -> None:
        queued.append(event)

    deps = replace(bench.deps, submit=submit)
    await presses.act(Press("p", action, ALL[action], "U2", "x:C:2", "x:C:2", "t", ENTERED), deps)
    told = [words(document) for _, _, document in bench.surface.whispers]
    assert not any("ref-1" in one for one in told), "no apology: nothing went wrong"
    assert len(queued) == (action == buttons.INVESTIGATE)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    st.sampled_from(list(ALL)),
    TEXT | st.sampled_from(list(ALL.values())) | st.text(max_size=3_000),
    st.dictionaries(st.sampled_from(["who", "note", "page", "reason", "person", "name"]), TEXT),
    st.sampled_from(["U2", "", "stranger", "<@U1>"]),
)
async def test_whatever_a_press_carries_it_ends_in_silence_or_a_word_to_the_one_who_pressed(
    world: World, action: str, value: str, entered: dict[str, str], user: str
) -> None:
    for shown in (world.desk.surface.whispers, world.desk.surface.dialogs, world.desk.surface.homes):
        shown.clear()
    await world.press(action, value, user, entered=entered)
    for whom, document in world.told():
        assert whom in {user, entered.get("person")}
        assert "ref-1" not in words(document)
        assert alive(document) == []
    for _, document in world.desk.surface.updates[-2:]:
        assert alive(document) == []


@pytest.mark.parametrize("thread", ["x:D:7", "y:C:1"])
async def test_a_question_is_not_asked_again_in_another_channel(world: World, thread: str) -> None:
    failed = Question("k1", "x:C:5", "anna", "why?")

    async def asked(key: str) -> Event | None:
        return failed if key == "k1" else None

    world.desk.deps = replace(world.desk.deps, asked=asked)
    await world.press(buttons.RETRY, buttons.retry("k1"), thread=thread, message=thread)
    ((_, document),) = world.told()
    assert words(document) == say("en", "retry.gone")
    assert world.desk.queued == []
    await world.press(buttons.RETRY, buttons.retry("k1"), thread="x:C:5", message="x:C:6", order="9")
    assert world.desk.queued == [Question("again:x:C:6", "x:C:5", "U2", "why?", "9")]


@pytest.mark.parametrize("page", ["", "1", "999", "-1", "١", "0x0", "0 "])
async def test_a_page_that_was_not_offered_is_not_shown(world: World, page: str) -> None:
    await world.press(buttons.ANSWER_PAGE, entered={"page": page}, user="anna")
    assert world.told() == []


@pytest.mark.parametrize("number", [1, 7, 999])
async def test_a_statement_that_the_answer_does_not_have_is_not_read(world: World, number: int) -> None:
    await world.press(buttons.ANSWER_CSV, buttons.of_statement(ANSWER.id, number), user="anna")
    assert world.results.read == []
    assert world.told() == []


def test_what_every_press_may_say_exists_in_both_languages() -> None:
    for key in ("patrol.partial", "report.forgotten", "answer.not_yours", "answer.forgotten", "retry.gone"):
        assert WORDS[key]["en"] != WORDS[key]["zh"]
