"""Connections to the warehouse that cannot run a second statement and never hold a giant row."""

import asyncio
import math
import struct
from collections.abc import Callable
from functools import partial
from typing import Any

from aiomysql.connection import Connection, MysqlPacket
from aiomysql.cursors import SSCursor
from pymysql.constants import CLIENT, CR, FIELD_TYPE
from pymysql.err import MySQLError, OperationalError

from mcp_server.config import WarehouseConfig
from mcp_server.errors import Code, WarehouseError
from mcp_server.faults import unreachable
from mcp_server.long_rows import LONG, frame_length, read_long_row, shown
from mcp_server.values import DECODERS, Scalar

# What the driver raises on bytes that are not the protocol's.
GARBAGE = (struct.error, IndexError, ValueError, AssertionError)


class SingleStatementConnection(Connection):  # type: ignore[misc]  # aiomysql carries no types
    """An aiomysql connection that does not negotiate multi-statements and keeps `cell_chars` characters of a cell."""

    _next_seq_id: int

    def __init__(self, *, cell_chars: int = 65_536, **settings: object) -> None:
        super().__init__(**settings)
        self.client_flag &= ~CLIENT.MULTI_STATEMENTS
        self._cell_chars = cell_chars
        self._peeked = b""

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
        except GARBAGE as error:
            self.close()
            raise ConnectionError("the server does not speak the MySQL protocol") from error
        except BaseException:
            self.close()
            raise

    async def exactly(self, count: int) -> bytes:
        """The next `count` bytes from the warehouse."""
        return bytes(await super()._read_bytes(count))

    async def header(self) -> int:
        """The length of the next frame; frames out of order end the connection."""
        length, sequence = frame_length(await self._read_bytes(4))
        if sequence != self._next_seq_id:
            self.close()
            raise OperationalError(CR.CR_SERVER_LOST, "a frame out of order")
        self._next_seq_id = (self._next_seq_id + 1) % 256
        return length

    async def _read_packet(self, packet_type: Callable[..., Any] = MysqlPacket) -> Any:
        """The driver's own, but for long rows: those are read in pieces."""
        self._peeked = await self.exactly(4)
        if frame_length(self._peeked)[0] < LONG:
            return await super()._read_packet(packet_type)
        if not self._in_rows():
            self.close()
            raise OperationalError(CR.CR_NET_PACKET_TOO_LARGE, "a packet of the protocol is too large")
        return await read_long_row(self, await self.header(), self._cell_chars)

    async def _read_bytes(self, num_bytes: int) -> bytes:
        if self._peeked:
            peeked, self._peeked = self._peeked, b""
            return peeked
        return await self.exactly(num_bytes)

    def _in_rows(self) -> bool:
        """The driver remembers a result once its columns are read; until its end all packets are rows."""
        return self._result is not None and bool(self._result.unbuffered_active)


class StreamingCursor(SSCursor):  # type: ignore[misc]  # aiomysql carries no types
    """A cursor that reads row by row and leaves the server's warnings where they are."""

    async def _show_warnings(self, conn: Connection) -> None:
        return None


async def connect(config: WarehouseConfig) -> SingleStatementConnection:
    """A new connection whose statements the warehouse itself ends at the time limit. Raises WarehouseError."""
    connection = SingleStatementConnection(
        host=config.host,
        port=config.port,
        user=config.user,
        password=config.password.get_secret_value(),
        # The limit is set around open(): wait_for, which the driver would use, can swallow a cancellation (3.11).
        connect_timeout=None,
        charset="utf8mb4",
        use_unicode=False,
        conv=_decoders(config.max_cell_chars),
        cell_chars=config.max_cell_chars,
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


def _decoders(cell_chars: int) -> dict[int, Callable[[bytes], Scalar]]:
    """The decoders of values, with texts cut to their limit."""
    text = DECODERS[FIELD_TYPE.VARCHAR]
    cut = partial(shown, limit=cell_chars)
    return {kind: cut if decoder is text else decoder for kind, decoder in DECODERS.items()}


async def ended(connection: SingleStatementConnection) -> None:
    """Say goodbye and close."""
    try:
        await connection.ensure_closed()
    except OSError:
        connection.close()
