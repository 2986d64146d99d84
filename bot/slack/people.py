"""Who somebody is in the workspace and how they read, asked of Slack once an hour per person."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.admission import Role
from handlers.surface import SurfaceError
from handlers.words import Language, language_of

log = structlog.get_logger()

KNOWN_FOR = 3600.0
KNOWN = 10_000

_NOT_TOLD = {"missing_scope", "unknown_method"}


@dataclass(frozen=True, slots=True)
class Person:
    """What Slack says of somebody; `zone` is empty and `language` None where it says nothing that we know."""

    role: Role
    language: Language | None = None
    zone: str = ""
    name: str = ""


class People:
    """Implements `bot.gate.Roles` and `bot.locales.Readers` for one workspace. Without the scope to read users,
    guests cannot be told from members."""

    def __init__(self, client: AsyncWebClient, team: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._team = team
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
        if user in self._known:
            asked_at, person = self._known[user]
            if self._clock() - asked_at < KNOWN_FOR:
                return person
        person = await self._asked(user)
        self._known[user] = (self._clock(), person)
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)
        return person

    async def _asked(self, user: str) -> Person:
        try:
            told = await self._client.api_call("users.info", params={"user": user, "include_locale": "true"})
        except SlackApiError as error:
            code = str(error.response.get("error", ""))
            if code in _NOT_TOLD:
                # An installation from before this scope goes on as it was: the event is from our own workspace and from
                # a channel that is not shared, only guests cannot be told apart.
                log.error("nobody can be told from a guest; install the app again with the scopes of manifest.yml")
                return Person(Role.MEMBER)
            if code in {"user_not_found", "user_not_visible"}:
                return Person(Role.STRANGER)
            raise SurfaceError(f"Slack does not say who somebody is ({code})") from error
        except (ClientError, TimeoutError) as error:
            raise SurfaceError(f"Slack could not be reached for users.info ({type(error).__name__})") from error
        user_object = told.get("user") or {}
        language = language_of(str(user_object.get("locale") or ""))
        zone = str(user_object.get("tz") or "")
        return Person(role_of(user_object, self._team), language, zone, name_of(user_object))


def name_of(user: Mapping[str, Any]) -> str:
    """What others see of a user object: the display name, else the real one."""
    profile = user.get("profile") or {}
    found = (profile.get("display_name"), profile.get("real_name"), user.get("real_name"), user.get("name"))
    return next((str(name) for name in found if name), "")


def role_of(user: Mapping[str, Any], team: str) -> Role:
    """The role of a user object of `users.info`."""
    if user.get("deleted") or user.get("is_bot"):
        return Role.NOBODY
    if user.get("is_stranger") or user.get("team_id", team) != team:
        return Role.STRANGER
    return Role.GUEST if user.get("is_restricted") or user.get("is_ultra_restricted") else Role.MEMBER
