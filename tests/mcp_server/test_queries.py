"""The door's own SQL: every value arrives as a literal, whatever is in it."""

import re

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

import schema
from mcp_server import queries
from mcp_server.errors import Refusal
from mcp_server.guard import Guard

GUARD = Guard(schema.TABLES)
HOSTILE = [
    "'; DROP TABLE byoc.clusters; --",
    "\\",
    "\\'; --",
    "%s",
    "%(cluster)s",
    "/*+ SET_VAR(a=1) */",
    "' OR '1'='1",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_stays_one_literal(value: str) -> None:
    admitted = GUARD.admit(queries.bound("cluster_operations", cluster=value, since="s", until="u"), 500)
    tree = sqlglot.parse_one(admitted.sql, dialect="starrocks")
    literals = sorted(literal.name for literal in tree.find_all(exp.Literal) if literal.is_string)
    assert literals == sorted([value, "s", "u"])


@given(st.text(max_size=80))
def test_no_value_can_change_the_shape_of_a_query(value: str) -> None:
    plain = GUARD.admit(queries.bound("cluster_operations", cluster="plain", since="s", until="u"), 500)
    try:
        admitted = GUARD.admit(queries.bound("cluster_operations", cluster=value, since="s", until="u"), 500)
    except Refusal as error:
        assert error.rule in {"characters", "size"}
        return
    trees = [sqlglot.parse_one(text, dialect="starrocks") for text in (plain.sql, admitted.sql)]
    shapes = [[type(node) for node in tree.walk()] for tree in trees]
    assert shapes[0] == shapes[1]
    assert admitted.tables == plain.tables


@given(st.lists(st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), max_size=20), min_size=1, max_size=5))
def test_a_list_becomes_as_many_literals(values: list[str]) -> None:
    sql = queries.bound("live_state", cluster="c", metrics=values, now="n")
    tree = sqlglot.parse_one(GUARD.admit(sql, 500).sql, dialect="starrocks")
    (inside,) = (node for node in tree.find_all(exp.In))
    assert [literal.name for literal in inside.expressions] == values


def test_columns_stand_in_a_query_as_they_are_and_cannot_leave_it() -> None:
    values = {"cluster": "c", "metrics": ["m"], "step": 1, "since": "s", "until": "u"}
    sql = queries.bound(
        "cluster_metrics", series=queries.Columns(["MAX(average) AS m_avg", "MAX(usual) AS m_u"]), **values
    )
    assert "MAX(average) AS m_avg, MAX(usual) AS m_u FROM steps" in GUARD.admit(sql, 5).sql
    with pytest.raises(Refusal):
        GUARD.admit(queries.bound("cluster_metrics", series=queries.Columns(["1; DROP TABLE x"]), **values), 5)


def test_a_missing_value_is_an_error_and_not_an_empty_text() -> None:
    with pytest.raises(KeyError):
        queries.bound("cluster_operations", cluster="c")


@pytest.mark.parametrize("name", queries.names())
def test_every_query_says_what_it_is_for_in_readable_lines(name: str) -> None:
    text = queries.text(name)
    assert re.match(r"-- [A-Z][^\n]+\.\n", text)
    assert max(map(len, text.split("\n"))) <= 120
