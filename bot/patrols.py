"""The patrols and the housekeeping that the clock asks for, and when: by the settings, or as a channel set it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.clock import LATE, Now, slot_key
from bot.gate import BY_CLOCK
from bot.meters import Meters, SlotEnd
from bot.settings import Settings
from bot.store.findings import Delivery
from bot.store.timetables import StoredTimetables
from bot.turns.schedule import Schedule
from handlers.deps import Locales
from handlers.report import titled
from handlers.surface import Event, Mark, PatrolRequest, Surface
from handlers.timetable import DAYS, Timetable
from handlers.views import note_document

log = structlog.get_logger()

HOUSEKEEPING = "housekeeping"
NIGHTLY = Schedule(HOUSEKEEPING, "03:17", "UTC", made_up=False)
_IN = "@"
"""Between a slot and its channel in the name of a schedule; no platform has it in an id."""


SENTINEL = "sentinel"
QUARTERLY = Schedule(SENTINEL, "00:00", "UTC", made_up=False, every=15)
DEADLINE = timedelta(minutes=30)
"""How long after its slot a channel has its report, or an alarm is raised."""
_DUE = "due-"
"""Begins the name of the schedule by which the report of a slot has to be there."""


class Clock(Protocol):
    """What wakes us up."""

    async def apply(self, schedules: Sequence[Schedule]) -> None:
        """Make these the schedules of the bot, in every replica."""
        ...


def schedules(timetables: Sequence[Timetable], *, sentinel: bool = False) -> list[Schedule]:
    """The slots of all channels, the housekeeping at night, and the sentinel's where there is a channel to tell."""
    found = [NIGHTLY, *([QUARTERLY] if timetables and sentinel else [])]
    for one in timetables:
        for name, day, at in one.slots():
            found.append(Schedule(f"{name}{_IN}{one.place}", at, one.zone, day=day))
            # not made up for: whoever was away then is told that the patrol itself was missed
            due_at, due_day = _later(at, day)
            due = f"{_DUE}{name}{_IN}{one.place}"
            found.append(Schedule(due, due_at, one.zone, made_up=False, day=due_day))
    return found


def _later(at: str, day: str) -> tuple[str, str]:
    """The time of day, and the day of the week where there is one, by which the report of a slot is due."""
    hour, minute = map(int, at.split(":"))
    moment = timedelta(hours=hour, minutes=minute) + DEADLINE
    due = DAYS[(DAYS.index(day) + moment.days) % len(DAYS)] if day else ""
    return f"{moment.seconds // 3600:02d}:{moment.seconds // 60 % 60:02d}", due


def by_settings(settings: Settings, place: str) -> Timetable | None:
    """The timetable of the channel that the settings name; `place` is that channel as handlers name it."""
    if settings.patrol_channel is None:
        return None
    return Timetable(place, settings.patrol_morning, settings.patrol_evening, zone=settings.timezone)


class Delivered(Protocol):
    """Knows which channels got their reports."""

    async def delivery(self, place: str, since: datetime) -> Delivery:
        """What became of the reports, or of word that there can be none, for a channel from a moment on."""
        ...


class Rota:
    """Implements `handlers.desk.Timetables`: what a channel set goes before what the settings say. `clock` is None in a
    process that has none: what is set there is in force once a process with one is started."""

    def __init__(self, stored: StoredTimetables, default: Timetable | None, *, sentinel: bool = False) -> None:
        self._stored = stored
        self._sentinel = sentinel
        self._default = default
        self.clock: Clock | None = None

    @property
    def home(self) -> str:
        """The channel of the settings, empty when there is none."""
        return self._default.place if self._default else ""

    async def of(self, place: str) -> Timetable:
        """The timetable of a channel. Raises StoreUnreadable."""
        stored = await self._stored.of(place)
        if stored is not None:
            return stored
        return self._default if self._default and self._default.place == place else Timetable(place)

    async def all(self) -> Sequence[Timetable]:
        """The timetables of all channels that have one. Raises StoreUnreadable."""
        stored = list(await self._stored.all())
        own = self._default is None or any(one.place == self._default.place for one in stored)
        return stored if own or self._default is None else [self._default, *stored]

    async def put(self, timetable: Timetable) -> None:
        """Make it the timetable of its channel, now and after a restart. Raises StoreUnwritable."""
        await self._stored.put(timetable)
        await self.apply()

    async def apply(self) -> None:
        """Tell the clock how things stand."""
        if self.clock is not None:
            await self.clock.apply(await self.schedules())

    async def schedules(self) -> list[Schedule]:
        """All that the clock has to do. Raises StoreUnreadable."""
        return schedules(await self.all(), sentinel=self._sentinel)


