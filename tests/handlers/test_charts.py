"""Charts of a turn, from the rows that were read to what a reader sees, whatever the rows hold."""

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.answer import ToolTrace
from agent.charting import CHART
from agent.plot import MAX_SERIES, Encoding, Kind, Undrawable, plotted
from bot.lark.card import rendered
from bot.slack.blocks import messages
from handlers.charts import charts
from handlers.document import Chart, Document, Series
from handlers.locale import ENGLISH, Locale
from tests.fakes.lark.cards import problems as card_problems
from tests.fakes.slack import problems

BERLIN = Locale("en", ZoneInfo("Europe/Berlin"))
SHANGHAI = Locale("zh", ZoneInfo("Asia/Shanghai"))
LOCALES = st.sampled_from([ENGLISH, BERLIN, SHANGHAI])
KINDS: list[Kind] = ["line", "bar", "area", "pie"]
TIMES = st.datetimes().map(lambda moment: moment.isoformat(" ", "seconds"))
CELLS = st.none() | st.booleans() | st.integers() | st.floats() | TIMES | st.text(max_size=30)
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS).map(list), max_size=20)
COURSES = st.lists(st.tuples(TIMES, st.floats(0, 1e9)).map(list), min_size=1, max_size=20, unique_by=lambda row: row[0])


def traced(plot: dict[str, Any], **more: Any) -> ToolTrace:
    """A call of the chart tool, its data as it comes back out of a journal."""
    data = {"chart": plot | {"title": "p99", "unit": "ms", "alt": "It rises.", "of": "q-1"} | more}
    return ToolTrace(CHART, {}, is_error=False, seconds=0.1, data=json.loads(json.dumps(data)))


def course(*moments: str) -> dict[str, Any]:
    rows = [[moment, float(number)] for number, moment in enumerate(moments)]
    return plotted(["hour", "p99"], rows, Encoding("line", "hour", ("p99",))).data()


@given(ROWS, st.sampled_from(KINDS), st.booleans(), LOCALES)
@example([["a", 10**400, None]], "bar", False, ENGLISH)
@example([["a", "1" * 5000, None]], "bar", False, ENGLISH)
@example([[10**400, 1, None], [1, 2, None]], "line", False, ENGLISH)
def test_any_rows_are_drawn_or_refused_in_words_that_help(
    rows: list[list[Any]], kind: Kind, parted: bool, locale: Locale
) -> None:
    encoding = Encoding(kind, "a", ("b",), "c" if parted else "")
    try:
        plot = plotted(["a", "b", "c"], rows, encoding)
    except Undrawable as refused:
        assert str(refused)
        return
    (drawn,) = charts([traced(plot.data())], locale)
    assert len(drawn.categories) == len(set(drawn.categories)) == len({row[0] for row in rows})
    assert 1 <= len(drawn.series) <= MAX_SERIES
    assert plot.told().startswith(f"{kind} chart, {len(drawn.categories)} points")


@settings(max_examples=40)
@given(COURSES, st.sampled_from(KINDS), LOCALES)
@example([["9999-12-31 23:30:00", 1.0], ["2026-01-01 00:00:00", 2.0]], "line", SHANGHAI)
@example([["0001-01-01 00:30:00", 1.0], ["2026-01-01 00:00:00", 2.0]], "bar", ENGLISH)
def test_a_course_at_any_time_is_shown_on_both_platforms(rows: list[list[Any]], kind: Kind, locale: Locale) -> None:
    try:
        plot = plotted(["a", "b"], rows, Encoding(kind, "a", ("b",)))
    except Undrawable:
        return
    document = Document("p99", charts([traced(plot.data())], locale))
    for message in messages(document, ()):
        assert problems(list(message.blocks)) == []
    for card in rendered(document, ()).cards:
        assert card_problems(card) == []


ZONES = [
    (ENGLISH, ("11-20 23:00", "11-21 00:00"), "p99 (UTC)"),
    (BERLIN, ("00:00", "01:00"), "p99 (CET)"),
    (SHANGHAI, ("07:00", "08:00"), "p99 (CST)"),
]


@pytest.mark.parametrize(("locale", "ends", "title"), ZONES)
def test_times_are_those_of_the_readers_clock_and_the_title_says_whose(
    locale: Locale, ends: tuple[str, str], title: str
) -> None:
    (drawn,) = charts([traced(course("2026-11-20 23:00:00", "2026-11-21 00:00:00"))], locale)
    assert all(label.endswith(end) for label, end in zip(drawn.categories, ends, strict=True))
    assert drawn.title == title


def test_days_stay_days_in_every_zone() -> None:
    (drawn,) = charts([traced(course("2026-11-20 00:00:00", "2026-11-21 00:00:00"))], SHANGHAI)
    assert drawn.categories == ("2026-11-20", "2026-11-21")


def test_the_hour_that_comes_twice_in_autumn_is_shown_in_utc_and_the_title_says_so() -> None:
    (drawn,) = charts([traced(course("2026-10-25 00:00:00", "2026-10-25 01:00:00", "2026-10-25 02:00:00"))], BERLIN)
    assert len(set(drawn.categories)) == 3
    assert drawn.title == "p99 (UTC)"


def test_a_title_that_names_the_zone_is_left_as_it_is() -> None:
    (drawn,) = charts([traced(course("2026-11-20 23:00:00", "2026-11-21 00:00:00"), title="p99, UTC")], ENGLISH)
    assert drawn.title == "p99, UTC"


def test_a_chart_that_was_drawn_twice_is_shown_once_and_what_failed_not_at_all() -> None:
    once = traced(course("2026-11-20 23:00:00", "2026-11-21 00:00:00"))
    failed = ToolTrace(CHART, {}, is_error=True, seconds=0.1, data={"code": "bad_argument"})
    other = ToolTrace("read_query", {}, is_error=False, seconds=0.1, data={"chart": {"kind": "line"}})
    assert len(charts([once, failed, other, once])) == 1


CROOKED = [
    ("line", ("a", "b"), (Series("x", (1.0,)),)),
    ("bar", ("a",), (Series("x", (1.0,)), Series("y", (1.0, 2.0)))),
    ("line", ("a",), ()),
    ("pie", ("a",), (Series("x", (1.0,)), Series("y", (2.0,)))),
]


@pytest.mark.parametrize(("kind", "categories", "series"), CROOKED)
def test_a_chart_that_nobody_could_draw_cannot_be_made(kind: Kind, categories: Any, series: Any) -> None:
    with pytest.raises(ValueError, match=r"series"):
        Chart(kind, "p99", categories, series)


@given(
    st.lists(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), min_size=2, max_size=12, unique=True), LOCALES
)
def test_points_keep_their_order_and_their_values_on_every_clock(moments: list[datetime], locale: Locale) -> None:
    texts = sorted({moment.isoformat(" ", "seconds") for moment in moments})
    (drawn,) = charts([traced(course(*texts))], locale)
    assert [value for series in drawn.series for value in series.values] == [float(n) for n in range(len(texts))]
    assert len(set(drawn.categories)) == len(texts)
