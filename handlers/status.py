"""The line that says what is being done. It is a courtesy: neither a slow nor a refusing platform holds up the work."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from handlers.deps import Deps, OnStep
from handlers.newest import Newest
from handlers.surface import SurfaceError

log = structlog.get_logger()


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

    async def show_in_thread(text: str) -> None:
        await show(thread, text, deps)

    newest: Newest[str] = Newest(show_in_thread, f"status:{thread}")

    async def on_step(text: str) -> None:
        if deps.turn.steps[-1:] != [text]:
            deps.turn.steps.append(text)
        newest.put(text)

    try:
        yield on_step
    finally:
        await newest.end()
