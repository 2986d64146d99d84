"""The rules-only analyst's words: each from a finding, each group once, urgent things first."""

from dataclasses import replace
from datetime import timedelta
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from agent.model import Request
from agent.patrol.analyst import PatrolAnalyst
from agent.patrol.evidence import Evidence
from agent.patrol.finding import ClusterEvidence, Finding, Identity, Outlook
from agent.patrol.narrative import sections
from agent.patrol.report import Prediction, Severity, Tier
from agent.patrol.rules import load_rules
from agent.patrol.sections import parse, write
from agent.tools import ToolSpec
from tests.agent.patrol.courses import AS_OF

RULES = load_rules()


def sick(
    number: int, dimension: str = "cpu_util_pct", severity: str = "Critical", tier: str = "B", **identity: str
) -> ClusterEvidence:
    cluster_id = f"{number:08d}-c"
    since = AS_OF - timedelta(hours=3)
    reason = f"{dimension} is bad"
    finding = Finding(cluster_id, dimension, cast(Severity, severity), 95.0, "%", reason, 40.0, 90.0, since, "q-1")
    who = Identity(cluster_id, f"name-{number}", tier=cast(Tier, tier), **identity)
    return ClusterEvidence(who, score=50.0, findings=(finding,))


def well(number: int, **identity: str) -> ClusterEvidence:
    return replace(sick(number, **identity), findings=(), score=100.0)


def evidence(*clusters: ClusterEvidence) -> Evidence:
    return Evidence(AS_OF, AS_OF, clusters=clusters)


def test_what_is_foreseen_stands_in_the_report_as_it_was_stated() -> None:
    foreseen = Prediction("disk used of name-1 goes from 75% to 90%", "High", "00000001-c", "disk_used_pct")
    made = sections(replace(evidence(well(1)), predictions=(foreseen,)), RULES)
    assert made.predictions == (foreseen,)


def test_the_same_trouble_on_several_clusters_is_one_action() -> None:
    made = sections(evidence(*(sick(number) for number in range(1, 8))), RULES)
    (action,) = made.actions
    assert action.text.startswith("name-1, name-2, name-3, name-4 and 3 more (BE CPU): ")


def test_every_flagged_cluster_has_an_action_or_is_counted_among_the_rest() -> None:
    kinds = [*RULES.dimensions, "freshness", "alerts"]
    clusters = [sick(at, name, severity) for at, name in enumerate(kinds, 1) for severity in ("Critical", "Warning")]
    actions = sections(evidence(*clusters), RULES).actions
    assert len(actions) == 20
    assert parse(write(sections(evidence(*clusters), RULES))).actions == actions
    assert actions[-1].text == f"look at the rest of the flagged clusters as well: {len(clusters) - 19}"
    assert len(sections(evidence(*clusters[:40:2]), RULES).actions) == 20
    assert "the rest of" not in sections(evidence(*clusters[:40:2]), RULES).actions[-1].text


def test_urgent_actions_come_first_and_important_customers_sooner() -> None:
    clusters = (
        sick(1, severity="Warning"),
        sick(2, "nodes_up"),
        sick(3, "compaction_score", "Warning", tier="A"),
        sick(4, "freshness", "Unknown"),
        sick(5, "alerts", "Warning"),
    )
    found = [one.urgency for one in sections(evidence(*clusters), RULES).actions]
    assert found == ["Immediate", "Today", "Today", "This Week", "This Week"]


def test_a_limit_soon_reached_makes_a_warning_urgent_for_an_important_customer() -> None:
    soon = replace(
        sick(1, "disk_used_pct", "Warning", tier="S"),
        outlooks=(Outlook("00000001-c", "disk_used_pct", 75.0, 90.0, "%", 6, 0.9),),
    )
    assert sections(evidence(soon), RULES).actions[0].urgency == "Immediate"


def test_one_cluster_and_many_are_counted_in_words_that_agree() -> None:
    assert sections(evidence(sick(1), well(2)), RULES).narrative.startswith("1 of 2 active clusters needs attention")
    many = sections(evidence(*(sick(number) for number in range(1, 9))), RULES).narrative
    assert "8 of 8 active clusters need attention" in many
    assert "and 3 more below." in many


def test_notes_and_failed_tools_are_told() -> None:
    doubtful = replace(evidence(well(1)), notes=("alerts could not be read",))
    text = sections(doubtful, RULES, [("search_logs", {}, "timeout: slow", True)]).narrative
    assert text.endswith("On the data: alerts could not be read; no answer from search_logs.")


async def test_the_analyst_writes_at_once_when_it_may_not_call_tools() -> None:
    analyst = PatrolAnalyst(evidence(sick(1)), RULES)
    tools = (ToolSpec("query_fleet_summary", "", {}),)
    reply = await analyst.reply(Request("", (), tools, may_call_tools=False))
    assert (reply.stop_reason, reply.tool_calls) == ("end_turn", ())
    assert parse(reply.text).flags[0].cluster == "00000001-c"


async def test_the_analyst_calls_only_tools_that_are_offered() -> None:
    analyst = PatrolAnalyst(evidence(sick(1)), RULES)
    offered = (ToolSpec("query_agent_memory", "", {}),)
    reply = await analyst.reply(Request("", (), offered))
    assert [block["name"] for block in reply.tool_calls] == ["query_agent_memory"]


async def test_the_analyst_says_the_same_of_the_same_evidence() -> None:
    one, other = (PatrolAnalyst(evidence(sick(1), well(2)), RULES) for _ in range(2))
    request = Request("", (), ())
    assert (await one.reply(request)).text == (await other.reply(request)).text


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_no_name_breaks_the_report(name: str, customer: str, reason: str) -> None:
    base = sick(1, tier="S")
    odd = replace(
        base,
        identity=replace(base.identity, name=name or "x", customer=customer),
        findings=(replace(base.findings[0], reason=reason or "r"),),
    )
    made = parse(write(sections(evidence(odd), RULES)))
    assert made.flags[0].cluster == "00000001-c"


def test_a_fleet_that_is_sick_as_a_whole_still_has_a_report_that_reads_back() -> None:
    many = evidence(*(sick(number, tier="S", customer=f"customer {number}") for number in range(900)))
    made = parse(write(sections(many, RULES)))
    assert made.narrative.startswith("900 of 900 active clusters need attention")
    assert made.flags
