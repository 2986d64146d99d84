"""Figures and times as people read them, whatever the warehouse holds."""

import math
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.patrol.incidents import Incident, storm
from agent.patrol.report import FlaggedFinding
from agent.patrol.rules import load_rules
from handlers.figures import age, amount, figure, label, moment_of, named, sentence, sparkline, when
from handlers.locale import ENGLISH, Locale
from handlers.markdown import literal
from tests.agent.patrol.courses import AS_OF
from tests.handlers.reports import MOMENT, finding

SHANGHAI = Locale("zh", ZoneInfo("Asia/Shanghai"))
NEW_YORK = Locale("en", ZoneInfo("America/New_York"))
LOCALES = st.sampled_from([ENGLISH, SHANGHAI, NEW_YORK])
NUMBERS = st.floats(allow_nan=True, allow_infinity=True)

FIGURES = [
    (0, "0"),
    (12, "12"),
    (1_234_567, "1,234,567"),
    (100.0, "100"),
    (-3.0, "-3"),
    (1234.567, "1,234.57"),
    (0.01234, "0.0123"),
    (-0.5, "-0.5"),
    ("one\nline", "one line"),
]


@pytest.mark.parametrize(("value", "text"), FIGURES)
def test_a_figure_has_as_many_digits_as_people_read(value: float | str, text: str) -> None:
    assert figure(value) == text


@given(NUMBERS | st.integers() | st.text())
def test_any_figure_is_one_short_line(value: float | str) -> None:
    told = figure(value)
    assert "\n" not in told
    if isinstance(value, float) and math.isfinite(value) and 1e-3 < abs(value) < 1e12:
        assert math.isclose(float(told.replace(",", "")), value, rel_tol=0.01)


@given(st.lists(st.none() | NUMBERS, max_size=48))
@example([1.7e308, -1.7e308, 0.0])
@example([math.inf, 1.0])
@example([math.nan, 1.0, 2.0])
def test_a_course_of_any_numbers_is_drawn_a_character_for_every_hour(course: list[float | None]) -> None:
    drawn = sparkline(course)
    assert len(drawn) in (0, len(course))
    assert set(drawn) <= set("▁▂▃▄▅▆▇█·")
    assert bool(drawn) is any(one is not None and math.isfinite(one) for one in course)


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=48))
def test_a_course_that_only_grows_is_never_drawn_falling(course: list[float]) -> None:
    drawn = sparkline(sorted(course))
    assert list(drawn) == sorted(drawn)


TIMES = [
    ("2026-01-01 05:00", ENGLISH, "2026-01-01 05:00 UTC"),
    ("2026-01-01T05:00:00+00:00", SHANGHAI, "2026-01-01 13:00 CST"),
    ("2026-07-01 05:00", NEW_YORK, "2026-07-01 01:00 EDT"),
    ("2026-01-01 05:00+02:00", ENGLISH, "2026-01-01 03:00 UTC"),
    ("last <week>", ENGLISH, "last week"),
    ("", ENGLISH, ""),
]


@pytest.mark.parametrize(("text", "locale", "shown"), TIMES)
def test_a_time_of_a_report_is_shown_on_the_readers_clock(text: str, locale: Locale, shown: str) -> None:
    assert when(text, locale) == shown


EDGES = ["9999-12-31 23:59:59", "0001-01-01 00:00:00", "1970-01-01 00:00:00"]


@pytest.mark.parametrize("text", EDGES)
@pytest.mark.parametrize("locale", [ENGLISH, SHANGHAI, NEW_YORK], ids=["utc", "east", "west"])
def test_the_first_and_last_times_that_a_warehouse_knows_are_shown_too(text: str, locale: Locale) -> None:
    assert re.match(r"\d{1,4}-\d\d-\d\d \d\d:\d\d \w+", when(text, locale))


@given(st.datetimes(), LOCALES)
def test_any_moment_can_be_told_to_anybody(moment: datetime, locale: Locale) -> None:
    told = when(moment.isoformat(sep=" "), locale)
    assert told == locale.time(moment)
    assert told.count(":") == 1


@given(st.text(max_size=40))
def test_what_is_no_time_is_shown_without_markup(text: str) -> None:
    if moment_of(text) is None:
        assert not set(when(text, ENGLISH)) & set("<>*`[]()~#|\\&@\n")


AGES = [
    (timedelta(minutes=59), "0 hours"),
    (timedelta(hours=1), "1 hour"),
    (timedelta(hours=23, minutes=59), "23 hours"),
    (timedelta(days=1), "1 day"),
    (timedelta(days=9, hours=23), "9 days"),
    (timedelta(hours=-5), "0 hours"),
]


@pytest.mark.parametrize(("span", "told"), AGES)
def test_an_age_is_told_in_whole_hours_and_then_in_whole_days(span: timedelta, told: str) -> None:
    assert age(MOMENT - span, MOMENT, ENGLISH) == told


LABELS = [
    ("disk_used_pct", "disk used"),
    ("starrocks_fe_query_total", "starrocks_fe_query_total"),
    ("some_new_thing", "some new thing"),
    ("some_new_pct", "some new, %"),
    ("jvm_<script>", "jvm_script"),
]


@pytest.mark.parametrize(("dimension", "told"), LABELS)
def test_a_dimension_is_told_in_words_and_a_metric_by_its_name(dimension: str, told: str) -> None:
    assert label(dimension, ENGLISH) == told


