"""SQL over stored rows: plain SELECTs work, and nothing else is to be had."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client

from mcp_server.errors import Code, DoorError
from mcp_server.executor import Column, Fetched
from mcp_server.results import Result
from mcp_server.stored import select
from mcp_server.values import Scalar
from tests.mcp_server import corpus

COLUMNS = ("cluster_id:VARCHAR", "hour:DATETIME", "v:DOUBLE", "V:DOUBLE", "n:BIGINT")


def stored(rows: list[list[Any]], columns: tuple[str, ...] = COLUMNS, *, truncated: bool = False) -> Result:
    typed = tuple(Column(*column.split(":")) for column in columns)
    return Result(typed, rows, truncated, "q-1", "SELECT 1", 0.0, ("byoc.clusters",))


ROWS = [[f"c{place % 3}", f"2026-03-01 {place:02}:00:00", place * 1.5, place * 2.5, place] for place in range(24)]


async def fetched(sql: str, max_rows: int = 100) -> Fetched:
    return (await select(stored(ROWS), sql, max_rows))[1]


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT COUNT(*) FROM result", [[24]]),
        (
            "SELECT cluster_id, SUM(n) AS s FROM result GROUP BY 1 ORDER BY s DESC",
            [["c2", 100], ["c1", 92], ["c0", 84]],
        ),
        ("SELECT n, n / 2, n DIV 2 FROM result WHERE n = 5", [[5, 2.5, 2]]),
        ("SELECT hour, ROW_NUMBER() OVER (ORDER BY v DESC) AS k FROM result LIMIT 1", [["2026-03-01 23:00:00", 1]]),
        ("WITH top AS (SELECT n FROM result WHERE n > 21) SELECT MAX(n) FROM top", [[23]]),
        ("SELECT DATE_TRUNC('day', hour) AS d, COUNT(*) FROM result GROUP BY d", [["2026-03-01 00:00:00", 24]]),
        ("SELECT v_2 FROM result WHERE n = 1", [[2.5]]),
        ("SELECT COUNT(*) FROM result WHERE cluster_id LIKE 'C%'", [[0]]),
        ("SELECT a.n FROM result a JOIN result b ON a.n = b.n + 23", [[23]]),
        ("SELECT GREATEST(1, 2), CONCAT('a', cluster_id) FROM result LIMIT 1", [[2, "ac0"]]),
    ],
)
async def test_stored_rows_are_selected_from_as_in_the_warehouse(sql: str, rows: list[list[Scalar]]) -> None:
    assert (await fetched(sql)).rows == rows


async def test_columns_keep_their_types_and_repeated_names_get_a_number() -> None:
    found = await fetched("SELECT *, n + 0.5 AS x FROM result")
    names = [(column.name, column.type) for column in found.columns]
    assert names[1:] == [("hour", "DATETIME"), ("v", "DOUBLE"), ("V_2", "DOUBLE"), ("n", "BIGINT"), ("x", "DOUBLE")]


async def test_more_rows_than_asked_for_are_told() -> None:
    found = await fetched("SELECT n FROM result ORDER BY n", 10)
    assert (len(found.rows), found.more) == (10, True)
    assert not (await fetched("SELECT n FROM result", 24)).more


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("DROP TABLE result", Code.READ_ONLY),
        ("SELECT 1; DELETE FROM result", Code.READ_ONLY),
        ("SELECT * FROM byoc.clusters", Code.PERMISSION),
        ("SELECT * FROM sqlite_master", Code.UNKNOWN_TABLE),
        ("SELECT load_extension('x')", Code.PERMISSION),
        ("SELECT zeroblob(1000000000)", Code.PERMISSION),
        ("EXPLAIN SELECT 1 FROM result", Code.READ_ONLY),
        ("SELECT m FROM result", Code.UNKNOWN_COLUMN),
        ("SELECT STDDEV(v) FROM result", Code.EXECUTION),
        ("SELECT FROM", Code.SYNTAX),
    ],
)
async def test_what_cannot_be_had_is_refused_with_a_code_and_a_way_on(sql: str, code: Code) -> None:
    with pytest.raises(DoorError) as refused:
        await fetched(sql)
    assert refused.value.code is code
    assert refused.value.hint


async def test_a_misspelt_column_is_answered_with_those_of_the_result() -> None:
    with pytest.raises(DoorError) as refused:
        await fetched("SELECT cluster_ib FROM result")
    assert (refused.value.part, refused.value.near) == ("cluster_ib", ("cluster_id",))


async def test_a_join_that_explodes_is_stopped() -> None:
    rows = [["same", "2026-03-01 00:00:00", 1.0, 1.0, place] for place in range(20_000)]
    sql = "SELECT SUM(a.n * b.n) FROM result a JOIN result b ON a.cluster_id = b.cluster_id"
    with pytest.raises(DoorError) as stopped:
        await select(stored(rows), sql, 10, seconds=0.2)
    assert stopped.value.code is Code.TIMEOUT


async def test_a_value_that_explodes_is_stopped() -> None:
    rows = [["x" * 60_000, "2026-03-01 00:00:00", 1.0, 1.0, 1]] * 20
    with pytest.raises(DoorError) as stopped:
        await select(stored(rows), "SELECT REPLACE(cluster_id, 'x', cluster_id) FROM result", 10)
    assert stopped.value.code is Code.EXECUTION


async def test_nothing_that_the_guard_refuses_reaches_the_stored_rows() -> None:
    passed = []
    for _, sql in corpus.refused():
        try:
            await fetched(sql)
        except DoorError:
            continue
        passed.append(sql)
    assert passed == []


CELLS = st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=8), st.text(max_size=20))
async def test_any_rows_come_back_as_they_went_in(rows: list[list[Any]], name: str) -> None:
    kept = Result((Column(name, "VARCHAR"), Column(name, "VARCHAR")), rows, False, "q-1", "", 0.0, ())
    found = (await select(kept, "SELECT * FROM result", 100))[1]
    assert json.dumps(found.rows) == json.dumps(rows)


async def test_a_number_beyond_64_bits_is_kept_as_near_as_can_be() -> None:
    found = (await select(stored([[2**70]], ("n:LARGEINT",)), "SELECT n FROM result", 10))[1]
    assert found.rows == [[float(2**70)]]


async def test_a_later_question_is_put_to_the_rows_and_not_to_the_warehouse(client: Client) -> None:
    first = await client.call_tool("read_query", {"sql": "SELECT node, message FROM byoc.cluster_log", "max_rows": 60})
    identity = first.structured_content["result_id"]
    sql = "SELECT node, COUNT(*) AS n FROM result GROUP BY node ORDER BY n DESC"
    second = await client.call_tool("query_result", {"result_id": identity, "sql": sql})
    data = second.structured_content
    assert sum(row[1] for row in data["rows"]) == 60
    assert data["tables"] == [f"result {identity}"]
    assert any("cut at 60 rows" in caveat for caveat in data["caveats"])
    third = await client.call_tool("query_result", {"result_id": data["result_id"], "sql": "SELECT SUM(n) FROM result"})
    assert third.structured_content["rows"] == [[60]]


async def test_an_id_that_is_not_on_the_shelf_is_refused(client: Client) -> None:
    answer = await client.call_tool("query_result", {"result_id": "q-ffffffffff", "sql": "SELECT 1 FROM result"})
    assert answer.is_error
    assert answer.structured_content["code"] == "bad_argument"
    assert "run the query again" in answer.structured_content["hint"]
