"""Which calls each kind of question makes, and when."""

import pytest

from agent.rules_only.envelope import Failure, read
from agent.rules_only.intent import Kind, understand
from agent.rules_only.inventory import is_cluster_id
from agent.rules_only.measures import LIMITED
from agent.rules_only.plan import Ask, asks, identity
from tests.agent.rules_only.scripted import FRESH, INFO_A, INFO_B, THRESHOLDS, TOOLS, A, B, rows

FIRST_ROUND: list[tuple[str, Kind, list[str]]] = [
    ("how is the fleet?", "overview", ["freshness", "patrols", "standing", "summary", "issues"]),
    ("worst clusters", "worst", ["freshness", "patrols", "standing"]),
    ("how is prod-a-01?", "status", ["freshness", "info:0", "alerts", "operations"]),
    ("compare prod-a-01 with prod-b-02", "compare", ["freshness", "info:0", "info:1"]),
    ("latency trend", "series", ["freshness"]),
    ("cpu of prod-a-01", "series", ["freshness", "info:0"]),
    ("top 3 clusters by cpu", "ranking", ["freshness"]),
    ("near breaking point", "limits", ["freshness", "patrols"]),
    ("alerts", "alerts", ["freshness"]),
    ("alerts of prod-a-01", "alerts", ["alerts"]),
    ("open issues", "issues", ["issues"]),
    ("what changed?", "operations", ["freshness"]),
    ("operations on prod-a-01", "operations", ["operations"]),
    ("what is new?", "news", ["patrols", "freshness"]),
    ("which clusters run 3.3.9?", "members", ["members", "patrols"]),
    ("who is customer Acme?", "members", ["members", "patrols"]),
    ("cost by customer", "cost", ["freshness"]),
    ("what does prod-a-01 cost?", "cost", ["freshness", "info:0"]),
    ("logs of prod-a-01", "logs", ["logs"]),
    ("clusters by cloud", "breakdown", ["breakdown"]),
    ("silent clusters", "silent", ["freshness"]),
    ("last patrol", "patrol", ["patrol"]),
    ("help", "help", []),
    ("write me a poem", "unknown", []),
    ("compare", "which_cluster", []),
]
SECOND_ROUND: list[tuple[str, list[str]]] = [
    ("how is the fleet?", ["silent", "beyond", "summary", "issues", "alerts"]),
    ("worst clusters", ["silent", "beyond"]),
    ("how is prod-a-01?", ["vitals", "traffic"]),
    ("latency trend", ["series", "ranking"]),
    ("cpu of prod-a-01", ["series", "vitals"]),
    ("top 3 clusters by cpu", ["ranking"]),
    ("near breaking point", [f"limit:{measure.key}" for measure in LIMITED]),
    ("who runs out of disk", ["limit:disk_used_pct"]),
    ("alerts", ["alerts", "alerts_by_cluster"]),
    ("what changed?", ["operations"]),
    ("what is new?", ["operations"]),
    ("cost by customer", ["bills"]),
    ("what does prod-a-01 cost?", ["bills"]),
    ("silent clusters", ["silent"]),
]


def planned(question: str, results: dict[str, str] | None = None) -> tuple[Ask, ...]:
    """The asks of a question once the asks of those roles were answered with those texts."""
    intent = understand(question)
    first = asks(intent, {}, THRESHOLDS)
    known = results or {}
    outcomes = {ask.key: read(known[ask.role], is_error=False) for ask in first if ask.role in known}
    return asks(intent, outcomes, THRESHOLDS)


@pytest.mark.parametrize(("question", "kind", "roles"), FIRST_ROUND, ids=[row[0] for row in FIRST_ROUND])
def test_the_first_round_asks_for_all_that_needs_no_other_result(question: str, kind: Kind, roles: list[str]) -> None:
    assert understand(question).kind == kind
    found = [ask.role for ask in planned(question)]
    assert found == roles
    assert len(found) == len(set(found))


