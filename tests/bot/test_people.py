"""What is remembered of people, on whatever platform they are."""

import pytest

from bot.admission import Role
from bot.people import KNOWN, KNOWN_FOR, KnownPeople, Person
from handlers.surface import SurfaceError


class Directory:
    """A platform that tells who people are, and the time; it writes down who was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.away = False
        self.seconds = 0.0
        self.people = KnownPeople(self.ask, lambda: self.seconds)

    async def ask(self, user: str) -> Person:
        self.asked.append(user)
        if self.away:
            raise SurfaceError("the platform is away")
        return Person(Role.GUEST, "zh", "Asia/Shanghai", f"{user} the {len(self.asked)}.")


async def test_one_question_tells_the_role_the_language_the_zone_and_the_name() -> None:
    directory = Directory()
    assert await directory.people.of("anna") is Role.GUEST
    assert await directory.people.reads("anna") == ("zh", "Asia/Shanghai")
    assert await directory.people.named("anna") == "anna the 1."
    assert directory.asked == ["anna"]


async def test_what_is_an_hour_old_is_asked_again_however_often_it_was_read_meanwhile() -> None:
    directory = Directory()
    for directory.seconds in (0.0, KNOWN_FOR - 1, KNOWN_FOR, 2 * KNOWN_FOR - 1):
        await directory.people.named("anna")
    assert directory.asked == ["anna", "anna"]
    assert await directory.people.named("anna") == "anna the 2."


async def test_a_platform_that_is_away_is_asked_again_and_what_it_said_before_is_no_answer_for_ever() -> None:
    directory = Directory()
    await directory.people.of("anna")
    directory.seconds, directory.away = KNOWN_FOR, True
    for _ in range(2):
        with pytest.raises(SurfaceError, match="away"):
            await directory.people.of("anna")
    directory.away = False
    assert await directory.people.of("anna") is Role.GUEST
    assert directory.asked == ["anna"] * 4


async def test_of_more_people_than_are_remembered_those_asked_for_longest_ago_are_forgotten() -> None:
    directory = Directory()
    await directory.people.of("anna")
    directory.seconds = KNOWN_FOR
    for user in ("ben", "anna", *(f"u{n}" for n in range(KNOWN - 1))):
        await directory.people.of(user)
    directory.asked.clear()
    for user in ("anna", f"u{KNOWN - 2}", "ben"):
        await directory.people.of(user)
    assert directory.asked == ["ben"]
