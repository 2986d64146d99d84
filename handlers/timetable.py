"""When a channel gets its reports: what can be typed about it, and which slot comes next. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from handlers.zones import zone_named

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
"""The end of a silence that has none."""
SLOTS = ("morning", "evening", "weekly")

_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_SPAN = re.compile(r"([1-9][0-9]{0,2})([hd])")


class NotATimetable(ValueError):
    """What was typed is none; `key` and `word` say why, for the catalogue of texts."""

    def __init__(self, key: str, word: str) -> None:
        super().__init__(f"{key}: {word}")
        self.key = key
        self.word = word


@dataclass(frozen=True, slots=True)
class Timetable:
    """The slots of one channel. `morning` and `evening` are HH:MM, `weekly` is `mon HH:MM`, empty = none, all in the
    time zone `zone`. Until `muted_until` (aware UTC) nothing is posted by the clock. `name` = who set it; empty = the
    settings of the installation."""

    place: str
    morning: str = ""
    evening: str = ""
    weekly: str = ""
    zone: str = "UTC"
    muted_until: datetime | None = None
    name: str = ""

    def is_muted(self, now: datetime) -> bool:
        """Whether the clock is silent at this moment."""
        return self.muted_until is not None and now < self.muted_until

    def slots(self) -> Iterator[tuple[str, str, str]]:
        """Name, day of the week (or empty for every day) and HH:MM of each slot that is set."""
        for name, at in (("morning", self.morning), ("evening", self.evening)):
            if at:
                yield name, "", at
        if self.weekly:
            day, at = self.weekly.split()
            yield "weekly", day, at

    def following(self, now: datetime) -> tuple[str, datetime] | None:
        """The next slot that will be posted and its moment (aware, in `zone`); None when there is none."""
        after = max(now, self.muted_until) if self.muted_until else now
        if after >= FOREVER:
            return None
        found = [(name, self._next(day, at, after)) for name, day, at in self.slots()]
        return min(found, key=lambda one: one[1], default=None)

    def _next(self, day: str, at: str, after: datetime) -> datetime:
        hour, minute = map(int, at.split(":"))
        local = after.astimezone(ZoneInfo(self.zone))
        for ahead in range(9):
            # wall clock, so that 08:00 stays 08:00 over a change to summer time
            date = local.date() + timedelta(days=ahead)
            slot = datetime(date.year, date.month, date.day, hour, minute, tzinfo=ZoneInfo(self.zone))
            if slot > after and (not day or DAYS[slot.weekday()] == day):
                return slot
        raise AssertionError("nine days hold every day of the week")


def told(words: Sequence[str], current: Timetable, name: str) -> Timetable:
    """The timetable after `words`, e.g. `morning 08:00 evening off Asia/Shanghai`. Raises NotATimetable."""
    if list(words) == ["off"]:
        return replace(current, morning="", evening="", weekly="", name=name)
    waiting, changed = list(words), current
    while waiting:
        word = waiting.pop(0)
        if word == "morning":
            changed = replace(changed, morning=_time(waiting))
        elif word == "evening":
            changed = replace(changed, evening=_time(waiting))
        elif word == "weekly":
            changed = replace(changed, weekly=_weekly(waiting))
        else:
            changed = replace(changed, zone=_zone(word))
    return replace(changed, name=name)


def silence(words: Sequence[str], now: datetime) -> datetime:
    """Until when `mute` with these words is silent. Raises NotATimetable."""
    if not words:
        return FOREVER
    found = _SPAN.fullmatch(words[0])
    if found is None or len(words) > 1:
        raise NotATimetable("timetable.span", " ".join(words))
    return now + int(found[1]) * (timedelta(hours=1) if found[2] == "h" else timedelta(days=1))


def _time(waiting: list[str]) -> str:
    word = waiting.pop(0) if waiting else ""
    if word == "off":
        return ""
    if (found := _CLOCK.fullmatch(word)) is None:
        raise NotATimetable("timetable.time", word)
    return f"{int(found[1]):02d}:{found[2]}"


def _weekly(waiting: list[str]) -> str:
    word = waiting.pop(0) if waiting else ""
    if word == "off":
        return ""
    if word[:3] not in DAYS:
        raise NotATimetable("timetable.day", word)
    at = _time(waiting)
    return f"{word[:3]} {at}" if at else ""


def _zone(word: str) -> str:
    if (zone := zone_named(word)) is None:
        raise NotATimetable("timetable.word", word)
    return zone


_TIMETABLE: TypeAdapter[Timetable] = TypeAdapter(Timetable)


def timetable_json(timetable: Timetable) -> Any:
    """As plain JSON; read back by `timetable_of`."""
    return _TIMETABLE.dump_python(timetable, mode="json")


def timetable_of(body: Any) -> Timetable:
    """Raises ValueError for what `timetable_json` did not make."""
    return _TIMETABLE.validate_python(body)
