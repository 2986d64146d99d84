"""The line that says what is being done. It is a courtesy: neither a slow nor a refusing platform holds up the work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from handlers.deps import Deps, OnStep
from handlers.surface import SurfaceError

log = structlog.get_logger()

LAST_WORDS = 2.0
"""Seconds that a status under way gets to arrive, so that it does not come after the answer."""


async def show(thread: str, text: str, deps: Deps) -> None:
    """Show `text` in a thread, or clear the line with an empty one."""
    try:
        await deps.surface.status(thread, text)
    except SurfaceError as error:
        log.warning("the status of a thread could not be shown", thread=thread, why=str(error))


@asynccontextmanager
async def showing(thread: str, deps: Deps) -> AsyncIterator[OnStep]:
    """Gives a callable that shows steps in a thread and returns at once. While one is on its way only the newest of
    those behind it is kept, and the same step in a row is shown once."""
    newest = _Newest()

    async def on_step(text: str) -> None:
        if deps.turn.steps[-1:] != [text]:
            deps.turn.steps.append(text)
        newest.put(text)

    worker = asyncio.create_task(_show_all(thread, newest, deps), name=f"status:{thread}")
    try:
        yield on_step
    finally:
        newest.end()
        await asyncio.wait({worker}, timeout=LAST_WORDS)
        if not worker.cancel() and (fault := worker.exception()) is not None:
            log.error("showing a status broke off", thread=thread, exc_info=fault)


class _Newest:
    """A place for one text: a newer one replaces it until it is taken."""

    def __init__(self) -> None:
        self._text: str | None = None
        self._changed = asyncio.Event()
        self._ended = False

    def put(self, text: str) -> None:
        self._text = text
        self._changed.set()

    def end(self) -> None:
        self._ended = True
        self._changed.set()

    async def take(self) -> str | None:
        """The text that is there next, None at the end."""
        await self._changed.wait()
        self._changed.clear()
        return None if self._ended else self._text


async def _show_all(thread: str, newest: _Newest, deps: Deps) -> None:
    shown = ""
    while (text := await newest.take()) is not None:
        if text != shown:
            shown = text
            await show(thread, text, deps)
