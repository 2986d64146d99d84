"""The rules-only analyst inside the loop, behind the door, before a simulated fleet: every figure it says was read."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from agent.chat import BYOCAgent
from agent.mcp_connection import McpConnection
from agent.mcp_tools import McpTools
from agent.patrol.rules import load_rules
from agent.rules_only import RulesAnalyst, from_rules
from agent.session import MemorySessions
from mcp_server.door import Door
from mcp_server.server import build_server
from tests.agent.rules_only.supported import unsupported

THRESHOLDS = from_rules(load_rules())
FLEET_QUESTIONS = [
    "how is the fleet?",
    "which clusters are worst?",
    "how are tier S customers?",
    "which clusters are near breaking point?",
    "latency trend",
    "alerts in the last 7 days",
    "open issues",
    "what changed in the last 7 days?",
    "which clusters are silent?",
    "which clusters have the highest disk usage?",
    "top 5 clusters by cpu",
    "error rate by cluster",
    "clusters by version",
    "clusters by region",
    "how many clusters per customer?",
    "fe heap of the fleet over 3 days",
    "what did the last patrol say?",
    "what is new since yesterday?",
    "which clusters run 3.3.9?",
    "cost by customer",
    "most expensive clusters of the last 3 days",
]
CLUSTER_QUESTIONS = [
    "how is {}?",
    "alerts of {}",
    "operations on {}",
    "disk of {} over 7 days",
    "p99 of {} in the last 24 hours",
    "query errors of {} over 3 days",
    "what does {} cost?",
    "logs of {} in the last 24 hours",
]


@pytest.fixture
async def agent(door: Door) -> AsyncIterator[BYOCAgent]:
    async with McpConnection(lambda: build_server(door), name="warehouse") as connection:
        yield BYOCAgent(RulesAnalyst(), McpTools(connection), store=MemorySessions(), thread="terminal:1")


def results(agent: BYOCAgent) -> list[Mapping[str, Any]]:
    """The tool results of the thread, as the analyst saw them."""
    blocks = [block for message in agent.conversation_history for block in message["content"]]
    return [block for block in blocks if block["type"] == "tool_result"]


async def answered(agent: BYOCAgent, question: str) -> str:
    """An answer without a failed call and without an invented figure."""
    await agent.reset_conversation()
    answer = await agent.chat(question)
    assert not answer.failed and answer.analyst == "rules-only"
    read = results(agent)
    assert [block["content"] for block in read if block.get("is_error")] == []
    given = [trace.arguments for trace in answer.tools]
    assert unsupported(answer.text, [str(block["content"]) for block in read], given, THRESHOLDS) == []
    return answer.text


async def cluster_names(door: Door, ids: list[str]) -> list[str]:
    return [(await door.directory.find(cluster_id)).name for cluster_id in ids]


@pytest.mark.parametrize("question", FLEET_QUESTIONS)
async def test_a_question_about_the_fleet_is_answered_from_what_was_read(agent: BYOCAgent, question: str) -> None:
    text = await answered(agent, question)
    assert "not understand" not in text and "could not be read" not in text


@pytest.mark.parametrize("question", CLUSTER_QUESTIONS)
async def test_a_question_about_a_cluster_is_answered_from_what_was_read(
    agent: BYOCAgent, truth: Mapping[str, Any], question: str
) -> None:
    text = await answered(agent, question.format(truth["must_flag"][0]))
    assert "I know no cluster" not in text and "could not be read" not in text


async def test_a_filling_disk_leads_the_capacity_answer(agent: BYOCAgent, truth: Mapping[str, Any]) -> None:
    faults = [fault["cluster_id"] for fault in truth["faults"] if fault["kind"] == "disk_filling"]
    text = await answered(agent, "which clusters have the highest disk usage?")
    assert any(cluster_id[:8] in text for cluster_id in faults)


async def test_a_silent_cluster_is_named_as_unknown(agent: BYOCAgent, truth: Mapping[str, Any]) -> None:
    silent = [fault["cluster_id"] for fault in truth["faults"] if fault["kind"] == "silent_cluster"]
    text = await answered(agent, "which clusters are silent?")
    assert all(cluster_id[:8] in text for cluster_id in silent)
    assert "its health is unknown, not good" in await answered(agent, f"how is {silent[0]}?")


async def test_two_clusters_are_compared(agent: BYOCAgent, truth: Mapping[str, Any]) -> None:
    first, second = truth["must_flag"][:2]
    text = await answered(agent, f"compare {first} with {second}")
    assert "| Measure now |" in text


async def test_a_thread_is_followed_from_the_list_to_one_clusters_alerts(agent: BYOCAgent) -> None:
    worst = (await agent.chat("which clusters are worst?")).text
    second = [line for line in worst.splitlines() if line.startswith("|")][3]
    status = await agent.chat("how is the second one?")
    name = second.split("|")[1].strip()
    assert name in status.text.splitlines()[0]
    alerts = await agent.chat("and its alerts?")
    assert [trace.name for trace in alerts.tools] == ["query_cluster_alerts"]
    assert not alerts.tools[0].is_error


async def test_an_unknown_cluster_is_answered_with_near_names(
    agent: BYOCAgent, door: Door, truth: Mapping[str, Any]
) -> None:
    (name,) = await cluster_names(door, truth["must_not_flag"][:1])
    answer = await agent.chat(f'how is "{name}x"?')
    assert "I know no cluster" in answer.text


async def test_a_markup_in_a_name_or_alert_stays_inert(agent: BYOCAgent) -> None:
    for question in ("alerts in the last 7 days", "which clusters are worst?", "open issues"):
        text = (await agent.chat(question)).text
        assert "<!channel>" not in text and "@all" not in text
