"""In which language and time zone somebody reads; every text and time that people see is made for one of these."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from handlers.words import Language, say

UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Locale:
    """A reader's language and time zone."""

    language: Language = "en"
    zone: ZoneInfo = UTC_ZONE

    def say(self, key: str, **values: object) -> str:
        """A text of ours in this language; see `handlers.words.say`."""
        return say(self.language, key, **values)

    def time(self, moment: datetime) -> str:
        """A moment as this reader's clock shows it, e.g. `2026-11-20 16:00 CST`. A naive moment is UTC."""
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        try:
            local = aware.astimezone(self.zone)
        except OverflowError:
            # databases say "never" with the first or last time there is, which other zones do not have
            local = aware
        return f"{local:%Y-%m-%d %H:%M %Z}"


ENGLISH = Locale()
"""What is used where nothing is known about a reader."""


async def english(place: str, user: str) -> Locale:
    """The `Deps.locale` of a process that knows nothing of its readers."""
    return ENGLISH
