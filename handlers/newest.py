"""Showing something that changes faster than it can be shown: only the newest of what waits is shown."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog

log = structlog.get_logger()

LAST_WORDS = 2.0
"""Seconds that something under way gets to arrive, so that it does not come after what replaces it."""

Shown = TypeVar("Shown")


class Newest(Generic[Shown]):
    """Calls `show` with what was put last, one call at a time, in a task of its own; the same value in a row is shown
    once. A fault of `show` ends the showing and is logged, and nobody else is held up."""

    def __init__(self, show: Callable[[Shown], Awaitable[None]], name: str) -> None:
        self._show = show
        self._name = name
        self._waiting: list[Shown] = []
        self._changed = asyncio.Event()
        self._ended = False
        self._worker: asyncio.Task[None] | None = None

    def put(self, value: Shown) -> None:
        """Show this next, in place of what waits; returns at once."""
        self._waiting[:] = [value]
        self._changed.set()
        if self._worker is None and not self._ended:
            self._worker = asyncio.create_task(self._work(), name=self._name)

    async def end(self) -> None:
        """Forget what waits, and let what is under way arrive, for LAST_WORDS at most. A second time does nothing."""
        self._ended = True
        self._changed.set()
        worker, self._worker = self._worker, None
        if worker is None:
            return
        try:
            await asyncio.wait({worker}, timeout=LAST_WORDS)
        finally:
            if not worker.cancel() and not worker.cancelled() and (fault := worker.exception()) is not None:
                log.error("showing broke off", what=self._name, exc_info=fault)

    async def _work(self) -> None:
        shown: list[Shown] = []
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._ended:
                return
            if self._waiting != shown:
                shown = self._waiting.copy()
                await self._show(shown[0])
