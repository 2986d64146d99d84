"""What is known of the fleet before anything is judged: complete, partly missing, and with hostile words in it."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.patrol.facts import PARTS, FleetFacts, assemble, statements
from agent.patrol.finding import Identity
from agent.patrol.inspection import inspect
from agent.patrol.query import Rows, stamp
from agent.patrol.roster import Roster
from agent.patrol.rules import load_rules
from tests.agent.patrol.courses import AS_OF
from tests.agent.patrol.warehouse import NOW, Cluster, FleetTools

FLEET = Roster((Identity("c1", "prod", cluster_type="ELASTIC"), Identity("c2", "test")), total=90)
RISK = {"cluster_id": "c1", "risk_level": "Critical"}
HEALTH = {"cluster_id": "c1", "classification": "Critical", "overall_score": 31.5}
ALERT = {"cluster_id": "c1", "alert_name": "DiskUsage", "alert_status": "Firing", "last_at": stamp(AS_OF)}


def results(**given: list[dict[str, Any]]) -> list[Rows]:
    return [Rows(tuple(given.get(name, ())), f"q-{name}") for name in ("risk", "health", "issues")]


def facts(alerts: list[dict[str, Any]] | None = None, **given: list[dict[str, Any]]) -> FleetFacts:
    return assemble(FLEET, results(**given), Rows(tuple(alerts or ())), AS_OF)


def test_there_is_a_statement_for_each_part() -> None:
    assert len(statements(AS_OF)) == len(PARTS) == 3


async def test_a_look_at_the_fleet_has_its_facts() -> None:
    alerts = [ALERT | {"first_at": stamp(AS_OF), "times": 4, "alert_rows": 9}]
    tools = FleetTools([Cluster("c1", "prod"), Cluster("c2", "test"), Cluster("c3", kind="")], alerts=alerts)
    found = (await inspect(tools, load_rules(), NOW)).facts
    assert (found.total, found.active, found.by_type) == (90, 3, {"CLASSIC": 2, "unknown": 1})
    assert (found.risk, found.health, found.issues) == ({"Critical": 2}, {"Warning": 2}, {"Critical": 3})
    assert (found.alert_rows, found.alert_names) == ({"Firing": 9}, {"Firing": 1})
    assert next((one.name, one.score, one.risk) for one in found.worst) == ("prod", 40.0, "Critical")
    assert len(found.query_ids) == 3


def test_empty_tables_are_empty_facts() -> None:
    found = facts()
    assert (found.total, found.active, found.by_type) == (90, 2, {"ELASTIC": 1, "unknown": 1})
    assert found == FleetFacts(90, 2, found.by_type, query_ids=found.query_ids)


def test_parts_that_failed_are_named_and_the_others_are_kept() -> None:
    broken = Rows(error="unknown_table", code="unknown_table")
    assert assemble(FLEET, [broken] * 3, broken, AS_OF).missing == PARTS
    one = assemble(FLEET, [broken, *results(health=[HEALTH])[1:]], Rows(), AS_OF)
    assert one.missing == ("risk levels",)
    assert [(each.score, each.risk) for each in one.worst] == [(31.5, "")]


def test_the_lowest_scores_come_first_and_only_ten_of_them() -> None:
    rows = [HEALTH | {"cluster_id": f"c{number:02}", "overall_score": 90 - number} for number in range(15)]
    found = facts(health=[*rows, HEALTH | {"cluster_id": "c99", "overall_score": None}]).worst
    assert [one.score for one in found] == [float(76 + rank) for rank in range(10)]


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
    assert facts(risk=[RISK | {"risk_reasons": cell}], health=[HEALTH]).worst[0].reasons == reasons


def test_long_reasons_are_cut() -> None:
    found = facts(risk=[RISK | {"risk_reasons": f'["{"x" * 500}"]'}], health=[HEALTH])
    assert len(found.worst[0].reasons[0]) == 120


def test_alert_rows_that_join_both_states_count_for_both() -> None:
    rows = [
        ALERT | {"alert_rows": 5},
        ALERT | {"alert_name": "Other", "alert_status": "Firing|Resolved", "alert_rows": 1},
        ALERT | {"alert_status": "Silenced", "alert_rows": 7},
    ]
    found = facts(rows)
    assert found.alert_rows == {"Firing": 6, "Resolved": 1}
    assert found.alert_names == {"Firing": 2, "Resolved": 1}


def test_alerts_of_more_than_a_day_ago_are_not_counted_and_repeats_are_one_pair() -> None:
    hours = [ALERT | {"last_at": stamp(AS_OF - timedelta(hours=back)), "alert_rows": 2} for back in range(48)]
    found = facts([*hours, ALERT | {"last_at": None}])
    assert (found.alert_rows, found.alert_names) == ({"Firing": 48}, {"Firing": 1})


cells = st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=10))
names = ("cluster_id", "risk_level", "risk_reasons", "classification", "overall_score", "label", "issues")
alert_cells = ("cluster_id", "alert_name", "alert_status", "last_at", "alert_rows")


@given(
    st.lists(st.fixed_dictionaries(dict.fromkeys(names, cells)), max_size=5),
    st.lists(st.fixed_dictionaries(dict.fromkeys(alert_cells, cells)), max_size=5),
)
def test_no_cells_break_the_facts(rows: list[dict[str, Any]], alerts: list[dict[str, Any]]) -> None:
    found = facts(alerts, risk=rows, health=rows, issues=rows)
    counted = (found.risk, found.health, found.issues, found.alert_rows, found.alert_names)
    assert all(count >= 0 for counts in counted for count in counts.values())
