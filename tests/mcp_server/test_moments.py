"""Windows and zones: what is asked in local time is looked up in UTC, and told again in local time."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.errors import Refusal
from mcp_server.executor import Column
from mcp_server.results import Result
from mcp_server.tools.moments import Window, stored, told_in, window, zone_named

NOW = datetime(2026, 3, 10, 14, 25, 7, tzinfo=UTC)
BERLIN, PACIFIC = ZoneInfo("Europe/Berlin"), ZoneInfo("America/Los_Angeles")
DAY = timedelta(hours=24)


def result(*cells: str | None) -> Result:
    columns = (Column("at", "DATETIME"), Column("name", "VARCHAR"))
    return Result(
        columns, [[cell, "2026-01-01 00:00:00"] for cell in cells], False, "q-1", "SELECT 1", 0.1, (), stored=True
    )


def test_a_window_ends_now_unless_another_end_is_named() -> None:
    assert window(NOW, DAY, "", None) == Window(NOW - DAY, NOW, NOW)
    assert window(NOW, DAY, "2026-03-09T10:00", None).until == datetime(2026, 3, 9, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2026-03-09 10:00", BERLIN, "2026-03-09 09:00:00"),
        ("2026-03-09T10:00:00Z", BERLIN, "2026-03-09 10:00:00"),
        ("2026-03-09T10:00:00+05:30", None, "2026-03-09 04:30:00"),
        # The clocks went from 2 to 3 o'clock on the 8th.
        ("2026-03-08 03:30", PACIFIC, "2026-03-08 10:30:00"),
        ("2026-03-09", PACIFIC, "2026-03-09 07:00:00"),
    ],
)
def test_an_end_without_offset_is_meant_in_the_zone(text: str, zone: ZoneInfo | None, utc: str) -> None:
    assert window(NOW, DAY, text, zone).values()["until"] == utc


def test_a_window_does_not_reach_into_the_future() -> None:
    assert window(NOW, DAY, "2030-01-01", None).until == NOW


@pytest.mark.parametrize(
    "text", [" ", "yesterday", "2026-13-01", "10:00", "2026-03-09' OR '1'='1", "0001-01-01T00:00+14:00"]
)
def test_an_end_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        window(NOW, DAY, text, None)
    assert (refused.value.rule, refused.value.code) == ("until", "bad_argument")


def test_a_window_in_steps_begins_with_a_whole_step() -> None:
    stepped = window(NOW, timedelta(hours=20), "", None).stepped(6)
    assert (stored(stepped.since), stored(stepped.until)) == ("2026-03-09 18:00:00", "2026-03-10 14:25:07")
    assert stored(window(NOW, timedelta(hours=3), "", None).stepped(1).since) == "2026-03-10 11:00:00"


def test_a_window_is_told_in_the_zone() -> None:
    span = window(NOW, DAY, "", None)
    assert span.text(None) == "window 2026-03-09 14:25 to 2026-03-10 14:25 UTC"
    assert span.text(BERLIN) == "window 2026-03-09 15:25 to 2026-03-10 15:25 Europe/Berlin"


@pytest.mark.parametrize("name", ["", "UTC", "utc", "Z"])
def test_utc_is_no_zone_to_convert_to(name: str) -> None:
    assert zone_named(name) is None


@pytest.mark.parametrize(
    ("name", "near"),
    [("Berlin", "Europe/Berlin"), ("Europe/Berlim", "Europe/Berlin"), ("los angeles", "America/Los_Angeles")],
)
def test_an_unknown_zone_is_answered_with_names_like_it(name: str, near: str) -> None:
    with pytest.raises(Refusal) as refused:
        zone_named(name)
    assert near in refused.value.near


@pytest.mark.parametrize("name", [" ", "../../etc/passwd", "/etc/localtime", "Europe", "a\0b", "x" * 64])
def test_a_hostile_zone_is_only_an_unknown_one(name: str) -> None:
    with pytest.raises(Refusal, match="no such time zone"):
        zone_named(name)


def test_times_are_told_with_their_offset_on_both_sides_of_a_change_of_clocks() -> None:
    local = told_in(PACIFIC, result("2026-11-01 08:30:00", "2026-11-01 09:30:00", "2026-11-01 09:30:00.250000", None))
    assert [row[0] for row in local.rows] == [
        "2026-11-01 01:30:00-0700",
        "2026-11-01 01:30:00-0800",
        "2026-11-01 01:30:00-0800",
        None,
    ]
    assert local.columns[0] == Column("at (America/Los_Angeles)", "VARCHAR")


@pytest.mark.parametrize("cell", ["9999-12-31 23:59:59", "0001-01-01 00:00:00", "0000-01-01 00:00:00"])
@pytest.mark.parametrize("zone", [BERLIN, PACIFIC], ids=["east", "west"])
def test_a_time_that_the_zone_does_not_have_is_told_in_utc(cell: str, zone: ZoneInfo) -> None:
    ((told, _), (usual, _)) = told_in(zone, result(cell, "2026-11-01 08:30:00")).rows
    assert str(told).startswith(cell[:2])
    assert re.search(r"[+-]\d{4,6}$", str(told))
    assert usual != "2026-11-01 08:30:00"


@pytest.mark.parametrize("text", ["0001-01-01", "0001-01-01T23:59", "1969-07-20", "1999-12-31T23:59:59"])
def test_a_window_before_any_data_is_refused_however_early_it_is(text: str) -> None:
    with pytest.raises(Refusal, match="before any data"):
        window(NOW, DAY, text, None)


@given(
    st.text(max_size=25) | st.datetimes().map(datetime.isoformat), st.timedeltas(timedelta(0), timedelta(days=3_000))
)
def test_any_end_makes_a_window_in_the_past_or_is_refused(text: str, length: timedelta) -> None:
    try:
        found = window(NOW, length, text, BERLIN)
    except Refusal as refused:
        assert refused.code == "bad_argument"
        return
    assert found.until <= NOW
    assert found.until - found.since == length


def test_only_datetime_columns_are_converted_and_what_is_kept_stays_utc() -> None:
    utc = result("2026-11-01 08:30:00")
    local = told_in(BERLIN, utc)
    assert local.rows[0][1] == "2026-01-01 00:00:00"
    assert utc.rows[0][0] == "2026-11-01 08:30:00"
    assert not local.stored
    assert told_in(None, utc) is utc


@given(
    st.datetimes(datetime(2001, 1, 1), datetime(2099, 1, 1)), st.sampled_from(["Asia/Kolkata", "America/Los_Angeles"])
)
def test_a_local_time_leads_back_to_its_instant(moment: datetime, name: str) -> None:
    whole = moment.replace(microsecond=0)
    ((cell, _),) = told_in(ZoneInfo(name), result(stored(whole.replace(tzinfo=UTC)))).rows
    assert datetime.fromisoformat(str(cell)).astimezone(UTC).replace(tzinfo=None) == whole
