"""The chart tool before the real door: what is drawn are the stored rows of that very result."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from pydantic import SecretStr

from agent.charting import CHART, MAX_POINTS, SPEC, Charting
from agent.chat import BYOCAgent
from agent.mcp_connection import McpConnection
from agent.mcp_tools import McpTools
from agent.rules_only import RulesAnalyst
from agent.session import MemorySessions
from agent.tool_round import argument_problem
from agent.tools import ToolResult
from mcp_server.config import WarehouseConfig
from mcp_server.door import Door
from mcp_server.server import build_server
from sandbox.launch import Endpoint
from tests.agent.doubles import FunctionTools, ScriptedModel, call, say

COUNTS = (
    "SELECT cluster_type AS kind, count(*) AS clusters FROM byoc.clusters WHERE cluster_type IS NOT NULL"
    " GROUP BY cluster_type ORDER BY cluster_type"
)


@pytest.fixture
async def tools(warehouse: Endpoint) -> AsyncIterator[Charting]:
    user, password = warehouse.reader
    config = WarehouseConfig(host=warehouse.host, port=warehouse.port, user=user, password=SecretStr(password))
    async with Door(config) as door, McpConnection(lambda: build_server(door), name="warehouse") as connection:
        yield Charting(McpTools(connection))


async def stored(tools: Charting, sql: str = COUNTS) -> Mapping[str, Any]:
    result = await tools.call("read_query", {"sql": sql})
    assert result.data is not None and not result.is_error, result.text
    return result.data


def bars(result_id: str, **more: Any) -> dict[str, Any]:
    return {"result_id": result_id, "kind": "bar", "x": "kind", "y": ["clusters"], "title": "Clusters by type", **more}


async def test_a_chart_shows_the_stored_rows_and_nothing_else(tools: Charting) -> None:
    rows = await stored(tools)
    drawn = await tools.call(CHART, bars(rows["result_id"], unit="clusters"))
    assert drawn.data is not None and not drawn.is_error, drawn.text
    chart = drawn.data["chart"]
    assert dict(zip(chart["categories"], chart["series"][0]["values"], strict=True)) == dict(rows["rows"])
    assert (chart["kind"], chart["title"], chart["unit"], chart["of"]) == (
        "bar",
        "Clusters by type",
        "clusters",
        rows["result_id"],
    )
    assert drawn.text.startswith("The chart is shown below your answer: Clusters by type: bar chart")


async def test_a_result_that_is_not_kept_is_refused_with_the_doors_words(tools: Charting) -> None:
    refused = await tools.call(CHART, bars("q-0000000000"))
    assert refused.is_error and "no result is stored under this id" in refused.text


async def test_what_cannot_be_drawn_is_told_to_the_model(tools: Charting) -> None:
    rows = await stored(tools)
    refused = await tools.call(CHART, {**bars(rows["result_id"]), "x": "size"})
    assert refused.is_error
    assert refused.text == "BAD_ARGUMENT: the result has no column size; it has kind, clusters"


async def test_a_result_beyond_the_limit_is_not_drawn_in_part() -> None:
    async def much(arguments: Mapping[str, Any]) -> ToolResult:
        assert arguments["max_rows"] == MAX_POINTS
        return ToolResult("…", data={"columns": [{"name": "kind"}], "rows": [["a"]], "truncated": True})

    refused = await Charting(FunctionTools(query_result=much)).call(CHART, bars("q-1"))
    assert refused.is_error and f"more than {MAX_POINTS} rows" in refused.text


async def test_other_tools_are_the_doors_and_the_chart_stands_among_them(tools: Charting) -> None:
    names = [spec.name for spec in await tools.specs()]
    assert CHART in names and "read_query" in names and names == sorted(names)
    unknown = await tools.call("drop_table", {})
    assert unknown.is_error


@pytest.mark.parametrize("wrong", [{"kind": "radar"}, {"y": []}, {"y": "clusters"}, {"values": [1, 2]}])
def test_arguments_that_would_carry_numbers_or_nonsense_are_refused(wrong: dict[str, Any]) -> None:
    assert argument_problem(SPEC, bars("q-1")) == ""
    assert argument_problem(SPEC, {**bars("q-1"), **wrong})


async def test_a_title_cannot_hide_characters_or_fill_the_screen(tools: Charting) -> None:
    rows = await stored(tools)
    drawn = await tools.call(CHART, bars(rows["result_id"]) | {"title": "a\u202eb\n" + "x" * 150})
    assert drawn.data is not None
    assert len(drawn.data["chart"]["title"]) == 100 and "\u202e" not in drawn.data["chart"]["title"]


async def test_the_metrics_of_a_cluster_are_drawn_as_they_come_a_column_each(tools: Charting) -> None:
    names = await stored(tools, "SELECT biz_id FROM byoc.clusters WHERE NOT coalesce(deleted, false) LIMIT 1")
    asked = {"cluster": names["rows"][0][0], "metrics": ["starrocks_fe_qps"], "hours": 24}
    result = await tools.call("query_cluster_metrics", asked)
    assert result.data is not None and not result.is_error, result.text
    columns = [column["name"] for column in result.data["columns"]]
    wanted = ["starrocks_fe_qps_avg", "starrocks_fe_qps_usual"]
    encoding = {"kind": "line", "x": "hour", "y": wanted, "title": "QPS"}
    drawn = await tools.call(CHART, {"result_id": result.data["result_id"], **encoding})
    assert drawn.data is not None and not drawn.is_error, drawn.text
    chart = drawn.data["chart"]
    assert chart["moments"] == sorted(chart["moments"]) and len(chart["moments"]) >= 20
    for series, name in zip(chart["series"], wanted, strict=True):
        told = {row[columns.index("hour")]: row[columns.index(name)] for row in result.data["rows"]}
        assert dict(zip(chart["moments"], series["values"], strict=True)) == told


async def test_a_model_can_chart_what_it_has_read(tools: Charting) -> None:
    class Asked(ScriptedModel):
        async def reply(self, request: Any, on_text: Any = None) -> Any:
            last = request.messages[-1]["content"][0]
            if last["type"] == "tool_result" and "q-" in last["content"]:
                found = "q-" + last["content"].rpartition("q-")[2][:10]
                self.script[0] = say(call("2", CHART, **bars(found)))
            return await super().reply(request, on_text)

    model = Asked(say(call("1", "read_query", sql=COUNTS)), say("?"), say("Most are elastic."))
    answer = await BYOCAgent(model, tools, store=MemorySessions(), thread="t").chat("pie of types")
    assert [trace.name for trace in answer.tools] == ["read_query", CHART]
    assert [trace.is_error for trace in answer.tools] == [False, False]


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("latency trend", "line"),
        ("plot p99 of the fleet over 24 hours", "line"),
        ("chart of the top 5 clusters by cpu", "bar"),
        ("chart of clusters by version", "bar"),
        ("画一下磁盘趋势", "line"),
    ],
)
async def test_fixed_rules_draw_too(tools: Charting, question: str, kind: str) -> None:
    answer = await BYOCAgent(RulesAnalyst(), tools, store=MemorySessions(), thread="t").chat(question)
    assert [trace.is_error for trace in answer.tools].count(True) == 0
    (drawn,) = [trace for trace in answer.tools if trace.name == CHART]
    assert drawn.data is not None and drawn.data["chart"]["kind"] == kind
    assert "No chart" not in answer.text


async def test_a_cluster_is_charted_by_name_and_the_thread_can_ask_for_the_picture_later(
    tools: Charting, warehouse: Endpoint
) -> None:
    agent = BYOCAgent(RulesAnalyst(), tools, store=MemorySessions(), thread="t")
    rows = await stored(tools, "SELECT cluster_name FROM byoc.clusters WHERE NOT coalesce(deleted, false) LIMIT 1")
    name = rows["rows"][0][0]
    first = await agent.chat(f"disk of {name} over 3 days")
    assert CHART not in [trace.name for trace in first.tools]
    second = await agent.chat("plot it")
    (drawn,) = [trace for trace in second.tools if trace.name == CHART]
    assert drawn.data is not None and drawn.data["chart"]["title"] == f"disk used of {name}"


async def test_where_there_is_no_chart_tool_fixed_rules_say_so_and_give_the_figures(tools: Charting) -> None:
    class Bare(Charting):
        async def specs(self) -> Any:
            return [spec for spec in await super().specs() if spec.name != CHART]

    bare = Bare(tools)
    answer = await BYOCAgent(RulesAnalyst(), bare, store=MemorySessions(), thread="t").chat("latency trend")
    assert "No chart could be drawn" in answer.text and "| From |" in answer.text