def test_a_figure_stands_beside_its_usual_its_limit_where_it_leads_and_what_it_was() -> None:
    ahead = finding(91.0, hours_left=6.0, breaking=95.0)
    told = sentence(ahead, ENGLISH, before=88.0)
    for part in ("disk used 91%", "40%", "80%", "95%", "6", "88%"):
        assert part in told
    assert told.endswith(sparkline(ahead.course))


@pytest.mark.parametrize("more", [{"hours_left": 0.0, "breaking": 95.0}, {"hours_left": 6.0}, {"breaking": 95.0}])
def test_nothing_is_foretold_of_what_has_broken_already_or_has_no_limit(more: dict[str, float]) -> None:
    assert sentence(finding(97.0, **more), ENGLISH) == sentence(finding(97.0), ENGLISH)


@pytest.mark.parametrize(
    ("value", "down", "told"),
    [(79.9, False, False), (80.0, False, True), (95.0, False, True), (80.1, True, False), (80.0, True, True)],
)
def test_a_limit_that_is_not_met_is_not_told(value: float, down: bool, told: bool) -> None:
    english, chinese = (sentence(finding(value, down=down, course=()), one) for one in (ENGLISH, SHANGHAI))
    assert ("80%" in english.removeprefix("disk used 80%")) is told
    assert ("80%" in chinese.removeprefix("磁盘使用率 80%")) is told


def test_of_a_falling_figure_the_limit_is_a_lowest_one() -> None:
    up, down = (sentence(finding(80.0, down=down, course=()), ENGLISH) for down in (False, True))
    assert up != down
    assert "80%" in up
    assert "80%" in down


@pytest.mark.parametrize("dimension", ["freshness", "alerts"])
def test_what_no_figure_says_is_told_by_its_reason(dimension: str) -> None:
    told = sentence(finding(9.0, "Unknown", dimension, reason="nothing since *noon*"), ENGLISH)
    assert told == "nothing since \\*noon\\*"


@given(
    st.text(max_size=40), st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["%", "ms", ""]), LOCALES
)
def test_whatever_a_dimension_is_called_its_figure_holds_no_markup(
    dimension: str, value: float, unit: str, locale: Locale
) -> None:
    assert not set(named(dimension, value, unit, locale)) & set("<>*`[]()~#|\\&@\n")


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_of_a_report_is_read_back(moment: datetime) -> None:
    assert moment_of(moment.isoformat()) == moment
    assert moment_of(moment.replace(tzinfo=None).isoformat(sep=" ")) == moment


def silent(**more: object) -> FlaggedFinding:
    told = {"unit": "h", "reason": "no data for 9 h", "course": (), "baseline": 0.0, "threshold": 3.0}
    return finding(9.0, "Unknown", "freshness", **(told | more))


STORM = {"unit": "alerts", "reason": "6 different alerts since 23:00 UTC (usually 1 a day): BeDown, Disk*Full"}


@pytest.mark.parametrize(
    ("found", "chinese"),
    [
        (silent(), "9 小时没有数据(自 2026-11-18 16:00 CST 起),而其他集群仍在发送;其状态未知"),
        (silent(since=""), "9 小时内没有任何数据;其状态未知"),
        (silent(unit="metrics", since=""), "有 9 项指标不再发送,而其他指标仍在发送"),
        (
            finding(6.0, dimension="alerts", **(STORM | {"baseline": 1.0})),
            "自 2026-11-18 16:00 CST 起有 6 种不同的告警(通常每天 1 种): BeDown, Disk*Full",
        ),
        (
            finding(6.0, dimension="alerts", **(STORM | {"reason": "six", "since": "", "baseline": None})),
            "自 未知时间 起有 6 种不同的告警(通常每天 0 种)",
        ),
    ],
)
def test_what_no_figure_says_is_said_anew_in_chinese(found: FlaggedFinding, chinese: str) -> None:
    assert sentence(found, SHANGHAI) == literal(chinese)
    assert sentence(found, ENGLISH) == literal(found.reason)


def test_the_names_of_a_storm_that_the_patrol_found_are_kept() -> None:
    started = AS_OF - timedelta(hours=1)
    firing = [Incident("c1", name, started, started, 1, open=True) for name in ("a (b): c", "d", "e", "f", "g")]
    found = storm("c1", firing, AS_OF, load_rules().window, "q-1", critical=False)
    assert found is not None
    shown = finding(found.value, dimension="alerts", unit=found.unit, reason=found.reason, baseline=found.baseline)
    assert sentence(shown, SHANGHAI).endswith(literal(": a (b): c, d, e, f, g"))


@pytest.mark.parametrize(
    ("unit", "english", "chinese"),
    [
        ("jobs", "3 jobs", "3 个作业"),
        ("messages", "3 messages", "3 条消息"),
        ("%", "3%", "3%"),
        ("ms", "3 ms", "3 ms"),
        ("", "3", "3"),
        ("apples", "3 apples", "3 apples"),
    ],
)
def test_a_unit_that_is_a_word_is_a_word_of_the_reader(unit: str, english: str, chinese: str) -> None:
    assert (amount(3.0, unit, ENGLISH), amount(3.0, unit, SHANGHAI)) == (english, chinese)


def test_one_of_many_is_told_in_the_singular_where_the_language_has_one() -> None:
    paused = finding(1.0, dimension="routine_load_paused", unit="jobs", baseline=0.0, threshold=1.0, course=())
    assert "routine loads 1 job, usually 0 jobs at this hour, limit 1 job" in sentence(paused, ENGLISH)
    assert "1 个作业" in sentence(paused, SHANGHAI)
