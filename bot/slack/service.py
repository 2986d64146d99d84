"""Slack put together: its settings, the workspace behind the token, and the entrance that its events come in by."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import uvicorn
from aiohttp import ClientError
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import SettingsError
from bot.settings import Settings
from bot.slack.app import Act, Submit, Threads, build_app
from bot.slack.config import SlackConfig, web_client
from bot.slack.http import build_http
from bot.slack.place import Place
from bot.slack.socket import connected
from bot.slack.surface import SlackSurface


@dataclass(frozen=True, slots=True)
class Slack:
    """A workspace that answered. `team` is its id."""

    config: SlackConfig
    client: AsyncWebClient
    surface: SlackSurface
    team: str

    def channel(self, channel_id: str) -> str:
        """A channel of this workspace as handlers name it."""
        return str(Place(self.team, channel_id))


def slack_config(settings: Settings) -> SlackConfig:
    """Slack's part of the settings. Raises SettingsError naming what is missing to serve."""
    if settings.slack_bot_token is None:
        raise SettingsError("SLACK_BOT_TOKEN: is missing; copy the bot token (xoxb-…) of the installed app")
    if settings.slack_app_token is None and settings.slack_signing_secret is None:
        raise SettingsError(
            "SLACK_APP_TOKEN: is missing; set it for Socket Mode, or SLACK_SIGNING_SECRET for events over HTTP"
        )
    hosts = (host.strip() for host in settings.link_hosts.split(","))
    return SlackConfig(
        bot_token=settings.slack_bot_token,
        app_token=settings.slack_app_token,
        signing_secret=settings.slack_signing_secret,
        api_url=settings.slack_api_url,
        allowed_link_hosts=frozenset(host for host in hosts if host),
    )


async def reached(config: SlackConfig) -> Slack:
    """The workspace behind the bot token. Raises SettingsError when Slack refuses the token or cannot be reached."""
    client = web_client(config)
    try:
        identity = await client.auth_test()
    except SlackApiError as error:
        code = error.response.get("error", "unknown error")
        raise SettingsError(f"SLACK_BOT_TOKEN: Slack refuses it ({code}); install the app and copy its token") from None
    except (ClientError, OSError) as error:
        raise SettingsError(f"SLACK_API_URL: Slack cannot be reached ({type(error).__name__})") from None
    return Slack(config, client, SlackSurface(client, config.allowed_link_hosts), str(identity["team_id"]))


@asynccontextmanager
async def listening(settings: Settings, slack: Slack, submit: Submit, act: Act, threads: Threads) -> AsyncIterator[str]:
    """Events come in while the context is open: by Socket Mode with an app token, over HTTP without. Gives the place in
    words for the log. Raises SettingsError when the entrance cannot be opened."""
    app = build_app(slack.config, slack.client, submit, act, threads)
    entrance: AbstractAsyncContextManager[str] = (
        _over_http(settings, slack.config, app) if slack.config.app_token is None else _by_socket(slack.config, app)
    )
    async with entrance as place:
        yield place


@asynccontextmanager
async def _by_socket(config: SlackConfig, app: AsyncApp) -> AsyncIterator[str]:
    async with connected(config, app):
        yield "socket mode"


class _Server(uvicorn.Server):
    """A server that leaves the process's signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def _over_http(settings: Settings, config: SlackConfig, app: AsyncApp) -> AsyncIterator[str]:
    http = build_http(config, app)
    try:
        listener = socket.create_server((settings.http_host, settings.http_port))
    except OSError as error:
        raise SettingsError(
            f"STARWATCH_HTTP_PORT: cannot listen on {settings.http_host}:{settings.http_port} "
            f"({error.strerror or type(error).__name__}); name a free port"
        ) from None
    server = _Server(uvicorn.Config(http, log_config=None, lifespan="off", access_log=False))
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="slack over http")
    host, port = listener.getsockname()[:2]
    try:
        yield f"http://{host}:{port}/slack/events"
    finally:
        server.should_exit = True
        await serving
        listener.close()
