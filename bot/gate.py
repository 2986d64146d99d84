"""Who may ask, where, and how much: what concerns every event, before it waits and again before a handler sees it."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import structlog

from bot.store import Payer, Store, StoreUnwritable, Usage
from bot.store.usage import Scope
from bot.turns import TurnEngine
from handlers.surface import (
    Control,
    Deleted,
    Edited,
    Event,
    Mark,
    PatrolRequest,
    Press,
    Question,
    Stop,
    Surface,
    SurfaceError,
)
from handlers.views import note_document

log = structlog.get_logger()

BY_CLOCK = "clock"
"""The user of what the schedule asks for; it needs no leave."""

LOOP = 30
"""Events of one thread in a minute beyond which it is taken for two programs that talk to each other."""
THREADS = 10_000

NOT_LISTED = "Sorry, I may only answer people of this workspace who are on my list. An administrator can add you."


class Role(StrEnum):
    """What somebody is in the workspace."""

    MEMBER = "member"
    GUEST = "guest"
    STRANGER = "stranger"
    NOBODY = "nobody"


class Roles(Protocol):
    """Knows people."""

    async def of(self, user: str) -> Role:
        """The role of a person, as the surface names them. Raises SurfaceError when it cannot be found out."""
        ...


@dataclass(frozen=True, slots=True)
class Admission:
    """The rules. An empty list lets everybody of an allowed role in; `limits` are per day, a limit of 0 is none."""

    teams: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    roles: frozenset[Role] = frozenset({Role.MEMBER})
    limits: Mapping[Scope, Usage] = field(default_factory=dict)


class Gate:
    """Stands between the surface and the queue, and between the queue and the handlers."""

    def __init__(
        self,
        turns: Callable[[], TurnEngine],
        store: Store,
        surface: Surface,
        roles: Roles,
        admission: Admission,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._turns = turns
        self._store = store
        self._surface = surface
        self._roles = roles
        self._admission = admission
        self._clock = clock
        self._lately: dict[str, deque[float]] = {}

    async def admit(self, event: Event) -> bool:
        """Take an event in; False when it is none of our business or was seen before. Quick: nobody outside of our own
        database is asked. Raises TurnsRefused, so that the platform delivers it again."""
        if not self._listed(event) or self._loops(event):
            return False
        try:
            if not isinstance(event, PatrolRequest):
                # at once, so that what is said next in this thread needs no mention even while the first turn runs
                await self._store.join(event.thread)
            return await self._turns().submit(event)
        except StoreUnwritable as fault:
            log.error("an event could not be kept", event_key=event.key, why=str(fault))
            await self._say(_place(event), str(fault), Mark(event.key, "unwritable", repeated=True))
            return False

    async def act(self, control: Control) -> None:
        """Stop, change or take back what waits or runs. Whoever may not ask may not do that either."""
        turns = self._turns()
        match control:
            case _ if not self._allowed(control.thread, control.user):
                return
            case Edited():
                await turns.edit(control.key, control.text)
            case Deleted():
                await turns.withdraw(control.key)
            case Stop():
                if not await self._store.first_sight(f"stop:{control.key}"):
                    return
                stopped = await turns.stop(control.thread)
                if not stopped.running:
                    said = (
                        f"Nothing is running here; {stopped.waiting} waiting were dropped." if stopped.waiting else ""
                    )
                    await self._say(
                        control.thread, said or "Nothing is running here.", Mark(control.key, "stop", repeated=False)
                    )

    async def hears(self, press: Press) -> bool:
        """Whether a press may be acted on: somebody on the lists pressed it, for the first time. Quick, and durable:
        the same press is heard once, over restarts and replicas. Raises StoreUnwritable."""
        # a conversation with us alone is open to everybody for words, not for buttons
        listed = not self._admission.users or press.user in self._admission.users
        if not listed or not self._allowed(press.thread, press.user, direct=not press.message):
            return False
        return await self._store.first_sight(f"press:{press.key}"[:255])

    async def may(self, user: str) -> bool:
        """Whether somebody's role lets them ask. Raises SurfaceError when it cannot be found out."""
        return await self._roles.of(user) in self._admission.roles

    async def refusal(self, event: Event) -> str | None:
        """Why an event gets no answer, asked right before its handler: None to go on, an empty text for silence.
        Raises SurfaceError when the person's role cannot be found out."""
        if event.user == BY_CLOCK:
            return None
        # the list once more: who is alone with us was let through to here, to be told
        listed = not self._admission.users or event.user in self._admission.users
        if not listed or await self._roles.of(event.user) not in self._admission.roles:
            return await self._politely(event)
        begun = await self._store.usage.begin(event.key, payers(event), self._admission.limits)
        if (payer := begun.full) is None:
            return None
        whose = {"user": "Your", "channel": "This channel's", "workspace": "This workspace's"}[payer.scope]
        log.warning("a limit of the day is reached", scope=payer.scope, name=payer.name)
        return f"{whose} limit for today is reached. It begins anew at midnight UTC; an administrator can raise it."

    async def charge(self, event: Event, tokens: int) -> None:
        """Note what an event's turn used, once."""
        await self._store.usage.charge(event.key, payers(event), Usage(tokens=tokens))

    async def _politely(self, event: Event) -> str:
        """One line in a conversation with us alone, once; silence among others."""
        alone = isinstance(event, Question) and event.direct
        return NOT_LISTED if alone and await self._store.first_sight(f"not-listed:{event.user}") else ""

    def _listed(self, event: Event) -> bool:
        return event.user == BY_CLOCK or self._allowed(
            _place(event), event.user, direct=getattr(event, "direct", False)
        )

    def _allowed(self, place: str, user: str, *, direct: bool = False) -> bool:
        _, team, channel = [*place.split(":"), "", ""][:3]
        rules = self._admission
        if rules.teams and team not in rules.teams:
            return False
        if rules.channels and channel not in rules.channels and not direct:
            return False
        return not rules.users or user in rules.users or direct

    def _loops(self, event: Event) -> bool:
        now, lately = self._clock(), self._lately.setdefault(_place(event), deque(maxlen=LOOP))
        full = len(lately) == LOOP and now - lately[0] < 60
        lately.append(now)
        while len(self._lately) > THREADS:
            del self._lately[next(iter(self._lately))]
        if full:
            log.error("a thread is too busy to be people; its events are dropped", thread=_place(event))
        return full

    async def _say(self, place: str, text: str, mark: Mark) -> None:
        try:
            await self._surface.post(place, note_document(text), mark)
        except SurfaceError as error:
            log.error("a refusal could not be posted", place=place, why=str(error))


def payers(event: Event) -> list[Payer]:
    """Whose purses an event goes on: the person, the channel and the workspace."""
    surface, team, channel = [*_place(event).split(":"), "", ""][:3]
    home = f"{surface}:{team}"
    return [
        Payer("user", f"{home}:{event.user}"),
        Payer("channel", f"{home}:{channel}"),
        Payer("workspace", home),
    ]


def _place(event: Event) -> str:
    """A thread or channel of any surface: `surface:team:channel[:message]`."""
    return event.channel if isinstance(event, PatrolRequest) else event.thread
