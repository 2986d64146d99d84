"""Questions asked to the analyst in a thread, with the results of a scripted warehouse."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.messages import user_text
from agent.model import Request
from agent.rules_only import RulesAnalyst
from agent.tools import ToolResult
from mcp_server.errors import Code
from tests.agent.rules_only.scripted import (
    FRESH,
    INFO_A,
    INFO_B,
    THRESHOLDS,
    TOOLS,
    UNREACHABLE,
    A,
    B,
    Thread,
    fault,
    rows,
)
from tests.agent.rules_only.supported import unsupported

LEVEL = "measure latest:DOUBLE enough:BIGINT first_day:DOUBLE highest:DOUBLE lowest:DOUBLE"
VITAL_COLUMNS = f"cluster_id {LEVEL}"
VITALS = rows(
    VITAL_COLUMNS,
    (A, "disk_used_pct", 88.4, 1, 79.1, 89.0, 79.0),
    (A, "memory_available_pct", 52.0, 1, 53.0, 60.0, 50.0),
    (A, "compaction_score", 212.0, 1, 205.0, 300.0, 100.0),
    (A, "p99_latency_ms", 340.0, 1, 210.0, 400.0, 200.0),
    (A, "error_share_pct", 0.2, 1, 0.2, 0.4, 0.1),
    (B, "disk_used_pct", 55.0, 1, 54.0, 56.0, 53.0),
)
TRAFFIC = rows(
    "cluster_id metric_name gained:DOUBLE",
    (A, "starrocks_fe_query_total", 120000),
    (A, "starrocks_fe_query_err", 240),
    (A, "starrocks_fe_query_timeout", 3),
)
ALERTS = rows(
    "alert_name state incidents:BIGINT repeats:BIGINT first_firing:DATETIME last_firing:DATETIME",
    ("DiskUsage", "firing", 1, 24, "2026-02-28 20:00:00", "2026-03-01 02:00:00"),
)
OPERATIONS = rows(
    "created_at:DATETIME type state detail",
    ("2026-02-27 09:00:00", "UPDATE", "SUCCESS", "sr_version 3.3.9-ee -> 3.4.7-ee"),
)
STATUS = {
    "info:0": INFO_A,
    "alerts": ALERTS,
    "operations": OPERATIONS,
    "freshness": FRESH,
    "vitals": VITALS,
    "traffic": TRAFFIC,
}
STANDING = rows(
    "cluster_name cluster_id customer tier risk_level overall_score:DOUBLE risk_reasons computed_at total:BIGINT",
    ("prod-a-01", A, "Acme", "S", "Critical", 41.2, '["disk 88.4% over 80%"]', "2026-03-01 02:00:00", 40),
    ("prod-b-02", B, "Beta | Co", None, "Warning", 66.0, '["p99 up', "2026-03-01 02:00:00", 40),
)
NO_SILENT = rows("cluster_name cluster_id customer tier last_hour:DATETIME hours_silent:BIGINT total:BIGINT")
WORST = {
    "standing": STANDING,
    "silent": NO_SILENT,
    "freshness": FRESH,
    "patrols": rows("created_at:DATETIME flagged:BIGINT"),
    "beyond": rows(
        f"cluster_name cluster_id customer tier {LEVEL} total:BIGINT",
        ("prod-a-01", A, "Acme", "S", "disk_used_pct", 88.4, 1, 79.1, 89.0, 79.0, 1),
    ),
}
RANKING = rows(
    f"cluster_name cluster_id customer tier {LEVEL} total:BIGINT",
    ("prod-a-01", A, "Acme", "S", "disk_used_pct", 88.4, 1, 79.1, 89.0, 79.0, 24),
    ("prod-b-02", B, None, None, "disk_used_pct", 55.0, 1, 55.1, 56.0, 54.0, 24),
)
NOW = rows(VITAL_COLUMNS, (A, "disk_used_pct", 88.4, 1, 79.1, 89.0, 79.0))
SERIES = rows(
    "period:DATETIME mean:DOUBLE highest:DOUBLE lowest:DOUBLE clusters:BIGINT",
    *((f"2026-02-{22 + day} 00:00:00", 70.0 + 3 * day, 72.0 + 3 * day, 68.0 + 3 * day, 1) for day in range(7)),
)


def check(thread: Thread, answer: str) -> None:
    """No figure in the answer is invented."""
    assert unsupported(answer, thread.texts, [given for _, given in thread.calls], THRESHOLDS) == []


async def test_one_clusters_status_leads_with_what_is_beyond_its_limit() -> None:
    thread = Thread()
    answer = await thread.ask("how is prod-a-01?", STATUS)
    assert answer.startswith("**prod-a-01 is Warning: disk used 88.4%.**")
    assert "up (79.1% → 88.4%)" in answer
    assert "free space or grow the volumes" in answer
    assert "Newest metrics: 2026-03-01 02:00 UTC, 1 h old." in answer
    assert "120,000 queries, 240 failed queries, 3 timeouts." in answer
    check(thread, answer)


async def test_independent_calls_share_a_round_and_the_rest_follows_the_resolved_id() -> None:
    thread = Thread()
    await thread.ask("how is prod-a-01?", STATUS)
    names = [name for name, _ in thread.calls]
    assert thread.rounds == 2
    assert names[1:4] == ["query_cluster_info", "query_cluster_alerts", "query_cluster_operations"]
    assert all(A in given["sql"] for _, given in thread.calls[4:])


@pytest.mark.parametrize(("enough", "critical"), [(1, True), (0, False)])
async def test_failing_queries_lead_when_there_are_enough_to_judge(enough: int, critical: bool) -> None:
    vitals = rows(
        VITAL_COLUMNS,
        (A, "disk_used_pct", 88.4, 1, 79.1, 89.0, 79.0),
        (A, "error_share_pct", 8.0, enough, 0.1, 9.0, 0.0),
    )
    answer = await Thread().ask("how is prod-a-01?", STATUS | {"vitals": vitals})
    assert answer.startswith("**prod-a-01 is Critical: failed queries 8%; disk used 88.4%") is critical


async def test_the_door_resolved_name_is_used_when_asked_by_id() -> None:
    head, _, rest = ALERTS.text.partition("\n")
    noted = ToolResult(f"{head}\n-- cluster prod-a-01 ({A})\n{rest}")
    assert (await Thread().ask(f"alerts of {A[:8]}", {"alerts": noted})).startswith("**prod-a-01:** 1 alert in")


async def test_a_silent_cluster_is_unknown_and_not_healthy() -> None:
    thread = Thread()
    answer = await thread.ask("how is prod-a-01?", STATUS | {"vitals": rows(VITAL_COLUMNS)})
    assert "sent no vital measures in the last 3 h: its health is unknown, not good" in answer


async def test_an_ambiguous_cluster_is_asked_back_with_its_candidates_and_the_second_one_is_found() -> None:
    thread = Thread()
    refusal = fault(Code.BAD_ARGUMENT, "2 clusters match", part="prod", near=[f"prod-a-01 ({A})", f"prod-b-02 ({B})"])
    answer = await thread.ask(
        "how is cluster prod?", {"info:0": refusal, "alerts": refusal, "operations": refusal, "freshness": FRESH}
    )
    assert "More than one cluster matches **prod**. Which one do you mean?" in answer
    assert "| prod-b-02 |" in answer
    await thread.ask("the second one", STATUS)
    assert thread.calls[1] == ("query_cluster_info", {"cluster": B})


async def test_an_unknown_cluster_is_answered_with_the_nearest_names() -> None:
    refusal = fault(Code.BAD_ARGUMENT, "there is no such cluster", part="prd-a-01", near=[f"prod-a-01 ({A})"])
    answer = await Thread().ask("alerts of prd-a-01", {"alerts": refusal})
    assert answer.startswith("I know no cluster **prd-a-01**. Did you mean one of these?")
    assert "prod-a-01" in answer.split("\n", 1)[1]


async def test_an_unreachable_warehouse_is_said_plainly_and_never_called_healthy() -> None:
    for question in ("how is the fleet?", "how is prod-a-01?", "worst clusters", "open issues", "disk trend", "alerts"):
        answer = await Thread().ask(question)
        assert "cannot be reached" in answer or "could not be read" in answer
        assert "no active cluster" not in answer.lower() and "healthy" not in answer.lower()


async def test_the_worst_clusters_are_listed_with_reasons_and_an_honest_count() -> None:
    thread = Thread()
    answer = await thread.ask("which clusters are worst?", WORST)
    assert answer.startswith(
        "**1 active cluster beyond a limit of the rules; worst: prod-a-01, disk used 88.4% (Warning).**"
    )
    assert "2 of 40 shown." in answer
    assert "Beta \\| Co" in answer
    assert "p99 up" in answer
    check(thread, answer)


async def test_no_cluster_at_risk_is_said_plainly() -> None:
    empty = {role: rows("cluster_name") for role in ("standing", "beyond", "silent", "patrols")}
    answer = await Thread().ask("worst clusters", empty | {"freshness": FRESH})
    assert answer.startswith("**No active cluster is at risk by the stored assessment or the rules.**")


async def test_the_overview_counts_and_keeps_going_when_a_part_is_missing() -> None:
    thread = Thread()
    summary = rows(
        "dimension value clusters:BIGINT",
        ("clusters", "active", 24),
        ("risk level", "Healthy", 20),
        ("risk level", "Critical", 3),
        ("risk level", "none computed", 1),
    )
    answer = await thread.ask("how is the fleet?", WORST | {"summary": summary})
    assert answer.startswith("**24 active clusters. 3 Critical by the stored assessment.**")
    assert "none computed 1" in answer
    assert "Alerts: could not be read (not reachable)" in answer
    check(thread, answer)


async def test_alerts_are_counted_as_conditions_and_not_as_rows() -> None:
    thread = Thread()
    by_name = rows(
        "alert_name clusters:BIGINT conditions:BIGINT firing:BIGINT first_seen last_seen total:BIGINT",
        ("DiskUsage", 2, 2, 1, "2026-02-28 20:00:00", "2026-03-01 02:00:00", 1),
    )
    answer = await thread.ask(
        "alerts in the last 24 hours",
        {"alerts": by_name, "alerts_by_cluster": rows("cluster_name"), "freshness": FRESH},
    )
    assert "2 alert conditions of 1 name in the last 24 hours; 1 still firing." in answer
    check(thread, answer)


async def test_a_follow_up_asks_for_the_threads_cluster() -> None:
    thread = Thread()
    await thread.ask("how is prod-a-01?", STATUS)
    answer = await thread.ask("and its alerts?", {"alerts": ALERTS})
    assert thread.calls == [("query_cluster_alerts", {"cluster": "prod-a-01", "days": 7})]
    assert "DiskUsage" in answer


async def test_a_place_in_a_list_claude_wrote_is_found_too() -> None:
    thread = Thread()
    listed = "Worst:\n\n| Name | Score |\n|---|---|\n| prod-x-1 | 40 |\n| prod-y-2 | 50 |"
    thread.messages = [
        user_text("worst clusters"),
        {"role": "assistant", "content": [{"type": "text", "text": listed}]},
    ]
    await thread.ask("how is the second one?", STATUS)
    assert thread.calls[1] == ("query_cluster_info", {"cluster": "prod-y-2"})


async def test_two_clusters_are_compared_side_by_side() -> None:
    thread = Thread()
    answer = await thread.ask(
        "compare prod-a-01 with prod-b-02",
        {"info:0": INFO_A, "info:1": INFO_B, "vitals": VITALS, "traffic": TRAFFIC, "freshness": FRESH},
    )
    assert "| disk used | 88.4% | 55% |" in answer
    assert "prod-a-01: disk used Warning; prod-b-02: nothing beyond a limit" in answer
    check(thread, answer)


async def test_a_measure_over_time_ends_with_the_value_of_now() -> None:
    thread = Thread()
    answer = await thread.ask(
        "disk of prod-a-01", {"info:0": INFO_A, "series": SERIES, "vitals": NOW, "freshness": FRESH}
    )
    assert answer.startswith(
        "**Disk used of prod-a-01: 88.4% (Warning) now; last 7 days up (70% → 88.4%), mean of the first day → now"
    )
    assert "this is Warning. What to do: free space" in answer
    check(thread, answer)


async def test_a_begun_day_is_not_compared_with_a_whole_one() -> None:
    days = rows(
        "period:DATETIME mean:DOUBLE highest:DOUBLE lowest:DOUBLE hours:BIGINT",
        ("2026-02-22 00:00:00", 90.0, 91.0, 89.0, 2),
        ("2026-02-23 00:00:00", 50.0, 80.0, 30.0, 24),
        ("2026-02-24 00:00:00", 51.0, 81.0, 25.0, 24),
        ("2026-02-25 00:00:00", 20.0, 22.0, 19.0, 3),
    )
    thread = Thread()
    answer = await thread.ask("memory of prod-a-01", {"info:0": INFO_A, "series": days, "freshness": FRESH})
    assert "last 7 days up (50% → 51%), mean of the first day → of the last day; lowest hour 19%" in answer
    assert "in the period of 2026-02-25 00:00 UTC.**" in answer
    check(thread, answer)


async def test_the_fleets_latency_names_who_leads_it() -> None:
    thread = Thread()
    answer = await thread.ask("latency trend", {"series": SERIES, "ranking": RANKING, "freshness": FRESH})
    assert (
        "Query p99 of the fleet's active clusters: last 7 days up 26% (70 ms → 88 ms), mean of the first day" in answer
    )
    assert "2 of 24 shown." in answer
    check(thread, answer)


async def test_a_ranking_says_who_is_first_and_of_how_many() -> None:
    thread = Thread()
    answer = await thread.ask("which clusters have the highest disk usage?", {"ranking": RANKING, "freshness": FRESH})
    assert answer.startswith("**prod-a-01 has the highest disk used: 88.4% now.**")
    assert "88.4% (Warning)" in answer and "2 of 24 shown." in answer
    check(thread, answer)


async def test_capacity_names_the_nearest_to_its_limit_with_its_course() -> None:
    thread = Thread()
    roles = ("disk_used_pct", "memory_available_pct", "fe_heap_used_pct", "compaction_score")
    results = {f"limit:{role}": RANKING if role == "disk_used_pct" else rows("cluster_name") for role in roles}
    answer = await thread.ask(
        "which clusters are near breaking point?", results | {"freshness": FRESH, "patrols": rows("created_at")}
    )
    assert "1 measurement beyond a warning limit; nearest to its limit: prod-a-01, disk used 88.4% now." in answer
    assert "| 90% | up (79.1% → 88.4%) |" in answer
    check(thread, answer)


async def test_counts_by_a_property_add_up() -> None:
    thread = Thread()
    result = rows("label clusters:BIGINT total:BIGINT", ("3.4.7-ee", 14, 3), ("3.3.9-ee", 9, 3), (None, 1, 3))
    answer = await thread.ask("clusters by version", {"breakdown": result})
    assert answer.startswith("**3 versions over 24 active clusters; most are 3.4.7-ee (14).**")
    assert "| not recorded | 1 |" in answer
    check(thread, answer)


async def test_silent_clusters_are_unknown() -> None:
    thread = Thread()
    silent = rows(
        "cluster_name cluster_id customer tier last_hour:DATETIME hours_silent:BIGINT total:BIGINT",
        ("prod-a-01", A, "Acme", "S", "2026-02-28 20:00:00", 6, 1),
    )
    answer = await thread.ask("which clusters are silent?", {"silent": silent, "freshness": FRESH})
    assert "1 active cluster sent no metrics in the last 3 h; their health is unknown, not good" in answer
    assert "6 h" in answer
    check(thread, answer)


async def test_operations_issues_logs_and_the_last_patrol_are_told() -> None:
    thread = Thread()
    operations = rows(
        "created_at:DATETIME type state cluster_name cluster_id detail total:BIGINT",
        ("2026-02-27 09:00:00", "UPDATE", "SUCCESS", "prod-a-01", A, "x", 31),
    )
    assert "31 operations in the last 7 days" in await thread.ask(
        "what changed this week?", {"operations": operations, "freshness": FRESH}
    )
    issues = rows(
        "issue_id cluster_id cluster_name alert_name severity triage_status first_seen:DATETIME",
        ("i1", A, "prod-a-01", "DiskUsage", "Critical", "New", "2026-02-28 20:00:00"),
    )
    assert "1 open Critical issue." in await thread.ask("open critical issues", {"issues": issues})
    assert thread.calls == [("query_open_issues", {"severity": "Critical", "limit": 50})]
    logs = rows(
        "log_time:DATETIME node level message", ("2026-03-01 01:00:00", "be-1", "ERROR", "OutOfMemory <!channel>")
    )
    answer = await thread.ask('logs of prod-a-01 matching "OutOfMemory"', {"logs": logs})
    assert "&lt;!channel&gt;" in answer and "<!channel>" not in answer
    patrol = rows(
        "report_id created_at:DATETIME report_type model part_0 part_1",
        ("r1", "2026-03-01 00:00:00", "morning", "rules-only", "All is ", "well."),
    )
    assert "All is well." in await thread.ask("what did the last patrol say?", {"patrol": patrol})


async def test_why_is_answered_with_the_evidence_and_says_that_a_cause_is_beyond_the_rules() -> None:
    thread = Thread()
    await thread.ask("how is prod-a-01?", STATUS)
    answer = await thread.ask("why?", STATUS)
    assert "judgement beyond fixed rules" in answer and "88.4%" in answer


@pytest.mark.parametrize(
    "question", ["what is the weather in Paris?", "SELECT 1; DROP TABLE byoc.clusters", "", "x" * 10_000]
)
async def test_what_is_not_understood_gets_an_honest_list_and_calls_nothing(question: str) -> None:
    thread = Thread()
    answer = await thread.ask(question)
    assert "Claude is not connected" in answer
    assert thread.calls == []


async def test_the_last_round_answers_from_what_there_is() -> None:
    thread = Thread(may_call_tools=False)
    answer = await thread.ask("how is the fleet?")
    assert thread.calls == [] and "cannot be reached" in answer


async def test_without_a_warehouse_the_answer_says_so() -> None:
    answer = await Thread(tools=()).ask("how is the fleet?")
    assert "cannot be reached" in answer


async def test_calls_made_by_another_model_in_the_same_turn_are_used_and_not_repeated() -> None:
    thread = Thread()
    call = {"type": "tool_use", "id": "toolu_x", "name": "query_open_issues", "input": {"limit": 50}}
    result = {
        "type": "tool_result",
        "tool_use_id": "toolu_x",
        "content": [{"type": "text", "text": rows("severity").text}],
    }
    thread.messages = [
        user_text("open issues"),
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
    ]
    reply = await thread.analyst.reply(Request("", tuple(thread.messages), TOOLS))
    assert reply.stop_reason == "end_turn" and "There is no open issue" in reply.text


async def test_the_answer_is_streamed_and_free_of_charge() -> None:
    pieces: list[str] = []

    async def on_text(piece: str) -> None:
        pieces.append(piece)

    reply = await RulesAnalyst(THRESHOLDS).reply(Request("", (user_text("help"),)), on_text)
    assert "".join(pieces) == reply.text
    assert (reply.usage.input_tokens, reply.usage.output_tokens, reply.model) == (0, 0, "rules-only")


async def test_the_same_request_gets_the_same_reply_with_unique_call_ids() -> None:
    request = Request("", (user_text("how is the fleet?"),), TOOLS)
    first, second = await RulesAnalyst(THRESHOLDS).reply(request), await RulesAnalyst(THRESHOLDS).reply(request)
    assert first == second
    ids = [call["id"] for call in first.tool_calls]
    assert len(ids) == len(set(ids)) > 3


async def test_no_text_of_a_person_enters_a_statement() -> None:
    thread = Thread()
    evil = "prod-a-01' OR '1'='1"
    named = rows("cluster_id cluster_name", ("' OR 1=1 --", evil))
    await thread.ask(f'how is "{evil}"?', STATUS | {"info:0": named})
    statements = [given["sql"] for _, given in thread.calls if "sql" in given]
    assert statements
    assert not any(text in sql for sql in statements for text in ("'1'='1", "1=1", "prod-a-01"))


HOSTILE = [
    "<!channel>",
    "[x](https://evil.example)",
    "a|b|c",
    "`code`",
    "@all",
    "**bold**",
    "\u202eabc",
    "</at>",
    "=1+1",
]


@pytest.mark.parametrize("value", HOSTILE)
async def test_a_name_from_the_data_stays_inert_text(value: str) -> None:
    worst = rows(
        "cluster_name cluster_id customer tier risk_level overall_score:DOUBLE risk_reasons total:BIGINT",
        (value, A, value, "S", "Critical", 10.0, json.dumps([value]), 1),
    )
    answer = await Thread().ask("worst clusters", WORST | {"standing": worst})
    assert not re.search(r"(?<!\\)\]\(", answer)
    for raw in ("<!channel>", "https://", "`code`", "@all", "**bold**", "\u202e", "</at>"):
        assert raw not in answer
    row = next(line for line in answer.splitlines() if line.startswith("|") and "Critical" in line)
    assert row.replace("\\|", "").count("|") == 6


ASKED = """how is the fleet?
worst clusters
how is prod-a-01?
compare prod-a-01 with prod-b-02
alerts
open issues
disk trend
top 3 clusters by disk
near breaking point
what changed?
clusters by region
silent clusters
logs of prod-a-01
last patrol
cpu of prod-a-01
what is new?
which clusters run 3.3?
who is customer Acme?
cost by customer
what does prod-a-01 cost?
why?
and prod-b-02?"""
QUESTIONS = st.sampled_from(ASKED.splitlines())


@given(
    st.lists(st.one_of(QUESTIONS, st.text(max_size=80)), min_size=1, max_size=2), st.text(max_size=300), st.booleans()
)
@settings(max_examples=60, deadline=None)
async def test_any_question_with_any_result_text_gets_a_valid_reply(
    questions: list[str], text: str, is_error: bool
) -> None:
    class Anything(dict[str, ToolResult]):
        def get(self, key: str, default: object = None) -> ToolResult:
            shapes = {"info:0": INFO_A, "info:1": INFO_B, "freshness": FRESH}
            return shapes.get(key) or ToolResult(f"columns: x:VARCHAR\n{text}" if not is_error else text, is_error)

    thread = Thread()
    for question in questions:
        answer = await thread.ask(question, Anything())
        assert answer.strip()


COLUMNS = """cluster_name customer tier risk_level overall_score risk_reasons clusters latest highest mean period label
conditions firing total cluster_id measure enough newest_hour hours_old first_day amount fleet type severity created_at
name_0 severity_0 flagged forecast_0 account_id stage"""
WIDTH = len(COLUMNS.split())
CELL = st.one_of(
    st.none(),
    st.floats(),
    st.integers(),
    st.text(max_size=12),
    st.sampled_from([A, B, "Critical", "1e999", "disk_used_pct"]),
)


@given(QUESTIONS, st.lists(st.lists(CELL, min_size=WIDTH, max_size=WIDTH), max_size=3))
@settings(max_examples=60, deadline=None)
async def test_any_rows_in_the_expected_columns_get_a_valid_reply(question: str, values: list[list[object]]) -> None:
    class Anything(dict[str, ToolResult]):
        def get(self, key: str, default: object = None) -> ToolResult:
            return {"info:0": INFO_A, "info:1": INFO_B, "freshness": FRESH}.get(key) or rows(COLUMNS, *values)

    assert (await Thread().ask(question, Anything())).strip()


def test_the_check_of_figures_finds_an_invented_one() -> None:
    text = rows("disk:DOUBLE", (88.4,), (55.0,)).text
    assert unsupported("disk 88.4% and 55%, down 38% (88.4% → 55%)", [text], [], THRESHOLDS) == []
    assert unsupported("disk 77.7%", [text], [], THRESHOLDS) == ["77.7"]
    assert unsupported("down 61% (88.4% → 55%)", [text], [], THRESHOLDS) == ["61"]


def test_an_unreachable_warehouse_is_an_error_result() -> None:
    assert UNREACHABLE.is_error and UNREACHABLE.text.startswith("UNAVAILABLE:")
