"""The line that says what is being done. It is a courtesy: a platform that cannot show it does not end the work."""

import structlog

from handlers.deps import Deps, OnStep
from handlers.surface import SurfaceError

log = structlog.get_logger()


async def show(thread: str, text: str, deps: Deps) -> None:
    """Show `text` in a thread, or clear the line with an empty one."""
    try:
        await deps.surface.status(thread, text)
    except SurfaceError as error:
        log.warning("the status of a thread could not be shown", thread=thread, why=str(error))


def status_of(thread: str, deps: Deps) -> OnStep:
    """Shows each step in a thread, the same step in a row only once."""
    shown = ""

    async def on_step(text: str) -> None:
        nonlocal shown
        if text != shown:
            shown = text
            await show(thread, text, deps)

    return on_step
