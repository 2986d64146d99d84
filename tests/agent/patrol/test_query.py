"""Cells of a result as values: what is no measurement is none, what is no time is none."""

import asyncio
import math
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.patrol.query import AT_ONCE, InLine, Rows, figure, moment, read, read_all, stamp, words
from agent.tools import ToolResult, ToolSpec
from mcp_server.limits import Allowance


class OneResult:
    """Gives the same result to every call and keeps the arguments."""

    def __init__(self, result: ToolResult) -> None:
        self.result = result
        self.asked: list[tuple[str, Any]] = []

    async def specs(self) -> tuple[ToolSpec, ...]:
        return ()

    async def call(self, name: str, arguments: Any) -> ToolResult:
        self.asked.append((name, arguments))
        return self.result


@pytest.mark.parametrize("cell", [None, "NaN", "nan", float("inf"), -1, "-3", True, "", "abc", [], {}])
def test_what_cannot_be_measured_is_no_figure(cell: object) -> None:
    assert figure(cell) is None


@pytest.mark.parametrize(("cell", "value"), [(0, 0.0), (3, 3.0), ("2.5", 2.5), (1e299, 1e299)])
def test_a_measurement_is_a_figure(cell: object, value: float) -> None:
    assert figure(cell) == value


@given(st.one_of(st.none(), st.booleans(), st.integers(-(10**400), 10**400), st.floats(), st.text(), st.binary()))
def test_any_cell_is_a_sound_figure_or_none(cell: object) -> None:
    found = figure(cell)
    assert found is None or (math.isfinite(found) and found >= 0)


@pytest.mark.parametrize("cell", [1e300, "1e308", -1, "-0.5", "inf", "NaN", True])
def test_what_is_negative_or_beyond_reason_is_no_measurement(cell: object) -> None:
    assert figure(cell) is None


@pytest.mark.parametrize(
    ("cell", "at"),
    [
        ("2026-11-20 12:00:00", datetime(2026, 11, 20, 12)),
        ("2026-11-20T12:00:00+02:00", datetime(2026, 11, 20, 10)),
        ("yesterday", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-01:00", None),
        ("9999-12-31 23:59:59", datetime(9999, 12, 31, 23, 59, 59)),
        (None, None),
        (20261120, None),
    ],
)
def test_times_are_read_as_naive_utc(cell: object, at: datetime | None) -> None:
    assert moment(cell) == at


@given(st.text(max_size=40) | st.datetimes(timezones=st.timezones()).map(datetime.isoformat) | st.integers())
def test_any_cell_is_a_naive_time_or_none(cell: object) -> None:
    found = moment(cell)
    assert found is None or found.tzinfo is None


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)))
def test_a_written_time_is_read_back_to_the_second(at: datetime) -> None:
    assert moment(stamp(at)) == at.replace(microsecond=0)


def test_null_is_no_word() -> None:
    assert [words(cell) for cell in (None, 3, "x")] == ["", "3", "x"]


async def test_a_result_becomes_rows_with_its_receipt() -> None:
    data = {"columns": [{"name": "a"}, {"name": "b"}], "rows": [[1, "x"]], "truncated": True, "query_id": "q-1"}
    tools = OneResult(ToolResult("…", data=data))
    assert await read(tools, "SELECT 1", 7) == Rows(({"a": 1, "b": "x"},), "q-1", cut=True)
    assert tools.asked == [("read_query", {"sql": "SELECT 1", "max_rows": 7})]


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (ToolResult("timeout: too slow", is_error=True, data={"code": "timeout"}), "timeout"),
        (ToolResult("lost", is_error=True), "unavailable"),
        (ToolResult("no structure"), "unavailable"),
    ],
)
async def test_a_failed_statement_is_a_result_with_its_code(result: ToolResult, code: str) -> None:
    rows = await read(OneResult(result), "SELECT 1")
    assert (rows.failed, rows.code, rows.rows) == (True, code, ())


class Counting(OneResult):
    """Lets the others have a go in the middle of each call, and keeps how many were in it at most."""

    def __init__(self) -> None:
        super().__init__(ToolResult("", data={"columns": [{"name": "n"}], "rows": [[1]]}))
        self.most = self._inside = 0

    async def call(self, name: str, arguments: Any) -> ToolResult:
        self._inside += 1
        self.most = max(self.most, self._inside)
        await asyncio.sleep(0)
        self._inside -= 1
        return await super().call(name, arguments)


async def test_no_more_statements_of_an_inspection_run_than_the_door_lets_one_caller_run() -> None:
    door = Counting()
    results = await read_all(InLine(door), [f"SELECT {n}" for n in range(30)])
    assert [result.rows for result in results] == [({"n": 1},)] * 30
    assert len(door.asked) == 30
    assert door.most == AT_ONCE == Allowance().at_once
