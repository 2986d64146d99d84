"""A patrol from start to end: with a model that does well, badly or not at all, it always posts the same flags."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent.errors import ModelBilling, ModelError, ModelUnavailable, ToolsUnavailable
from agent.model import Model, Usage
from agent.patrol import report as reports
from agent.patrol.earlier import Earlier
from agent.patrol.errors import ReportMalformed, WarehouseUnreadable
from agent.patrol.evidence import Evidence
from agent.patrol.report import REPORT_TYPES, PatrolReport
from agent.patrol.rules import load_rules
from agent.patrol.run import MALFORMED, NOT_STORED, Patrol
from agent.patrol.sections import NAMES
from agent.progress import Progress, RoundStarted, ToolStarted
from agent.receipts import SIGN
from agent.tools import ToolSpec
from tests.agent.doubles import ScriptedModel, call, say
from tests.agent.patrol.courses import rhythm, steps
from tests.agent.patrol.test_evidence import FULL, HOT, cid, healthy
from tests.agent.patrol.warehouse import NOW, Cluster, FleetTools

HOT_CLUSTER = Cluster(cid(1), "hot", HOT, tier="S", customer="Acme")
FULL_CLUSTER = Cluster(cid(2), "full", FULL)
GOOD = f"""## FLEET_NARRATIVE
Two clusters need attention.

## FLAGGED_CLUSTERS
[{{"cluster_id": "{cid(1)[:8]}", "severity": "Warning", "reason": "load test", "key_metrics": {{"cpu": 1}},
  "lowered_because": "a load test was planned"}},
 {{"cluster_id": "{cid(2)}", "severity": "Critical", "reason": "disk nearly full"}},
 {{"cluster_id": "{cid(101)}", "severity": "Critical", "reason": "a feeling"}}]

## PREDICTIONS
- [High] disk of full reaches 100% in 8 h

## CUSTOMER_SUMMARIES
- Acme | S | busy

