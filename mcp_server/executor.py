"""Runs admitted statements: streamed up to the caps, killed at the time limit, and nothing left running behind."""

import asyncio
import logging
import sys
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from pymysql.err import MySQLError

from mcp_server.breaker import Breaker
from mcp_server.clock import Now, Seconds, utc_now
from mcp_server.config import WarehouseConfig
from mcp_server.connection import GARBAGE, SingleStatementConnection, StreamingCursor, connect
from mcp_server.errors import Code, ConnectionLost, DoorError, WarehouseError
from mcp_server.faults import is_gone, translated, unreadable
from mcp_server.long_rows import shown
from mcp_server.metrics import Count, Metrics
from mcp_server.pool import Pool
from mcp_server.values import Scalar, type_name

_KILL_SECONDS = 5.0

_CUT_HINT = "read fewer hours or clusters, or aggregate"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a result: its name and StarRocks type."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """The rows of one statement; `more` says that the warehouse had further ones."""

    columns: tuple[Column, ...]
    rows: list[list[Scalar]]
    more: bool
    seconds: float


_Rows = tuple[tuple[Column, ...], list[list[Scalar]], bool]
"""Columns, rows, and whether there were more."""


class Executor:
    """Runs one text per call on a pooled connection. Safe to call concurrently."""

    def __init__(
        self,
        config: WarehouseConfig,
        metrics: Metrics | None = None,
        *,
        clock: Seconds = time.monotonic,
        now: Now = utc_now,
    ) -> None:
        self._config = config
        self._metrics = metrics or Metrics()
        self.breaker = Breaker(clock, now)
        self._pool = Pool(config, self.breaker, self._metrics)
        self._busy: set[SingleStatementConnection] = set()
        self._kills: set[asyncio.Task[None]] = set()
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in tuple(self._busy):
            self._abandon(connection, Count.KILLED_CANCELLED)
        self._closed = True
        if self._kills:
            await asyncio.wait(self._kills, timeout=_KILL_SECONDS)
        await self._pool.__aexit__(kind, error, trace)

    async def fetch(self, sql: str, *, max_rows: int) -> Fetched:
        """The first `max_rows` rows of a read. A lost connection is tried once more; raises WarehouseError."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        deadline = started + self._config.timeout_seconds
        try:
            columns, rows, more = await self._attempt(sql, max_rows, self._config.timeout_seconds)
        except ConnectionLost:
            self._metrics.add(Count.RETRIED)
            self._pool.drop_idle()
            columns, rows, more = await self._again(sql, max_rows, max(0.0, deadline - loop.time()))
        self._metrics.add(Count.ROWS, len(rows))
        return Fetched(columns, rows, more, loop.time() - started)

    async def _again(self, sql: str, max_rows: int, seconds: float) -> _Rows:
        """The second attempt, in what is left of the time. A loss of this new connection speaks against the server."""
        try:
            return await self._attempt(sql, max_rows, seconds)
        except ConnectionLost:
            self.breaker.failed()
            raise

    async def _attempt(self, sql: str, max_rows: int, seconds: float) -> _Rows:
        if self._closed:
            raise WarehouseError(Code.UNAVAILABLE, "the door has been closed")
        async with self._pool.lease() as connection:
            self._busy.add(connection)
            try:
                async with asyncio.timeout(seconds):
                    return await self._stream(connection, sql, max_rows)
            except TimeoutError as error:
                await asyncio.shield(self._abandon(connection, Count.KILLED_TIMEOUT))
                reason = f"the statement was killed after {self._config.timeout_seconds:g} s"
                raise WarehouseError(Code.TIMEOUT, reason, hint=_CUT_HINT) from error
            except asyncio.CancelledError:
                # A cancelled caller cannot wait; the kill runs on as a task that __aexit__ awaits.
                self._abandon(connection, Count.KILLED_CANCELLED)
                raise
            except (MySQLError, OSError) as error:
                raise translated(error) from error
            except GARBAGE as error:
                _log.exception("a result could not be read")
                await asyncio.shield(self._abandon(connection, Count.KILLED_CUT))
                raise unreadable() from error
            finally:
                self._busy.discard(connection)

    async def _stream(self, connection: SingleStatementConnection, sql: str, max_rows: int) -> _Rows:
        cursor = StreamingCursor(connection)
        await cursor.execute(sql)
        columns = tuple(Column(_name(field[0]), type_name(field[1])) for field in cursor.description or ())
        rows: list[list[Scalar]] = []
        size = 0
        while (raw := await cursor.fetchone()) is not None:
            row = [shown(cell, self._config.max_cell_chars) if isinstance(cell, bytes) else cell for cell in raw]
            size += sys.getsizeof(row) + sum(map(sys.getsizeof, row))
            if len(rows) == max_rows or size > self._config.max_bytes:
                self._metrics.add(Count.CUT_ROWS if len(rows) == max_rows else Count.CUT_BYTES)
                del row, raw
                await self._abandon_unless_read(connection, cursor)
                return columns, rows, True
            rows.append(row)
        return columns, rows, False

    async def _abandon_unless_read(self, connection: SingleStatementConnection, cursor: StreamingCursor) -> None:
        """End a result early; under the guard's LIMIT the row too many is the last, and the connection stays good."""
        if await cursor.fetchone() is not None:
            await asyncio.shield(self._abandon(connection, Count.KILLED_CUT))

    def _abandon(self, connection: SingleStatementConnection, why: Count) -> asyncio.Future[None]:
        """Close the connection and kill what runs on it; the returned future ends when that is done."""
        connection.close()
        if self._closed:
            # __aexit__ has sent the kill, and nobody would wait for another.
            done = asyncio.get_running_loop().create_future()
            done.set_result(None)
            return done
        self._metrics.add(why)
        task = asyncio.create_task(self._kill(connection.id), name=f"kill-{connection.id}")
        self._kills.add(task)
        task.add_done_callback(self._kills.discard)
        return task

    async def _kill(self, connection_id: int) -> None:
        """Tell the warehouse on a connection of its own, outside the pool: all others may be busy."""
        try:
            async with asyncio.timeout(_KILL_SECONDS):
                connection = await connect(self._config)
                try:
                    await connection.query(f"KILL QUERY {connection_id}")
                finally:
                    connection.close()
        except (DoorError, MySQLError, OSError, TimeoutError) as error:
            if isinstance(error, MySQLError) and is_gone(error):
                return
            # The warehouse's own query_timeout still ends the statement.
            self._metrics.add(Count.NOT_KILLED)
            _log.warning("could not kill the statement of connection %d: %s", connection_id, type(error).__name__)


def _name(raw: str | bytes) -> str:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
