"""The function matrix: every accepted function gives StarRocks' value, every other is refused."""

import math
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymysql.err import MySQLError

from sandbox.dialect.functions import allowed
from tests.sandbox.conftest import Connect, rows
from tests.sandbox.dialect import edges
from tests.sandbox.dialect.matrix import AGGREGATES, SCALARS, STATEMENTS, VALUES, WINDOWS

REFUSED = (
    "read_csv('/etc/passwd')",
    "`read_csv`('/etc/passwd')",
    "read_text('/etc/passwd')",
    "getenv('HOME')",
    "current_setting('threads')",
    "list_sum([1])",
    "list_transform([1], x -> x)",
    "duckdb_settings()",
    "sr_now()",
    "sr_moment('2026-01-01')",
    "strftime(now(), '%Y')",
    "epoch(now())",
    "sleep(10)",
    "http_request('http://127.0.0.1')",
    "nextval('s')",
    "arbitrary(1)",
    "arg_max(1, 2)",
    "to_hours(1)",
    "query('SELECT 1')",
    "try_cast('1' AS INT)",
    "set_var(1)",
)


@pytest.fixture
async def reader(port: int, connect: Connect) -> AsyncIterator[Any]:
    yield await connect(port)


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, float):
        return isinstance(value, float) and math.isclose(value, wanted, abs_tol=1e-9)
    return bool(value == wanted) and isinstance(value, type(wanted))


async def _differences(reader: Any, cases: Any, wrap: str) -> list[str]:
    found = []
    for sql, wanted in cases:
        try:
            answer = await rows(reader, wrap.format(sql))
        except MySQLError as error:
            found.append(f"{sql}: {error}")
            continue
        got = [row[0] for row in answer]
        expected = wanted if isinstance(wanted, list) else [wanted]
        if len(got) != len(expected) or not all(map(_same, got, expected)):
            found.append(f"{sql}: {got!r}, expected {expected!r}")
    return found


async def test_scalar_functions_give_starrocks_values(reader: Any) -> None:
    assert await _differences(reader, SCALARS, "SELECT {}") == []


@pytest.mark.parametrize("cases", [edges.TEXTS, edges.DATES, edges.NUMBERS, edges.NESTED])
async def test_functions_give_starrocks_values_at_their_edges(reader: Any, cases: Any) -> None:
    assert await _differences(reader, cases, "SELECT {}") == []


@pytest.mark.parametrize(
    ("cases", "table"),
    [(edges.OF_NOTHING, f"{VALUES} WHERE x > 9"), (edges.OF_ONE, "(SELECT 5 AS x, 'a' AS s) t")],
)
async def test_aggregates_of_hardly_anything_give_starrocks_values(reader: Any, cases: Any, table: str) -> None:
    assert await _differences(reader, cases, f"SELECT {{}} FROM {table}") == []


async def test_aggregates_give_starrocks_values(reader: Any) -> None:
    assert await _differences(reader, AGGREGATES, f"SELECT {{}} FROM {VALUES}") == []


async def test_windows_give_starrocks_values(reader: Any) -> None:
    assert await _differences(reader, WINDOWS, f"SELECT {{}} AS v FROM {VALUES} ORDER BY x") == []


@pytest.mark.parametrize(("sql", "wanted"), STATEMENTS, ids=[sql[:60] for sql, _ in STATEMENTS])
async def test_statement_forms_give_starrocks_rows(reader: Any, sql: str, wanted: list[tuple[Any, ...]]) -> None:
    assert await rows(reader, sql) == wanted


@pytest.mark.parametrize("call", REFUSED)
async def test_what_starrocks_lacks_is_refused(reader: Any, call: str) -> None:
    name = call.partition("(")[0].strip("`")
    with pytest.raises(MySQLError, match=rf"No matching function with signature: {name}\(") as refused:
        await rows(reader, f"SELECT {call}")
    assert refused.value.args[0] == 1064


@pytest.mark.parametrize("call", ["read_csv('/etc/passwd')", "duckdb_settings()", "range(3)", "parquet_scan('x')"])
async def test_table_functions_of_duckdb_are_refused(reader: Any, call: str) -> None:
    with pytest.raises(MySQLError, match="No matching function"):
        await rows(reader, f"SELECT * FROM {call}")


def test_every_accepted_function_stands_in_the_matrix() -> None:
    texts = [sql for sql, _ in (*SCALARS, *AGGREGATES, *WINDOWS, *STATEMENTS)]
    called = {name for text in texts for name in re.findall(r"([a-z_0-9]+)\s*\(", text.lower())}
    assert allowed() - called == set()
