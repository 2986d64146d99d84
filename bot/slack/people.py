"""Who somebody is in the workspace and how they read, as Slack tells it."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import structlog
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.admission import Role
from bot.people import KnownPeople, Person
from handlers.surface import SurfaceError
from handlers.words import language_of

log = structlog.get_logger()

_NOT_TOLD = {"missing_scope", "unknown_method"}


def slack_people(client: AsyncWebClient, team: str, clock: Callable[[], float] = time.monotonic) -> KnownPeople:
    """The people of one workspace. Without the scope to read users, guests cannot be told from members."""
    return KnownPeople(partial(_asked, client, team), clock)


async def _asked(client: AsyncWebClient, team: str, user: str) -> Person:
    try:
        told = await client.api_call("users.info", params={"user": user, "include_locale": "true"})
    except SlackApiError as error:
        return _untold(error)
    except (ClientError, TimeoutError) as error:
        raise SurfaceError(f"Slack could not be reached for users.info ({type(error).__name__})") from error
    user_object = told.get("user") or {}
    language = language_of(str(user_object.get("locale") or ""))
    zone = str(user_object.get("tz") or "")
    return Person(role_of(user_object, team), language, zone, name_of(user_object))


def _untold(error: SlackApiError) -> Person:
    code = str(error.response.get("error", ""))
    if code in _NOT_TOLD:
        # An installation from before this scope goes on as it was: the event is from our own workspace and from a
        # channel that is not shared, only guests cannot be told apart.
        log.error("nobody can be told from a guest; install the app again with the scopes of manifest.yml")
        return Person(Role.MEMBER)
    if code in {"user_not_found", "user_not_visible"}:
        return Person(Role.STRANGER)
    raise SurfaceError(f"Slack does not say who somebody is ({code})") from error


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
