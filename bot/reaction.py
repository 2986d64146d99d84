"""The first sign that a question was heard: shown at once, beside the queue that the question itself goes through."""

import asyncio
from typing import Protocol

import structlog

from handlers.deps import Locales
from handlers.surface import Event, PatrolRequest, Surface, SurfaceError

log = structlog.get_logger()


class Entry(Protocol):
    """The part of the gate that this stands before."""

    async def admit(self, event: Event) -> bool:
        """See `Gate.admit`."""
        ...

    async def may(self, user: str) -> bool:
        """See `Gate.may`."""
        ...


class Reaction:
    """Stands before the gate. Whoever gets no answer gets no sign either; nobody waits for the sign."""

    def __init__(self, gate: Entry, surface: Surface, locale: Locales) -> None:
        self._gate = gate
        self._surface = surface
        self._locale = locale
        self._tasks: set[asyncio.Task[None]] = set()

    async def admit(self, event: Event) -> bool:
        """See `Gate.admit`."""
        new = await self._gate.admit(event)
        if new and not isinstance(event, PatrolRequest):
            task = asyncio.create_task(self._show(event.thread, event.user), name=f"reaction:{event.key}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return new

    async def _show(self, thread: str, user: str) -> None:
        try:
            if await self._gate.may(user):
                await self._surface.status(thread, (await self._locale(thread, user)).say("step.thinking"))
        except SurfaceError as error:
            log.warning("no sign could be given that a question was heard", thread=thread, why=str(error))

    async def idle(self) -> None:
        """Wait until every sign under way was given."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))
