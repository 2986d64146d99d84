"""The two patrol times, in the channel's zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.clock import patrol_clock, slot_key


async def ignore(report_type: str) -> None:
    raise AssertionError(report_type)


@pytest.mark.parametrize(
    ("zone", "after", "morning"),
    [
        ("UTC", datetime(2026, 11, 20, 0, 0, tzinfo=UTC), datetime(2026, 11, 20, 8, 0, tzinfo=UTC)),
        ("UTC", datetime(2026, 11, 20, 8, 0, 1, tzinfo=UTC), datetime(2026, 11, 21, 8, 0, tzinfo=UTC)),
        ("Asia/Shanghai", datetime(2026, 11, 20, 0, 0, 1, tzinfo=UTC), datetime(2026, 11, 21, 0, 0, tzinfo=UTC)),
        # daylight time ends in Los Angeles on 2026-11-01: eight o'clock moves by an hour of UTC
        ("America/Los_Angeles", datetime(2026, 10, 31, 16, 0, tzinfo=UTC), datetime(2026, 11, 1, 16, 0, tzinfo=UTC)),
        ("America/Los_Angeles", datetime(2026, 10, 30, 16, 0, tzinfo=UTC), datetime(2026, 10, 31, 15, 0, tzinfo=UTC)),
    ],
)
def test_the_morning_patrol_is_at_eight_in_the_zone(zone: str, after: datetime, morning: datetime) -> None:
    scheduler = patrol_clock("08:00", "18:00", zone, ignore)
    jobs = {job.id: job for job in scheduler.get_jobs()}
    assert set(jobs) == {"morning", "evening"}
    assert jobs["morning"].args == ("morning",)
    assert jobs["morning"].trigger.get_next_fire_time(None, after) == morning


def test_a_slot_has_one_name_whichever_zone_it_is_seen_from() -> None:
    moment = datetime(2026, 11, 20, 8, 0, 30, tzinfo=UTC)
    elsewhere = moment.astimezone(ZoneInfo("Asia/Tokyo"))
    assert slot_key("morning", moment) == slot_key("morning", elsewhere) == "clock:morning:2026-11-20T08:00"
    assert slot_key("morning", moment + timedelta(days=1)) != slot_key("morning", moment)
