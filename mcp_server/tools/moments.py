"""Times of questions and answers: the window a question is about, and UTC told in another zone."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field

from mcp_server.errors import Code, Refusal
from mcp_server.executor import Column
from mcp_server.results import Result
from mcp_server.values import Scalar

Zone = Annotated[str, Field(max_length=64, description="IANA zone of times; else UTC")]
Until = Annotated[str, Field(max_length=40, description="ISO end of the window; else now")]

_FORMAT = "%Y-%m-%d %H:%M:%S"
_STORED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Window:
    """From `since` to `until`, asked at `now`; all of them aware, in UTC."""

    since: datetime
    until: datetime
    now: datetime

    def values(self) -> Mapping[str, str]:
        """The window as queries take it: texts `since`, `until`, `now` in UTC."""
        return {"since": stored(self.since), "until": stored(self.until), "now": stored(self.now)}

    def stepped(self, hours: int) -> "Window":
        """The window begun at a whole step of so many hours of the UTC day, so that no step is cut at its start."""
        whole = self.since.replace(minute=0, second=0, microsecond=0)
        return replace(self, since=whole - timedelta(hours=whole.hour % hours))

    def text(self, zone: ZoneInfo | None) -> str:
        """`window 2026-03-10 08:00 to 2026-03-11 08:00 UTC`."""
        ends = [moment.astimezone(zone or UTC) for moment in (self.since, self.until)]
        return f"window {ends[0]:%Y-%m-%d %H:%M} to {ends[1]:%Y-%m-%d %H:%M} {zone.key if zone else 'UTC'}"


def window(now: datetime, length: timedelta, until: str, zone: ZoneInfo | None) -> Window:
    """The window of a length that ends at `until` (no offset: in `zone`; empty: now), at most now. Raises Refusal."""
    end = _instant(until, zone) if until else now
    # not the start of the window: for the first year there is none
    if end < datetime(2000, 1, 1, tzinfo=UTC) + length:
        raise _refusal("until", "the window lies before any data", until, ())
    end = min(end, now)
    return Window(end - length, end, now)


def zone_named(name: str) -> ZoneInfo | None:
    """The zone of an IANA name, None for UTC and for an empty name. Raises Refusal with names like it."""
    if name.upper() in {"", "UTC", "Z"}:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        known = available_timezones()
        towns = {zone.rpartition("/")[2].lower(): zone for zone in sorted(known, reverse=True)}
        wanted = name.rpartition("/")[2].strip().lower().replace(" ", "_")
        near = [towns[town] for town in difflib.get_close_matches(wanted, towns, 4, 0.6)]
        raise _refusal("zone", "there is no such time zone", name, near) from None


def told_in(zone: ZoneInfo | None, result: Result) -> Result:
    """The result with its DATETIME columns, UTC in the warehouse, as local times with their offset.

    The columns are renamed to `name (zone)`. Without a zone the result is given back as it is.
    """
    places = {place for place, column in enumerate(result.columns) if column.type == "DATETIME"}
    if zone is None or not places:
        return result
    columns = tuple(
        Column(f"{column.name} ({zone.key})", "VARCHAR") if place in places else column
        for place, column in enumerate(result.columns)
    )
    rows = [[_local(zone, cell) if place in places else cell for place, cell in enumerate(row)] for row in result.rows]
    # What is stored under the query's id is in UTC and has other columns.
    return replace(result, columns=columns, rows=rows, stored=False)


def stored(moment: datetime) -> str:
    """An instant as the warehouse writes it: UTC without offset, whole seconds."""
    return moment.astimezone(UTC).strftime(_FORMAT)


def _local(zone: ZoneInfo, cell: Scalar) -> Scalar:
    if not isinstance(cell, str) or not _STORED.fullmatch(cell):
        return cell
    try:
        local = datetime.fromisoformat(cell).replace(tzinfo=UTC).astimezone(zone)
    except (ValueError, OverflowError):
        # a warehouse says "never" with its first or last time, which other zones and calendars do not have
        return f"{cell}+0000"
    return f"{local.replace(tzinfo=None).isoformat(' ', 'seconds')}{local:%z}"


def _instant(text: str, zone: ZoneInfo | None) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
        aware = moment if moment.tzinfo else moment.replace(tzinfo=zone or UTC)
        return aware.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _refusal("until", "this is no ISO time", text, ("2026-03-10T08:00",)) from None


def _refusal(rule: str, reason: str, part: str, near: tuple[str, ...] | list[str]) -> Refusal:
    return Refusal(rule, Code.BAD_ARGUMENT, reason, part=part, near=near)
