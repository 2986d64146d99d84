"""What was said while Slack could not reach us: read in the channels, and given to the app as if it had been delivered.

Whatever was delivered after all is known by its key and dropped, so asking for too much does no harm."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import structlog
from aiohttp import ClientError
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.place import parse
from handlers.surface import SurfaceError

log = structlog.get_logger()

THREADS = 40
"""Threads that are looked through, those last used first; a few dozen requests are what Slack allows in a minute."""
MESSAGES = 200
MARGIN = 120
"""Seconds before the newest message that is known: messages overtake each other."""
LONGEST = 6 * 3600
"""Seconds. What was said earlier than that before we were back is answered no more."""


_NOT_HERE = {"channel_not_found", "not_in_channel", "is_archived", "thread_not_found", "missing_scope", "access_denied"}

Message = Mapping[str, Any]


class Known(Protocol):
    """What was taken in so far."""

    async def newest(self, surface: str) -> str:
        """When the newest message of a surface was sent, in its own words; empty when there is none."""
        ...

    async def lately(self, surface: str, most: int) -> Sequence[str]:
        """Threads of a surface that we take part in, those last used first."""
        ...


class CatchUp:
    """Looks for missed messages in our threads and in the channels that these are in."""

    def __init__(
        self, client: AsyncWebClient, app: AsyncApp, known: Known, team: str, bot_user: str, now: Callable[[], float]
    ) -> None:
        self._client = client
        self._app = app
        self._known = known
        self._team = team
        self._bot = bot_user
        self._now = now

    async def newest(self) -> str:
        """The ts of the newest message that was taken in, "" when there is none."""
        return await self._known.newest("slack")

    async def fill(self, since: str) -> int:
        """Take in what was said since the message `since`; how many messages were given to the app.

        Raises SurfaceError when Slack does not let us look.
        """
        oldest = f"{max(float(since) - MARGIN, self._now() - LONGEST):.6f}"
        threads = [parse(thread) for thread in await self._known.lately("slack", THREADS)]
        found: dict[tuple[str, str], Message] = {}
        for channel in dict.fromkeys(thread.channel for thread in threads):
            found |= await self._said("conversations.history", channel, {"oldest": oldest})
        for thread in threads:
            found |= await self._said("conversations.replies", thread.channel, {"oldest": oldest, "ts": thread.ts})
        # in the order in which they would have come; ours and other bots' are dropped by the app, as always
        missed = [found[key] for key in sorted(found, key=lambda key: key[1]) if found[key]["ts"] >= oldest]
        taken = [await self._deliver(one) for one in missed]
        log.info("looked for what was missed", since=since, messages=len(missed), refused=taken.count(False))
        return len(missed)

    async def _said(self, method: str, channel: str, asked: Mapping[str, str]) -> dict[tuple[str, str], Message]:
        params = {"channel": channel, "limit": str(MESSAGES), **asked}
        try:
            told = await self._client.api_call(method, params=params)
        except SlackApiError as error:
            code = str(error.response.get("error", ""))
            if code in _NOT_HERE:
                log.warning("what was missed in a channel cannot be looked up", channel=channel, code=code)
                return {}
            raise SurfaceError(f"Slack refused {method}: {code}") from error
        except (ClientError, TimeoutError) as error:
            raise SurfaceError(f"Slack could not be reached for {method} ({type(error).__name__})") from error
        return {(channel, str(one["ts"])): {**one, "channel": channel} for one in told.get("messages") or ()}

    async def _deliver(self, said: Message) -> bool:
        direct = said["channel"].startswith("D")
        mentioned = f"<@{self._bot}>" in said.get("text", "") and not direct
        event = {**said, "type": "app_mention" if mentioned else "message", "event_ts": said["ts"]}
        if event.get("thread_ts") == said["ts"]:
            del event["thread_ts"]  # a listing names the thread of its root too, and an event does not
        event |= {} if mentioned else {"channel_type": "im" if direct else "channel"}
        body = {"type": "event_callback", "team_id": self._team, "event_id": f"missed-{said['ts']}", "event": event}
        response = await self._app.async_dispatch(AsyncBoltRequest(body=body, mode="socket_mode"))
        return bool(response.status == 200)
