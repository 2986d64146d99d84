"""Slack's events over Socket Mode: an outgoing connection, no public address needed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientError
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from bot.errors import SettingsError
from bot.slack.config import SlackConfig


@asynccontextmanager
async def connected(config: SlackConfig, app: AsyncApp, ping_seconds: float = 10) -> AsyncIterator[None]:
    """Connected while the context is open; lost or refreshed connections are made anew.

    Raises SettingsError when there is no app token or Slack refuses it at the start.
    """
    if config.app_token is None:
        raise SettingsError("SLACK_APP_TOKEN: is missing; Socket Mode needs an app-level token (xapp-…)")
    token = config.app_token.get_secret_value()
    try:
        # Asked for by ourselves first, because the client would try a wrong token for ever without a word.
        opened = await app.client.apps_connections_open(app_token=token)
    except SlackApiError as error:
        code = error.response.get("error", "unknown error")
        raise SettingsError(f"SLACK_APP_TOKEN: Slack refuses it ({code}); it needs connections:write") from None
    except (ClientError, TimeoutError) as error:
        raise SettingsError(f"SLACK_API_URL: Slack cannot be reached ({type(error).__name__})") from None
    handler = AsyncSocketModeHandler(app, token, ping_interval=ping_seconds)
    handler.client.wss_uri = opened["url"]  # the client tries for ever; the first try, made above, fails at once
    try:
        await handler.connect_async()  # type: ignore[no-untyped-call]
        yield
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]
