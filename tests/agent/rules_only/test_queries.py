"""Every SELECT of the rules-only analyst passes the door's guard and reads only what it names."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import schema
from agent.patrol.rules import load_rules
from agent.rules_only import from_rules, queries
from agent.rules_only.intent import understand
from agent.rules_only.measures import MEASURES, VITALS, mentioned
from agent.rules_only.plan import asks
from mcp_server.guard import Guard
from tests.agent.rules_only.scripted import A, B

THRESHOLDS = from_rules(load_rules())


def statements() -> Iterator[tuple[str, str]]:
    yield "freshness", queries.freshness()
    yield "vitals", queries.vitals((A, B))
    yield "traffic", queries.traffic((A, B))
    yield "breaches", queries.breaches(THRESHOLDS)
    yield "standing", queries.standing()
    yield "standing of important customers", queries.standing(important=True)
    yield "silent", queries.silent()
    yield "alerts by name", queries.alerts(24, by_cluster=False)
    yield "alerts by cluster", queries.alerts(24, by_cluster=True)
    yield "operations", queries.operations(168)
    yield "last patrol", queries.last_patrol()
    for grouping in ("version", "region", "cloud", "type", "tier", "customer"):
        yield f"by {grouping}", queries.breakdown(grouping)
    for measure in MEASURES:
        yield f"ranking of {measure.key}", queries.ranking(measure, 168, 10)
        yield f"course of {measure.key}", queries.course(measure, 168)
        yield f"course of {measure.key} of a cluster", queries.course(measure, 24, A)


STATEMENTS = list(statements())


@pytest.mark.parametrize("sql", [sql for _, sql in STATEMENTS], ids=[name for name, _ in STATEMENTS])
def test_a_statement_passes_the_guard(sql: str) -> None:
    admitted = Guard(schema.tables()).admit(sql, 100)
    assert set(admitted.tables) <= set(schema.tables()) and admitted.tables


@pytest.mark.parametrize("cluster_id", ["x' OR '1'='1", A.upper(), A + "'", "", A[:8], f"{A}\n"])
def test_only_a_whole_id_enters_a_statement(cluster_id: str) -> None:
    assert not queries.is_cluster_id(cluster_id)
    assert "cluster_id IN" not in queries.vitals((cluster_id,))
    assert "'1'='1" not in queries.course(VITALS[0], 24, cluster_id)


@given(st.text(max_size=200))
@settings(max_examples=20, deadline=None)
def test_no_question_changes_the_words_of_a_statement(question: str) -> None:
    for prefix in ("how is ", "worst ", "alerts ", "disk trend ", "clusters by region ", ""):
        intent = understand(prefix + question)
        for ask in asks(intent, {}, THRESHOLDS):
            if ask.tool == "read_query":
                Guard(schema.tables()).admit(ask.arguments["sql"], 100)


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.key)
def test_a_measure_is_found_by_its_metric_name(measure: object) -> None:
    assert measure in MEASURES
    shared = {"starrocks_fe_query_err", "starrocks_fe_query_total", "up"}
    metric = measure.metrics[0]
    if metric not in shared:
        assert mentioned(f"show {metric.lower()} please") is measure


def test_the_rules_thresholds_are_used_and_load_like_measures_are_not_judged_alone() -> None:
    rules = load_rules()
    assert THRESHOLDS["disk_used_pct"].warning == rules.dimensions["disk_used_pct"].limits.yellow
    assert THRESHOLDS["memory_available_pct"].falling
    assert [name for name in THRESHOLDS if rules.dimensions[name].alone == "never"] == []
    assert all(THRESHOLDS[name].advice for name in THRESHOLDS)
