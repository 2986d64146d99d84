"""What stands behind an answer: its statements and the origin of its figures, page by page, and nothing twice."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.answer import Receipt, Receipts
from agent.receipts import SIGN
from bot.lark.card import rendered
from bot.slack.events import submission
from bot.slack.views import modal
from handlers.answer_sql import PAGE, page_form, sql_pages
from handlers.buttons import ANSWER_PAGE, ANSWER_SQL
from handlers.document import Heading, Note, Prose
from handlers.kept import RECEIPTS, KeptAnswer, Statement, kept
from handlers.locale import ENGLISH, Locale
from handlers.surface import Press
from tests.handlers.conftest import words
from tests.handlers.test_answers import CHINESE
from tests.handlers.test_kept import answer, trace

CELL = Receipt("7.23%", "q-1", "row 3 error_share_pct")


def read(sql: str = "SELECT 2", number: int = 1) -> Statement:
    return Statement(f"q-{number}", "read_query", sql, ("byoc.clusters",), 2, False, 0.25, "")


def answered(*statements: Statement, receipts: tuple[Receipt, ...] = (), figures: int = 0, unbound: int = 0):
    return KeptAnswer("a-1234", "t", "u", "q?", "well", "m", statements, figures, unbound, receipts)


def test_the_sql_is_shown_as_it_was_run_with_rows_and_time() -> None:
    (page,) = sql_pages(answered(read()), ENGLISH)
    assert page.fallback == "1 statement"
    assert page.parts == (Note("1. q-1 · read_query · 2 rows · 0.25 s"), Prose("```sql\nSELECT 2\n```"))


def test_each_figure_is_told_with_its_query_and_cell_or_with_its_calculation() -> None:
    bound = (CELL, Receipt("12", "q-1", "sum(n)"), Receipt("50%", "", "ratio of 6 and 12"), Receipt("3", "", ""))
    (page,) = sql_pages(answered(read(), receipts=bound, figures=6, unbound=2), ENGLISH)
    assert Heading("Where the figures come from") in page.parts
    shown = words(page).replace("\\", "")
    for line in (
        "- **7.23%**: q-1 · row 3 error_share_pct",
        "- **12**: q-1 · sum(n)",
        "- **50%**: ratio of 6 and 12",
        "- **3**: follows of the figures beside it",
    ):
        assert line in shown
    assert f"In no result, and marked with {SIGN}: 2." in shown


def test_an_answer_of_words_alone_has_one_page_that_says_so() -> None:
    (page,) = sql_pages(answered(), ENGLISH)
    assert page.parts == (Note("0 statements"),)
    (doubted,) = sql_pages(answered(figures=1, unbound=1), CHINESE)
    assert words(doubted) == f"不在任何结果中、以 {SIGN} 标出的数字:1 个。"


def test_more_figures_than_are_kept_are_counted() -> None:
    many = Receipts(tuple(Receipt(str(number), "q-1", f"row {number} n") for number in range(RECEIPTS + 50)))
    one = kept("a-1", "t", "u", "q?", replace(answer(trace()), receipts=many))
    assert len(one.receipts) == RECEIPTS
    pages = sql_pages(one, ENGLISH)
    assert [f"the first {RECEIPTS} of {RECEIPTS + 50} figures" in words(page) for page in pages] == [
        *[False] * (len(pages) - 1),
        True,
    ]


def test_a_statement_that_is_longer_than_a_page_stands_alone_and_whole() -> None:
    long = "SELECT " + "x" * 30_000
    pages = sql_pages(answered(read("SELECT 1", 1), read(long, 2), read("SELECT 3", 3)), ENGLISH)
    assert [long in words(page) for page in pages] == [False, True, False]


def test_a_fence_in_a_statement_does_not_end_the_one_around_it() -> None:
    (page,) = sql_pages(answered(replace(read("SELECT '```'"), truncated=True)), ENGLISH)
    note, code = page.parts
    assert code == Prose("````sql\nSELECT '```'\n````")
    assert isinstance(note, Note) and "the first 2 rows" in note.text


@given(
    st.lists(st.integers(1, 20_000), max_size=70),
    st.lists(st.text(max_size=20), max_size=RECEIPTS),
    st.integers(0, 500),
)
def test_every_statement_and_every_receipt_stands_on_exactly_one_page(
    sizes: list[int], places: list[str], unbound: int
) -> None:
    statements = [read("x" * size, number) for number, size in enumerate(sizes)]
    bound = tuple(Receipt(f"{number}.5", "q-1", place) for number, place in enumerate(places))
    pages = sql_pages(answered(*statements, receipts=bound, figures=len(bound) + unbound, unbound=unbound), ENGLISH)
    told = [part.text for page in pages for part in page.parts if isinstance(part, Note)]
    assert [int(note.partition(".")[0]) for note in told if re.match(r"[0-9]+\. q-", note)] == [
        number + 1 for number in range(len(sizes))
    ]
    listed = [line for page in pages for line in words(page).splitlines() if line.startswith("- **")]
    assert len(listed) == len(bound)
    assert sum("In no result" in note for note in told) == bool(unbound)
    # Slack takes 100 blocks in a dialog, and each part is one or few
    assert all(0 < len(page.parts) <= 50 for page in pages)


@pytest.mark.parametrize(("number", "following"), [(0, "1"), (1, "2"), (2, "0")])
def test_the_form_offers_every_page_and_has_the_next_one_chosen(number: int, following: str) -> None:
    form = page_form("a-1234", number, 3, ENGLISH)
    (field,) = form.fields
    assert (form.action, form.value, form.submit, field.name) == (ANSWER_PAGE, "a-1234", "Show", PAGE)
    assert (field.label, field.initial) == (f"Page {number + 1} of 3", following)
    assert field.options == (("Page 1 of 3", "0"), ("Page 2 of 3", "1"), ("Page 3 of 3", "2"))


def test_turning_a_page_comes_back_from_slack_as_it_was_chosen() -> None:
    many = tuple(Receipt(str(number), "q-1", f"row {number} n") for number in range(90))
    pages = sql_pages(answered(read(), receipts=many, figures=90), ENGLISH)
    pressed = Press("k", ANSWER_SQL, "a-1234", "U1", "slack:T1:C1:1.0", "slack:T1:C1:2.0", "trigger")
    view = modal(pressed, "The SQL behind it", pages[0], page_form("a-1234", 0, len(pages), ENGLISH), ())
    assert len(view["blocks"]) <= 100
    entered = {PAGE: {PAGE: {"type": "static_select", "selected_option": {"value": "2"}}}}
    sent = submission(
        {
            "type": "view_submission",
            "team": {"id": "T1"},
            "user": {"id": "U1"},
            "trigger_id": "another",
            "view": {**view, "id": "V1", "hash": "h", "state": {"values": entered}},
        }
    )
    assert sent is not None
    assert (sent.action, sent.value, sent.thread, sent.trigger) == (ANSWER_PAGE, "a-1234", pressed.thread, "another")
    assert sent.entered == {PAGE: "2"}


@pytest.mark.parametrize("locale", [ENGLISH, CHINESE])
def test_each_page_is_one_card_of_lark_with_its_form(locale: Locale) -> None:
    many = tuple(Receipt(f"{number}%", "q-1", "difference of n, rows 1 and 2") for number in range(RECEIPTS))
    statements = [read("SELECT " + "x" * 5_000, number) for number in range(6)]
    pages = sql_pages(answered(*statements, receipts=many, figures=RECEIPTS), locale)
    for number, page in enumerate(pages):
        made = rendered(page, (), form=page_form("a-1234", number, len(pages), locale))
        assert len(made.cards) == 1
        assert ANSWER_PAGE in str(made.cards[0])
