"""Specifications: the chart's own figures, no address, and no name that becomes code."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.charts.vega import SCHEMA, specification
from handlers.document import Chart, Series
from tests.bot.charts.conftest import ALL, AREA, BESIDE, COURSE, PARTS, RANKING

WRITTEN = re.compile(r"'((?:\\u[0-9a-f]{4})*)'")


def names(expression: str) -> list[str]:
    """The names in a list of Vega's expression language, which has to be one list of escaped texts and no more."""
    assert re.fullmatch(r"\[('(\\u[0-9a-f]{4})*'(, )?)*\](\[datum\.value\])?", expression), expression
    return [json.loads(f'"{name}"') for name in WRITTEN.findall(expression)]


@pytest.mark.parametrize("chart", ALL, ids=lambda chart: f"{chart.kind}-{len(chart.series)}")
def test_every_figure_is_in_the_data_once_and_in_its_place(chart: Chart) -> None:
    values = specification(chart)["data"]["values"]
    found = {(value["s"], value["x"]): value["y"] for value in values}
    assert len(found) == len(values)
    assert found == {
        (series, place): value for series, one in enumerate(chart.series) for place, value in enumerate(one.values)
    }


def test_a_course_keeps_its_gaps_and_need_not_begin_at_zero() -> None:
    spec = specification(COURSE)
    assert {"x": 7, "y": None, "s": 0} in spec["data"]["values"]
    assert spec["encoding"]["y"]["scale"]["zero"] is False
    assert spec["encoding"]["y"]["axis"]["title"] == "ms"
    assert names(spec["encoding"]["color"]["legend"]["labelExpr"]) == ["mean", "highest"]


def test_bars_begin_at_zero_and_lie_where_names_are_long() -> None:
    lying, standing = specification(RANKING)["encoding"], specification(BESIDE)["encoding"]
    assert lying["x"]["scale"]["zero"] and standing["y"]["scale"]["zero"]
    assert names(lying["y"]["axis"]["labelExpr"]) == ["prod-lakehouse-01", "b"]
    assert (standing["xOffset"]["field"], "yOffset" in lying) == ("s", False)


def test_large_values_are_written_short() -> None:
    assert specification(BESIDE)["encoding"]["y"]["axis"]["format"] == "~s"
    huge = Chart("line", "t", ("a",), (Series("s", (1e300,)),))
    assert specification(huge)["encoding"]["y"]["axis"]["format"] == ".2e"
    assert "format" not in specification(COURSE)["encoding"]["y"]["axis"]


def test_twelve_series_have_twelve_colours() -> None:
    many = Chart("line", "t", ("a",), tuple(Series(f"s{n}", (1.0,)) for n in range(12)))
    colours = specification(many)["encoding"]["color"]["scale"]["range"]
    assert len(set(colours)) == len(colours) == 12


def test_areas_are_not_stacked_into_sums() -> None:
    assert specification(AREA)["encoding"]["y"]["stack"] is None


def test_parts_say_their_value_and_share() -> None:
    assert names(specification(PARTS)["encoding"]["color"]["legend"]["labelExpr"]) == ["3.3: 30 (75%)", "3.5: 10 (25%)"]


def test_a_few_of_many_labels_are_written() -> None:
    many = Chart("line", "t", tuple(map(str, range(400))), (Series("s", tuple(map(float, range(400)))),))
    assert len(specification(many)["encoding"]["x"]["axis"]["values"]) <= 12


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for key, one in value.items() for text in (key, *strings(one))]
    if isinstance(value, list):
        return [text for one in value for text in strings(one)]
    return [value] if isinstance(value, str) else []


TEXT = st.text(max_size=30) | st.sampled_from(["'] + 1", "\\", "\\u0027", '"', "https://evil.example/x.json", "\ud800"])


@given(st.sampled_from(["line", "bar", "area", "pie"]), TEXT, TEXT, st.lists(TEXT, min_size=1, max_size=4), TEXT)
def test_no_name_becomes_code_or_an_address(kind: Any, title: str, unit: str, labels: list[str], series: str) -> None:
    two = (Series(series, (1.0,) * len(labels)),) * (1 if kind == "pie" else 2)
    spec = specification(Chart(kind, title, tuple(labels), two, unit))
    assert set(spec["data"]) == {"values"}
    for text in (text for text in strings(spec) if "datum" in text):
        names(text)
    plain = {"title", "description", "unit"}
    addresses = [text for text in strings({k: v for k, v in spec.items() if k not in plain}) if "://" in text]
    assert addresses == [SCHEMA] or "://" in unit
