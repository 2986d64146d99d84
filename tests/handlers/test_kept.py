"""Answers as they are kept: their buttons find in them what stood there, whatever tools gave back."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent.answer import Answer, Receipt, Receipts, ToolTrace
from handlers.kept import STATEMENTS, KeptAnswer, kept, kept_of, statements

TEXT = st.text(max_size=30)
SHORT = st.text(max_size=8)


def trace(query_id: Any = "q-1", sql: Any = "SELECT 1", tool: str = "read_query", **more: Any) -> ToolTrace:
    told = {"query_id": query_id, "sql": sql, "tables": ["byoc.clusters"], "row_count": 3, "seconds": 0.25} | more
    return ToolTrace(tool, {}, is_error=False, seconds=0.3, data=told)


def answer(*tools: ToolTrace, text: str = "All well.", **more: Any) -> Answer:
    return Answer(text, "claude", "claude-x", rounds=2, tools=tools, **more)


TRACES = st.lists(
    st.builds(trace, SHORT, TEXT, SHORT, tables=st.lists(SHORT, max_size=3), result_id=st.none() | SHORT), max_size=5
)


@given(TEXT, TEXT, TEXT, TEXT, TRACES)
def test_an_answer_is_read_back_as_it_was_kept(
    thread: str, user: str, question: str, text: str, tools: list[ToolTrace]
) -> None:
    one = kept("a-1234", thread, user, question, answer(*tools, text=text))
    assert kept_of("a-1234", json.loads(json.dumps(one.body()))) == one


def test_receipts_are_kept_and_an_answer_of_before_there_were_any_is_still_read() -> None:
    bound = Receipts((Receipt("7%", "q-1", "p" * 500), Receipt("3", "", "difference of 7 and 4")), ((1, 2),))
    one = kept("a-1", "t", "u", "q?", answer(trace(), receipts=bound))
    assert (one.figures, one.unbound) == (3, 1)
    assert [(of.figure, of.query_id, len(of.place)) for of in one.receipts] == [("7%", "q-1", 200), ("3", "", 21)]
    assert kept_of("a-1", json.loads(json.dumps(one.body()))) == one
    old = {name: value for name, value in one.body().items() if name != "receipts"}
    assert kept_of("a-1", old).receipts == ()


def test_each_statement_is_kept_once_in_the_order_in_which_it_ran() -> None:
    ran = statements([trace("q-2"), trace("q-1"), trace("q-2", sql="SELECT 2")])
    assert [(one.query_id, one.sql) for one in ran] == [("q-2", "SELECT 1"), ("q-1", "SELECT 1")]


def test_what_ran_no_statement_has_none() -> None:
    silent = ToolTrace("chart", {}, is_error=False, seconds=0.1)
    failed = ToolTrace("read_query", {}, is_error=True, seconds=0.1, data={"code": "timeout", "query_id": "q-9"})
    assert list(statements([silent, failed, trace(query_id=None), trace(sql=None), trace(query_id=7)])) == []


def test_a_turn_of_very_many_statements_keeps_the_first_of_them() -> None:
    ran = list(statements([trace(f"q-{number}") for number in range(STATEMENTS + 5)]))
    assert [one.query_id for one in ran] == [f"q-{number}" for number in range(STATEMENTS)]


def test_what_a_statement_does_not_tell_is_nothing() -> None:
    (one,) = statements([trace(tables=None, row_count=None, seconds=None, truncated=None, result_id=None)])
    assert (one.tables, one.rows, one.seconds, one.truncated, one.result_id) == ((), 0, 0.0, False, "")


def test_long_texts_are_kept_by_their_beginning() -> None:
    one = kept("a-1", "t", "u", "q" * 5_000, answer(text="a" * 5_000))
    assert len(one.question) == len(one.text) == 2_000
    assert one.question.endswith("…")


def test_how_many_figures_had_a_receipt_is_kept() -> None:
    found = Receipts((Receipt("3", "q-1", "row 1 n"),), ((4, 6), (9, 11)))
    one = kept("a-1", "t", "u", "q", answer(receipts=found))
    assert (one.figures, one.unbound) == (3, 2)


def test_an_answer_of_before_figures_were_counted_is_still_found() -> None:
    body = KeptAnswer("a-1", "t", "u", "q", "text", "m", ()).body()
    del body["figures"], body["unbound"]
    assert kept_of("a-1", body) == KeptAnswer("a-1", "t", "u", "q", "text", "m", ())
