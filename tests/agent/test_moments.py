"""Points in time in a text: which there are, and which of them are known."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.moments import Known, moments, read_in

ONSET = datetime(2026, 11, 20, 19, 0)
ODD = datetime(2026, 11, 20, 18, 47, 12)
KNOWN = Known(frozenset({ONSET, ODD}), (ONSET + timedelta(hours=30),))


def written(text: str) -> list[str]:
    return [text[one.start : one.end] for one in moments(text)]


def unknown(text: str, known: Known = KNOWN) -> list[str]:
    return [text[one.start : one.end] for one in moments(text) if not known.holds(one)]


@pytest.mark.parametrize(
    "text",
    [
        "since 2026-11-20 19:00 UTC",
        "since 2026-11-20T19:00:00Z",
        "since 11-20 19:00",
        "at 19:00 and again at 18:47",
        "on 2026-11-20",
        "on Nov. 20, NOV 20, 20 nov,",
        "on Nov 20, on 20 November 2026, on November 20th, 2026 at 19:00",
        "自11月20日 19:00起,2026年11月20日",
        "about 19:30, 约 19:10, 19:20 左右, shortly after 18:20",
        "at 03:00 (Asia/Shanghai), 12:00 PST, 04:30 +08:00",
        "on 2026-11-20 18:47:12.5",
    ],
)
def test_times_that_are_known_are_found_and_hold(text: str) -> None:
    assert written(text)
    assert unknown(text) == []


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("since 2026-11-20 20:00 UTC", ["2026-11-20 20:00"]),
        ("since 2025-11-20 19:00", ["2025-11-20 19:00"]),
        ("since 11-19 19:00", ["11-19 19:00"]),
        ("at 19:30", ["19:30"]),
        ("about 21:00", ["21:00"]),
        ("on Nov 19 and on 2026-11-18", ["Nov 19", "2026-11-18"]),
        ("on 2025-11-20", ["2025-11-20"]),
        ("自11月19日起", ["11月19日"]),
        ("at 03:05 (Asia/Shanghai)", ["03:05"]),
    ],
)
def test_times_that_nobody_read_do_not_hold(text: str, missing: list[str]) -> None:
    assert unknown(text) == missing


@pytest.mark.parametrize(
    "text",
    [
        "a ratio of 1:1",
        "25:00",
        "10.0.0.1:9030",
        "host:19:00x",
        "3.4.7",
        "2026-13-45",
        "11-20 nodes",
        "12:345",
        "q-12:34",
        "the load decreased 12 points after 3 separate and 2 marked failures",
        "separate 4, market 5, decline 20",
        "the other 3 may follow, 5 more may 10 hours later",
    ],
)
def test_what_is_no_time_is_left_alone(text: str) -> None:
    assert written(text) == []


def test_what_lies_ahead_may_be_told_in_round_hours() -> None:
    assert unknown("full by 2026-11-22 01:00") == []
    assert unknown("full by 2026-11-22 02:00") == []
    assert unknown("full by 2026-11-22 05:00") == ["2026-11-22 05:00"]


def test_around_midnight_the_clock_goes_round() -> None:
    late = Known(frozenset({datetime(2026, 11, 20, 23, 50)}))
    assert unknown("about 00:10", late) == []
    assert unknown("about 00:50", late) == ["00:50"]


def test_results_are_read_for_their_days_and_a_time_alone_is_no_point() -> None:
    found = list(read_in(["UPGRADE 11-20 18:47", "at 12:00", "2025-02-28 01:02:03 and 02-29 10:00"], 2026))
    assert found == [datetime(2026, 11, 20, 18, 47), datetime(2025, 2, 28, 1, 2)]


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.text(max_size=10))
def test_what_was_read_holds_however_it_is_written(at: datetime, noise: str) -> None:
    known = Known(frozenset({at}))
    for form in (f"{at:%Y-%m-%d %H:%M}", f"{at:%m-%d %H:%M}", f"{at:%H:%M}", f"{at:%Y-%m-%dT%H:%M:%S}"):
        assert unknown(f"since {form} UTC", known) == []


@given(st.text(alphabet="0123456789-: T月日年:./NovAMPMabout约", max_size=60))
def test_no_text_breaks_it_and_spans_lie_in_order(text: str) -> None:
    spans = [(one.start, one.end) for one in moments(text)]
    assert spans == sorted(spans)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    list(read_in([text], 2026))
