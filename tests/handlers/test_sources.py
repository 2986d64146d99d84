"""The buttons under an answer: SQL, CSV and thumbs, for those who may see them."""

from dataclasses import replace

import pytest

from agent.answer import Receipt
from handlers import presses
from handlers.ask import ask
from handlers.buttons import ANSWER_BAD, ANSWER_CSV, ANSWER_GOOD, ANSWER_PAGE, ANSWER_SQL, ANSWER_WHY
from handlers.deps import Deps
from handlers.document import Actions, File, Note, Prose
from handlers.kept import KeptAnswer, ResultGone, ResultUnread, Rows, Statement, Verdict
from handlers.surface import Press, Question
from handlers.turn import Turn
from tests.handlers.conftest import Bench, words

THREAD = "x:C:2"
STATEMENT = Statement("q-1", "read_query", "SELECT 1", ("byoc.clusters",), 2, False, 0.1, "q-1")
ANSWER = KeptAnswer("a-1234", THREAD, "anna", "how?", "well", "claude-x", (STATEMENT,))


class Answers:
    """Kept in memory; `full` takes nothing."""

    def __init__(self) -> None:
        self.kept: dict[str, KeptAnswer] = {ANSWER.id: ANSWER}
        self.verdicts: list[tuple[str, str, Verdict, str]] = []
        self.full = False

    async def keep(self, answer: KeptAnswer) -> bool:
        if not self.full:
            self.kept[answer.id] = answer
        return not self.full

    async def find(self, answer_id: str) -> KeptAnswer | None:
        return self.kept.get(answer_id)

    async def judge(self, answer_id: str, user: str, verdict: Verdict, reason: str) -> bool:
        if answer_id not in self.kept:
            return False
        self.verdicts.append((answer_id, user, verdict, reason))
        return True


class Results:
    """Gives back `rows`, or raises `fault`; strangers may read nothing."""

    def __init__(self) -> None:
        self.rows_ = Rows(("cluster", "n"), [["prod-a", 1], ["prod-b", 2]], "stored", cut=False)
        self.fault: Exception | None = None
        self.read: list[tuple[str, str, Statement]] = []

    def may_read(self, thread: str, user: str, asker: str) -> bool:
        assert asker == "anna"
        return user != "stranger"

    async def rows(self, thread: str, user: str, statement: Statement) -> Rows:
        self.read.append((thread, user, statement))
        if self.fault is not None:
            raise self.fault
        return self.rows_


class Desk:
    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.answers, self.results = Answers(), Results()
        self.deps: Deps = replace(bench.deps, answers=self.answers, results=self.results)

    async def press(self, action: str, value: str = "a-1234", user: str = "ben", **more: object) -> None:
        press = Press("k1", action, value, user, THREAD, THREAD, "trigger")
        await presses.act(replace(press, **more), self.deps)  # type: ignore[arg-type]

    @property
    def whispers(self) -> list[tuple[str, str]]:
        return [
            (user, part.text)
            for _, user, document in self.bench.surface.whispers
            for part in document.parts
            if isinstance(part, Note)
        ]


@pytest.fixture
def desk(bench: Bench) -> Desk:
    return Desk(bench)


async def test_the_sql_opens_in_a_dialog_of_whoever_pressed(desk: Desk) -> None:
    await desk.press(ANSWER_SQL)
    ((press, title, document, form),) = desk.bench.surface.dialogs
    assert (press.user, title, form) == ("ben", "The SQL behind it", None)
    assert Prose("```sql\nSELECT 1\n```") in document.parts
    assert desk.bench.surface.posts == []


@pytest.mark.parametrize(("action", "value"), [(ANSWER_SQL, "a-1234"), (ANSWER_CSV, "a-1234:0")])
async def test_a_stranger_is_refused_politely_and_alone(desk: Desk, action: str, value: str) -> None:
    await desk.press(action, value, user="stranger")
    ((user, told),) = desk.whispers
    assert user == "stranger" and "you may not see here" in told
    assert (desk.bench.surface.dialogs, desk.bench.surface.posts, desk.results.read) == ([], [], [])


async def test_a_button_carried_into_another_thread_opens_nothing(desk: Desk) -> None:
    await desk.press(ANSWER_SQL, thread="x:D:9")
    assert "may not see here" in desk.whispers[0][1]
    assert desk.bench.surface.dialogs == []


MANY = replace(
    ANSWER,
    figures=90,
    receipts=tuple(Receipt(str(number), "q-1", f"row {number} n") for number in range(90)),
)


async def test_what_fills_more_than_a_dialog_is_turned_page_by_page(desk: Desk) -> None:
    desk.answers.kept[ANSWER.id] = MANY
    await desk.press(ANSWER_SQL)
    await desk.press(ANSWER_PAGE, entered={"page": "2"})
    (_, _, first, form), (_, _, last, again) = desk.bench.surface.dialogs
    assert form.action == again.action == ANSWER_PAGE
    assert "row 0 n" in words(first).replace("\\", "") and "SELECT 1" in words(first)
    shown = words(last).replace("\\", "")
    assert "row 89 n" in shown and "row 0 n" not in shown and "SELECT 1" not in shown


@pytest.mark.parametrize("page", ["", "3", "-1", "x", "0" * 9])
async def test_a_page_that_was_never_offered_opens_nothing(desk: Desk, page: str) -> None:
    desk.answers.kept[ANSWER.id] = MANY
    await desk.press(ANSWER_PAGE, entered={"page": page})
    assert (desk.bench.surface.dialogs, desk.whispers) == ([], [])


