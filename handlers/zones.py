"""Time zones by the names that people type."""

from functools import cache
from zoneinfo import ZoneInfo, available_timezones


def zone_named(name: str) -> str | None:
    """The right spelling of a time zone's name, None when there is none."""
    try:
        return ZoneInfo(next((known for known in _zones() if known.casefold() == name.casefold()), name)).key
    except (KeyError, ValueError, OSError):
        return None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
