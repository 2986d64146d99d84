"""The time of day: what `now` is, and the names of the slots of scheduled patrols."""

from collections.abc import Callable
from datetime import UTC, datetime

Now = Callable[[], datetime]

LATE = 2 * 3600
"""A slot that could not run in time still runs when it is less than this late, seconds; older ones are told of."""


def utc_now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


def slot_key(report_type: str, moment: datetime) -> str:
    """The name of one scheduled slot: the same for everybody who wakes up for it, so that it runs once."""
    return f"clock:{report_type}:{moment.astimezone(UTC):%Y-%m-%dT%H:%M}"