async def test_a_stranger_turns_no_page(desk: Desk) -> None:
    desk.answers.kept[ANSWER.id] = MANY
    await desk.press(ANSWER_PAGE, user="stranger", entered={"page": "1"})
    assert desk.bench.surface.dialogs == []
    assert "you may not see here" in desk.whispers[0][1]


async def test_all_rows_are_sent_as_a_file_into_the_thread(desk: Desk) -> None:
    await desk.press(ANSWER_CSV, "a-1234:0")
    ((place, document),) = desk.bench.surface.posts
    assert place == THREAD
    (file,) = [part for part in document.parts if isinstance(part, File)]
    assert (file.name, file.content) == ("q-1.csv", b"\xef\xbb\xbfcluster,n\r\nprod-a,1\r\nprod-b,2\r\n")
    assert document.fallback == "2 rows of q-1, complete."
    assert desk.results.read == [(THREAD, "ben", STATEMENT)]


@pytest.mark.parametrize(
    ("source", "cut", "words"),
    [
        ("again", False, "run again just now"),
        ("whole", False, "had read only the first of them"),
        ("whole", True, "Only the first 2 rows are in the file"),
    ],
)
async def test_a_file_says_how_its_rows_came(desk: Desk, source: str, cut: bool, words: str) -> None:
    desk.results.rows_ = replace(desk.results.rows_, source=source, cut=cut)  # type: ignore[arg-type]
    await desk.press(ANSWER_CSV, "a-1234:0")
    assert words in desk.bench.surface.posts[0][1].fallback


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (ResultGone(), "no longer kept"),
        (ResultUnread("the warehouse cannot be reached"), "just now: the warehouse cannot be reached"),
    ],
)
async def test_rows_that_cannot_be_had_are_told_to_the_one_who_asked(desk: Desk, fault: Exception, words: str) -> None:
    desk.results.fault = fault
    await desk.press(ANSWER_CSV, "a-1234:0")
    assert words in desk.whispers[0][1]
    assert desk.bench.surface.posts == []


@pytest.mark.parametrize("action", [ANSWER_SQL, ANSWER_CSV, ANSWER_GOOD, ANSWER_BAD, ANSWER_WHY])
async def test_an_answer_that_is_forgotten_says_so(desk: Desk, action: str) -> None:
    await desk.press(action, "a-gone:0" if action == ANSWER_CSV else "a-gone")
    assert [told for _, told in desk.whispers] == ["I no longer keep what this answer was made from. Please ask again."]


@pytest.mark.parametrize("value", ["", "../x", "a-1234:0:0", "a-1234:9", "a-1234:-1"])
async def test_values_of_no_button_of_ours_do_nothing(desk: Desk, value: str) -> None:
    await desk.press(ANSWER_CSV, value)
    assert (desk.whispers, desk.bench.surface.posts, desk.results.read) == ([], [], [])


async def test_a_thumb_up_is_noted_and_thanked_for_quietly(desk: Desk) -> None:
    await desk.press(ANSWER_GOOD)
    assert desk.answers.verdicts == [("a-1234", "ben", "good", "")]
    assert desk.whispers == [("ben", "Thank you, noted.")]


async def test_a_thumb_down_is_noted_at_once_and_asks_why(desk: Desk) -> None:
    await desk.press(ANSWER_BAD)
    assert desk.answers.verdicts == [("a-1234", "ben", "bad", "")]
    ((_, title, _, form),) = desk.bench.surface.dialogs
    assert title == "What was wrong?"
    assert form is not None and (form.action, form.value) == (ANSWER_WHY, "a-1234")
    await desk.press(ANSWER_WHY, form.value, entered={form.fields[0].name: "  wrong cluster " + "x" * 5000})
    assert desk.answers.verdicts[-1][:3] == ("a-1234", "ben", "bad")
    reason = desk.answers.verdicts[-1][3]
    assert reason.startswith("wrong cluster x") and len(reason) == 2_000
    assert desk.whispers == [("ben", "Thank you, noted.")]


async def test_where_nothing_is_kept_the_buttons_of_old_do_nothing(bench: Bench) -> None:
    await presses.act(Press("k1", ANSWER_GOOD, "a-1234", "ben", THREAD, THREAD), bench.deps)
    assert bench.surface.whispers == []


async def test_an_answer_is_kept_before_it_is_posted_and_its_buttons_name_it(desk: Desk) -> None:
    await ask(Question("k", THREAD, "anna", "how is it?"), desk.deps)
    document = desk.bench.surface.posts[-1][1]
    (row,) = [part for part in document.parts if isinstance(part, Actions)]
    kept = desk.answers.kept[row.buttons[-1].value]  # type: ignore[union-attr]
    assert (kept.thread, kept.user, kept.question) == (THREAD, "anna", "how is it?")


async def test_a_repeated_turn_keeps_its_answer_under_the_same_name(desk: Desk) -> None:
    for _ in range(2):
        await ask(Question("k", THREAD, "anna", "how is it?"), replace(desk.deps, turn=Turn("turn-7")))
    assert len(desk.answers.kept) == 2, "the one that was there, and this one"


async def test_an_answer_that_cannot_be_kept_goes_out_without_buttons(desk: Desk) -> None:
    desk.answers.full = True
    await ask(Question("k", THREAD, "anna", "how is it?"), desk.deps)
    parts = desk.bench.surface.posts[-1][1].parts
    assert not any(isinstance(part, Actions) for part in parts) and any(isinstance(part, Prose) for part in parts)
