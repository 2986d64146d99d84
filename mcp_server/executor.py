"""Runs admitted statements: streamed up to the caps, killed at the time limit, and nothing left running behind."""

import asyncio
import logging
import sys
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from pymysql.err import MySQLError

from mcp_server.config import WarehouseConfig
from mcp_server.connection import Pool, SingleStatementConnection, StreamingCursor
from mcp_server.errors import Code, ConnectionLost, DoorError, WarehouseError
from mcp_server.faults import translated
from mcp_server.values import Scalar, type_name

_KILL_SECONDS = 5.0

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


class Executor:
    """Runs one text per call on a pooled connection. Safe to call concurrently."""

    def __init__(self, config: WarehouseConfig) -> None:
        self._config = config
        self._pool = Pool(config)
        self._kills: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._kills:
            await asyncio.wait(self._kills, timeout=_KILL_SECONDS)
        await self._pool.__aexit__(kind, error, trace)

    async def fetch(self, sql: str, *, max_rows: int) -> Fetched:
        """The first `max_rows` rows of a read. A lost connection is tried once more; raises WarehouseError."""
        started = asyncio.get_running_loop().time()
        try:
            columns, rows, more = await self._attempt(sql, max_rows)
        except ConnectionLost:
            columns, rows, more = await self._attempt(sql, max_rows)
        return Fetched(columns, rows, more, asyncio.get_running_loop().time() - started)

    async def _attempt(self, sql: str, max_rows: int) -> tuple[tuple[Column, ...], list[list[Scalar]], bool]:
        async with self._pool.lease() as connection:
            try:
                async with asyncio.timeout(self._config.timeout_seconds):
                    return await self._stream(connection, sql, max_rows)
            except TimeoutError as error:
                await asyncio.shield(self._abandon(connection))
                reason = f"the statement was killed after {self._config.timeout_seconds:g} s"
                hint = "read fewer hours or clusters, or aggregate"
                raise WarehouseError(Code.TIMEOUT, reason, hint=hint) from error
            except asyncio.CancelledError:
                # A cancelled caller cannot wait; the kill runs on as a task that __aexit__ awaits.
                self._abandon(connection)
                raise
            except (MySQLError, OSError) as error:
                raise translated(error) from error

    async def _stream(
        self, connection: SingleStatementConnection, sql: str, max_rows: int
    ) -> tuple[tuple[Column, ...], list[list[Scalar]], bool]:
        cursor = StreamingCursor(connection)
        await cursor.execute(sql)
        columns = tuple(Column(_name(field[0]), type_name(field[1])) for field in cursor.description or ())
        rows: list[list[Scalar]] = []
        size = 0
        while (raw := await cursor.fetchone()) is not None:
            row = [self._cell(cell) for cell in raw]
            size += sum(map(sys.getsizeof, row))
            if len(rows) == max_rows or size > self._config.max_bytes:
                await self._abandon_unless_read(connection, cursor)
                return columns, rows, True
            rows.append(row)
        return columns, rows, False

    async def _abandon_unless_read(self, connection: SingleStatementConnection, cursor: StreamingCursor) -> None:
        """End a result early; under the guard's LIMIT the row too many is the last, and the connection stays good."""
        if await cursor.fetchone() is not None:
            await asyncio.shield(self._abandon(connection))

    def _abandon(self, connection: SingleStatementConnection) -> asyncio.Task[None]:
        """Close the connection and kill what runs on it; the returned task ends when that is done."""
        connection.close()
        task = asyncio.create_task(self._kill(connection.id), name=f"kill-{connection.id}")
        self._kills.add(task)
        task.add_done_callback(self._kills.discard)
        return task

    async def _kill(self, connection_id: int) -> None:
        try:
            async with asyncio.timeout(_KILL_SECONDS):
                connection = await self._pool.connect()
                try:
                    await connection.query(f"KILL QUERY {connection_id}")
                finally:
                    connection.close()
        except (DoorError, MySQLError, OSError, TimeoutError) as error:
            # The warehouse's own query_timeout still ends the statement.
            _log.warning("could not kill the statement of connection %d: %s", connection_id, type(error).__name__)

    def _cell(self, value: object) -> Scalar:
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if not isinstance(value, str):
            return value  # type: ignore[return-value]  # the decoders give only scalars and bytes
        limit = self._config.max_cell_chars
        return value if len(value) <= limit else f"{value[:limit]}…[+{len(value) - limit} chars]"


def _name(raw: str | bytes) -> str:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
