"""In which language and zone people read."""

from collections.abc import Mapping

import pytest

from bot.locales import Locales
from bot.store.errors import Cause, StoreUnreadable, StoreUnwritable
from handlers.preferences import LANGUAGE, ZONE, Passing
from handlers.surface import SurfaceError
from handlers.words import Language, say

THREAD = "slack:T:C:1.1"


class People:
    def __init__(self, language: Language | None = "zh", zone: str = "Asia/Shanghai") -> None:
        self.told = language, zone
        self.fault: SurfaceError | None = None

    async def reads(self, user: str) -> tuple[Language | None, str]:
        if self.fault:
            raise self.fault
        return self.told


async def test_a_person_reads_as_their_chat_is_set() -> None:
    locale = await Locales(People(), Passing())(THREAD, "U1")
    assert (locale.language, locale.zone.key) == ("zh", "Asia/Shanghai")


async def test_the_channel_has_the_last_word() -> None:
    preferences = Passing()
    await preferences.put("slack:T:C", LANGUAGE, "en")
    await preferences.put("slack:T:C", ZONE, "Europe/Berlin")
    locale = await Locales(People(), preferences)(THREAD, "U1")
    assert (locale.language, locale.zone.key) == ("en", "Europe/Berlin")


async def test_what_the_channel_leaves_open_is_the_persons() -> None:
    preferences = Passing()
    await preferences.put("slack:T:C", ZONE, "Europe/Berlin")
    locale = await Locales(People(), preferences)(THREAD, "U1")
    assert (locale.language, locale.zone.key) == ("zh", "Europe/Berlin")


async def test_who_reads_another_language_gets_english_and_an_unknown_zone_is_home() -> None:
    locale = await Locales(People(None, "Mars/Olympus"), Passing(), "Europe/Paris")(THREAD, "U1")
    assert (locale.language, locale.zone.key) == ("en", "Europe/Paris")


async def test_faults_are_no_reason_for_silence() -> None:
    people = People()
    people.fault = SurfaceError("away")

    class Broken(Passing):
        async def of(self, place: str) -> Mapping[str, str]:
            raise StoreUnreadable(Cause.FULL)

    locale = await Locales(people, Broken())(THREAD, "U1")
    assert (locale.language, locale.zone.key) == ("en", "UTC")


@pytest.mark.parametrize("cause", Cause)
def test_each_way_in_which_our_own_database_fails_has_its_words(cause: Cause) -> None:
    assert say("en", f"unwritable.{cause.name.lower()}") == str(StoreUnwritable(cause))
