"""DuckDB's types and values as the wire sees them."""

import datetime as dt
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from sandbox import results
from sandbox.wire.values import Kind

CASES = (
    ("true", Kind.TINY, True),
    ("CAST(1 AS TINYINT)", Kind.TINY, 1),
    ("CAST(1 AS UTINYINT)", Kind.SHORT, 1),
    ("CAST(1 AS SMALLINT)", Kind.SHORT, 1),
    ("CAST(1 AS USMALLINT)", Kind.LONG, 1),
    ("CAST(1 AS INTEGER)", Kind.LONG, 1),
    ("CAST(1 AS UINTEGER)", Kind.LONGLONG, 1),
    ("CAST(1 AS BIGINT)", Kind.LONGLONG, 1),
    ("sum(CAST(1 AS BIGINT))", Kind.LONGLONG, 1),
    ("CAST(1.5 AS FLOAT)", Kind.FLOAT, 1.5),
    ("CAST(1.5 AS DOUBLE)", Kind.DOUBLE, 1.5),
    ("CAST('nan' AS DOUBLE)", Kind.DOUBLE, None),
    ("CAST('inf' AS FLOAT)", Kind.FLOAT, None),
    ("CAST(1.25 AS DECIMAL(9, 3))", Kind.DECIMAL, Decimal("1.250")),
    ("DATE '2026-01-02'", Kind.DATE, dt.date(2026, 1, 2)),
    ("TIMESTAMP '2026-01-02 03:04:05'", Kind.DATETIME, dt.datetime(2026, 1, 2, 3, 4, 5)),
    ("CAST('2026-01-02 03:04:05' AS TIMESTAMP_S)", Kind.DATETIME, dt.datetime(2026, 1, 2, 3, 4, 5)),
    ("'text'", Kind.VAR_STRING, "text"),
    ("CAST('{\"a\":1}' AS JSON)", Kind.STRING, '{"a":1}'),
    ("CAST('ab' AS BLOB)", Kind.BLOB, b"ab"),
    ("NULL", Kind.NULL, None),
    ("[1, NULL, 3]", Kind.STRING, "[1,null,3]"),
    ("['日', 'b\"']", Kind.STRING, '["日","b\\""]'),
    ("{'a': 1, 'b': [1.5]}", Kind.STRING, '{"a":1,"b":[1.5]}'),
    ("map {'k': DATE '2026-01-02'}", Kind.STRING, '{"k":"2026-01-02"}'),
    ("INTERVAL 1 HOUR", Kind.VAR_STRING, "1:00:00"),
    ("CAST('00000000-0000-0000-0000-000000000001' AS UUID)", Kind.VAR_STRING, "00000000-0000-0000-0000-000000000001"),
)


@pytest.mark.parametrize(("sql", "kind", "value"), CASES, ids=[sql for sql, _, _ in CASES])
def test_a_value_has_the_type_and_form_of_the_wire(sql: str, kind: Kind, value: Any) -> None:
    with duckdb.connect() as connection:
        cursor = connection.execute(f"SELECT {sql} AS v")
        columns = results.columns(cursor.description)
        [(got,)] = results.rows(cursor.fetchall(), columns)
    assert (columns[0].name, columns[0].kind) == ("v", kind)
    assert got == value
    assert isinstance(got, type(value))


def test_a_decimal_tells_its_scale() -> None:
    with duckdb.connect() as connection:
        [column] = results.columns(connection.execute("SELECT CAST(1 AS DECIMAL(18, 4))").description)
    assert column.scale == 4


@pytest.mark.parametrize(
    ("duck", "starrocks"),
    [
        ("BIGINT", "bigint"),
        ("INTEGER", "int"),
        ("VARCHAR", "varchar(65533)"),
        ("DOUBLE", "double"),
        ("TIMESTAMP", "datetime"),
        ("DECIMAL(10,2)", "decimal(10,2)"),
        ("JSON", "json"),
        ("BOOLEAN", "boolean"),
        ("INTEGER[]", "varchar(65533)"),
    ],
)
def test_columns_of_views_have_starrocks_types(duck: str, starrocks: str) -> None:
    assert results.type_name(duck) == starrocks


@pytest.mark.parametrize(
    ("starrocks", "kind"),
    [
        ("int", Kind.LONG),
        ("bigint", Kind.LONGLONG),
        ("largeint", Kind.LONGLONG),
        ("varchar(32)", Kind.VAR_STRING),
        ("datetime", Kind.DATETIME),
        ("decimal(10, 2)", Kind.DECIMAL),
        ("json", Kind.VAR_STRING),
        ("varbinary", Kind.BLOB),
        ("boolean", Kind.TINY),
    ],
)
def test_a_starrocks_type_has_a_wire_type(starrocks: str, kind: Kind) -> None:
    assert results.kind_of(starrocks) is kind
