"""The first sign that a question was heard: shown at once, beside the queue that the question itself goes through."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from bot.turns import TurnsFull
from handlers.deps import Locales
from handlers.surface import Event, PatrolRequest, Surface, SurfaceError

log = structlog.get_logger()

MOST = 500
"""Signs under way at once: with more than that the platform's own limits make each come far too late to be one."""
SOON = 0.1
"""Seconds after which a sign is no longer a first one: the turn shows by itself what it does, and may be over."""


class Entry(Protocol):
    """The part of the gate that this stands before."""

    async def admit(self, event: Event) -> bool:
        """See `Gate.admit`."""
        ...

    async def may(self, user: str) -> bool:
        """See `Gate.may`."""
        ...


class Reaction:
    """Stands before the gate. Whoever gets no answer gets no sign either; nobody waits for the sign. `ahead` tells how
    many turns begin before an event's own."""

    def __init__(
        self,
        gate: Entry,
        surface: Surface,
        locale: Locales,
        ahead: Callable[[Event], int] = lambda event: 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gate = gate
        self._surface = surface
        self._locale = locale
        self._ahead = ahead
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    async def admit(self, event: Event) -> bool:
        """See `Gate.admit`."""
        try:
            new = await self._gate.admit(event)
        except TurnsFull:
            # the platform delivers it again; whoever waits sees why nothing happens
            self._sign(event, "queue.full", 0)
            raise
        if new:
            ahead = self._ahead(event)
            self._sign(event, "queue.position" if ahead else "step.thinking", ahead)
        return new

    def _sign(self, event: Event, key: str, position: int) -> None:
        if isinstance(event, PatrolRequest) or len(self._tasks) >= MOST:
            return
        task = asyncio.create_task(self._show(event.thread, event.user, key, position), name=f"reaction:{event.key}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _show(self, thread: str, user: str, key: str, position: int) -> None:
        try:
            began = self._clock()
            if not await self._gate.may(user):
                return
            locale = await self._locale(thread, user)
            # somebody seen for the first time is asked about, which can take longer than a short answer
            if self._clock() - began <= SOON or key != "step.thinking":
                said = locale.say(key, position=position) if position else locale.say(key)
                await self._surface.status(thread, said)
        except SurfaceError as error:
            log.warning("no sign could be given that a question was heard", thread=thread, why=str(error))

    async def idle(self) -> None:
        """Wait until every sign under way was given."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))
