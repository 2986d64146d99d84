"""Who somebody is on a chat platform and how they read; the platform is asked once an hour per person."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.admission import Role
from handlers.words import Language

KNOWN_FOR = 3600.0
KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class Person:
    """What a platform says of somebody; `zone` and `name` are empty and `language` None where it says nothing."""

    role: Role
    language: Language | None = None
    zone: str = ""
    name: str = ""


Ask = Callable[[str], Awaitable[Person]]
"""Asks a platform for one person. Raises SurfaceError when it does not answer."""


class KnownPeople:
    """Implements `bot.platforms.People`: what `ask` told within the last hour, of the 10,000 last asked for."""

    def __init__(self, ask: Ask, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, Person]] = OrderedDict()

    async def of(self, user: str) -> Role:
        """See `bot.admission.Roles`."""
        return (await self._person(user)).role

    async def reads(self, user: str) -> tuple[Language | None, str]:
        """See `bot.locales.Readers`."""
        person = await self._person(user)
        return person.language, person.zone

    async def named(self, user: str) -> str:
        """See `bot.platforms.People`."""
        return (await self._person(user)).name

    async def _person(self, user: str) -> Person:
        if user in self._known:
            asked_at, person = self._known[user]
            if self._clock() - asked_at < KNOWN_FOR:
                return person
        person = await self._ask(user)
        self._known[user] = (self._clock(), person)
        self._known.move_to_end(user)
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)
        return person
