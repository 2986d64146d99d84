"""The chat platforms that one process serves: what each brings, and several of them as one."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Protocol

from bot.admission import Role, Roles
from bot.entrance import Entrance
from bot.locales import Readers
from bot.settings import Settings
from handlers.deps import Locales
from handlers.document import Document, Form
from handlers.surface import Control, Event, Mark, Posted, Press, Said, Surface, SurfaceError, Writing
from handlers.words import Language

Submit = Callable[[Event], Awaitable[object]]
Act = Callable[[Control | Press], Awaitable[object]]


class Threads(Protocol):
    """The threads that we take part in."""

    async def knows(self, thread: str) -> bool:
        """Whether something was asked or posted by us in this thread."""
        ...


class Known(Protocol):
    """What was taken in so far."""

    async def newest(self, surface: str) -> str:
        """When the newest message of a surface was sent, in its own words; empty when there is none."""
        ...

    async def lately(self, surface: str, most: int) -> Sequence[str]:
        """Threads of a surface that we take part in, those last used first."""
        ...


class People(Roles, Readers, Protocol):
    """Knows what people are, and how they read."""

    async def named(self, user: str) -> str:
        """What people call somebody; empty where the platform does not say. Raises SurfaceError."""
        ...


class Platform(Protocol):
    """One chat platform that answered. `team` stands for the workspace or company in places."""

    @property
    def surface(self) -> Surface:
        """Where to post."""
        ...

    @property
    def people(self) -> People:
        """Who is who."""
        ...

    @property
    def team(self) -> str:
        """The workspace or company."""
        ...

    def channel(self, channel_id: str) -> str:
        """A channel as handlers name it."""
        ...

    def read_in(self, locales: Locales) -> None:
        """From now on, what the platform itself says beside documents is in the locale of whoever reads it."""
        ...

    def listening(
        self, settings: Settings, submit: Submit, act: Act, threads: Threads, known: Known
    ) -> AbstractAsyncContextManager[Entrance]:
        """Events come in while the context is open. Raises SettingsError when the entrance cannot be opened."""
        ...


def platform_of(place: str) -> str:
    """`slack` or `lark`, for a place, a bare channel id or a user id of theirs."""
    prefix, colon, _ = place.partition(":")
    if colon:
        return prefix
    return "lark" if place.startswith(("oc_", "ou_")) else "slack"


class Several:
    """Several platforms as one: what concerns a place goes to the platform of that place. Each user id belongs to one
    platform alone, so the two kinds of ids never mix."""

    def __init__(self, platforms: Mapping[str, Platform]) -> None:
        self._platforms = platforms
        self.surface: Surface = _Surfaces(platforms)
        self.people: People = _Peoples(platforms)

    @property
    def team(self) -> str:
        """All of them."""
        return ", ".join(one.team for one in self._platforms.values())

    def channel(self, channel_id: str) -> str:
        """See `Platform`. Raises SurfaceError for an id of a platform that is not served."""
        return _of(self._platforms, channel_id).channel(channel_id)

    def read_in(self, locales: Locales) -> None:
        """See `Platform`."""
        for one in self._platforms.values():
            one.read_in(locales)

    @asynccontextmanager
    async def listening(
        self, settings: Settings, submit: Submit, act: Act, threads: Threads, known: Known
    ) -> AsyncIterator[Entrance]:
        """See `Platform`."""
        async with AsyncExitStack() as stack:
            entrances = [
                await stack.enter_async_context(one.listening(settings, submit, act, threads, known))
                for one in self._platforms.values()
            ]

            async def shut() -> None:
                for one in entrances:
                    await one.shut()

            yield Entrance(", ".join(one.place for one in entrances), shut)


class _Surfaces:
    """A `Surface` that is several."""

    def __init__(self, platforms: Mapping[str, Platform]) -> None:
        self._platforms = platforms

    async def post(self, place: str, document: Document, mark: Mark | None = None) -> Posted:
        return await self._at(place).post(place, document, mark)

    async def update(self, message: str, document: Document, mark: Mark | None = None) -> None:
        await self._at(message).update(message, document, mark)

    async def status(self, thread: str, text: str) -> None:
        await self._at(thread).status(thread, text)

    def writing(self, thread: str, mark: Mark | None, user: str) -> AbstractAsyncContextManager[Writing]:
        return self._at(thread).writing(thread, mark, user)

    async def said(self, thread: str, after: str = "") -> Sequence[Said]:
        return await self._at(thread).said(thread, after)

    async def whisper(self, place: str, user: str, document: Document) -> None:
        await self._at(place).whisper(place, user, document)

    async def dialog(self, press: Press, title: str, document: Document, form: Form | None = None) -> None:
        await self._at(press.thread).dialog(press, title, document, form)

    async def suggest(self, place: str, prompts: Sequence[tuple[str, str]]) -> None:
        await self._at(place).suggest(place, prompts)

    async def home(self, user: str, document: Document) -> None:
        await self._at(user).home(user, document)

    def _at(self, place: str) -> Surface:
        return _of(self._platforms, place).surface


class _Peoples:
    """Knows people of several platforms."""

    def __init__(self, platforms: Mapping[str, Platform]) -> None:
        self._platforms = platforms

    async def of(self, user: str) -> Role:
        return await _of(self._platforms, user).people.of(user)

    async def reads(self, user: str) -> tuple[Language | None, str]:
        return await _of(self._platforms, user).people.reads(user)

    async def named(self, user: str) -> str:
        return await _of(self._platforms, user).people.named(user)


def _of(platforms: Mapping[str, Platform], place: str) -> Platform:
    name = platform_of(place)
    if name not in platforms:
        raise SurfaceError(f"{place!r} is a place on {name or 'no platform'}, which is not served here")
    return platforms[name]
