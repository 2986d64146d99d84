"""The time of day: what `now` is, and the two scheduled patrols."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

Now = Callable[[], datetime]

LATE = 2 * 3600
"""A slot that could not run in time still runs when it is less than this late, seconds; older ones are skipped."""


def utc_now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


def slot_key(report_type: str, moment: datetime) -> str:
    """The name of one scheduled slot: the same for everybody who wakes up for it, so that it runs once."""
    return f"clock:{report_type}:{moment.astimezone(UTC):%Y-%m-%dT%H:%M}"


def patrol_clock(morning: str, evening: str, zone: str, run: Callable[[str], Awaitable[None]]) -> AsyncIOScheduler:
    """A scheduler that calls `run("morning")` and `run("evening")` at those times (HH:MM in `zone`) once started."""
    scheduler = AsyncIOScheduler(timezone=ZoneInfo(zone))
    for report_type, at in (("morning", morning), ("evening", evening)):
        hour, minute = at.split(":")
        scheduler.add_job(
            run,
            CronTrigger(hour=hour, minute=minute, timezone=ZoneInfo(zone)),
            args=[report_type],
            id=report_type,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=LATE,
        )
    return scheduler
