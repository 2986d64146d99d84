"""In which language and time zone somebody reads: the channel's own say first, then what is known of the person."""

from typing import Protocol
from zoneinfo import ZoneInfo

import structlog

from bot.store.errors import StoreFault
from handlers.locale import Locale
from handlers.preferences import LANGUAGE, ZONE, Preferences, channel_of
from handlers.surface import SurfaceError
from handlers.words import Language, language_of

log = structlog.get_logger()


class Readers(Protocol):
    """Knows in which language and zone people have their chat."""

    async def reads(self, user: str) -> tuple[Language | None, str]:
        """Language and zone of a person, None and empty where they are not known. Raises SurfaceError."""
        ...


class Locales:
    """A `handlers.deps.Locales`. `home` is the zone of people whose own is not known."""

    def __init__(self, readers: Readers, preferences: Preferences, home: str = "UTC") -> None:
        self._readers = readers
        self._preferences = preferences
        self._home = home

    async def __call__(self, place: str, user: str) -> Locale:
        """The locale of a user in a thread or channel; what cannot be found out is English and `home`."""
        language, zone = await self._told(channel_of(place))
        if language is None or not zone:
            own_language, own_zone = await self._own(user)
            language, zone = language or own_language, zone or own_zone
        return Locale(language or "en", _zone(zone) or ZoneInfo(self._home))

    async def _told(self, channel: str) -> tuple[Language | None, str]:
        try:
            told = await self._preferences.of(channel)
        except StoreFault as fault:
            log.warning("the preferences of a channel cannot be read", channel=channel, why=str(fault))
            return None, ""
        return language_of(told.get(LANGUAGE, "")), told.get(ZONE, "")

    async def _own(self, user: str) -> tuple[Language | None, str]:
        try:
            return await self._readers.reads(user)
        except SurfaceError as error:
            log.warning("nobody says in which language somebody reads", user=user, why=str(error))
            return None, ""


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        return None
