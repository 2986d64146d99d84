"""The desk that handlers work at, put together: findings and timetables of our own database, names of the platform."""

from typing import Protocol

import structlog

from bot.clock import Now
from bot.patrols import Rota
from bot.store import Store
from bot.store.timetables import StoredTimetables
from handlers.desk import Desk, Names, unnamed
from handlers.surface import SurfaceError
from handlers.timetable import Timetable

log = structlog.get_logger()


class Named(Protocol):
    """Knows what people are called."""

    async def named(self, user: str) -> str:
        """What people call somebody; empty where the platform does not say. Raises SurfaceError."""
        ...


def rota_of(store: Store, default: Timetable | None = None, *, sentinel: bool = False) -> Rota:
    """The timetables of our own database; `default` is that of the settings."""
    return Rota(StoredTimetables(store.database), default, sentinel=sentinel)


def desk_of(store: Store, rota: Rota, now: Now, people: Named | None = None) -> Desk:
    """The desk; without `people` everybody is called by their id."""
    return Desk(store.findings, rota, now, names_of(people) if people else unnamed)


def names_of(people: Named) -> Names:
    """Names as handlers ask for them: a platform that does not tell costs a decision its name and nothing else."""

    async def name(place: str, user: str) -> str:
        try:
            return await people.named(user) or user
        except SurfaceError as error:
            log.warning("nobody says what somebody is called", user=user, why=str(error))
            return user

    return name
