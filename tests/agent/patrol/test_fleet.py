"""The patrol of a simulated fleet with planted faults and decoys, through the real door and a real SQL engine."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from agent.loop import Loop
from agent.mcp_connection import McpConnection
from agent.mcp_tools import McpTools
from agent.messages import user_text
from agent.patrol.analyst import PatrolAnalyst
from agent.patrol.evidence import PROMPT_CHARS, Evidence
from agent.patrol.inspection import inspect
from agent.patrol.rules import load_rules
from agent.patrol.run import Patrol
from agent.tools import ToolResult, Tools
from mcp_server.config import WarehouseConfig
from mcp_server.door import Door
from mcp_server.server import build_server
from sandbox.launch import Endpoint
from tests.agent.doubles import ScriptedModel
from tests.agent.patrol.test_run import Store


@pytest.fixture
async def tools(warehouse: Endpoint) -> AsyncIterator[Tools]:
    user, password = warehouse.reader
    config = WarehouseConfig(host=warehouse.host, port=warehouse.port, user=user, password=SecretStr(password))
    async with Door(config) as door, McpConnection(lambda: build_server(door), name="starwatch") as connection:
        yield McpTools(connection)


class Watched:
    """Passes calls on and keeps every statement with its result."""

    def __init__(self, inner: Tools) -> None:
        self._inner = inner
        self.specs = inner.specs
        self.results: list[tuple[str, ToolResult]] = []

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        result = await self._inner.call(name, arguments)
        self.results.append((str(arguments.get("sql", name)), result))
        return result


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


@pytest.fixture
async def evidence(tools: Tools) -> Evidence:
    return await inspect(tools, load_rules(), now())


async def test_the_guard_admits_every_statement_of_the_patrol(tools: Tools) -> None:
    watched = Watched(tools)
    await inspect(watched, load_rules(), now())
    assert [(sql, result.text) for sql, result in watched.results if result.is_error] == []
    assert len(watched.results) <= 20


async def test_every_planted_fault_is_flagged(evidence: Evidence, truth: dict[str, Any]) -> None:
    flagged = {cluster.identity.cluster_id for cluster in evidence.flagged}
    assert truth["must_flag"]
    assert set(truth["must_flag"]) - flagged == set()


async def test_no_decoy_and_no_healthy_cluster_is_flagged(evidence: Evidence, truth: dict[str, Any]) -> None:
    flagged = {cluster.identity.cluster_id: cluster.findings for cluster in evidence.flagged}
    assert truth["must_not_flag"]
    assert {one: flagged[one] for one in truth["must_not_flag"] if one in flagged} == {}


async def test_silent_clusters_are_unknown_and_nothing_else_is(evidence: Evidence, truth: dict[str, Any]) -> None:
    silent = {fault["cluster_id"] for fault in truth["faults"] if fault["kind"] == "silent_cluster"}
    unknown = {one.identity.cluster_id for one in evidence.flagged if one.severity == "Unknown"}
    assert silent == unknown


async def test_onsets_are_near_the_truth(evidence: Evidence, truth: dict[str, Any]) -> None:
    sudden = {"node_down", "silent_cluster", "error_burst", "p99_regression"}
    began = {
        one["cluster_id"]: datetime.fromisoformat(one["onset"]) for one in truth["faults"] if one["kind"] in sudden
    }
    found = {
        one.identity.cluster_id: min(finding.since for finding in one.findings if finding.since)
        for one in evidence.flagged
        if one.identity.cluster_id in began and any(finding.since for finding in one.findings)
    }
    off = {one: abs(found[one] - began[one]) for one in found}
    assert found.keys() == began.keys()
    assert {one: apart for one, apart in off.items() if apart > timedelta(hours=6)} == {}


async def test_the_evidence_fits_the_prompt_and_has_no_orders_in_it(evidence: Evidence) -> None:
    text = evidence.render()
    assert len(text) <= PROMPT_CHARS
    assert not any(line.lower().startswith(("ignore", "## ", "<!")) for line in text.splitlines())


async def test_every_active_cluster_that_sends_has_a_score(evidence: Evidence) -> None:
    sending = [one for one in evidence.clusters if one.severity != "Unknown"]
    assert [one.identity.name for one in sending if one.score is None] == []


async def test_a_morning_patrol_without_a_model_reports_the_whole_truth(tools: Tools, truth: dict[str, Any]) -> None:
    store = Store()
    patrol = Patrol(ScriptedModel(analyst="rules-only"), tools, writer=store)
    _, report = await patrol.run_patrol("morning", "clock")
    flagged = {one.cluster_id for one in report.flagged_clusters}
    assert set(truth["must_flag"]) <= flagged
    assert flagged.isdisjoint(truth["must_not_flag"])
    assert 6 <= report.usage.tool_calls <= 10
    assert report.recommended_actions
    assert store.kept[0][0] == report
    assert store.kept[0][1]["facts"]["active"] == report.active_clusters


async def test_the_analyst_asks_for_nothing_that_this_warehouse_does_not_know(tools: Tools, evidence: Evidence) -> None:
    rules = load_rules()
    for dimension in ("fe_heap_used_pct", "disk_used_pct"):
        found = next(one for one in evidence.flagged if dimension in {finding.dimension for finding in one.findings})
        analyst = PatrolAnalyst(replace(evidence, clusters=(found,)), rules)
        turn = await Loop(analyst, tools, system="").run([user_text("Patrol the fleet.")])
        assert [(one.name, one.data) for one in turn.tools if one.is_error] == []
        assert "query_cluster_metrics" in {one.name for one in turn.tools}
