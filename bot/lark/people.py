"""Who somebody is in the company and how they read, as Lark tells it."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import structlog

from bot.admission import Role
from bot.lark.api import LarkApi
from bot.lark.faults import LarkRefusal
from bot.people import KnownPeople, Person
from handlers.words import Language

log = structlog.get_logger()

_USERS = "/open-apis/contact/v3/users"
_GONE = ("is_resigned", "is_exited", "is_frozen")
_CHINESE = {"CN"}


def lark_people(api: LarkApi, language: Language, clock: Callable[[], float] = time.monotonic) -> KnownPeople:
    """The people of one company. Without the scope to read contacts, or for people outside of what the app may read,
    everybody of the company is a member: events of other companies' people never get this far. `language` is that of a
    company on Feishu or Lark where nothing else is known."""
    return KnownPeople(partial(_asked, api, language), clock)


async def _asked(api: LarkApi, language: Language, user: str) -> Person:
    if not user.startswith("ou_"):
        return Person(Role.NOBODY, language)
    try:
        told = await api.call("GET", f"{_USERS}/{user}", params={"user_id_type": "open_id"})
    except LarkRefusal as refusal:
        log.warning("Lark does not say who somebody is; taken for a member", code=refusal.code)
        return Person(Role.MEMBER, language)
    return person_of(told.get("user") or {}, language)


def person_of(user: Mapping[str, Any], language: Language) -> Person:
    """What a user object of the contact API says."""
    status = user.get("status") or {}
    role = Role.NOBODY if any(status.get(name) for name in _GONE) else Role.MEMBER
    country = str(user.get("country") or "")
    own: Language = "zh" if country in _CHINESE else "en" if country else language
    return Person(role, own, str(user.get("time_zone") or ""), str(user.get("name") or ""))
