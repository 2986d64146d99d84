"""Who somebody is in the company and how they read, asked of Lark once an hour per person."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from bot.admission import Role
from bot.lark.api import LarkApi
from bot.lark.faults import LarkRefusal
from handlers.words import Language

log = structlog.get_logger()

KNOWN_FOR = 3600.0
KNOWN = 10_000

_USERS = "/open-apis/contact/v3/users"
_GONE = ("is_resigned", "is_exited", "is_frozen")
_CHINESE = {"CN"}


@dataclass(frozen=True, slots=True)
class Person:
    """What Lark says of somebody; `zone` is empty where it says nothing."""

    role: Role
    language: Language | None = None
    zone: str = ""
    name: str = ""


class LarkPeople:
    """Implements `bot.admission.Roles` and `bot.locales.Readers` for one company. Without the scope to read contacts,
    or for people outside of what the app may read, everybody of the company is a member: events of other companies'
    people never get this far. `language` is that of a company on Feishu or Lark where nothing else is known."""

    def __init__(self, api: LarkApi, language: Language, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._language = language
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, Person]] = OrderedDict()

    async def of(self, user: str) -> Role:
        """See `Roles`."""
        return (await self._person(user)).role

    async def reads(self, user: str) -> tuple[Language | None, str]:
        """See `Readers`."""
        person = await self._person(user)
        return person.language, person.zone

    async def named(self, user: str) -> str:
        """See `bot.platforms.People`."""
        return (await self._person(user)).name

    async def _person(self, user: str) -> Person:
        if not user.startswith("ou_"):
            return Person(Role.NOBODY, self._language)
        asked_at, person = self._known.get(user, (float("-inf"), None))
        if person is None or self._clock() - asked_at >= KNOWN_FOR:
            person = await self._asked(user)
            self._known[user] = (self._clock(), person)
            while len(self._known) > KNOWN:
                self._known.popitem(last=False)
        return person

    async def _asked(self, user: str) -> Person:
        try:
            told = await self._api.call("GET", f"{_USERS}/{user}", params={"user_id_type": "open_id"})
        except LarkRefusal as refusal:
            log.warning("Lark does not say who somebody is; taken for a member", code=refusal.code)
            return Person(Role.MEMBER, self._language)
        return person_of(told.get("user") or {}, self._language)


def person_of(user: Mapping[str, Any], language: Language) -> Person:
    """What a user object of the contact API says."""
    status = user.get("status") or {}
    role = Role.NOBODY if any(status.get(name) for name in _GONE) else Role.MEMBER
    country = str(user.get("country") or "")
    own: Language = "zh" if country in _CHINESE else "en" if country else language
    return Person(role, own, str(user.get("time_zone") or ""), str(user.get("name") or ""))
