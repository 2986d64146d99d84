"""An answer under way whose question is taken back: nothing of it is left standing, not even its beginning."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from handlers.deps import Deps
from handlers.posting import mark_of
from handlers.surface import Event, Writing


class _Withdrawn(Exception):
    """Leaves a writing as a fault does, which takes back what was shown; never seen outside."""


@asynccontextmanager
async def writing_to(event: Event, thread: str, deps: Deps) -> AsyncIterator[Writing]:
    """The writing of the event's answer in that thread. A turn that is cut off ends it where it stands, unless the
    question was deleted meanwhile: then nobody may read what came of it."""
    try:
        async with deps.surface.writing(thread, mark_of("answer", deps), event.user) as writing:
            try:
                yield writing
            except asyncio.CancelledError:
                if await deps.withdrawn(event):
                    raise _Withdrawn from None
                raise
    except _Withdrawn:
        raise asyncio.CancelledError from None
