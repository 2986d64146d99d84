"""Rows as plots: exactly the numbers that stand there, or a refusal that says what to do."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.plot import MAX_CATEGORIES, MAX_SERIES, Encoding, Plot, Undrawable, plotted

HOURS = [["2026-11-20 11:00:00", 7.5], ["2026-11-20 10:00:00", 3], ["2026-11-20 12:00:00", None]]
MOMENTS = tuple(f"2026-11-20 {hour}:00:00" for hour in (10, 11, 12))
LINE = Encoding("line", "hour", ("p99",))


def refusal(columns: list[str], rows: list[list[Any]], encoding: Encoding) -> str:
    with pytest.raises(Undrawable) as caught:
        plotted(columns, rows, encoding)
    return str(caught.value)


def test_moments_run_from_left_to_right_without_what_they_share() -> None:
    plot = plotted(["hour", "p99"], HOURS, LINE)
    assert plot == Plot("line", ("11-20 10:00", "11-20 11:00", "11-20 12:00"), (("p99", (3.0, 7.5, None)),), MOMENTS)


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (["2026-11-20 00:00:00", "2026-11-21 00:00:00"], ("2026-11-20", "2026-11-21")),
        (["2026-12-31 23:00:00", "2027-01-01 00:00:00"], ("2026-12-31 23:00", "2027-01-01 00:00")),
        (["2026-11-20T10:00:30", "2026-11-20T10:00:00"], ("11-20 10:00", "11-20 10:00:30")),
        (["2026-11-20", "2026-11-19"], ("2026-11-19", "2026-11-20")),
    ],
)
def test_labels_of_moments_are_short_and_differ(cells: list[str], labels: tuple[str, ...]) -> None:
    assert plotted(["t", "n"], [[cell, 1] for cell in cells], Encoding("bar", "t", ("n",))).categories == labels


def test_names_stay_in_the_order_of_the_rows_and_numbers_under_a_line_do_not() -> None:
    names = plotted(["name", "n"], [["b", 1], ["a", 2]], Encoding("bar", "name", ("n",)))
    numbers = plotted(["size", "n"], [[10, 1], [9, 2]], Encoding("line", "size", ("n",)))
    assert (names.categories, numbers.categories) == (("b", "a"), ("9", "10"))
    assert names.moments == ()


def test_a_column_can_part_the_values_into_series_and_gaps_stay_gaps() -> None:
    rows = [["h1", "prod-a", 1], ["h1", "prod-b", 2], ["h2", "prod-b", 4]]
    plot = plotted(["h", "cluster", "n"], rows, Encoding("line", "h", ("n",), "cluster"))
    assert plot.series == (("prod-a", (1.0, None)), ("prod-b", (2.0, 4.0)))


def test_several_columns_are_several_series() -> None:
    plot = plotted(["h", "mean", "top"], [["a", 1, 2], ["b", 3, 4]], Encoding("area", "h", ("mean", "top")))
    assert plot.series == (("mean", (1.0, 3.0)), ("top", (2.0, 4.0)))


def test_numbers_that_come_as_text_are_numbers() -> None:
    assert plotted(["a", "n"], [["x", "12.50"]], Encoding("bar", "a", ("n",))).series == (("n", (12.5,)),)


def test_two_rows_for_one_point_are_never_chosen_between() -> None:
    why = refusal(["h", "n"], [["a", 1], ["a", 2]], Encoding("line", "h", ("n",)))
    assert "two rows for a" in why and "GROUP BY" in why


@pytest.mark.parametrize("cell", ["fast", True, "nan", "inf", ""])
def test_what_is_no_number_is_refused(cell: Any) -> None:
    assert "no number" in refusal(["h", "n"], [["a", cell]], Encoding("line", "h", ("n",)))


def test_refusals_name_what_is_wrong() -> None:
    assert "no column q; it has h, n" in refusal(["h", "n"], [["a", 1]], Encoding("line", "h", ("q",)))
    assert "no rows" in refusal(["h", "n"], [], Encoding("line", "h", ("n",)))
    assert "all values are NULL" in refusal(["h", "n"], [["a", None]], Encoding("line", "h", ("n",)))
    assert "one y column" in refusal(["h", "n", "m"], [["a", 1, 2]], Encoding("line", "h", ("n", "m"), "h"))
    many = [[f"x{n}", 1] for n in range(MAX_CATEGORIES + 1)]
    assert f"{MAX_CATEGORIES} at most" in refusal(["h", "n"], many, Encoding("line", "h", ("n",)))
    crowd = [["a", f"c{n}", 1] for n in range(MAX_SERIES + 1)]
    assert f"{MAX_SERIES} at most" in refusal(["h", "c", "n"], crowd, Encoding("line", "h", ("n",), "c"))


def test_labels_that_would_read_the_same_are_refused() -> None:
    rows = [["a" * 70 + "1", 1], ["a" * 70 + "2", 2]]
    assert "read the same" in refusal(["h", "n"], rows, Encoding("bar", "h", ("n",)))


@pytest.mark.parametrize("value", [0, -1, None])
def test_a_pie_has_positive_parts_only(value: Any) -> None:
    assert "above 0 only" in refusal(["a", "n"], [["x", 1], ["y", value]], Encoding("pie", "a", ("n",)))


def test_a_pie_has_one_series_of_few_parts() -> None:
    assert "one series" in refusal(["a", "n", "m"], [["x", 1, 2]], Encoding("pie", "a", ("n", "m")))
    assert "one series" in refusal(["a", "n"], [[f"x{n}", 1] for n in range(13)], Encoding("pie", "a", ("n",)))


def test_a_plot_is_told_in_words_with_its_extremes() -> None:
    told = plotted(["hour", "p99"], HOURS, LINE).told()
    assert told == "line chart, 3 points from 11-20 10:00 to 11-20 12:00 UTC; p99 3 to 7.5 (highest at 11-20 11:00)"


@given(
    st.dictionaries(st.text(max_size=40), st.floats(allow_nan=False, allow_infinity=False) | st.integers(), max_size=20)
)
def test_every_number_that_is_drawn_stands_in_a_row(points: dict[str, float]) -> None:
    rows = [[label, value] for label, value in points.items()]
    try:
        plot = plotted(["a", "n"], rows, Encoding("bar", "a", ("n",)))
    except Undrawable:
        return
    ((_, values),) = plot.series
    assert sorted(value for value in values if value is not None) == sorted(float(value) for value in points.values())
    assert all(math.isfinite(value) for value in values if value is not None)
