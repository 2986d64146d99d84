"""Connections to the warehouse that cannot run a second statement, and a pool that hands out only living ones."""

import asyncio
import math
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from aiomysql.connection import Connection
from aiomysql.cursors import SSCursor
from pymysql.constants import CLIENT, CR
from pymysql.err import MySQLError, OperationalError

from mcp_server.config import WarehouseConfig
from mcp_server.errors import Code, WarehouseError
from mcp_server.faults import unreachable
from mcp_server.values import DECODERS

_LARGEST_PACKET = 0xFFFFFF

# What the driver raises on a greeting that is none.
_GARBAGE = (struct.error, IndexError, ValueError, AssertionError)


class SingleStatementConnection(Connection):  # type: ignore[misc]  # aiomysql carries no types
    """An aiomysql connection that does not negotiate multi-statements and refuses rows of 16 MiB and more."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**settings)
        self.client_flag &= ~CLIENT.MULTI_STATEMENTS

    @property
    def id(self) -> int:
        """The connection's id at the warehouse, as KILL QUERY takes it."""
        return int(self.thread_id())

    async def open(self) -> None:
        """Connect and log in. Raises pymysql errors and OSError; never leaves a half-open socket."""
        if self.client_flag & CLIENT.MULTI_STATEMENTS:
            raise RuntimeError("multi-statements would be negotiated")
        try:
            await self._connect()
        except _GARBAGE as error:
            self.close()
            raise ConnectionError("the server does not speak the MySQL protocol") from error
        except BaseException:
            self.close()
            raise

    async def _read_bytes(self, num_bytes: int) -> bytes:
        if num_bytes >= _LARGEST_PACKET:
            self.close()
            raise OperationalError(CR.CR_NET_PACKET_TOO_LARGE, "a row is larger than 16 MiB")
        return bytes(await super()._read_bytes(num_bytes))


class StreamingCursor(SSCursor):  # type: ignore[misc]  # aiomysql carries no types
    """A cursor that reads row by row and leaves the server's warnings where they are."""

    async def _show_warnings(self, conn: Connection) -> None:
        return None


class Pool:
    """At most `pool_size` connections, opened when needed; waiting callers are served in turn."""

    def __init__(self, config: WarehouseConfig) -> None:
        self._config = config
        self._slots = asyncio.Semaphore(config.pool_size)
        self._idle: list[tuple[float, SingleStatementConnection]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._idle:
            _, connection = self._idle.pop()
            await _ended(connection)

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[SingleStatementConnection]:
        """A connection for one statement; it returns to the pool unless it was closed meanwhile.

        Raises WarehouseError when none can be opened, or all stay busy for the time of a statement.
        """
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

    async def connect(self) -> SingleStatementConnection:
        """A new connection outside the pool. Raises WarehouseError."""
        config = self._config
        connection = SingleStatementConnection(
            host=config.host,
            port=config.port,
            user=config.user,
            password=config.password.get_secret_value(),
            connect_timeout=config.connect_seconds,
            charset="utf8mb4",
            use_unicode=False,
            conv=DECODERS,
            autocommit=None,
            init_command=f"SET query_timeout = {math.ceil(config.timeout_seconds)}",
        )
        try:
            async with asyncio.timeout(config.connect_seconds):
                await connection.open()
        except TimeoutError as error:
            raise WarehouseError(Code.UNAVAILABLE, "the warehouse did not answer in time") from error
        except (MySQLError, OSError) as error:
            raise unreachable(error) from error
        return connection

    async def _slot(self) -> None:
        try:
            async with asyncio.timeout(self._config.timeout_seconds):
                await self._slots.acquire()
        except TimeoutError as error:
            reason = "all connections to the warehouse are busy"
            raise WarehouseError(Code.UNAVAILABLE, reason, hint="ask again in a moment") from error

    async def _living(self) -> SingleStatementConnection:
        while self._idle:
            rested_since, connection = self._idle.pop()
            if await self._answers(connection, self._now() - rested_since):
                return connection
            connection.close()
        return await self.connect()

    async def _answers(self, connection: SingleStatementConnection, rested: float) -> bool:
        if connection.closed:
            return False
        if rested < self._config.idle_seconds:
            return True
        try:
            async with asyncio.timeout(self._config.connect_seconds):
                await connection.ping(reconnect=False)
        except (MySQLError, OSError, TimeoutError):
            return False
        return True

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


async def _ended(connection: SingleStatementConnection) -> None:
    try:
        await connection.ensure_closed()
    except OSError:
        connection.close()
