"""The whole path of a question but the model: the agent, the wire to (a fake) Claude, the door, the warehouse."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from agent.chat import BYOCAgent
from agent.claude import Claude, ClaudeConfig
from agent.discovery import Discovery
from agent.mcp_connection import McpConnection
from agent.mcp_tools import McpTools
from agent.patrol.rules import load_rules
from agent.prompts import load
from agent.session import MemorySessions
from agent.tools import ToolResult
from mcp_server.config import WarehouseConfig
from mcp_server.door import Door
from mcp_server.server import build_server
from sandbox.launch import Endpoint
from tests.agent.doubles import NOON, Clock, check_closed
from tests.fakes.messages_server import HttpFault, MessagesServer, Say, Text, ToolUse, serving
from tests.fakes.messages_server.script import Step

ACTIVE = "SELECT count(*) AS n FROM byoc.clusters WHERE NOT coalesce(stopped, false) AND NOT coalesce(deleted, false)"


@pytest.fixture
async def tools(warehouse: Endpoint) -> AsyncIterator[McpTools]:
    """The real tools, on the small simulated fleet."""
    user, password = warehouse.reader
    config = WarehouseConfig(host=warehouse.host, port=warehouse.port, user=user, password=SecretStr(password))
    async with Door(config) as door, McpConnection(lambda: build_server(door), name="warehouse") as connection:
        yield McpTools(connection)


@asynccontextmanager
async def asked(tools: McpTools, decide: Callable[[dict[str, Any]], Step]) -> AsyncIterator[BYOCAgent]:
    async with serving(MessagesServer(decide=decide)) as server:
        async with Claude(ClaudeConfig(SecretStr(server.key), base_url=server.url), sleep=Clock().sleep) as claude:
            yield BYOCAgent(claude, tools, store=MemorySessions(), thread="t", now=lambda: NOON)
        assert server.refusals == []


def results_in(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tool results that a request ends with."""
    return [block for block in body["messages"][-1]["content"] if block["type"] == "tool_result"]


async def test_figures_of_the_warehouse_reach_the_model_and_the_trail(tools: McpTools) -> None:
    def claude(body: dict[str, Any]) -> Step:
        if not (results := results_in(body)):
            calls = ToolUse("read_query", {"sql": ACTIVE}), ToolUse("query_fleet_summary")
            return Say((Text("Counting."), *calls))
        number = results[0]["content"].splitlines()[-2]
        return Say((Text(f"There are {number} active clusters."),))

    async with asked(tools, claude) as agent:
        answer = await agent.chat("how many clusters run?")
    counted, summary = answer.tools
    assert counted.data is not None
    assert counted.data["rows"][0][0] > 0
    assert answer.text == f"There are {counted.data['rows'][0][0]} active clusters."
    assert not summary.is_error
    check_closed(agent.conversation_history)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (ToolUse("read_query", {"sql": "DROP TABLE byoc.clusters"}), "READ_ONLY: "),
        (ToolUse("read_query", {"sql": "SELECT nonsense FROM byoc.clusters"}), "UNKNOWN_COLUMN: "),
        (ToolUse("read_query", {"query": "SELECT 1"}), "BAD_ARGUMENT: "),
        (ToolUse("query_cluster_info", {"cluster": "no such cluster"}), "BAD_ARGUMENT: "),
        (ToolUse("write_query", {"sql": "SELECT 1"}), "UNKNOWN_TOOL: "),
    ],
)
async def test_what_the_door_refuses_comes_back_as_an_error_the_model_can_read(
    tools: McpTools, call: ToolUse, words: str
) -> None:
    seen: list[dict[str, Any]] = []

    def claude(body: dict[str, Any]) -> Step:
        seen.extend(results_in(body))
        return Say((Text("I cannot."),)) if seen else Say((call,))

    async with asked(tools, claude) as agent:
        answer = await agent.chat("do it")
    assert [result["is_error"] for result in seen] == [True]
    assert words in seen[0]["content"]
    assert (answer.text, answer.failed) == ("I cannot.", False)


async def test_a_bill_unpaid_is_told_and_nothing_of_the_provider_leaks(tools: McpTools) -> None:
    fault = HttpFault(400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API.")
    async with asked(tools, lambda body: fault) as agent:
        answer = await agent.chat("how many clusters run?")
    assert answer.failed
    assert "out of credit" in answer.text
    assert "400" not in answer.text


async def test_the_prefix_of_every_request_fits_its_budget_and_does_not_change(tools: McpTools) -> None:
    first, second = [await Discovery(tools).text() for _ in range(2)]
    specs = await tools.specs()
    system = load("chat").render(schema=first, health_rules=load_rules().describe())
    described = sum(len(spec.name) + len(spec.description) + len(str(spec.input_schema)) for spec in specs)
    assert first == second
    assert specs == await tools.specs()
    # Counted at four characters a token.
    assert (len(system) + described) / 4 < 6_500


async def test_the_prompt_names_only_tools_and_metrics_that_there_are(tools: McpTools) -> None:
    names = {spec.name for spec in await tools.specs()}
    assert {"read_query", "discover_schema", "describe_table"} <= names
    listed: ToolResult = await tools.call("read_query", {"sql": "SELECT metric_name FROM metrics.metrics_dict_v2"})
    assert listed.data is not None
    known = {row[0] for row in listed.data["rows"]}
    text = load("chat").text
    words = {word.strip("`,.;:()") for word in text.split() if word.startswith("`")}
    named = {word for word in words if word.startswith(("starrocks_", "node_", "jvm_")) and not word.endswith("*")}
    assert len(named) >= 8
    assert named <= known
