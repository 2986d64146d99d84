"""Receipts of any text over any results: they never break an answer, and change nothing of it but their signs."""

from datetime import datetime
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.answer import ToolTrace
from agent.numerals import figures
from agent.receipts import SIGN, Grounds, marked, receipts

HUGE = 10**400
NUMBERS = st.integers() | st.floats() | st.sampled_from([HUGE, -HUGE, 1.7e308, -1.7e308, 5e-324])
TIMES = st.datetimes().map(lambda moment: moment.isoformat(" ", "seconds")) | st.sampled_from(
    ["9999-12-31 23:59:59", "0000-01-01 00:00:00", "2026-11-20T12:00:00+14:00"]
)
WORDS = st.sampled_from(["prod-a", "Warning", "5e4190", "1" * 500, "1e999", "٣", "²", "<b>", ""]) | st.text(max_size=12)
CELLS = st.none() | st.booleans() | NUMBERS | TIMES | WORDS
JSON = st.recursive(CELLS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3))
FIGURES = st.sampled_from(
    ["97.3 %", "1,234", "5e4190", "1e999", "-0", "3 to 5 GiB", "in total 12", "up 58 %", "on average 3", "٣", "1." * 40]
)
TEXTS = st.lists(FIGURES | WORDS | st.sampled_from(["\n", "| 1 | a |", "- ", "`9`", "```\n7\n```"]), max_size=8).map(
    " ".join
)


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    """A result as the door gives it, with cells that nobody would expect."""
    width = draw(st.integers(0, 3))
    names = draw(st.lists(WORDS, min_size=width, max_size=width))
    rows = draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=5))
    return {
        "columns": [{"name": name, "type": "DOUBLE"} for name in names],
        "rows": rows,
        "row_count": draw(st.integers(0, 10) | st.just(HUGE)),
        "query_id": "q-1",
        "sql": "SELECT 1",
        "tables": ["metrics.x"],
    }


def traces(data: st.SearchStrategy[Any]) -> st.SearchStrategy[list[ToolTrace]]:
    made = st.builds(
        ToolTrace, st.just("read_query"), st.dictionaries(WORDS, JSON, max_size=2), st.booleans(), st.just(0.1), data
    )
    return st.lists(made, max_size=3)


def of(cell: Any, **more: Any) -> list[ToolTrace]:
    data = {"columns": [{"name": "a"}], "rows": [[cell], [1.0]], "query_id": "q-1", "sql": "x", "tables": ["t"]}
    return [ToolTrace("read_query", {}, False, 0.1, data | more)]


@settings(max_examples=150)
@given(TEXTS, traces(tables() | st.dictionaries(WORDS, JSON, max_size=3) | st.none()), TEXTS)
@example("12 in total", of(HUGE), "")
@example("12 on average", of(1.7e308), "")
@example("12 since", of("9999-12-31 23:59:59"), "")
@example("12", of(1, row_count=HUGE), "")
@example("12", [ToolTrace("x", {"n": HUGE}, False, 0.1, {"n": HUGE})], "")
@example("12 up 3 %", of(5e-324), "1e999")
def test_any_results_under_any_text_leave_it_as_it_is_but_for_the_signs(
    text: str, tools: list[ToolTrace], asked: str
) -> None:
    found = receipts(text, Grounds(tools, (asked,), asked, datetime(2026, 11, 20)))
    assert marked(text, found).replace(SIGN, "") == text.replace(SIGN, "")
    spans = {(one.start, one.end) for one in figures(text)}
    assert set(found.unbound) <= spans
    assert found.stated <= len(spans)


@settings(max_examples=60)
@given(TEXTS)
def test_without_results_no_figure_is_bound_to_a_query(text: str) -> None:
    found = receipts(text, Grounds())
    assert all(not one.query_id for one in found.bound)


@settings(max_examples=60)
@given(TEXTS, traces(tables()))
def test_the_same_text_over_the_same_results_has_the_same_receipts(text: str, tools: list[ToolTrace]) -> None:
    assert receipts(text, Grounds(tools)) == receipts(text, Grounds(tools))