@pytest.mark.parametrize("question", [row[0] for row in FIRST_ROUND])
def test_only_offered_tools_are_asked_with_plain_arguments(question: str) -> None:
    for ask in planned(question):
        assert ask.tool in {tool.name for tool in TOOLS}
        assert all(isinstance(value, str | int) for value in ask.arguments.values())
        assert 1 <= int(ask.arguments.get("max_rows", 1)) <= 500


@pytest.mark.parametrize(("question", "roles"), SECOND_ROUND, ids=[row[0] for row in SECOND_ROUND])
def test_what_needs_the_newest_hour_or_a_resolved_id_follows_in_the_second_round(
    question: str, roles: list[str]
) -> None:
    more = planned(question, {"info:0": INFO_A.text, "freshness": FRESH.text})
    assert [ask.role for ask in more][-len(roles) :] == roles
    for ask in more[-len(roles) :]:
        assert "prod-a-01" not in ask.arguments.get("sql", "")
        assert ("prod-a-01" in question) <= (A in ask.arguments.get("sql", A))


def test_windows_end_with_the_newest_hour() -> None:
    *_, operations = planned("what changed in the last 7 days?", {"freshness": FRESH.text})
    assert "created_at > '2026-02-22 02:00:00'" in operations.arguments["sql"]


@pytest.mark.parametrize("cell", [None, "yesterday", "9999", "2026-99-01 00:00:00"])
def test_without_a_newest_hour_nothing_is_measured(cell: object) -> None:
    none = rows("newest_hour:DATETIME hours_old:BIGINT", (cell, None)).text
    assert [ask.role for ask in planned("top 3 clusters by cpu", {"freshness": none})] == ["freshness"]


def test_a_comparison_waits_for_both_clusters() -> None:
    question = "compare prod-a-01 with prod-b-02"
    assert len(planned(question, {"info:0": INFO_A.text, "freshness": FRESH.text})) == 3
    both = planned(question, {"info:0": INFO_A.text, "info:1": INFO_B.text, "freshness": FRESH.text})
    assert [ask.role for ask in both[3:]] == ["vitals", "traffic"]
    assert A in both[3].arguments["sql"] and B in both[3].arguments["sql"]


def test_an_unresolved_cluster_leads_to_no_second_round() -> None:
    intent = understand("how is prod-a-01?")
    first = asks(intent, {}, THRESHOLDS)
    failed = {ask.key: Failure("bad_argument", ("there is no such cluster",)) for ask in first}
    assert asks(intent, failed, THRESHOLDS) == first


@pytest.mark.parametrize("cluster_id", ["", "NULL", "1 OR 1=1", A + "x", A[:8]])
def test_a_result_without_a_whole_id_resolves_nothing(cluster_id: str) -> None:
    assert identity(read(rows("cluster_id cluster_name", (cluster_id, "x")).text, is_error=False)) is None


def test_an_id_in_capitals_is_the_same_cluster() -> None:
    found = identity(read(rows("cluster_id cluster_name", (A.upper(), None)).text, is_error=False))
    assert found is not None and found.cluster_id == A and is_cluster_id(found.cluster_id)
    assert found.name == A[:8]


@pytest.mark.parametrize(("window", "days"), [("the last 3 hours", 1), ("the last 50 hours", 3), ("40 weeks", 30)])
def test_a_window_in_days_is_rounded_up_and_within_the_tools_bounds(window: str, days: int) -> None:
    assert planned(f"alerts of prod-a-01 in {window}")[0].arguments["days"] == days


def test_without_rules_nothing_is_judged_and_the_rest_is_asked() -> None:
    intent = understand("worst clusters")
    (freshness, *_) = asks(intent, {}, {})
    roles = [ask.role for ask in asks(intent, {freshness.key: read(FRESH.text, is_error=False)}, {})]
    assert roles == ["freshness", "patrols", "standing", "silent"]


def test_tier_questions_narrow_both_lists() -> None:
    asked = {ask.role: ask for ask in planned("how are tier S customers?", {"freshness": FRESH.text})}
    for role in ("standing", "beyond"):
        assert "a.tier IN ('S', 'A')" in asked[role].arguments["sql"]
