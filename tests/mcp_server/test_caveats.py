"""What the rows themselves warn of."""

from datetime import UTC, datetime

import pytest

from mcp_server.caveats import seen
from mcp_server.executor import Column
from mcp_server.values import Scalar

NOW = datetime(2026, 3, 1, 16, 25, tzinfo=UTC)
HOUR, NAME, TIME = Column("hour", "DATETIME"), Column("name", "VARCHAR"), Column("created_at", "DATETIME")


def told(columns: list[Column], rows: list[list[Scalar]]) -> tuple[str, ...]:
    return seen(columns, rows, NOW)


def test_an_hour_that_is_not_over_is_named() -> None:
    rows: list[list[Scalar]] = [["2026-03-01 15:00:00"], ["2026-03-01 16:00:00"], [None]]
    assert told([HOUR], rows) == ("the newest hour of hour, 16:00, is not over",)
    assert told([HOUR], rows[:1]) == ()


def test_a_time_that_happens_to_be_a_full_hour_is_no_hour() -> None:
    assert told([TIME], [["2026-03-01 16:00:00"], ["2026-03-01 16:10:07"]]) == ()


@pytest.mark.parametrize("name", ["scored_at", "computed_at", "last_seen", "first_firing"])
def test_a_moment_on_the_full_hour_is_no_hour_that_fills_up(name: str) -> None:
    assert told([Column(name, "DATETIME")], [["2026-03-01 16:00:00"]]) == ()


@pytest.mark.parametrize("name", ["snapshot_hour", "newest_metrics_hour", "h", "category"])
def test_a_column_of_hours_is_told_by_its_values(name: str) -> None:
    assert told([Column(name, "DATETIME")], [["2026-03-01 16:00:00"]]) != ()


def test_copies_of_a_row_are_counted() -> None:
    assert told([NAME, NAME], [["a", 1], ["a", 1], ["b", 1], ["a", 1]]) == ("2 of the rows are copies of another",)
    assert told([NAME, NAME], [["a", 1], ["a", 1]]) == ("1 of the rows is a copy of another",)


def test_values_that_repeat_in_a_single_column_are_no_copies() -> None:
    assert told([NAME], [["a"], ["a"]]) == ()


def test_no_rows_warn_of_nothing() -> None:
    assert told([HOUR, NAME], []) == ()
