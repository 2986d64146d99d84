"""Investigations by rules of every fault that is planted in the simulated fleet, through the real door."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from agent.answer import ToolTrace
from agent.catalogue import Language
from agent.investigation.conclusion import Conclusion
from agent.investigation.plan import STEPS
from agent.investigation.result import Investigation
from agent.investigation.run import Case, Investigator
from agent.investigation.scene import Scene, scene_from, scene_of
from agent.mcp_connection import McpConnection
from agent.mcp_tools import McpTools
from agent.patrol.evidence import Evidence
from agent.patrol.inspection import inspect
from agent.patrol.rules import load_rules
from agent.session import MemorySessions
from mcp_server.config import WarehouseConfig
from mcp_server.door import Door
from mcp_server.limits import Allowance
from mcp_server.server import build_server
from sandbox.launch import Endpoint
from tests.agent.doubles import ScriptedModel

RULES = ScriptedModel(analyst="rules-only")
"""The investigator brings its own analyst, so this one is never asked."""
NOT_METRICS = {"silent_cluster", "flapping_alert"}


class Nowhere:
    """A writer that keeps nothing."""

    async def write_investigation(self, investigation: Investigation) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Looked:
    """What came of the fleet: the evidence, and the investigations by kind of fault, in the order they were planted."""

    evidence: Evidence
    done: Mapping[str, list[Investigation]]
    chinese: Investigation
    healthy: Investigation
    unknown: Investigation


async def _look(warehouse: Endpoint, truth: Mapping[str, Any]) -> Looked:
    user, password = warehouse.reader
    config = WarehouseConfig(host=warehouse.host, port=warehouse.port, user=user, password=SecretStr(password))
    allowance = Allowance(per_minute=10_000, all_per_minute=10_000)
    async with (
        Door(config, allowance=allowance) as door,
        McpConnection(lambda: build_server(door), name="starwatch") as connection,
    ):
        tools = McpTools(connection)
        evidence = await inspect(tools, load_rules(), datetime.now(UTC).replace(tzinfo=None))

        async def look(now: datetime) -> Evidence:
            return evidence

        async def investigate(cluster: str, language: Language = "en") -> Investigation:
            made = Investigator(RULES, tools, look=look, store=MemorySessions(), thread="t", writer=Nowhere())
            return await made.investigate(Case(cluster, language=language))

        done: dict[str, list[Investigation]] = {}
        for fault in truth["faults"]:
            done.setdefault(fault["kind"], []).append(await investigate(fault["cluster_id"]))
        upgraded = next(one["cluster_id"] for one in truth["faults"] if one["kind"] == "p99_regression")
        well = next(one for one in truth["must_not_flag"])
        return Looked(
            evidence,
            done,
            await investigate(upgraded, "zh"),
            await investigate(well),
            await investigate("nobody-knows"),
        )


@pytest.fixture(scope="module")
def looked(warehouse: Endpoint, truth: dict[str, Any]) -> Looked:
    return asyncio.run(_look(warehouse, truth))


def conclusion(done: Investigation) -> Conclusion:
    assert done.checked is not None
    return done.checked.conclusion


def scene(done: Investigation) -> Scene:
    assert done.scene is not None
    return done.scene


def calls(done: Investigation) -> list[ToolTrace]:
    return [one for one in done.answer.tools if one.name != "evidence"]


async def test_every_planted_fault_is_investigated_without_a_failed_call(looked: Looked, truth: dict[str, Any]) -> None:
    assert {one["kind"] for one in truth["faults"]} == set(looked.done)
    for kind, investigations in looked.done.items():
        for done in investigations:
            assert not done.answer.failed, kind
            assert [one for one in calls(done) if one.is_error] == [], kind


async def test_the_steps_of_the_protocol_are_taken_in_three_rounds(looked: Looked) -> None:
    (done,) = looked.done["compaction_backlog"]
    assert done.answer.rounds == 3
    made = [one.name for one in calls(done)]
    for tool in (
        "query_cluster_info",
        "query_cluster_alerts",
        "query_cluster_metrics",
        "query_cluster_operations",
        "query_agent_memory",
        "query_similar_clusters",
        "read_query",
        "search_logs",
    ):
        assert tool in made
    assert len(STEPS) == 8


async def test_the_severity_is_the_measured_one(looked: Looked) -> None:
    by_id = {one.identity.cluster_id: one for one in looked.evidence.clusters}
    for investigations in looked.done.values():
        for done in investigations:
            measured = by_id[scene(done).cluster_id].severity
            assert conclusion(done).severity == (measured or "Info")


async def test_a_slow_tail_after_an_upgrade_names_the_upgrade(looked: Looked) -> None:
    assert len(looked.done["p99_regression"]) > 1
    for done in looked.done["p99_regression"]:
        said = conclusion(done)
        assert said.established
        assert "sr_version" in said.root_cause
        assert "3.5.3-ee" in said.root_cause
        assert said.label in {"Medium", "High"}
        assert any("plans" in one.text for one in said.actions)


async def test_a_burst_of_errors_in_one_account_names_the_account_and_the_error(looked: Looked) -> None:
    assert len(looked.done["error_burst"]) > 1
    for done in looked.done["error_burst"]:
        said = conclusion(done)
        assert "of the same account share" in said.root_cause
        assert "'device_os' cannot be resolved" in said.root_cause
        assert any("asks" in one.text or "ask the customer" in one.text for one in said.actions)


async def test_stuck_routine_load_names_the_paused_jobs_and_the_bad_rows(looked: Looked) -> None:
    (done,) = looked.done["routine_load_stuck"]
    said = conclusion(done)
    assert said.established
    assert "routine load jobs are paused" in said.root_cause
    assert "rows that cannot be loaded" in said.root_cause


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        ("disk_filling", "disk used"),
        ("compaction_backlog", "compaction score"),
        ("memory_leak", "memory available"),
        ("cpu_saturation", "BE CPU"),
        ("fe_heap", "FE heap used"),
        ("journal_latency", "FE journal write p99"),
        ("node_down", "nodes answering"),
        ("tier_s_warning", "disk used"),
    ],
)
async def test_a_fault_whose_cause_is_not_in_the_data_is_told_with_what_is(
    looked: Looked, kind: str, seen: str
) -> None:
    (done,) = looked.done[kind]
    said = conclusion(done)
    assert seen in said.evidence[0].text
    assert said.evidence[0].query_id
    assert said.confidence < 0.75
    if not said.established:
        assert said.root_cause.startswith("Cause not established")
        assert said.label == "Low"
    assert said.actions


async def test_a_symptom_is_no_cause(looked: Looked) -> None:
    (done,) = looked.done["node_down"]
    said = conclusion(done)
    assert not said.established
    assert "some of the nodes no longer answer" in said.root_cause
    (storm,) = looked.done["alert_storm"]
    assert not conclusion(storm).established


async def test_a_silent_cluster_stays_unknown_and_nothing_is_guessed(looked: Looked) -> None:
    (done,) = looked.done["silent_cluster"]
    said = conclusion(done)
    assert said.severity == "Unknown"
    assert not said.established
    assert said.label == "Low"
    assert any("cluster is down or only its exporter" in one for one in said.unknown)
    assert "query_live_state" in [one.name for one in calls(done)]


async def test_every_receipt_was_read_in_this_investigation(looked: Looked) -> None:
    for kind, investigations in looked.done.items():
        for done in investigations:
            read = {str((one.data or {}).get("query_id")) for one in done.answer.tools}
            cited = {one.query_id for one in conclusion(done).evidence}
            assert cited <= read, kind
            assert "" not in cited, kind


async def test_what_was_ruled_out_is_said(looked: Looked) -> None:
    for kind in set(looked.done) - NOT_METRICS:
        for done in looked.done[kind]:
            assert conclusion(done).ruled_out, kind


async def test_a_healthy_cluster_is_called_healthy(looked: Looked) -> None:
    said = conclusion(looked.healthy)
    assert said.severity == "Info"
    assert "Nothing is wrong by the rules" in said.root_cause
    assert said.actions == []


async def test_a_cluster_that_nobody_knows_is_unknown(looked: Looked) -> None:
    said = conclusion(looked.unknown)
    assert said.severity == "Unknown"
    assert "`nobody-knows` is not among the active clusters" in said.root_cause
    assert said.evidence == []
    assert [one.name for one in calls(looked.unknown)] == ["query_cluster_info"]


async def test_a_chinese_reader_gets_chinese(looked: Looked) -> None:
    said = conclusion(looked.chinese)
    assert said.root_cause.startswith("可能原因")
    assert "sr_version" in said.root_cause
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in one.text) for one in said.evidence)


async def test_a_scene_is_the_same_after_it_was_written_down(looked: Looked) -> None:
    for one in looked.evidence.clusters:
        made = scene_of(looked.evidence, one.identity.cluster_id)
        assert scene_from(json.loads(json.dumps(made.to_json()))) == made


async def test_a_cluster_is_meant_by_id_prefix_or_name(looked: Looked) -> None:
    identity = looked.evidence.clusters[0].identity
    for asked in (identity.cluster_id, identity.cluster_id[:12].upper(), f" {identity.name} "):
        assert scene_of(looked.evidence, asked).cluster_id == identity.cluster_id
    assert not scene_of(looked.evidence, identity.cluster_id[:3]).known


async def test_the_onset_of_the_scene_is_that_of_the_fault(looked: Looked, truth: dict[str, Any]) -> None:
    onsets = {one["cluster_id"]: datetime.fromisoformat(one["onset"]) for one in truth["faults"]}
    for kind in ("error_burst", "p99_regression", "node_down", "routine_load_stuck"):
        for done in looked.done[kind]:
            began = scene(done).onset
            assert began is not None
            assert abs(began - onsets[scene(done).cluster_id]) <= timedelta(hours=2), kind
