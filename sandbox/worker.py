"""Blocking calls of one session in a thread; each ends early when it is killed, out of time, or its caller is gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import duckdb

from sandbox import failures
from sandbox.errors import StatementError, killed, timed_out

_log = logging.getLogger(__name__)
# DuckDB forgets an interrupt that arrives between two calls of a statement, so it is repeated.
_INTERRUPT_SECONDS = 0.05
_T = TypeVar("_T")


class Worker:
    """Runs the calls of the statement between `begin` and `finish`."""

    def __init__(self, threads: ThreadPoolExecutor, cursor: duckdb.DuckDBPyConnection) -> None:
        self._threads = threads
        self._cursor = cursor
        self._halt: asyncio.Future[StatementError] | None = None
        self._seconds = 0
        self._deadline = 0.0

    def begin(self, seconds: int) -> None:
        """A statement begins; it may take so many seconds, its rows included."""
        loop = asyncio.get_running_loop()
        # A new one for each statement: a KILL that comes too late must not end the next.
        self._halt = loop.create_future()
        self._seconds = seconds
        self._deadline = loop.time() + seconds

    def finish(self) -> None:
        """The statement is over."""
        self._halt = None

    def kill(self) -> None:
        """End the running statement, if there is one."""
        if self._halt is not None and not self._halt.done():
            self._halt.set_result(killed())

    async def run(self, work: Callable[[], _T]) -> _T:
        """A short call outside of any statement."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def call(self, work: Callable[[], _T]) -> _T:
        """One call of the running statement.

        Raises:
            StatementError: 1317 when killed, 5024 when out of time, or what DuckDB's error means in StarRocks.
        """
        if self._halt is None:
            raise StatementError(1105, "No statement is running")
        # Killed between two calls, while rows were on their way to the client.
        if self._halt.done():
            raise self._halt.result()
        # The thread's own future is kept beside the wrapped one: only it can be taken back while still in line.
        started = self._threads.submit(work)
        job = asyncio.wrap_future(started)
        either: set[asyncio.Future[Any]] = {job, self._halt}
        left = self._deadline - asyncio.get_running_loop().time()
        try:
            await asyncio.wait(either, timeout=max(left, 0), return_when=asyncio.FIRST_COMPLETED)
        # The client is gone. The thread must be out of the cursor before that is closed.
        except asyncio.CancelledError:
            await self._end(started, job)
            raise
        if not job.done():
            await self._end(started, job)
            raise self._halt.result() if self._halt.done() else timed_out(self._seconds)
        try:
            return job.result()
        except duckdb.Error as error:
            _log.debug("DuckDB refused a statement: %s", error)
            raise failures.translate(error) from error

    async def _end(self, started: Future[_T], job: asyncio.Future[_T]) -> None:
        """Interrupt until the call has returned: DuckDB refuses a cursor that is still busy."""
        # It never began: there is nothing to interrupt, and an interrupt now would hit whatever comes next.
        if started.cancel():
            return
        # In a task of its own, since a caller may be cancelled a second time while it waits here.
        ending = asyncio.ensure_future(self._interrupted(job))
        cancelled: asyncio.CancelledError | None = None
        while not ending.done():
            try:
                await asyncio.shield(ending)
            except asyncio.CancelledError as again:
                cancelled = again
        # Looked at once, or asyncio would complain about an exception that nobody wanted.
        if not job.cancelled():
            job.exception()
        if cancelled is not None:
            raise cancelled

    async def _interrupted(self, job: asyncio.Future[_T]) -> None:
        while not job.done():
            self._cursor.interrupt()
            await asyncio.wait({job}, timeout=_INTERRUPT_SECONDS)
