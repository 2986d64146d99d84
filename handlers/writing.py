"""An answer on a surface that shows it only when it is whole: steps as the status, the answer as one post."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import structlog

from handlers.document import Document
from handlers.newest import Newest
from handlers.surface import Mark, Posted, Step, SurfaceError

log = structlog.get_logger()


class Posting(Protocol):
    """The part of a surface that this needs."""

    async def post(self, place: str, document: Document, mark: Mark | None = None) -> Posted:
        """See `Surface`."""
        ...

    async def status(self, thread: str, text: str) -> None:
        """See `Surface`."""
        ...


class _Whole:
    """A `Writing` whose text is seen only at its end."""

    def __init__(self, surface: Posting, thread: str, mark: Mark | None, newest: Newest[str]) -> None:
        self._surface = surface
        self._thread = thread
        self._mark = mark
        self._newest = newest

    async def steps(self, steps: Sequence[Step]) -> None:
        if steps:
            self._newest.put(steps[-1].text)

    async def text(self, piece: str) -> None:
        """Nothing: it will stand in the document."""

    async def finish(self, document: Document) -> Posted:
        await self._newest.end()
        return await self._surface.post(self._thread, document, self._mark)


@asynccontextmanager
async def whole(surface: Posting, thread: str, mark: Mark | None) -> AsyncIterator[_Whole]:
    """A writing that shows its latest step as the thread's status and posts the answer when it is finished."""

    async def show(text: str) -> None:
        try:
            await surface.status(thread, text)
        except SurfaceError as error:
            log.warning("the status of a thread could not be shown", thread=thread, why=str(error))

    newest: Newest[str] = Newest(show, f"status:{thread}")
    try:
        yield _Whole(surface, thread, mark, newest)
    finally:
        await newest.end()
