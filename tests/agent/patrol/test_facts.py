"""The six counts of the fleet: complete, partly missing, and with hostile words in them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.patrol.facts import PARTS, FleetFacts, assemble, gather, statements
from agent.patrol.query import Rows
from tests.agent.patrol.courses import AS_OF
from tests.agent.patrol.warehouse import Cluster, FleetTools

WORST = {"cluster_id": "c1", "cluster_name": "prod", "overall_score": 31.5, "risk_level": "Critical"}


def results(**given: list[dict[str, Any]]) -> list[Rows]:
    names = ("counts", "risk", "health", "alerts", "issues", "worst")
    return [Rows(tuple(given.get(name, ())), f"q-{name}") for name in names]


def test_there_is_a_statement_for_each_part() -> None:
    assert len(statements(AS_OF)) == len(PARTS) == 6


async def test_the_parts_are_asked_for_in_one_batch() -> None:
    tools = FleetTools([Cluster("c1", "prod"), Cluster("c2", "test")])
    facts = await gather(tools, AS_OF)
    assert len(tools.calls) == 6
    assert (facts.total, facts.active, facts.by_type) == (90, 2, {"CLASSIC": 2})
    assert (facts.risk, facts.health, facts.issues) == ({"Healthy": 2}, {"Warning": 1}, {"Critical": 3})
    assert (facts.alert_rows, facts.alert_names) == ({"Firing": 9, "Resolved": 9}, {"Firing": 2, "Resolved": 2})
    assert [one.name for one in facts.worst] == ["prod", "test"]
    assert len(facts.query_ids) == 6


def test_empty_tables_are_empty_facts() -> None:
    facts = assemble(results())
    assert facts == FleetFacts(query_ids=facts.query_ids)


def test_parts_that_failed_are_named() -> None:
    broken = [Rows(error="unknown_table", code="unknown_table")] * 6
    assert assemble(broken).missing == PARTS


@pytest.mark.parametrize(
    ("cell", "reasons"),
    [
        ('["a", "b", "c", "d"]', ("a", "b", "c")),
        (["a", 3], ("a", "3")),
        ("not json", ()),
        ('{"a": 1}', ()),
        (None, ()),
        ('["x\\u202ey"]', ("xy",)),
    ],
)
def test_reasons_are_read_from_json_and_never_trusted(cell: object, reasons: tuple[str, ...]) -> None:
    facts = assemble(results(worst=[WORST | {"risk_reasons": cell}]))
    assert facts.worst[0].reasons == reasons


def test_long_reasons_are_cut() -> None:
    facts = assemble(results(worst=[WORST | {"risk_reasons": f'["{"x" * 500}"]'}]))
    assert len(facts.worst[0].reasons[0]) == 120


def test_rows_that_join_both_states_count_for_both() -> None:
    rows = [
        {"alert_status": "Firing", "alert_rows": 5, "alert_names": 2},
        {"alert_status": "Firing|Resolved", "alert_rows": 1, "alert_names": 1},
        {"alert_status": "Silenced", "alert_rows": 7, "alert_names": 7},
    ]
    assert assemble(results(alerts=rows)).alert_rows == {"Firing": 6, "Resolved": 1}


cells = st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=10))


@given(st.lists(st.fixed_dictionaries({"label": cells, "clusters": cells, "issues": cells}), max_size=5))
def test_no_cells_break_the_counts(rows: list[dict[str, Any]]) -> None:
    facts = assemble(results(risk=rows, health=rows, issues=rows))
    assert all(count >= 0 for counts in (facts.risk, facts.health, facts.issues) for count in counts.values())
