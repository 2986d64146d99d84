"""Calls of Slack's Web API: within its rate limits, and its refusals sorted by what is to be done about them."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import aiohttp
import structlog
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.pace import Budget, Pace
from bot.slack.config import RateLimitRetry
from handlers.faults import AccessEnded, PlaceGone, SurfaceAway
from handlers.surface import SurfaceError

log = structlog.get_logger()

BUDGETS = {
    "chat.postMessage": Budget(60, burst=20, by_place=True),
    "chat.update": Budget(50, burst=10),
    "chat.delete": Budget(50, burst=10),
    "chat.startStream": Budget(20, burst=10),
    "chat.appendStream": Budget(100, burst=20),
    "chat.stopStream": Budget(20, burst=10),
    "assistant.threads.setStatus": Budget(600, burst=60),
    "agents.sessions.setStatus": Budget(50, burst=10),
    "conversations.replies": Budget(50, burst=10),
    "conversations.history": Budget(50, burst=10),
}
"""What Slack grants per minute, its published tiers; it tolerates bursts, so a few calls may go at once."""
OTHERWISE = Budget(20, burst=10)
UPLOAD_SECONDS = 60
_TRIES = (False, False, True)
"""Of one call that is asked to wait; whether it is the last one."""

_ADVICE = {
    "not_in_channel": "invite the bot to the channel",
    "channel_not_found": "check the channel id and invite the bot to it",
    "is_archived": "the channel is archived",
    "invalid_auth": "check SLACK_BOT_TOKEN",
    "account_inactive": "install the app again and set SLACK_BOT_TOKEN",
    "token_revoked": "install the app again and set SLACK_BOT_TOKEN",
    "missing_scope": "install the app again with the scopes of manifest.yml",
    "ratelimited": "Slack asks to wait; try again later",
}


class SlackRefusal(SurfaceError):
    """Slack answered with an error `code`; the text says what to do about it where that is known."""

    def __init__(self, method: str, code: str) -> None:
        advice = _ADVICE.get(code)
        super().__init__(f"Slack refused {method}: {code}" + (f"; {advice}" if advice else ""))
        self.code = code


class SlackAway(SlackRefusal, SurfaceAway):
    """Slack fails or asks to wait."""

    retry_after: float | None = None


class SlackLimited(SlackAway):
    """Slack asks to wait `retry_after` seconds, None where it does not say a time that makes sense."""

    def __init__(self, method: str, code: str, retry_after: float | None) -> None:
        super().__init__(method, code)
        self.retry_after = retry_after


class SlackPlaceGone(SlackRefusal, PlaceGone):
    """The channel, thread or message is there no longer, or not for us."""


class SlackAccessEnded(SlackRefusal, AccessEnded):
    """The token is good for nothing any more."""


_KINDS: Mapping[str, type[SlackRefusal]] = {
    **dict.fromkeys(("internal_error", "fatal_error", "service_unavailable"), SlackAway),
    **dict.fromkeys(("http_500", "http_502", "http_503", "http_504", "request_timeout"), SlackAway),
    **dict.fromkeys(("channel_not_found", "not_in_channel", "is_archived", "thread_not_found"), SlackPlaceGone),
    **dict.fromkeys(("message_not_found", "user_not_in_channel"), SlackPlaceGone),
    **dict.fromkeys(("invalid_auth", "account_inactive", "token_revoked", "token_expired"), SlackAccessEnded),
}


class SlackApi:
    """The calls of one app in one workspace."""

    def __init__(self, client: AsyncWebClient, pace: Pace | None = None) -> None:
        self._client = _unhurried(client)
        self._pace = pace or Pace(BUDGETS, OTHERWISE)
        self._identity: Mapping[str, Any] = {}

    async def call(self, method: str, arguments: Mapping[str, Any], *, reading: bool = False) -> Mapping[str, Any]:
        """Slack's answer, when the rate limits allow it. Methods that read take no JSON body. Raises SurfaceError."""
        place = str(arguments.get("channel", ""))
        for last in _TRIES:
            await self._pace.turn(method, place)
            try:
                return await self._asked(method, arguments, reading)
            except SlackLimited as limit:
                self._held(limit, method, place, last)
        raise AssertionError("the last try returns or raises")

    async def newest(self, method: str, arguments: Mapping[str, Any], subject: str) -> bool:
        """The same for a call that shows how `subject` stands; False when a newer one made it needless."""
        async with self.showing(subject) as outdated:
            return await self.current(method, arguments, outdated)

    def showing(self, subject: str) -> AbstractAsyncContextManager[Callable[[], bool]]:
        """`Pace.showing`, for a call that takes some preparing: what counts is when it was wanted."""
        return self._pace.showing(subject)

    async def current(self, method: str, arguments: Mapping[str, Any], outdated: Callable[[], bool]) -> bool:
        """`call`, unless it is outdated when its turn comes; whether it was made."""
        place = str(arguments.get("channel", ""))
        for last in _TRIES:
            if not await self._pace.turn(method, place, outdated):
                return False
            try:
                await self._asked(method, arguments, reading=False)
            except SlackLimited as limit:
                self._held(limit, method, place, last)
            else:
                return True
        raise AssertionError("the last try returns or raises")

    def _held(self, limit: "SlackLimited", method: str, place: str, last: bool) -> None:
        """Hold up everybody who wants the same, and not this caller alone."""
        if limit.retry_after is None:
            raise limit
        self._pace.hold(method, place, limit.retry_after)
        if last:
            raise limit

    def wait(self, method: str, channel: str) -> float:
        """Seconds until a call of this method may go, for what is better left out than late."""
        return self._pace.wait(method, channel)

    async def identity(self) -> Mapping[str, Any]:
        """Who we are, in the fields of `auth.test`; asked once. Raises SurfaceError."""
        if not self._identity:
            self._identity = await self.call("auth.test", {})
        return self._identity

    async def send(self, url: str, content: bytes) -> None:
        """Send the bytes of a file to the address that Slack gave out for them. Raises SurfaceError."""
        timeout = aiohttp.ClientTimeout(total=UPLOAD_SECONDS)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session, session.post(url, data=content) as response:
                if response.status != 200:
                    raise SlackAway("a file", f"http_{response.status}")
        except (ClientError, TimeoutError) as error:
            raise SurfaceAway(f"a file could not be sent to Slack ({type(error).__name__})") from error

    async def _asked(self, method: str, arguments: Mapping[str, Any], reading: bool) -> Mapping[str, Any]:
        try:
            params, body = (dict(arguments), None) if reading else (None, dict(arguments))
            response = await self._client.api_call(method, params=params, json=body)
        except SlackApiError as error:
            code = _code(error)
            if code == "ratelimited":
                raise SlackLimited(method, code, _asked_to_wait(error)) from error
            raise _KINDS.get(code, SlackRefusal)(method, code) from error
        except (SlackClientError, ClientError, TimeoutError) as error:
            raise SurfaceAway(f"Slack could not be reached for {method} ({type(error).__name__})") from error
        data: Mapping[str, Any] = response.data  # type: ignore[assignment]
        return data


def _unhurried(client: AsyncWebClient) -> AsyncWebClient:
    """The same client, but one that leaves rate limits to us: its own waiting would be nobody else's."""
    return AsyncWebClient(
        token=client.token,
        base_url=client.base_url,
        timeout=client.timeout,
        ssl=client.ssl,
        proxy=client.proxy,
        retry_handlers=[one for one in client.retry_handlers if not isinstance(one, RateLimitRetry)],
    )


def _asked_to_wait(error: SlackApiError) -> float | None:
    headers = {str(name).lower(): value for name, value in (getattr(error.response, "headers", None) or {}).items()}
    asked = str(headers.get("retry-after", ""))
    return float(asked) if asked.isascii() and asked.isdigit() else None


def _code(error: SlackApiError) -> str:
    body = getattr(error.response, "data", None)
    code = body.get("error") if isinstance(body, dict) else None
    return str(code or f"http_{getattr(error.response, 'status_code', 'unknown')}")
