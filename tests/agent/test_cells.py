"""What is reckoned with the results of a turn, held against sums done by hand, and results made to break it."""

import json
import math
import statistics
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.answer import ToolTrace
from agent.cells import Found, Table, counts, extremes, middles, pairs, shares, spans, sums, tables_of

ROWS = [
    ["prod-pay-01", "S", 40.0, 3, "2026-11-20 10:00:00"],
    ["prod-pay-02", "A", 10.0, 5, "2026-11-20 12:00:00"],
    ["dev-search-03", "A", 50.0, None, "2026-11-20 13:30:00"],
]
COLUMNS = ("cluster_name", "tier", "disk_pct", "alerts", "last_hour")


def traced(data: dict[str, Any] | None, *, text: str = "", is_error: bool = False) -> ToolTrace:
    return ToolTrace("read_query", {}, is_error=is_error, seconds=0.1, data=data, text=text)


def result(rows: list[list[Any]], columns: tuple[str, ...] = COLUMNS) -> ToolTrace:
    named = [{"name": name, "type": "VARCHAR"} for name in columns]
    return traced({"columns": named, "rows": rows, "query_id": "q-1", "sql": "SELECT 1", "tables": ["byoc.clusters"]})


@pytest.fixture
def table() -> Table:
    return tables_of([result(ROWS)])[0]


def told(found: Found, among: list[Found]) -> bool:
    return any(math.isclose(found[0], value) and found[1] == what for value, what in among)


def test_the_rows_that_a_line_names_are_found(table: Table) -> None:
    assert table.named("how is prod-pay-02 beside dev-search-03?") == [1, 2]
    assert table.named("how is the fleet?") == []


def test_columns_are_summed_averaged_and_bounded_as_by_hand(table: Table) -> None:
    assert told((100.0, "sum(disk_pct)"), list(sums(table, "")))
    assert told((8.0, "sum(alerts)"), list(sums(table, "")))
    assert told((100 / 3, "avg(disk_pct)"), list(middles(table)))
    assert told((40.0, "median(disk_pct)"), list(middles(table)))
    assert told((10.0, "min(disk_pct)"), list(extremes(table)))
    assert told((50.0, "max(disk_pct)"), list(extremes(table)))


def test_a_row_is_a_share_of_the_sum_of_its_column(table: Table) -> None:
    assert told((0.5, "row 3 disk_pct / sum(disk_pct)"), list(shares(table, [2])))
    assert not [what for _, what in shares(table, [2]) if "alerts" in what], "the third row has no number there"
    assert list(shares(table, [])) == []


def test_named_rows_are_counted_and_rows_of_a_kind_too(table: Table) -> None:
    assert told((2.0, "count of the rows that are named"), list(counts(table, "", [0, 1])))
    assert any(value == 2 for value, _ in counts(table, "clusters of tier a", []))
    assert not [what for _, what in counts(table, "", []) if what == "count of the rows that are named"]


def test_times_are_apart_as_by_the_clock(table: Table) -> None:
    now = datetime(2026, 11, 20, 14, 0)
    found = {value for value, _ in spans(table, [1], now)}
    assert 2 * 3600.0 in found
    assert 4 * 3600.0 not in found, "the first row is not meant"
    assert 4 * 3600.0 in {value for value, _ in spans(table, [], now)}
    assert 3.5 * 3600.0 in {value for value, _ in spans(table, [], None)}


def test_numbers_are_compared_within_a_row_and_within_a_column(table: Table) -> None:
    found = list(pairs(table, [0, 1]))
    assert (40.0, 3.0, "row 1 disk_pct and alerts") in found
    assert (40.0, 10.0, "disk_pct, rows 1 and 2") in found
    assert not [what for *_, what in found if "row 3" in what]


def test_a_number_is_found_between_two_bounds_and_only_in_the_rows_that_are_meant(table: Table) -> None:
    assert "disk_pct" in table.cell(39.5, 40.5, [])
    assert "disk_pct" in table.cell(40.0, 40.0, [0])
    assert table.cell(39.5, 40.5, [1, 2]) == ""
    assert table.cell(41, 49, []) == ""


def test_what_failed_and_what_rests_on_no_table_proves_nothing() -> None:
    made_up = result([[1.0]], ("n",))
    chosen = ToolTrace("read_query", {}, is_error=False, seconds=0.1, data={**(made_up.data or {}), "tables": []})
    failed = traced(dict(made_up.data or {}), is_error=True)
    (nothing,) = tables_of([chosen, failed])
    assert (nothing.cells, nothing.numeric) == ([], {})


def nested(depth: int, kind: str) -> Any:
    value: Any = 71.5
    for _ in range(depth):
        value = [value] if kind == "list" else {"inner": value}
    return value


@pytest.mark.parametrize("kind", ["list", "dict"])
def test_what_stands_deep_in_a_result_is_read_down_to_a_depth_and_no_further(kind: str) -> None:
    for depth, found in ((1, True), (5, True), (7, False), (400, False)):
        (loose, _) = tables_of([traced({"a": nested(depth, kind)})])
        assert (loose.cell(71.5, 71.5, []) != "") is found, depth


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=20,
    ),
    st.text(max_size=80),
)
def test_any_result_of_a_foreign_tool_is_read_without_a_fault_and_its_numbers_are_finite(data: Any, text: str) -> None:
    for found in tables_of([traced({"data": data}, text=text)], [json.dumps(text)]):
        assert all(math.isfinite(value) and value >= 0 for value, *_ in found.cells)
        assert [value for value, *_ in found.cells] == sorted(value for value, *_ in found.cells)


@given(st.lists(st.floats(-1e12, 1e12), min_size=2, max_size=30))
def test_whatever_the_column_its_figures_are_those_of_statistics(values: list[float]) -> None:
    (table, _) = tables_of([result([[f"c-{n}", value] for n, value in enumerate(values)], ("cluster_name", "n"))])
    (total,) = [value for value, what in sums(table, "") if what == "sum(n)"]
    assert math.isclose(total, abs(math.fsum(values)), rel_tol=1e-9, abs_tol=1e-2)
    assert told((abs(statistics.median(values)), "median(n)"), list(middles(table)))
    assert told((abs(max(values)), "max(n)"), list(extremes(table)))
    for share, _ in shares(table, range(len(values))):
        assert share >= 0
