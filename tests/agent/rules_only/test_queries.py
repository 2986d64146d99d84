"""Every SELECT of the rules-only analyst passes the door's guard and reads only what it names."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import schema
from agent.patrol.rules import load_rules
from agent.rules_only import from_rules, inventory, readings
from agent.rules_only.intent import understand
from agent.rules_only.measures import BY_KEY, LIMITED, VITALS, Measure, mentioned
from agent.rules_only.plan import asks
from mcp_server.guard import Guard
from tests.agent.rules_only.scripted import A, B

THRESHOLDS = from_rules(load_rules())


AS_OF = datetime(2026, 3, 1, 2)


def statements() -> Iterator[tuple[str, str]]:
    yield "freshness", inventory.freshness()
    yield "vitals", readings.vitals((A, B), AS_OF)
    yield "traffic", readings.traffic((A, B), AS_OF)
    yield "beyond", readings.beyond(THRESHOLDS, AS_OF, important=True)
    yield "standing of important customers", inventory.standing(important=True)
    yield "silent", inventory.silent(AS_OF)
    for by_cluster in (False, True):
        yield f"alerts {by_cluster}", inventory.alerts(AS_OF, 24, by_cluster=by_cluster)
        yield f"bills {by_cluster}", inventory.bills(AS_OF, 168, by_customer=by_cluster)
    yield "bills of a cluster", inventory.bills(AS_OF, 24, cluster_ids=(A,))
    yield "operations", inventory.operations(AS_OF, 168)
    yield "last patrol", inventory.last_patrol()
    yield "patrols", inventory.patrols()
    yield "version", inventory.of_version("3.3.9")
    yield "customer", inventory.of_customer("Acme")
    for grouping in ("version", "region", "cloud", "type", "tier", "customer"):
        yield f"by {grouping}", inventory.breakdown(grouping)
    for measure in LIMITED:
        yield f"nearest to the limit of {measure.key}", readings.nearest(measure, THRESHOLDS, AS_OF, 192)
    for measure in BY_KEY.values():
        yield f"ranking of {measure.key}", readings.ranking(measure, AS_OF, 168)
        yield f"course of {measure.key}", readings.course(measure, AS_OF, 168, (A,))


STATEMENTS = list(statements())


@pytest.mark.parametrize("sql", [sql for _, sql in STATEMENTS], ids=[name for name, _ in STATEMENTS])
def test_a_statement_passes_the_guard(sql: str) -> None:
    admitted = Guard(schema.tables()).admit(sql, 100)
    assert set(admitted.tables) <= set(schema.tables()) and admitted.tables


@pytest.mark.parametrize("cluster_id", ["x' OR '1'='1", A.upper(), A + "'", "", A[:8], f"{A}\n"])
def test_only_a_whole_id_enters_a_statement(cluster_id: str) -> None:
    assert not inventory.is_cluster_id(cluster_id)
    with pytest.raises(ValueError, match="cluster id"):
        readings.vitals((cluster_id,), AS_OF)
    with pytest.raises(ValueError, match="cluster id"):
        readings.course(VITALS[0], AS_OF, 24, (A, cluster_id))
    with pytest.raises(ValueError, match="cluster id"):
        inventory.bills(AS_OF, 24, cluster_ids=(cluster_id,))


@given(st.text(max_size=80))
@settings(max_examples=12, deadline=None)
def test_a_customers_name_enters_a_statement_as_letters_and_digits_alone(name: str) -> None:
    admitted = Guard(schema.tables()).admit(inventory.of_customer(name), 100)
    assert set(admitted.tables) <= set(schema.tables())
    pattern = inventory.of_customer(name).split("LIKE '", 1)[1].split("'", 1)[0]
    assert all(letter.isalnum() or letter in " ._%" for letter in pattern)


@pytest.mark.parametrize("version", ["3.3' OR '1'='1", "3.3.9;drop", "3.3%"])
def test_a_version_enters_a_statement_as_numbers_alone(version: str) -> None:
    assert "LIKE '3.3." in inventory.of_version(version)
    condition = inventory.of_version(version).split("WHERE NOT", 1)[1].split("WHERE", 1)[1]
    assert not any(text in condition for text in ("'1'", "drop", "3.3%", ";"))


@given(st.text(max_size=200))
@settings(max_examples=12, deadline=None)
def test_no_question_changes_the_words_of_a_statement(question: str) -> None:
    for prefix in ("how is ", "worst ", "alerts ", "disk trend ", "clusters by region ", ""):
        intent = understand(prefix + question)
        for ask in asks(intent, {}, THRESHOLDS):
            if ask.tool == "read_query":
                Guard(schema.tables()).admit(ask.arguments["sql"], 100)


@pytest.mark.parametrize("measure", BY_KEY.values(), ids=lambda measure: measure.key)
def test_a_measure_is_found_by_the_first_name_of_its_metric(measure: Measure) -> None:
    shared = {"be_fd_used": "be_fd_used_pct", "nodes_up": None}
    found = mentioned(f"show {measure.part.names[0].lower()}, please")
    expected = shared.get(measure.key, measure.key)
    assert (found.key if found else None) == expected


def test_a_short_metric_name_is_not_found_inside_words() -> None:
    assert mentioned("what is up with the update group?") is None


def test_the_rules_thresholds_are_used_and_load_like_measures_are_not_judged_alone() -> None:
    rules = load_rules()
    assert THRESHOLDS["disk_used_pct"].warning == rules.dimensions["disk_used_pct"].limits.yellow
    assert THRESHOLDS["memory_available_pct"].falling
    assert [name for name in THRESHOLDS if rules.dimensions[name].alone == "never"] == []
    assert all(THRESHOLDS[name].advice for name in THRESHOLDS)
