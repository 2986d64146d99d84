"""Answers as documents: words, charts, sources, and buttons that find their way back."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.answer import Answer, Receipt, Receipts, ToolTrace
from agent.charting import CHART
from handlers.answers import answer_document, reason_form
from handlers.buttons import ANSWER_CSV, ANSWER_SQL, answer_of, of_statement, statement_of
from handlers.document import Actions, Button, Chart, Menu, Note, Prose, Series
from handlers.kept import STATEMENTS, Statement, kept, kept_of, statements
from handlers.locale import Locale

CHINESE = Locale("zh")


def trace(**data: Any) -> ToolTrace:
    return ToolTrace("read_query", {}, is_error=not data, seconds=0.1, data=data or None)


def read(query_id: str, rows: int = 1, **more: Any) -> ToolTrace:
    data = {"query_id": query_id, "result_id": query_id, "sql": f"SELECT {rows}", "tables": ["byoc.clusters"]}
    return trace(**data, row_count=rows, truncated=False, seconds=0.25, **more)


def drawn(**more: Any) -> ToolTrace:
    chart = {"kind": "line", "title": "p99", "unit": "ms", "alt": "p99: 2 points", "of": "q-1"}
    chart |= {"moments": ["2026-11-20 10:00:00", "2026-11-20 23:00:00"]}
    chart |= {
        "categories": ["11-20 10:00", "11-20 23:00"],
        "series": [{"name": "prod-a", "values": [1.5, None]}],
        **more,
    }
    return ToolTrace(CHART, {}, is_error=False, seconds=0.1, data={"chart": chart})


def answer(*tools: ToolTrace, **more: Any) -> Answer:
    return Answer("All **well**.", "claude", "claude-x", rounds=1, tools=tools, seconds=3.14, **more)


def buttons(document: Any) -> list[Button | Menu]:
    return [one for part in document.parts if isinstance(part, Actions) for one in part.buttons]


def test_an_answer_ends_with_its_sources_and_where_it_comes_from() -> None:
    assert answer_document(answer(read("q-1"), read("q-2"), trace())).parts == (
        Prose("All **well**."),
        Note("Sources: byoc.clusters · q-1, q-2"),
        Note("claude-x · 1 round · 2 queries · 3.1 s"),
    )


@pytest.mark.parametrize(
    ("dollars", "shown"), [(0.0123, " · $0.012"), (1.5, " · $1.50"), (None, "3.1 s"), (0.0, "3.1 s")]
)
def test_the_cost_stands_in_the_footer_where_it_is_known(dollars: float | None, shown: str) -> None:
    (footer,) = [part for part in answer_document(answer(dollars=dollars)).parts if isinstance(part, Note)]
    assert footer.text.endswith(shown)


def test_a_degraded_answer_says_so_first_and_in_the_footer() -> None:
    degraded = Answer(
        "Rules say.", "rules-only", "rules-only", rounds=3, tools=(read("q-1"),), notice="Claude is down."
    )
    first, *_, last = answer_document(degraded).parts
    assert first == Note("Claude is down.")
    assert last == Note("rules only, no model · 3 rounds · 1 query · 0.0 s")


def test_a_failed_turn_has_no_footer_and_no_buttons() -> None:
    failed = Answer("", "claude", "m", rounds=0, notice="Out of credit.", failed=True)
    document = answer_document(failed, kept="a-1234")
    assert document.parts == (Note("Out of credit."),)
    assert document.fallback == "Out of credit."


def test_an_empty_answer_still_says_something() -> None:
    document = answer_document(Answer(" ", "claude", "m", rounds=1))
    assert "There is no answer" in str(document.parts[0])
    assert document.fallback


def test_charts_follow_the_words_and_name_the_zone_of_their_times() -> None:
    document = answer_document(answer(read("q-1"), drawn(), drawn(), drawn(title="p99, UTC")))
    charts = [part for part in document.parts if isinstance(part, Chart)]
    assert charts[0] == Chart(
        "line", "p99 (UTC)", ("11-20 10:00", "11-20 23:00"), (Series("prod-a", (1.5, None)),), "ms", "p99: 2 points"
    )
    assert [chart.title for chart in charts] == ["p99 (UTC)", "p99, UTC"]
    assert document.parts.index(charts[0]) == 1


def times(locale: Locale, *moments: str) -> tuple[str, tuple[str, ...]]:
    tool = drawn(moments=list(moments), series=[{"name": "s", "values": [1.0] * len(moments)}])
    (chart,) = [part for part in answer_document(answer(tool), locale).parts if isinstance(part, Chart)]
    return chart.title, chart.categories


def test_times_of_a_chart_are_those_of_the_readers_clock() -> None:
    shanghai = Locale("zh", ZoneInfo("Asia/Shanghai"))
    assert times(shanghai, "2026-11-20 10:00:00", "2026-11-20 23:00:00") == (
        "p99 (CST)",
        ("11-20 18:00", "11-21 07:00"),
    )


def test_days_stay_the_days_that_were_counted() -> None:
    shanghai = Locale("zh", ZoneInfo("Asia/Shanghai"))
    assert times(shanghai, "2026-11-19 00:00:00", "2026-11-20") == ("p99 (UTC)", ("2026-11-19", "2026-11-20"))


def test_an_hour_that_comes_twice_is_told_apart() -> None:
    berlin = Locale("en", ZoneInfo("Europe/Berlin"))
    twice = ("2026-10-25 00:00:00", "2026-10-25 01:00:00")
    assert times(berlin, *twice) == ("p99 (UTC)", ("10-25 00:00", "10-25 01:00"))


def test_many_sources_are_counted_rather_than_listed() -> None:
    document = answer_document(answer(*(read(f"q-{n}") for n in range(9))))
    assert Note("Sources: byoc.clusters · q-0, q-1, q-2, q-3, q-4, q-5 +3") in document.parts


def test_an_answer_that_is_not_kept_has_no_buttons() -> None:
    assert buttons(answer_document(answer(read("q-1")))) == []


def test_a_kept_answer_offers_sql_csv_and_two_thumbs() -> None:
    found = buttons(answer_document(answer(read("q-1", 412)), kept="a-1234"))
    assert [one.label for one in found] == ["Show SQL", "CSV", "👍 Helpful", "👎 Not helpful"]
    assert isinstance(found[1], Button) and statement_of(found[1].value) == ("a-1234", 0)


def test_an_answer_without_queries_can_only_be_judged() -> None:
    assert [one.label for one in buttons(answer_document(answer(), kept="a-1234"))] == ["👍 Helpful", "👎 Not helpful"]


def test_several_results_are_a_menu_without_the_empty_ones() -> None:
    found = buttons(answer_document(answer(read("q-1", 3), read("q-2", 0), read("q-3", 1)), kept="a-1234"))
    menu = next(one for one in found if one.action == ANSWER_CSV)
    assert isinstance(menu, Menu)
    assert menu.options == (("clusters · 3 rows · q-1", "a-1234:0"), ("clusters · 1 row · q-3", "a-1234:2"))


def test_everything_but_data_is_said_in_the_readers_language() -> None:
    document = answer_document(answer(read("q-1", 3)), CHINESE, "a-1234")
    assert Note("claude-x · 1 轮 · 1 次查询 · 3.1 s") in document.parts
    assert [one.label for one in buttons(document) if one.action == ANSWER_SQL] == ["查看 SQL"]


def test_a_reason_is_asked_for_and_may_be_left_out() -> None:
    form = reason_form("a-1234", "answer_why", CHINESE)
    assert (form.action, form.value, form.submit) == ("answer_why", "a-1234", "发送")
    assert [field.optional for field in form.fields] == [True]


def test_a_kept_answer_comes_back_as_it_was() -> None:
    one = kept("a-1234", "t", "u", "why?" * 1000, answer(read("q-1", 2), trace(), read("q-1", 2)))
    assert kept_of(one.id, one.body()) == one
    assert one.statements == (Statement("q-1", "read_query", "SELECT 2", ("byoc.clusters",), 2, False, 0.25, "q-1"),)
    assert len(one.question) <= 2_000


def test_a_turn_that_never_stops_reading_keeps_a_bounded_number_of_statements() -> None:
    assert len(list(statements([read(f"q-{n}") for n in range(200)]))) == STATEMENTS


def test_foreign_tools_with_odd_data_leave_no_statement() -> None:
    assert list(statements([trace(query_id=7, sql="x"), trace(query_id="q"), trace(sql="x")])) == []


@pytest.mark.parametrize("value", ["", "a", "a-1:0:1", "a-1234:", "a-1234:x", "a-1234:1000", "../../x:1", "é" * 8])
def test_the_value_of_no_csv_button_of_ours_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="not the"):
        statement_of(value)


@given(st.from_regex(r"[a-z0-9-]{4,64}", fullmatch=True), st.integers(0, 59))
def test_the_value_of_a_csv_button_is_read_back(answer_id: str, number: int) -> None:
    assert statement_of(of_statement(answer_id, number)) == (answer_of(answer_id), number)
    assert len(of_statement(answer_id, number)) <= 150


def test_figures_without_a_receipt_are_told_in_the_footer_and_counted_in_what_is_kept() -> None:
    found = Receipts((Receipt("12", "q-1", "row 1 n"),), ((4, 6), (9, 11)))
    doubtful = answer(read("q-1"), receipts=found)
    last = answer_document(doubtful).parts[-1]
    assert last == Note("Figures: 1 of 3 come from query results. † marks 2 that are in no query result.")
    assert answer_document(doubtful, CHINESE).parts[-1] == Note(
        "数字:3 个中有 1 个来自查询结果。† 标出的 2 个不在任何查询结果中。"
    )
    one = kept("a-1", "t", "u", "q", doubtful)
    assert (one.figures, one.unbound) == (3, 2)
    assert kept_of("a-1", one.body()) == one


def test_an_answer_whose_figures_are_all_bound_says_nothing_of_it() -> None:
    sure = answer(read("q-1"), receipts=Receipts((Receipt("12", "q-1", "row 1 n"),)))
    assert not [part for part in answer_document(sure).parts if "igures" in str(part)]
