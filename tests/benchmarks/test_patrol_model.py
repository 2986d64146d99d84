"""A model's patrols in the quality benchmark: over the real client, against a strict stand-in of the Messages API."""

import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from agent.model import Usage
from agent.patrol.report import FlaggedCluster, FlaggedFinding, PatrolReport, PatrolUsage
from agent.patrol.sections import parse
from agent.progress import Spent
from benchmarks.patrol_model import ModelTally, Patrolled, flags_written, no_model
from benchmarks.patrol_quality import arguments_of, measured
from tests.fakes.messages_server import MessagesServer, Say, Text, ToolUse, serving
from tests.fakes.messages_server.script import HttpFault, Step

MODEL = "claude-sonnet-5-5"
SMALL = ["3", "3", "--clusters", "8", "--days", "8", "--scenario", "node_down", "--model", MODEL]
LISTS = {"may_flag": ["cccccccc-3"], "must_not_flag": ["bbbbbbbb-2"]}
FAULT = {
    "cluster_id": "aaaaaaaa-1", "kind": "node_down", "onset": "2026-11-20 10:00:00", "dimensions": ["nodes_up"],
    "severity": "Critical", "border": False,
}  # fmt: skip
TRUTH: dict[str, Any] = {"faults": [FAULT], "must_flag": ["aaaaaaaa-1"], **LISTS}


def written(flags: list[dict[str, Any]], narrative: str = "One cluster lost a node.") -> str:
    """A report as a model writes it."""
    return (
        f"## FLEET_NARRATIVE\n{narrative}\n\n## FLAGGED_CLUSTERS\n{json.dumps(flags)}\n\n## PREDICTIONS\nNone\n\n"
        "## CUSTOMER_SUMMARIES\nNone\n\n## RECOMMENDED_ACTIONS\nNone\n"
    )


def wrote(cluster: str, severity: str = "Critical") -> dict[str, Any]:
    return {"cluster_id": cluster, "severity": severity, "reason": "a node is gone", "key_metrics": {}}


def digs(narrative: str = "One cluster lost a node.", seen: Callable[[list[str]], list[str]] = list) -> Any:
    """A model that looks once, then flags those of the evidence's clusters that `seen` leaves."""

    def decide(body: dict[str, Any]) -> Step:
        opening = body["messages"][0]["content"][0]["text"]
        if len(body["messages"]) == 1:
            return Say((ToolUse("query_fleet_summary"),), input_tokens=1_000)
        ids = seen(re.findall(r"^- ([0-9a-f]{8}) ", opening, re.MULTILINE))
        return Say((Text(written([wrote(one) for one in ids], narrative)),), input_tokens=2_000)

    return decide


@pytest.fixture
async def served() -> AsyncIterator[MessagesServer]:
    async with serving(MessagesServer()) as server:
        yield server


async def run(server: MessagesServer, decide: Callable[[dict[str, Any]], Step]) -> dict[str, Any]:
    server.decide = decide
    environment = {"ANTHROPIC_API_KEY": server.key, "ANTHROPIC_BASE_URL": server.url}
    told = await measured(arguments_of(SMALL), environment)
    assert server.refusals == []
    return told


async def test_a_model_patrols_a_fleet_from_evidence_to_report_and_its_figures_stand_beside_the_rules(
    served: MessagesServer,
) -> None:
    told = await run(served, digs("One cluster lost a node; 987654 queries failed."))
    model = told["model"]

    assert (model["fleets"], model["recall"], model["precision"]) == (1, told["recall"], told["precision"])
    assert (model["must_flag_hit"], model["must_flag_missed"]) == (1, 0)
    assert model["as_written"]["recall"] == 1.0
    assert (model["rounds"]["max"], model["tool_calls"]["max"], model["reports_by_the_floor"]) == (2.0, 1.0, 0)
    assert model["figures_unbound"] == 1 <= model["figures"]
    # Two calls: 3,000 tokens in, 7 written to the cache by each, 11 out by each.
    assert model["tokens"] == 3_000 + 2 * 7 + 2 * 11
    assert model["dollars"] == pytest.approx((3_000 * 2 + 14 * 2.5 + 22 * 10) / 1e6, abs=1e-6)
    assert {body["model"] for body in served.requests} == {MODEL}
    assert set(model) > set(told["reference"]) - {"statements", "evidence_characters_max", "evidence_tokens_max"}


