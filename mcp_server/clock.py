"""The clocks of the door, passed in wherever time is read so that tests can set it."""

from collections.abc import Callable
from datetime import UTC, datetime

Seconds = Callable[[], float]
"""Seconds that never jump, from any beginning."""
Now = Callable[[], datetime]
"""The time of day, UTC."""


def utc_now() -> datetime:
    """The machine's time of day, UTC."""
    return datetime.now(UTC)
