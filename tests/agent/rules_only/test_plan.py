"""Which calls each kind of question makes, and when."""

import pytest

from agent.rules_only.envelope import Failure, read
from agent.rules_only.intent import Kind, understand
from agent.rules_only.plan import Ask, asks, identity
from agent.rules_only.queries import is_cluster_id
from tests.agent.rules_only.scripted import INFO_A, INFO_B, THRESHOLDS, TOOLS, A, B, rows

FIRST_ROUND: list[tuple[str, Kind, list[str]]] = [
    ("how is the fleet?", "overview", ["summary", "standing", "breaches", "silent", "freshness", "alerts", "issues"]),
    ("worst clusters", "worst", ["standing", "breaches", "silent", "freshness"]),
    ("how is prod-a-01?", "status", ["info:0", "alerts", "operations", "freshness"]),
    ("compare prod-a-01 with prod-b-02", "compare", ["info:0", "info:1", "freshness"]),
    ("latency trend", "series", ["series", "ranking", "freshness"]),
    ("cpu of prod-a-01", "series", ["info:0", "freshness"]),
    ("top 3 clusters by cpu", "ranking", ["ranking", "freshness"]),
    ("near breaking point", "limits", [f"limit:{key}" for key in ("disk_used_pct", "memory_available_pct")]),
    ("who runs out of disk", "limits", ["limit:disk_used_pct", "freshness"]),
    ("alerts", "alerts", ["alerts", "alerts_by_cluster"]),
    ("alerts of prod-a-01", "alerts", ["alerts"]),
    ("open issues", "issues", ["issues"]),
    ("what changed?", "operations", ["operations"]),
    ("operations on prod-a-01", "operations", ["operations"]),
    ("logs of prod-a-01", "logs", ["logs"]),
    ("clusters by cloud", "breakdown", ["breakdown"]),
    ("silent clusters", "silent", ["silent", "freshness"]),
    ("last patrol", "patrol", ["patrol"]),
    ("help", "help", []),
    ("write me a poem", "unknown", []),
    ("compare", "which_cluster", []),
]


def planned(question: str, results: dict[str, str] | None = None) -> tuple[Ask, ...]:
    """The asks of a question once the asks of those roles were answered with those texts."""
    intent = understand(question)
    first = asks(intent, {}, THRESHOLDS)
    outcomes = {ask.key: read(results[ask.role], is_error=False) for ask in first if ask.role in (results or {})}
    return asks(intent, outcomes, THRESHOLDS)


@pytest.mark.parametrize(("question", "kind", "roles"), FIRST_ROUND, ids=[row[0] for row in FIRST_ROUND])
def test_the_first_round_asks_for_all_that_needs_no_other_result(question: str, kind: Kind, roles: list[str]) -> None:
    assert understand(question).kind == kind
    found = [ask.role for ask in planned(question)]
    assert found[: len(roles)] == roles
    assert len(found) == len(set(found))


@pytest.mark.parametrize("question", [row[0] for row in FIRST_ROUND])
def test_only_offered_tools_are_asked_with_plain_arguments(question: str) -> None:
    for ask in planned(question):
        assert ask.tool in {tool.name for tool in TOOLS}
        assert all(isinstance(value, str | int) for value in ask.arguments.values())
        assert 1 <= int(ask.arguments.get("max_rows", 1)) <= 500


@pytest.mark.parametrize(
    ("question", "roles"),
    [
        ("how is prod-a-01?", ["vitals", "traffic", "recent"]),
        ("cpu of prod-a-01", ["series"]),
    ],
)
def test_the_second_round_uses_the_id_that_the_door_resolved(question: str, roles: list[str]) -> None:
    more = planned(question, {"info:0": INFO_A.text})[-len(roles) :]
    assert [ask.role for ask in more] == roles
    assert all(A in ask.arguments["sql"] and "prod-a-01" not in ask.arguments["sql"] for ask in more)


def test_a_comparison_waits_for_both_clusters() -> None:
    question = "compare prod-a-01 with prod-b-02"
    assert len(planned(question, {"info:0": INFO_A.text})) == 3
    both = planned(question, {"info:0": INFO_A.text, "info:1": INFO_B.text})
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
    roles = [ask.role for ask in asks(understand("worst clusters"), {}, {})]
    assert roles == ["standing", "silent", "freshness"]


def test_tier_questions_narrow_both_lists() -> None:
    standing, breaches, *_ = planned("how are tier S customers?")
    assert "a.tier IN ('S', 'A')" in standing.arguments["sql"] and "a.tier IN ('S', 'A')" in breaches.arguments["sql"]