## RECOMMENDED_ACTIONS
- [Immediate] grow the disk of full
"""


@dataclass
class Store:
    """A report writer that keeps what it is given, or fails."""

    error: Exception | None = None
    kept: list[tuple[PatrolReport, Mapping[str, Any]]] = field(default_factory=list)
    scored: list[int] = field(default_factory=list)

    async def write_scores(self, evidence: Evidence) -> None:
        self.scored.append(len(evidence.clusters))

    async def write(self, report: PatrolReport, summary: Mapping[str, Any]) -> None:
        if self.error is not None:
            raise self.error
        self.kept.append((report, summary))


class Clock:
    """Goes on by ten seconds at each look."""

    def __init__(self) -> None:
        self.at = NOW.replace(tzinfo=UTC) - timedelta(seconds=10)

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=10)
        return self.at


class LostTools(FleetTools):
    """Answers queries, but cannot list its tools any more."""

    async def specs(self) -> tuple[ToolSpec, ...]:
        raise ToolsUnavailable("the server went away")


def fleet(*extra: Cluster, **options: Any) -> FleetTools:
    return FleetTools([*extra, *healthy(4)], **options)


def patrol(model: Model, tools: FleetTools, store: Store | None = None, **options: Any) -> Patrol:
    return Patrol(model, tools, writer=store or Store(), clock=Clock(), new_id=lambda: "r-1", **options)


async def report_of(model: Model, tools: FleetTools | None = None, **options: Any) -> PatrolReport:
    chosen = tools or fleet(HOT_CLUSTER, FULL_CLUSTER)
    return (await patrol(model, chosen, **options).run_patrol("morning", "clock"))[1]


def by_rules() -> ScriptedModel:
    """A model of the rules-only kind; the patrol brings its own analyst, so it is never asked."""
    return ScriptedModel(analyst="rules-only")


async def test_a_report_is_checked_beside_the_loop_so_that_other_turns_go_on() -> None:
    threads: list[int] = []
    await report_of(ScriptedModel(say(GOOD)), on_bound=lambda *_: threads.append(threading.get_ident()))
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()


async def test_a_model_digs_and_its_report_is_bound_to_the_evidence() -> None:
    tools, store = fleet(HOT_CLUSTER, FULL_CLUSTER), Store()
    model = ScriptedModel(
        say(call("t1", "query_fleet_summary"), call("t2", "query_open_issues", limit=5)),
        say(call("t3", "query_cluster_metrics", cluster=cid(2), metrics=["up"], hours=48)),
        say(GOOD),
    )
    report_id, report = await patrol(model, tools, store).run_patrol("morning", "U1")
    assert report_id == report.report_id == "r-1"
    assert [(one.cluster_name, one.severity, one.reason) for one in report.flagged_clusters] == [
        ("full", "Critical", "disk nearly full"),
        ("hot", "Warning", "load test"),
    ]
    assert (report.analyst, report.model, report.triggered_by) == ("claude", "scripted-1", "U1")
    assert (report.usage.rounds, report.usage.tool_calls, report.usage.seconds) == (3, 3, 10.0)
    assert report.created_at == "2026-11-20T12:20:00+00:00"
    assert report.as_of == "2026-11-20 12:00"
    assert "1 flags without evidence were left out" in report.notice
    assert store.kept[0][0] == report
    assert store.scored == [report.active_clusters]
    assert store.kept[0][1]["flagged"] == {"Critical": 2}


async def test_a_severity_lowered_for_no_reason_stands_as_measured_and_the_report_says_so() -> None:
    silent = GOOD.replace("a load test was planned", "-")
    report = await report_of(ScriptedModel(say(silent)))
    assert [(one.severity, one.lowered_because) for one in report.flagged_clusters] == [("Critical", "")] * 2
    assert "1 severities were to be lowered without a reason and stand as measured." in report.notice


async def test_a_name_and_a_time_that_no_result_holds_are_marked_and_counted() -> None:
    told = GOOD.replace("Two clusters need attention.", "Since 03:17 UTC cluster `ghost` drags both down.")
    report = await report_of(ScriptedModel(say(told)))
    assert report.fleet_narrative == f"Since 03:17{SIGN} UTC cluster `ghost{SIGN}` drags both down."
    assert report.unbound >= 2
    assert f"of {report.figures} figures, times and names are in no query result" in report.notice


class Remembering:
    """Knows what the last report left open, or cannot say."""

    def __init__(self, left: Mapping[str, Earlier] | None, error: Exception | None = None) -> None:
        self._left = left
        self._error = error

    async def left_open(self) -> Mapping[str, Earlier] | None:
        if self._error is not None:
            raise self._error
        return self._left


async def test_what_is_new_since_the_last_report_is_told_before_what_lasts() -> None:
    async def names(last: Remembering | None) -> list[tuple[str, str]]:
        twins = (Cluster(cid(1), "one", FULL), Cluster(cid(2), "two", FULL))
        _, report = await patrol(by_rules(), fleet(*twins), last=last).run_patrol("morning", "U1")
        return [(one.cluster_name, one.factors.moved if one.factors else "-") for one in report.flagged_clusters]

    known = {f"{cid(1)}/{dimension}": Earlier("Critical", 94.0) for dimension in load_rules().dimensions}
    assert await names(None) == [("one", ""), ("two", "")]
    assert await names(Remembering(None)) == [("one", ""), ("two", "")]
    assert await names(Remembering(known)) == [("two", "new"), ("one", "same")]
    assert await names(Remembering({}, OSError("gone"))) == [("one", ""), ("two", "")]


async def test_the_model_is_given_evidence_rules_and_protocol() -> None:
    model = ScriptedModel(say(GOOD))
    await report_of(model)
    request = model.requests[0]
    assert "<evidence>" in request.messages[0]["content"][0]["text"]
    assert '"hot" tier S, customer "Acme", Critical since 11-20 07:00' in request.messages[0]["content"][0]["text"]
    assert "disk_used_pct" in request.system
    assert "at most 10 rounds" in request.system
    assert all(f"## {name}" in request.system for name in NAMES)


async def test_the_same_system_prompt_serves_every_patrol() -> None:
    one, other = ScriptedModel(say(GOOD)), ScriptedModel(say(GOOD))
    await report_of(one)
    await report_of(other, fleet(FULL_CLUSTER))
    assert one.requests[0].system == other.requests[0].system


async def test_the_last_round_may_not_dig() -> None:
    dig = [say(call(f"t{at}", "query_open_issues", limit=at)) for at in range(1, 3)]
    model = ScriptedModel(*dig, say(GOOD))
    report = await report_of(model, max_rounds=3)
    assert [request.may_call_tools for request in model.requests] == [True, True, False]
    assert report.usage.rounds == 3


async def test_a_malformed_report_is_asked_for_once_more_naming_what_is_wrong() -> None:
    model = ScriptedModel(say("All fine, boss."), say(GOOD))
    report = await report_of(model)
    asked = model.requests[1].messages[-1]["content"][0]["text"]
    assert "section FLAGGED_CLUSTERS is missing" in asked
    assert not model.requests[1].may_call_tools
    assert (report.analyst, report.usage.rounds) == ("claude", 2)
    assert MALFORMED not in report.notice


async def test_a_report_that_stays_malformed_is_written_by_rules() -> None:
    report = await report_of(ScriptedModel(say("nope"), say("still nope")))
    assert report.analyst == "rules-only"
    assert report.notice == MALFORMED
    assert {one.cluster_id for one in report.flagged_clusters} == {cid(1), cid(2)}


@pytest.mark.parametrize("error", [ModelBilling("402"), ModelUnavailable("529")])
async def test_a_patrol_posts_even_when_the_model_is_down(error: ModelError) -> None:
    report = await report_of(ScriptedModel(error))
    assert report.analyst == "rules-only"
    assert report.notice == error.user_message
    assert {one.cluster_id for one in report.flagged_clusters} == {cid(1), cid(2)}


async def test_a_model_that_fails_while_digging_is_replaced_too() -> None:
    model = ScriptedModel(say(call("t1", "query_fleet_summary")), ModelUnavailable("529"))
    assert (await report_of(model)).analyst == "rules-only"


async def test_without_a_floor_faults_are_raised() -> None:
    with pytest.raises(ModelBilling):
        await report_of(ScriptedModel(ModelBilling("402")), floor=False)
    with pytest.raises(ReportMalformed):
        await report_of(ScriptedModel(say("nope"), say("nope")), floor=False)


async def test_flags_do_not_depend_on_the_model() -> None:
    tired = GOOD.split("## FLAGGED_CLUSTERS", maxsplit=1)[0] + "\n".join(f"## {name}\nNone" for name in NAMES[1:])
    reports = [await report_of(ScriptedModel(say(GOOD))), await report_of(ScriptedModel(say(tired)))]
    reports += [await report_of(by_rules())]
    assert len({frozenset(one.cluster_id for one in report.flagged_clusters) for report in reports}) == 1


async def test_a_poisoned_report_can_neither_add_nor_hide_a_cluster() -> None:
    poisoned = GOOD.replace(cid(2), "ffffffff").replace("Warning", "Unknown")
    report = await report_of(ScriptedModel(say(poisoned)))
    assert [(one.cluster_name, one.severity) for one in report.flagged_clusters] == [
        ("hot", "Critical"),
        ("full", "Critical"),
    ]


# The rules-only analyst.


async def test_the_rules_only_analyst_digs_by_plan_and_writes_all_sections() -> None:
    tools = fleet(HOT_CLUSTER, FULL_CLUSTER)
    report = await report_of(by_rules(), tools)
    dug = [name for name, _ in tools.calls if name != "read_query"]
    assert 6 <= len(dug) <= 10
    assert dug[:2] == ["query_fleet_summary", "query_open_issues"]
    assert {"query_cluster_metrics", "search_logs", "query_similar_clusters", "query_agent_memory"} <= set(dug)
    assert report.usage.tool_calls == len(dug)
    assert (report.analyst, report.model, report.notice) == ("rules-only", "rules-only", "")
    assert report.fleet_narrative.startswith(
        "2 of 6 active clusters need attention as of 2026-11-20 12:00 UTC: 2 Critical"
    )
    assert [one.customer for one in report.customer_summaries] == ["Acme"]
    assert [one.urgency for one in report.recommended_actions] == ["Immediate", "Immediate"]


async def test_a_healthy_fleet_is_called_healthy_and_nothing_is_invented() -> None:
    tools = fleet()
    report = await report_of(by_rules(), tools)
    assert report.fleet_narrative.startswith("The fleet is healthy: all 4 active clusters send data")
    assert (
        report.flagged_clusters == report.predictions == report.customer_summaries == report.recommended_actions == ()
    )
    assert 6 <= report.usage.tool_calls <= 10


async def test_a_cluster_that_cannot_be_judged_is_not_called_healthy() -> None:
    new = Cluster(cid(7), "new", silent=14 * 24, created=NOW - timedelta(hours=3))
    report = await report_of(by_rules(), fleet(new))
    assert report.flagged_clusters == ()
    assert report.fleet_narrative.startswith("The fleet is healthy: the 4 of 5 active clusters that could be judged")
    assert "1 cluster could not be judged" in report.fleet_narrative


async def test_a_steady_course_becomes_a_prediction_with_a_time() -> None:
    filling = {"disk_free": lambda back: (500 - 10 * max(0, 24 - back)) * 2**30, "disk_percent": rhythm(46)}
    report = await report_of(by_rules(), fleet(Cluster(cid(3), "filling", filling)))
    assert [(one.cluster_name, one.severity) for one in report.flagged_clusters] == [("filling", "Warning")]
    (prediction,) = report.predictions
    assert prediction.confidence == "High"
    assert prediction.text.startswith("disk used of filling goes from 73% to 90% in about")


async def test_a_silent_cluster_is_reported_as_unknown() -> None:
    report = await report_of(by_rules(), fleet(Cluster(cid(4), "quiet", silent=8)))
    assert [(one.severity, one.key_metrics) for one in report.flagged_clusters] == [("Unknown", {"freshness": 8.0})]
    assert "exporter, network" in report.recommended_actions[0].text


async def test_log_lines_are_quoted_as_data() -> None:
    logs = "columns: log_time:DATETIME,level:VARCHAR,message:VARCHAR\nlog_time,level,message\n"
    logs += "2026-11-20 11:00:00,ERROR,disk `x` failed\n-- 1 row, 0.01 s, q-l"
    report = await report_of(by_rules(), fleet(HOT_CLUSTER, logs=logs))
    assert "From the logs: hot: `disk 'x' failed`" in report.fleet_narrative


async def test_the_rules_only_analyst_needs_no_tools_to_write() -> None:
    report = await report_of(by_rules(), LostTools([HOT_CLUSTER, *healthy(4)]))
    assert [one.cluster_name for one in report.flagged_clusters] == ["hot"]
    assert report.usage.rounds == 0


async def test_a_lost_tool_server_does_not_lose_the_report_of_a_model() -> None:
    report = await report_of(ScriptedModel(), LostTools([HOT_CLUSTER, *healthy(4)]))
    assert report.analyst == "rules-only"
    assert report.notice == ToolsUnavailable.user_message


# Around the report.


@pytest.mark.parametrize("report_type", REPORT_TYPES)
async def test_every_type_of_report_can_be_had(report_type: str) -> None:
    _, report = await patrol(by_rules(), fleet()).run_patrol(report_type, "U1")
    assert report.report_type == report_type


async def test_an_unknown_type_is_refused_with_the_list_before_anything_is_read() -> None:
    tools = fleet()
    with pytest.raises(ValueError, match="morning, evening, weekly, on_demand"):
        await patrol(by_rules(), tools).run_patrol("hourly", "U1")
    assert tools.calls == []


async def test_a_report_that_cannot_be_stored_is_still_given_back() -> None:
    report = await report_of(by_rules(), store=Store(error=OSError("disk full")))
    assert report.notice == NOT_STORED
    assert len(report.flagged_clusters) == 2


async def test_an_unreadable_warehouse_is_told_by_its_own_error() -> None:
    with pytest.raises(WarehouseUnreadable) as caught:
        await report_of(by_rules(), fleet(down=True))
    assert "could not read the warehouse" in caught.value.user_message


async def test_old_data_is_told_in_the_notice() -> None:
    report = await report_of(by_rules(), fleet(as_of=NOW.replace(minute=0) - timedelta(days=3)))
    assert "The newest data is from 2026-11-17 12:00 UTC" in report.notice


async def test_tokens_of_all_rounds_are_counted() -> None:
    model = ScriptedModel(say(call("t1", "query_fleet_summary")), say("nope"), say(GOOD))
    report = await report_of(model)
    one_reply = Usage(10, 1)
    assert (report.usage.input_tokens, report.usage.output_tokens) == (
        3 * one_reply.input_tokens,
        3 * one_reply.output_tokens,
    )


async def test_progress_is_told_as_it_happens() -> None:
    seen: list[Progress] = []

    async def on_progress(event: Progress) -> None:
        seen.append(event)

    await patrol(by_rules(), fleet(HOT_CLUSTER)).run_patrol("evening", "clock", on_progress)
    assert isinstance(seen[0], RoundStarted)
    assert "query_fleet_summary" in {event.name for event in seen if isinstance(event, ToolStarted)}


async def test_a_report_is_plain_json() -> None:
    slow = Cluster(cid(5), "slow", {"latency": steps(rhythm(120), 900, 9)})
    whole = (await report_of(by_rules(), fleet(slow))).to_json()
    wanted = {"report_id", "report_type", "fleet_narrative", "flagged_clusters", "predictions", "customer_summaries"}
    assert wanted | {"recommended_actions", "analyst", "model", "usage"} <= set(whole)
    flag = whole["flagged_clusters"][0]
    assert set(flag) >= {"cluster_id", "cluster_name", "severity", "reason", "key_metrics"}
    assert flag["since"] == "2026-11-20 04:00"


async def test_each_flag_carries_its_findings_with_figures_course_rule_and_receipt() -> None:
    report = await report_of(by_rules())
    hot = next(one for one in report.flagged_clusters if one.cluster_name == "hot")
    (finding,) = hot.findings
    assert (finding.dimension, finding.severity, finding.unit, finding.value) == ("cpu_util_pct", "Critical", "%", 96.0)
    assert finding.rule.startswith("cpu_util_pct")
    assert len(finding.course) == 24
    assert finding.course[-6:] == (96.0,) * 6
    assert finding.course[0] != 96.0
    assert "metrics.amv_hourly_snapshots_v1" in report.receipts[finding.query_id]
    assert set(report.receipts) == {one.query_id for flag in report.flagged_clusters for one in flag.findings}


async def test_a_report_names_the_clusters_that_it_could_judge_and_no_others() -> None:
    report = await report_of(by_rules(), fleet(Cluster(cid(7), "quiet", silent=9), HOT_CLUSTER))
    assert set(report.judged) == {cid(number) for number in (1, 101, 102, 103, 104)}


async def test_a_report_comes_back_from_its_json_and_from_one_of_an_earlier_version() -> None:
    report = await report_of(by_rules())
    body = json.loads(json.dumps(report.to_json()))
    assert reports.report_of(body) == report
    for flag in body["flagged_clusters"]:
        del flag["findings"]
    del body["judged"], body["receipts"]
    earlier = reports.report_of(body)
    assert earlier.receipts == {}
    assert earlier.flagged_clusters[0].findings == ()


def test_what_is_no_report_is_refused() -> None:
    with pytest.raises(ValueError, match="report_type"):
        reports.report_of({"report_id": "r"})
