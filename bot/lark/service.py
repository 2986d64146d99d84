"""Lark put together: its settings, the company behind the app, and the entrance that its events come in by."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette

from bot.charts.picture import Painter
from bot.entrance import Entrance, over_http
from bot.errors import SettingsError
from bot.lark.api import LarkApi
from bot.lark.config import DOMAINS, LarkConfig
from bot.lark.delivery import Delivery
from bot.lark.http import PATH, build_http
from bot.lark.loading import long_connection
from bot.lark.people import lark_people
from bot.lark.place import Place
from bot.lark.receiver import Act, Receiver, Submit, Threads
from bot.lark.surface import LarkSurface
from bot.people import KnownPeople
from bot.settings import Settings
from handlers.deps import Locales
from handlers.faults import AccessEnded
from handlers.locale import Locale
from handlers.surface import SurfaceError
from handlers.words import Language

BOT_INFO = "/open-apis/bot/v3/info"
SCOPES = "/open-apis/application/v6/scopes"

NEEDED = {
    "im:message": "reading and writing messages, updating cards",
    "im:message:send_as_bot": "answering",
    "im:message.group_at_msg:readonly": "hearing mentions in groups",
    "im:message.p2p_msg:readonly": "hearing direct messages",
    "im:resource": "pictures of charts and files",
    "cardkit:card:write": "answers that grow in a card",
}
WELCOME = {
    "im:message.group_msg": "replies in our topics without a mention",
    "contact:contact.base:readonly": "telling who has left the company",
    "contact:user.base:readonly": "people's time zone and country",
}
"""Scopes without which something is missing, but answers come. What each is for: docs/lark.md."""


@dataclass(frozen=True, slots=True)
class Lark:
    """A company that answered. `bot` is the open id that people mention us by, `name` what they call us."""

    config: LarkConfig
    api: LarkApi
    surface: LarkSurface
    people: KnownPeople
    bot: str
    name: str

    @property
    def team(self) -> str:
        """What stands for the company in places: our app's id."""
        return self.config.app_id

    def channel(self, chat_id: str) -> str:
        """A chat as handlers name it."""
        return str(Place(self.config.app_id, chat_id))

    def read_in(self, locales: Locales) -> None:
        """See `bot.platforms.Platform`: what stands on a card while it grows."""
        self.surface.read_in(locales)

    def listening(
        self, settings: Settings, submit: Submit, act: Act, threads: Threads, known: object = None
    ) -> AbstractAsyncContextManager[Entrance]:
        """Events come in while the context is open: over HTTP with an encrypt key, by long connection without. Raises
        SettingsError when the entrance cannot be opened."""
        receiver = Receiver(
            self.config.app_id,
            self.bot,
            submit,
            act,
            threads,
            self.surface,
            shared_chats=self.config.shared_chats,
        )
        if self.config.encrypt_key is None:
            return self._by_connection(receiver)

        def build(shut: Callable[[], bool]) -> Starlette:
            return build_http(self.config, receiver, shut=shut)

        return over_http(build, settings.http_host, settings.lark_http_port, PATH, "LARK_HTTP_PORT")

    @asynccontextmanager
    async def _by_connection(self, receiver: Receiver) -> AsyncIterator[Entrance]:
        client = await asyncio.to_thread(long_connection)
        try:
            async with client.connected(self.api, self.config, receiver.take) as close:
                yield Entrance("long connection", close)
        except SurfaceError as error:
            raise SettingsError(f"LARK_APP_ID: the long connection cannot be opened ({error})") from None


def lark_config(settings: Settings) -> LarkConfig:
    """Lark's part of the settings. Raises SettingsError naming what is missing to serve."""
    if settings.lark_app_id is None or settings.lark_app_secret is None:
        missing = "LARK_APP_SECRET" if settings.lark_app_id else "LARK_APP_ID"
        raise SettingsError(f"{missing}: is missing; copy it from the app's page, Credentials & Basic Info")
    if settings.lark_encrypt_key is not None and settings.lark_verification_token is None:
        raise SettingsError("LARK_VERIFICATION_TOKEN: is missing; it stands beside the encrypt key")
    hosts = (host.strip() for host in settings.link_hosts.split(","))
    return LarkConfig(
        app_id=settings.lark_app_id,
        app_secret=settings.lark_app_secret,
        encrypt_key=settings.lark_encrypt_key,
        verification_token=settings.lark_verification_token,
        domain=DOMAINS.get(settings.lark_domain, settings.lark_domain),
        allowed_link_hosts=frozenset(host for host in hosts if host),
        shared_chats="stranger" in settings.roles,
    )


@asynccontextmanager
async def reached(config: LarkConfig) -> AsyncIterator[Lark]:
    """The company behind the app. Raises SettingsError when Lark refuses the app or cannot be reached."""
    api = LarkApi(config)
    try:
        yield await _found(api, config)
    finally:
        await api.close()


async def lacking(lark: Lark) -> tuple[list[str], list[str]]:
    """The scopes that must and that should be granted yet. Raises SurfaceError."""
    told = await lark.api.call("GET", SCOPES)
    granted = {str(one.get("scope_name")) for one in told.get("scopes") or () if one.get("grant_status") == 1}
    return [name for name in NEEDED if name not in granted], [name for name in WELCOME if name not in granted]


async def _found(api: LarkApi, config: LarkConfig) -> Lark:
    try:
        told = await api.call("GET", BOT_INFO)
    except AccessEnded as error:
        raise SettingsError(f"LARK_APP_SECRET: Lark refuses the app ({error})") from None
    except SurfaceError as error:
        raise SettingsError(f"LARK_DOMAIN: Lark cannot be used ({error})") from None
    language: Language = "zh" if config.domain == DOMAINS["feishu"] else "en"
    people = lark_people(api, language)

    async def locale(place: str, user: str) -> Locale:
        return Locale((await people.reads(user))[0] or language)

    delivery = Delivery(api, config.allowed_link_hosts, Painter())
    surface = LarkSurface(api, delivery, config.app_id, locale)
    bot = told["bot"]
    return Lark(config, api, surface, people, str(bot["open_id"]), str(bot.get("app_name", "")))
