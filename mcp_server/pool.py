"""The pool: hands out living connections in turn, and opens new ones only while the warehouse can be reached."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from pymysql.err import MySQLError

from mcp_server.breaker import Breaker
from mcp_server.config import WarehouseConfig
from mcp_server.connection import SingleStatementConnection, connect, ended
from mcp_server.errors import Code, WarehouseError
from mcp_server.metrics import Count, Metrics, Timer

_PING_SECONDS = 2.0
_WAIT_SECONDS = 10.0


class Pool:
    """At most `pool_size` connections, opened when needed; waiting callers are served in turn."""

    def __init__(self, config: WarehouseConfig, breaker: Breaker, metrics: Metrics) -> None:
        self._config = config
        self._breaker = breaker
        self._metrics = metrics
        self._slots = asyncio.Semaphore(config.pool_size)
        self._idle: list[tuple[float, SingleStatementConnection]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._idle:
            _, connection = self._idle.pop()
            await ended(connection)

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[SingleStatementConnection]:
        """A connection for one statement; it returns to the pool unless it was closed meanwhile.

        Raises WarehouseError when none can be opened, or all stay busy for 10 s (or the time limit, if shorter).
        """
        with self._metrics.timed(Timer.WAIT):
            await self._slot()
        try:
            connection = await self._living()
            try:
                yield connection
            except WarehouseError:
                raise
            except BaseException:
                # An interrupted statement may leave unread packets behind; such a connection is not used again.
                connection.close()
                raise
            finally:
                if not connection.closed:
                    self._idle.append((self._now(), connection))
        finally:
            self._slots.release()

    def drop_idle(self) -> None:
        """Close what rests: where one connection died, its likes are probably dead too, and a retry needs a new one."""
        while self._idle:
            self._idle.pop()[1].close()

    async def _slot(self) -> None:
        try:
            async with asyncio.timeout(min(self._config.timeout_seconds, _WAIT_SECONDS)):
                await self._slots.acquire()
        except TimeoutError as error:
            reason = "all connections to the warehouse are busy"
            raise WarehouseError(Code.UNAVAILABLE, reason, hint="ask again in a moment") from error

    async def _living(self) -> SingleStatementConnection:
        while self._idle:
            rested_since, connection = self._idle.pop()
            if not connection.closed and await self._answers(connection, self._now() - rested_since):
                return connection
            connection.close()
        return await self._new()

    async def _new(self) -> SingleStatementConnection:
        tried = False
        try:
            with self._breaker.attempt(), self._metrics.timed(Timer.CONNECT):
                tried = True
                connection = await connect(self._config)
        except WarehouseError:
            self._metrics.add(Count.NOT_CONNECTED if tried else Count.NOT_TRIED)
            raise
        self._metrics.add(Count.CONNECTED)
        return connection

    async def _answers(self, connection: SingleStatementConnection, rested: float) -> bool:
        if rested < self._config.idle_seconds:
            return True
        try:
            async with asyncio.timeout(min(self._config.connect_seconds, _PING_SECONDS)):
                await connection.ping(reconnect=False)
        except (MySQLError, OSError, TimeoutError):
            self._metrics.add(Count.STALE)
            self.drop_idle()
            return False
        return True

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
