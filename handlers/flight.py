"""Work that several people may ask for at once and that should be done once: the later ones wait for the first."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, TypeVar

Result = TypeVar("Result")


class _Flight:
    """One running piece of work and how many wait for it."""

    __slots__ = ("task", "waiting")

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self.task = task
        self.waiting = 0


class Flights:
    """Running work by key. A caller who goes away does not end it for the others; the last one who goes does."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight] = {}

    def running(self, key: Hashable) -> bool:
        """Whether work under this key is going on."""
        return key in self._flights

    async def join(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """The result of the work running under `key`, started here when there is none. Raises what the work raises."""
        flight = self._flights.get(key) or self._start(key, work)
        flight.waiting += 1
        try:
            result: Result = await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                flight.task.cancel()  # no effect on work that is done
        return result

    def _start(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, Any]]) -> _Flight:
        flight = _Flight(asyncio.create_task(work()))
        self._flights[key] = flight

        def landed(task: asyncio.Task[Any]) -> None:
            if self._flights.get(key) is flight:
                del self._flights[key]
            if not task.cancelled():
                task.exception()  # a failure that nobody waits for any more is not reported as never retrieved

        flight.task.add_done_callback(landed)
        return flight
