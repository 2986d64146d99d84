"""Charts in characters."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.charts.sparks import BARS, WIDTH, sparks
from handlers.document import Chart, Series
from tests.bot.charts.conftest import AREA, BESIDE, COURSE, PARTS, RANKING


def test_a_course_shows_its_shape_its_gap_and_its_extremes() -> None:
    title, mean, highest, labels = sparks(COURSE)
    assert title == "query p99 (UTC), ms"
    assert mean.startswith("mean     ▁▁▂") and "·" in mean and mean.endswith("100 to 123, last 123")
    assert "·" not in highest and highest.count("█") >= 1
    assert labels.endswith("11-20 00:00 … 11-20 23:00")


def test_one_that_never_moves_is_neither_low_nor_high() -> None:
    assert "▅" in list(sparks(AREA))[1]
    flat = Chart("line", "t", ("a", "b"), (Series("s", (2.0, 2.0)), Series("none", (None, None))))
    _, still, none, _ = sparks(flat)
    assert "▅▅" in still
    assert "··" in none and none.endswith("no value")


def test_a_long_course_is_condensed_without_losing_its_peak() -> None:
    values = tuple(1000.0 if place == 333 else 1.0 for place in range(400))
    line = list(sparks(Chart("line", "t", tuple(map(str, range(400))), (Series("s", values),))))[1]
    assert line.count("█") == 1
    assert len(line.split()[1]) <= WIDTH


def test_bars_are_as_long_as_their_values() -> None:
    _, first, second = sparks(RANKING)
    assert first == f"prod-lakehouse-01  {'█' * (WIDTH // 2)} 90.5"
    assert second == "b                   –"
    lines = list(sparks(BESIDE))
    assert lines[1].endswith("1 prod-a") and lines[2].startswith("  ") and lines[4].endswith("4,000,000 prod-b")
    assert [line.count("█") for line in list(sparks(PARTS))[1:]] == [30, 10]


def test_many_bars_are_counted() -> None:
    many = Chart("bar", "t", tuple(map(str, range(90))), (Series("s", (1.0,) * 90),))
    assert list(sparks(many))[-1] == f"… the first {BARS} of 90"


@given(
    st.sampled_from(["line", "bar", "area", "pie"]),
    st.text(max_size=40),
    st.lists(st.tuples(st.text(max_size=40), st.none() | st.floats(allow_nan=False, allow_infinity=False)), max_size=9),
)
def test_any_chart_is_lines_of_harmless_text(kind: Any, text: str, points: list[tuple[str, float | None]]) -> None:
    labels, values = tuple(name for name, _ in points), tuple(value for _, value in points)
    for line in sparks(Chart(kind, text, labels, (Series(text, values),), text)):
        assert "\x1b" not in line and "\u202e" not in line
