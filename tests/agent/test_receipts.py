"""Figures of answers against what the tools gave: bound to a cell or a calculation, or marked."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.answer import ToolTrace
from agent.chat import BYOCAgent
from agent.messages import Message, user_text
from agent.receipts import SIGN, Grounds, marked, receipts, results_in
from agent.session import MemorySessions
from agent.tools import ToolResult
from tests.agent.doubles import NOON, FunctionTools, ScriptedModel, call, say

A, B = "0f3a91c2-7b1e-4c55-9d20-aa10be77c001", "12345678-1111-4222-8333-444455556666"


def table(columns: str, *rows: Sequence[Any], query_id: str = "q-1", **arguments: Any) -> ToolTrace:
    data = {
        "columns": [{"name": name, "type": "DOUBLE"} for name in columns.split()],
        "rows": [list(row) for row in rows],
        "row_count": len(rows),
        "query_id": query_id,
        "sql": "SELECT 1",
        "tables": ["metrics.x"],
    }
    return ToolTrace("read_query", arguments, is_error=False, seconds=0.1, data=data)


FLEET = table(
    "cluster_name cluster_id disk errors queries used_bytes severity",
    ("prod-a", A, 97.312, 7232, 100_000, 3 * 2**30, "Critical"),
    ("prod-b", B, 61.44, 12, 50_000, 2**30, "Warning"),
    ("prod-c", None, 55.0, 0, 20_000, 2**29, "Warning"),
    ("prod-d", None, 41.8, 3, 10_000, 2**28, "Healthy"),
)


def told(text: str, *tools: ToolTrace, **more: Any) -> str:
    return marked(text, receipts(text, Grounds(tools or (FLEET,), **more)))


@pytest.mark.parametrize(
    "text",
    [
        "prod-a: disk 97.3 %, 7,232 errors",
        "prod-a: disk 97%, 7.2k errors",
        "The fullest disk is at 97.31%.",
        "4 clusters, 2 of them Warning, 1 Critical",
        "prod-a uses 3 GiB, prod-d 256 MiB and prod-c 0.5 GiB",
        "7.23 % of the queries of prod-a failed",
        "7,247 errors in total",
        "from 61.4 % (prod-b) to 97.3 % (prod-a), up 58 %",
        "prod-a is 35.9 points above prod-b",
        "on average 63.9 % are used",
        "prod-b is 12345678",
        "2 clusters are above 60 %",
        "| cluster | disk |\n|---|---|\n| prod-a | 97.3% |\n| prod-b | 61.4% |\n\n2 of 4 shown.",
        "prod-a 的磁盘使用率为97.3%,共4个集群",
    ],
)
def test_cells_counts_and_stated_calculations_bind(text: str) -> None:
    assert told(text) == text


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("prod-a: disk 98.3 %", "98.3 %"),
        ("prod-b: disk 97.3 %", "97.3 %"),
        ("prod-a: 7,233 errors", "7,233"),
        ("prod-a: 8.2k errors", "8.2k"),
        ("7 clusters", "7"),
        ("8.61 % of the queries of prod-a failed", "8.61 %"),
        ("prod-a uses 4.6 GiB", "4.6 GiB"),
        ("from 61.4 % (prod-b) to 97.3 % (prod-a), up 78 %", "78 %"),
        ("p99 is 340 ms", "340 ms"),
        ("共 9 个集群", "9 个"),
    ],
)
def test_what_no_result_holds_is_marked(text: str, marks: str) -> None:
    figure = marks.rstrip(" 个")
    assert told(text) == text.replace(figure, figure + SIGN)


def test_a_figure_of_another_cluster_is_a_wrong_one() -> None:
    assert told("prod-a 97.3%\nprod-b 97.3%") == f"prod-a 97.3%\nprod-b 97.3%{SIGN}"


class Counted(list[Any]):
    """Rows that count how often they are read."""

    reads = 0

    def __iter__(self) -> Iterator[Any]:
        self.reads += 1
        return super().__iter__()


def test_results_are_read_once_however_many_texts_rest_on_them() -> None:
    rows = Counted([["prod-a", 97.312]])
    data = {**(table("cluster_name disk").data or {}), "rows": rows}
    grounds = Grounds((ToolTrace("read_query", {}, is_error=False, seconds=0.1, data=data),))
    assert [receipts(text, grounds).stated for text in ("prod-a: 97.3 %", "prod-a: 97 %", "prod-a: 96 %")] == [1, 1, 1]
    assert rows.reads == 1


def test_a_receipt_names_the_query_and_the_cell() -> None:
    found = receipts("prod-b: 12 errors, 1 GiB", Grounds((FLEET,)))
    assert [(one.figure, one.query_id, one.place) for one in found.bound] == [
        ("12", "q-1", "row 2 errors"),
        ("1 GiB", "q-1", "row 2 used_bytes, in GiB"),
    ]
    assert found.stated == 2


def test_times_between_cells_and_now_bind_hours() -> None:
    last = table("cluster_name last_hour", ("prod-q", "2026-11-20 02:00:00"))
    now = datetime(2026, 11, 20, 14, 0)
    assert told("prod-q is silent for 12 h", last, now=now) == "prod-q is silent for 12 h"
    assert told("prod-q is silent for 19 h", last, now=now) == f"prod-q is silent for 19 h{SIGN}"


def test_windows_limits_and_what_was_asked_are_not_counted() -> None:
    tool = table("cluster_name n", ("prod-a", 3), hours=48, sql="SELECT n FROM t WHERE disk > 85 LIMIT 30")
    text = "For 48 h, 2 days and disks of 85 %, as you said 77: 3"
    found = receipts(text, Grounds((tool,), asked="what of 77?"))
    assert not found.unbound
    assert [one.figure for one in found.bound] == ["3"]


def test_a_statement_without_a_table_proves_nothing() -> None:
    made_up = table("pct", (42.5,))
    assert made_up.data is not None
    chosen = ToolTrace("read_query", {}, is_error=False, seconds=0.1, data={**made_up.data, "tables": []})
    assert told("It is 42.5 %", chosen) == f"It is 42.5 %{SIGN}"


def test_a_failed_call_proves_nothing() -> None:
    failed = ToolTrace("read_query", {}, is_error=True, seconds=0.1, data=FLEET.data)
    assert told("disk 97.3 %", failed) == f"disk 97.3 %{SIGN}"


def test_a_result_that_is_no_table_binds_by_its_values_and_text() -> None:
    live = ToolTrace("live", {}, is_error=False, seconds=0.1, data={"nodes": [{"cpu": 71.5}]}, text="uptime 913 s")
    assert told("cpu 71.5 %, up 913 s, 14.5 GiB", live) == f"cpu 71.5 %, up 913 s, 14.5 GiB{SIGN}"


def test_results_of_earlier_turns_bind_too() -> None:
    result: Message = {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "x", "content": "disk\n88.25"},
            {"type": "tool_result", "tool_use_id": "y", "content": "ERROR 77.5", "is_error": True},
        ],
    }
    report = user_text("posted:\n<report>{}, 31.5</report>")
    earlier = tuple(results_in([result, report, user_text("I think it is 66.25")]))
    text = told("88.3 %, 31.5 %, 77.5 %, 66.25 %", table("n", (3,)), earlier=earlier)
    assert text == f"88.3 %, 31.5 %, 77.5 %{SIGN}, 66.25 %{SIGN}"


def test_a_text_without_figures_needs_none() -> None:
    assert receipts("All is well on version 3.4.7 since 14:00.", Grounds()).stated == 0


CELLS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12))


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=6), st.text(alphabet="0123456789.% abkGiBh\n|-", max_size=40))
def test_no_result_and_no_text_breaks_it(rows: list[tuple[Any, Any, Any]], text: str) -> None:
    found = receipts(text, Grounds((table("cluster_name a b", *rows),)))
    shown = marked(text, found)
    assert shown.count(SIGN) == len(found.unbound) and shown.replace(SIGN, "") == text


@given(st.floats(min_value=100, max_value=99_999), st.integers(min_value=0, max_value=2))
def test_every_rounding_of_a_cell_binds_and_a_tenth_more_does_not(value: float, digits: int) -> None:
    tool = table("cluster_name v", ("prod-a", value), ("prod-b", 1.0), ("prod-c", 2.0), ("prod-d", 3.0))
    assert SIGN not in told(f"prod-a {value:,.{digits}f}", tool)
    assert SIGN in told(f"prod-a {value * 1.1:,.{digits}f}", tool)


async def test_an_answer_carries_the_sign_its_receipts_and_an_unmarked_history() -> None:
    async def read(arguments: Any) -> ToolResult:
        return ToolResult("disk 97.3", data=FLEET.data)

    async def schema(arguments: Any) -> ToolResult:
        return ToolResult("tables")

    tools = FunctionTools(read=read, discover_schema=schema)
    model = ScriptedModel(say(call("x", "read", a=1)), say("prod-a is at 97.3 %, prod-b at 12.5 %."))
    agent = BYOCAgent(model, tools, store=MemorySessions(), thread="t", now=lambda: NOON)
    answer = await agent.chat("how full?")
    assert answer.text == f"prod-a is at 97.3 %, prod-b at 12.5 %{SIGN}."
    assert (len(answer.receipts.bound), answer.receipts.stated) == (1, 2)
    assert agent.conversation_history[-1]["content"][0]["text"] == "prod-a is at 97.3 %, prod-b at 12.5 %."


async def test_what_rules_counted_carries_no_sign() -> None:
    async def schema(arguments: Any) -> ToolResult:
        return ToolResult("tables")

    model = ScriptedModel(say("0 newly flagged, 3 worse."), analyst="rules-only")
    agent = BYOCAgent(model, FunctionTools(discover_schema=schema), store=MemorySessions(), thread="t")
    answer = await agent.chat("what is new?")
    assert (answer.text, answer.receipts.unbound) == ("0 newly flagged, 3 worse.", ())
