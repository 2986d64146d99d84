"""Whole reports written again about the past: what the model flagged by itself, what of it stood, what it took."""

import json
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from agent.errors import ModelUnavailable
from agent.patrol.backtest import Flag, differences
from agent.patrol.errors import WarehouseUnreadable
from agent.patrol.profiles import own
from agent.patrol.rehearsal import Lowered, Rehearsed, Version, rehearse, summary
from agent.patrol.rules import load_rules
from agent.prompts import Prompt
from tests.agent.doubles import ScriptedModel, call, say
from tests.agent.patrol.courses import AS_OF
from tests.agent.patrol.test_evidence import FULL, HOT, cid, healthy
from tests.agent.patrol.warehouse import Cluster, FleetTools

PROMPT = Prompt("ours", "Judge by {health_rules} in {max_rounds} rounds.")


def fleet(**options: Any) -> FleetTools:
    return FleetTools([Cluster(cid(1), "hot", HOT), Cluster(cid(2), "full", FULL), *healthy(3)], **options)


def version(*script: Any, prompt: Prompt = PROMPT) -> tuple[Version, ScriptedModel]:
    model, rules = ScriptedModel(*script), load_rules()
    return Version("ours", model, prompt, own(rules), rules, 4), model


def report(*flags: dict[str, str], narrative: str = "Two clusters need attention.") -> str:
    """A report in the agreed form that flags these."""
    return (
        f"## FLEET_NARRATIVE\n{narrative}\n## FLAGGED_CLUSTERS\n{json.dumps(flags)}\n"
        "## PREDICTIONS\nNone\n## CUSTOMER_SUMMARIES\nNone\n## RECOMMENDED_ACTIONS\nNone"
    )


def flag(cluster: str, severity: str = "Critical", **more: str) -> dict[str, str]:
    return {"cluster_id": cluster, "severity": severity, "reason": "as measured"} | more


async def told(*script: Any, **options: Any) -> Rehearsed:
    ticks = count()
    return await rehearse(version(*script)[0], fleet(**options), AS_OF, lambda: float(next(ticks)))


async def test_a_version_is_measured_by_what_it_wrote_itself() -> None:
    written = report(
        flag(cid(1)[:8], "Warning", lowered_because="a load test that was announced"),
        flag(cid(103)),
        flag("nowhere"),
        narrative="hot has 91234.5 open cases.",
    )
    seen = await told(say(call("t1", "query_fleet_summary")), say(written))
    assert set(seen.flags) == {
        Flag(cid(1), "hot", "", "Warning"),
        Flag(cid(103), cid(103), "", "Critical"),
        Flag("nowhere", "nowhere", "", "Critical"),
    }
    assert seen.lowered == (Lowered("hot", "Critical", "Warning"),)
    assert (seen.refused, seen.left_out) == (2, 1)
    assert (seen.figures >= 1, seen.unbound) == (True, 1)
    assert (seen.rounds, seen.tool_calls, seen.tokens, seen.seconds) == (2, 1, 22, 1.0)
    assert (seen.analyst, seen.at) == ("claude", AS_OF)


async def test_the_prompt_of_the_version_is_what_the_model_reads() -> None:
    ours, model = version(say(report()))
    await rehearse(ours, fleet(), AS_OF)
    (request,) = model.requests
    assert request.system == f"Judge by {load_rules().describe()} in 4 rounds."
    assert f"{AS_OF:%Y-%m-%d %H:%M}" in request.messages[0]["content"][0]["text"]


async def test_two_versions_are_held_against_each_other() -> None:
    before = await told(say(report(flag(cid(1)), flag("full"))))
    after = await told(say(report(flag(cid(1), "Warning"), flag(cid(103)))))
    (found,) = differences([before], [after])
    assert found.appeared == (Flag(cid(103), cid(103), "", "Critical"),)
    assert found.vanished == (Flag(cid(2), "full", "", "Critical"),)
    assert [(old.name, old.severity, new.severity) for old, new in found.graded] == [("hot", "Critical", "Warning")]


async def test_a_model_that_fails_is_told_and_what_it_cost_counts() -> None:
    seen = await told(ModelUnavailable("cut"), ModelUnavailable("cut"))
    assert seen.analyst == "rules-only"
    assert seen.notice.startswith(ModelUnavailable.user_message)
    assert {one.cluster for one in seen.flags} == {cid(1), cid(2)}
    line = summary("ours", [seen], lambda spent: 0.0)
    assert f"; 1 written by rules instead: {ModelUnavailable.user_message}" in line


async def test_a_moment_without_data_ends_it() -> None:
    with pytest.raises(WarehouseUnreadable):
        await rehearse(version(say(report()))[0], fleet(down=True), AS_OF)


async def test_a_version_is_one_line_and_an_unknown_price_is_said() -> None:
    seen = await told(say(call("t1", "query_fleet_summary")), say(report(flag(cid(1)))))
    line = summary("ours (m)", [seen, seen], lambda spent: 0.125 * len(list(spent)))
    assert line.startswith(
        "ours (m): 2 flags in 2 reports, 0 without evidence, 2 flagged clusters not named, 0 lowered, "
    )
    assert line.endswith("4 model calls, 2 tool calls, 44 tokens, $0.50, 2.0 s")
    assert "cost unknown" in summary("ours (m)", [seen], lambda spent: None)


async def test_replays_of_other_moments_cannot_be_compared() -> None:
    one = await told(say(report()))
    later = Rehearsed(AS_OF + timedelta(hours=1), (), (), 0, 0, 0, 0, (), 0, 0, 0, 0.0, "claude")
    with pytest.raises(ValueError, match="same moments"):
        list(differences([one], [later]))