async def test_what_a_model_leaves_out_is_missing_from_what_it_wrote_but_not_from_the_report(
    served: MessagesServer,
) -> None:
    model = (await run(served, digs(seen=lambda ids: [])))["model"]
    assert (model["recall"], model["as_written"]["recall"]) == (1.0, 0.0)
    assert model["as_written"]["must_flag_missed"] == 1


async def test_a_report_by_the_floor_is_counted_as_one(served: MessagesServer) -> None:
    model = (await run(served, lambda body: HttpFault(401, "authentication_error")))["model"]
    assert (model["reports_by_the_floor"], model["recall"]) == (1, 1.0)
    assert model["as_written"]["recall"] is None
    assert model["tokens"] == 0


async def test_without_a_key_one_line_says_what_to_do_and_nothing_is_built() -> None:
    with pytest.raises(SystemExit) as ended:
        await measured(arguments_of(SMALL), {})
    (line,) = str(ended.value).splitlines()
    assert "ANTHROPIC_API_KEY" in line
    assert MODEL in line


def test_who_wants_no_model_needs_no_key() -> None:
    assert no_model(None, {}) == no_model(MODEL, {"ANTHROPIC_API_KEY": "k"}) == ""


def report(**more: Any) -> PatrolReport:
    finding = FlaggedFinding("nodes_up", "Critical", 80.0, "%", "nodes answering 80%", since="2026-11-20 10:00")
    cluster = FlaggedCluster("aaaaaaaa-1", "orders", "Critical", "a node is gone", findings=(finding,))
    return PatrolReport("r", "morning", "", (cluster,), (), (), (), "claude", MODEL, **more)


@pytest.mark.parametrize("words", ["aaaaaaaa", "aaaaaaaa-1", " AAAAAAAA ", "orders", "Orders"])
def test_a_written_flag_is_known_by_id_prefix_or_name(words: str) -> None:
    flags = flags_written(parse(written([wrote(words, "Warning")])), report(), TRUTH)
    assert list(flags) == ["aaaaaaaa-1"]
    # As severe as it was written, for what was measured.
    assert flags["aaaaaaaa-1"].severity == "Warning"
    assert flags["aaaaaaaa-1"].told == "nodes_up: nodes answering 80%"


@pytest.mark.parametrize("words", ["aaaa", "ffffffff", "nobody"])
def test_an_invented_cluster_keeps_its_words_and_is_wrong(words: str) -> None:
    tally = ModelTally()
    tally.add(Patrolled(report(), parse(written([wrote(words)])), ()), TRUTH)
    assert tally.summary()["as_written"]["wrongly_flagged"] == 1


def test_a_flag_written_twice_counts_as_it_was_first() -> None:
    flags = flags_written(parse(written([wrote("aaaaaaaa"), wrote("orders", "Warning")])), report(), TRUTH)
    assert [one.severity for one in flags.values()] == ["Critical"]


def test_a_report_without_the_form_has_nothing_written_to_count() -> None:
    tally = ModelTally()
    tally.add(Patrolled(report(), None, ()), TRUTH)
    told = tally.summary()
    assert (told["recall"], told["as_written"]["recall"]) == (1.0, None)


def test_the_costs_of_all_patrols_are_added_up() -> None:
    tally, spent = ModelTally(), Spent(MODEL, Usage(1_000_000, 100_000))
    usage = PatrolUsage(rounds=3, tool_calls=7, seconds=40.0)
    for figures, unbound in ((20, 1), (30, 4)):
        made = report(usage=usage, figures=figures, unbound=unbound)
        tally.add(Patrolled(made, parse(written([wrote("orders")])), (spent,)), TRUTH)
    told = tally.summary()
    assert (told["figures"], told["figures_unbound"], told["figures_unbound_share"]) == (50, 5, 0.1)
    assert (told["tokens"], told["dollars"]) == (2_200_000, 6.0)
    assert (told["rounds"]["median"], told["tool_calls"]["median"], told["seconds"]["median"]) == (3, 7, 40.0)


def test_a_model_of_unknown_price_costs_an_unknown_sum() -> None:
    tally = ModelTally()
    tally.add(Patrolled(report(), None, (Spent("some-other", Usage(10, 10)),)), TRUTH)
    assert tally.summary()["dollars"] is None


def test_the_floors_report_is_told_with_its_reason() -> None:
    made = replace(report(), analyst="rules-only", notice="Claude is over its limit.")
    assert ModelTally().add(Patrolled(made, None, ()), TRUTH) == ["FLOOR Claude is over its limit."]
