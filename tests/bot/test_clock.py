"""The names of slots."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.clock import slot_key


def test_a_slot_has_one_name_whichever_zone_it_is_seen_from() -> None:
    moment = datetime(2026, 11, 20, 8, 0, 30, tzinfo=UTC)
    elsewhere = moment.astimezone(ZoneInfo("Asia/Tokyo"))
    assert slot_key("morning", moment) == slot_key("morning", elsewhere) == "clock:morning:2026-11-20T08:00"
    assert slot_key("morning", moment + timedelta(days=1)) != slot_key("morning", moment)
