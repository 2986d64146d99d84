"""Which names in a statement are tables and which are its own table expressions; every table read is checked."""

import pytest
from pymysql.err import MySQLError

from sandbox.dialect.statement import split
from sandbox.dialect.translate import translate
from sandbox.errors import StatementError
from tests.sandbox.conftest import Connect, rows


def reads(sql: str) -> set[str]:
    [statement] = split(sql)
    return {str(name) for name in translate(statement, "byoc").reads}


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("WITH clusters AS (SELECT * FROM clusters) SELECT * FROM clusters", {"byoc.clusters"}),
        ("WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a, b", {"byoc.b"}),
        ("WITH a AS (SELECT 1), a2 AS (SELECT * FROM a) SELECT * FROM a2", set()),
        ("WITH a AS (WITH b AS (SELECT * FROM c) SELECT * FROM b) SELECT * FROM a, b", {"byoc.c", "byoc.b"}),
        ("WITH a AS (SELECT 1) SELECT * FROM (SELECT * FROM (SELECT * FROM a) x) y", set()),
        ("WITH a AS (SELECT 1) SELECT 1 WHERE 1 IN (SELECT * FROM a UNION SELECT * FROM b)", {"byoc.b"}),
        ("SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a) x JOIN a ON true", {"byoc.a"}),
        ("WITH A AS (SELECT 1) SELECT * FROM a", set()),
        ("WITH a AS (SELECT 1) SELECT * FROM byoc.a", {"byoc.a"}),
        ("WITH a AS (SELECT 1) SELECT * FROM metrics.a, a", {"metrics.a"}),
        ("WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n) SELECT * FROM n", set()),
        ("WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a", {"byoc.b"}),
        ("WITH a AS (SELECT * FROM c), c AS (WITH a AS (SELECT * FROM a) SELECT * FROM a) SELECT * FROM c", {"byoc.c"}),
    ],
)
def test_a_name_is_a_table_unless_an_expression_of_that_name_is_in_sight(sql: str, tables: set[str]) -> None:
    assert reads(sql) == tables


def test_an_expression_named_like_a_table_is_no_way_around_the_database() -> None:
    [statement] = split("WITH t AS (SELECT * FROM t) SELECT * FROM t")
    with pytest.raises(StatementError, match="No database selected"):
        translate(statement, None)


async def test_people_may_name_an_expression_after_the_table_it_filters(port: int, connect: Connect) -> None:
    connection = await connect(port, db="metrics")
    sql = (
        "WITH amv_hourly_snapshots_v1 AS (SELECT * FROM amv_hourly_snapshots_v1 WHERE cluster_id = 'c1') "
        "SELECT count(*), count(DISTINCT cluster_id) FROM amv_hourly_snapshots_v1"
    )
    assert await rows(connection, sql) == [(1000, 1)]


async def test_an_expression_hides_no_table_from_the_privileges(port: int, connect: Connect) -> None:
    connection = await connect(port, "writer", db="metrics")
    with pytest.raises(MySQLError, match="Access denied"):
        await rows(
            connection,
            "WITH dim_customer_profile AS (SELECT * FROM dim_customer_profile) SELECT * FROM dim_customer_profile",
        )


@pytest.mark.parametrize("sql", ["SELECT concat()", "SELECT concat(), 1", "SELECT coalesce()", "SELECT if()"])
def test_a_call_without_its_arguments_is_refused_in_words_about_the_statement(sql: str) -> None:
    with pytest.raises(StatementError) as refused:
        translate(split(sql)[0], None)
    assert refused.value.code == 1064
    assert "sqlglot" not in refused.value.message
    assert "<class" not in refused.value.message