@dataclass(frozen=True, slots=True)
class ByClock:
    """What is done with a slot. `admit` takes a patrol in, once per slot however often it is called; `tidy` is the
    housekeeping; `delivered` knows whether a slot has its report; `sentinel` looks at the fleet."""

    rota: Rota
    admit: Callable[[Event], Awaitable[bool]]
    surface: Surface
    tidy: Callable[[], Awaitable[None]]
    now: Now
    locale: Locales
    delivered: Delivered
    sentinel: Callable[[datetime], Awaitable[None]] | None = None
    meters: Meters = field(default_factory=Meters)

    async def __call__(self, name: str, moment: datetime) -> None:
        """Patrol, or tidy up. A patrol that is more than two hours late is told of instead of run; where the channel
        is muted, neither."""
        if name == HOUSEKEEPING:
            await self.tidy()
            return
        if name == SENTINEL:
            if self.sentinel is not None:
                await self.sentinel(moment)
            return
        # a slot of before there were timetables names no channel
        report_type, _, place = name.removeprefix(_DUE).partition(_IN)
        place = place or self.rota.home
        if name.startswith(_DUE):
            await self._due(report_type, place, moment - DEADLINE)
            return
        key = slot_key(name, moment)
        if (await self.rota.of(place)).is_muted(self.now()):
            log.info("a channel is muted, so its patrol is left out", slot=key)
            self._count("muted")
        elif (self.now() - moment).total_seconds() <= LATE:
            await self.admit(PatrolRequest(key=key, channel=place, user=BY_CLOCK, words=report_type))
            self._count("begun")
        else:
            await self._missed(report_type, place, moment, key)

    async def _due(self, report_type: str, place: str, slot: datetime) -> None:
        """Raise the alarm when a slot has no report although its time is up."""
        timetable = await self.rota.of(place)
        # muted when it began is muted: a silence that ended since did not ask for this report
        if timetable.is_muted(slot) or timetable.is_muted(self.now()):
            return
        delivery = await self.delivered.delivery(place, slot)
        if delivery == "posted":
            return
        key = slot_key(f"{report_type}{_IN}{place}", slot)
        log.error("a patrol is overdue", report_type=report_type, slot=key, delivery=delivery)
        self._count("overdue")
        locale = await self.locale(place, BY_CLOCK)
        minutes = int(DEADLINE.total_seconds() // 60)
        said = {"title": titled(report_type, locale), "when": locale.time(slot), "minutes": minutes}
        # behind a report that waits this waits too, so it will be read after it
        text = locale.say("patrol.late" if delivery == "waiting" else "patrol.overdue", **said)
        await self.surface.post(place, note_document(text), Mark(key, "overdue", repeated=True))

    def _count(self, end: SlotEnd) -> None:
        self.meters.slots.labels(end).inc()

    async def _missed(self, report_type: str, place: str, moment: datetime, key: str) -> None:
        log.error("a patrol was missed", report_type=report_type, slot=key)
        self._count("missed")
        locale = await self.locale(place, BY_CLOCK)
        text = locale.say("patrol.missed", title=titled(report_type, locale), when=locale.time(moment))
        # begun before or not, the look for the mark costs little and a doubled alarm costs trust
        await self.surface.post(place, note_document(text), Mark(key, "missed", repeated=True))
