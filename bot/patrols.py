"""The patrols and the housekeeping that the clock asks for."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from bot.clock import LATE, Now, slot_key
from bot.gate import BY_CLOCK
from bot.settings import Settings
from bot.turns.schedule import Schedule
from handlers.surface import Event, Mark, PatrolRequest, Surface
from handlers.views import note_document

log = structlog.get_logger()

HOUSEKEEPING = "housekeeping"


def schedules(settings: Settings) -> list[Schedule]:
    """The two patrols when a channel is set for them, and the housekeeping at night."""
    nightly = Schedule(HOUSEKEEPING, "03:17", "UTC", made_up=False)
    if settings.patrol_channel is None:
        return [nightly]
    times = (("morning", settings.patrol_morning), ("evening", settings.patrol_evening))
    return [nightly, *(Schedule(name, at, settings.timezone) for name, at in times)]


@dataclass(frozen=True, slots=True)
class ByClock:
    """What is done with a slot. `admit` takes a patrol in, once per slot however often it is called; `tidy` is the
    housekeeping."""

    channel: str
    admit: Callable[[Event], Awaitable[bool]]
    surface: Surface
    tidy: Callable[[], Awaitable[None]]
    now: Now

    async def __call__(self, name: str, moment: datetime) -> None:
        """Patrol, or tidy up. A patrol that is more than two hours late is told of instead of run."""
        if name == HOUSEKEEPING:
            await self.tidy()
            return
        key = slot_key(name, moment)
        if (self.now() - moment).total_seconds() <= LATE:
            await self.admit(PatrolRequest(key=key, channel=self.channel, user=BY_CLOCK, words=name))
            return
        log.error("a patrol was missed", report_type=name, slot=key)
        text = f"The {name} patrol of {moment:%Y-%m-%d %H:%M %Z} did not run: Starwatch was not running then."
        # begun before or not, the look for the mark costs little and a doubled alarm costs trust
        await self.surface.post(self.channel, note_document(text), Mark(key, "missed", repeated=True))
