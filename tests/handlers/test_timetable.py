"""What can be typed about when reports come, and which slot is next."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.timetable import (
    DAYS,
    FOREVER,
    NotATimetable,
    Timetable,
    silence,
    timetable_json,
    timetable_of,
    told,
)

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
"""A Friday."""
EMPTY = Timetable("x:C")
FULL = Timetable("x:C", "08:00", "18:00", "mon 09:00", "Asia/Shanghai")

TOLD = [
    ("morning 8:05", Timetable("x:C", "08:05", name="Anna")),
    (
        "morning 08:00 evening 18:30 europe/berlin",
        Timetable("x:C", "08:00", "18:30", zone="Europe/Berlin", name="Anna"),
    ),
    ("weekly monday 9:00 utc", Timetable("x:C", weekly="mon 09:00", name="Anna")),
    ("america/new_york", Timetable("x:C", zone="America/New_York", name="Anna")),
    ("us/pacific", Timetable("x:C", zone="US/Pacific", name="Anna")),
]


@pytest.mark.parametrize(("words", "timetable"), TOLD)
def test_times_days_and_zones_are_understood(words: str, timetable: Timetable) -> None:
    assert told(words.split(), EMPTY, "Anna") == timetable


def test_what_is_not_mentioned_stays_and_off_takes_it_away() -> None:
    assert told(["evening", "off"], FULL, "Bob") == Timetable("x:C", "08:00", "", "mon 09:00", FULL.zone, name="Bob")
    assert told(["weekly", "off"], FULL, "Bob").weekly == ""
    assert list(told(["off"], FULL, "Bob").slots()) == []


WRONG = [
    ("morning", "timetable.time", ""),
    ("morning 25:00", "timetable.time", "25:00"),
    ("morning noon", "timetable.time", "noon"),
    ("morning ٠٨:٣٠", "timetable.time", "٠٨:٣٠"),
    ("morning 08:00:30", "timetable.time", "08:00:30"),
    ("weekly off off", "timetable.word", "off"),
    ("weekly someday 08:00", "timetable.day", "someday"),
    ("weekly mon", "timetable.time", ""),
    ("daily 08:00", "timetable.word", "daily"),
    ("../../etc/passwd", "timetable.word", "../../etc/passwd"),
    ("morning 08:00 mars/base", "timetable.word", "mars/base"),
]


@pytest.mark.parametrize(("words", "key", "word"), WRONG)
def test_what_is_no_timetable_is_named(words: str, key: str, word: str) -> None:
    with pytest.raises(NotATimetable) as wrong:
        told(words.split(), EMPTY, "Anna")
    assert (wrong.value.key, wrong.value.word) == (key, word)


@given(st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=4))
def test_whatever_is_typed_becomes_a_timetable_that_can_be_kept_or_is_refused(words: list[str]) -> None:
    try:
        made = told(words, EMPTY, "Anna")
    except NotATimetable:
        return
    assert timetable_of(timetable_json(made)) == made


WORDS = st.sampled_from(
    ["morning", "evening", "weekly", "off", "8:05", "23:59", "fri", "sunday", "utc", "asia/shanghai"]
)


@given(st.lists(WORDS, min_size=1, max_size=8), st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)))
def test_whatever_is_understood_can_be_shown_typed_again_and_comes(words: list[str], now: datetime) -> None:
    try:
        made = told(words, FULL, "Anna")
    except NotATimetable:
        return
    slots = list(made.slots())
    assert all(re.fullmatch(r"[0-2][0-9]:[0-5][0-9]", at) for _, _, at in slots)
    typed = [part for name, day, at in slots for part in ((name, day, at) if day else (name, at))]
    assert told([*typed, made.zone.lower()], Timetable("x:C"), "Anna") == made
    found = made.following(now.replace(tzinfo=UTC))
    assert (found is None) is (slots == [])
    assert found is None or found[0] in {name for name, _, _ in slots}


CHANGES = [
    # the night that has no half past two, and the one that has it twice
    (datetime(2026, 3, 29, 0, 0, tzinfo=UTC), "02:30"),
    (datetime(2026, 10, 24, 23, 0, tzinfo=UTC), "02:30"),
]


@pytest.mark.parametrize(("night", "at"), CHANGES)
def test_in_the_night_when_the_clocks_change_each_day_has_its_slot_once(night: datetime, at: str) -> None:
    berlin = Timetable("x:C", at, zone="Europe/Berlin")
    moment, seen = night, []
    for _ in range(4):
        found = berlin.following(moment)
        assert found is not None
        moment = found[1].astimezone(UTC)
        seen.append(found[1].date())
    assert len(set(seen)) == 4
    assert [(later - earlier).days for earlier, later in pairwise(seen)] == [1, 1, 1]


def test_the_next_slot_is_the_nearest_one_that_is_still_to_come() -> None:
    # 08:00 UTC is 16:00 in Shanghai
    evening = datetime(2026, 11, 20, 18, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert FULL.following(NOW) == ("evening", evening)
    assert FULL.following(evening) == ("morning", evening + timedelta(hours=14))
    sunday_night = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
    weekly = Timetable("x:C", weekly="mon 09:00", zone="Asia/Shanghai")
    assert weekly.following(sunday_night) == ("weekly", datetime(2026, 11, 23, 1, 0, tzinfo=UTC))
    assert EMPTY.following(NOW) is None


def test_eight_in_the_morning_stays_eight_when_the_clocks_change() -> None:
    berlin = Timetable("x:C", "08:00", zone="Europe/Berlin")
    before, after = (berlin.following(datetime(2026, 10, day, 12, tzinfo=UTC)) for day in (23, 25))
    assert [one and one[1].astimezone(UTC).hour for one in (before, after)] == [6, 7]


def test_a_muted_channel_waits_until_its_silence_is_over() -> None:
    tomorrow = NOW + timedelta(days=1)
    muted = Timetable("x:C", "09:00", muted_until=tomorrow)
    assert muted.is_muted(NOW)
    assert not muted.is_muted(tomorrow)
    assert muted.following(NOW) == ("morning", tomorrow + timedelta(hours=1))
    assert Timetable("x:C", "09:00", muted_until=FOREVER).following(NOW) is None


@given(st.sampled_from(DAYS), st.times(), st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)), st.booleans())
def test_the_next_slot_is_within_a_week_and_on_its_day(day: str, at, now: datetime, weekly: bool) -> None:
    time = f"{at.hour:02d}:{at.minute:02d}"
    made = Timetable("x:C", weekly=f"{day} {time}") if weekly else Timetable("x:C", time)
    found = made.following(now.replace(tzinfo=UTC))
    assert found is not None
    ahead = found[1] - now.replace(tzinfo=UTC)
    assert timedelta(0) < ahead <= timedelta(days=7 if weekly else 1)
    assert not weekly or DAYS[found[1].weekday()] == day


SPANS = [("8h", timedelta(hours=8)), ("3d", timedelta(days=3)), ("999d", timedelta(days=999))]


@pytest.mark.parametrize(("word", "span"), SPANS)
def test_a_silence_is_so_many_hours_or_days(word: str, span: timedelta) -> None:
    assert silence([word], NOW) == NOW + span


def test_a_silence_without_a_span_has_no_end() -> None:
    assert silence([], NOW) == FOREVER


@pytest.mark.parametrize("words", [["soon"], ["0h"], ["8h", "please"], ["1000d"], ["1٠h"], ["-1h"], ["1.5h"]])
def test_what_is_no_span_is_refused(words: list[str]) -> None:
    with pytest.raises(NotATimetable, match="span"):
        silence(words, NOW)
