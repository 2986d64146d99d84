"""Slack put together: its settings, the workspace behind the token, and the entrance that its events come in by."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from time import time

from aiohttp import ClientError
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette

from bot.admission import Role, admission
from bot.entrance import Entrance, over_http
from bot.errors import SettingsError
from bot.people import KnownPeople
from bot.settings import Settings
from bot.slack.app import Act, Submit, Threads, build_app
from bot.slack.catchup import CatchUp, Known
from bot.slack.config import SlackConfig, web_client
from bot.slack.http import build_http
from bot.slack.people import slack_people
from bot.slack.place import Place
from bot.slack.socket import connected
from bot.slack.surface import SlackSurface
from handlers.deps import Locales


@dataclass(frozen=True, slots=True)
class Slack:
    """A workspace that answered. `team` is its id, `bot_user` the id that people mention us by."""

    config: SlackConfig
    client: AsyncWebClient
    surface: SlackSurface
    team: str
    bot_user: str
    people: KnownPeople

    def channel(self, channel_id: str) -> str:
        """A channel of this workspace as handlers name it."""
        return str(Place(self.team, channel_id))

    def read_in(self, locales: Locales) -> None:
        """See `bot.platforms.Platform`: whatever people read here comes with a document."""

    def listening(
        self, settings: Settings, submit: Submit, act: Act, threads: Threads, known: Known
    ) -> AbstractAsyncContextManager[Entrance]:
        """See the function of this name."""
        return listening(settings, self, submit, act, threads, known)


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
        # who of them may ask is for the gate to say; without the role their messages are not even looked at
        shared_channels=Role.STRANGER in admission(settings).roles,
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
    surface = SlackSurface(client, config.allowed_link_hosts)
    team = str(identity["team_id"])
    return Slack(config, client, surface, team, str(identity["user_id"]), slack_people(client, team))


@asynccontextmanager
async def listening(
    settings: Settings, slack: Slack, submit: Submit, act: Act, threads: Threads, known: Known
) -> AsyncIterator[Entrance]:
    """Events come in while the context is open: by Socket Mode with an app token, over HTTP without. Raises
    SettingsError when the entrance cannot be opened."""
    app = build_app(slack.config, slack.client, submit, act, threads, slack.people, slack.surface)
    opened: AbstractAsyncContextManager[Entrance] = (
        _over_http(settings, slack.config, app) if slack.config.app_token is None else _by_socket(slack, app, known)
    )
    async with opened as entrance:
        yield entrance


@asynccontextmanager
async def _by_socket(slack: Slack, app: AsyncApp, known: Known) -> AsyncIterator[Entrance]:
    # over HTTP Slack tries again by itself; here it delivers to whoever is connected, and to nobody when nobody is
    catch_up = CatchUp(slack.client, app, known, slack.team, slack.bot_user, time)
    async with connected(slack.config, app, catch_up=catch_up) as connection:
        yield Entrance("socket mode", connection.close)


@asynccontextmanager
async def _over_http(settings: Settings, config: SlackConfig, app: AsyncApp) -> AsyncIterator[Entrance]:
    def build(shut: Callable[[], bool]) -> Starlette:
        return build_http(config, app, shut=shut)

    async with over_http(build, settings.http_host, settings.http_port, "/slack/events") as entrance:
        yield entrance
