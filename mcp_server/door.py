"""The door: the one way to the warehouse. Everything that passes is admitted by the guard and run by the executor."""

import secrets
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import schema
from mcp_server import queries
from mcp_server.catalog import Catalog
from mcp_server.config import WarehouseConfig
from mcp_server.directory import Directory
from mcp_server.errors import Code, Refusal, WarehouseError
from mcp_server.executor import Executor
from mcp_server.guard import Admitted, Guard
from mcp_server.principal import LOCAL, Caller
from mcp_server.queries import Value
from mcp_server.results import Result

MAX_ROWS = 20_000


def new_query_id() -> str:
    """`q-` and ten hex digits: short enough for a footnote, long enough never to repeat."""
    return f"q-{secrets.token_hex(5)}"


class Door:
    """Reads of the fleet's three databases. Use as an async context manager; safe to call concurrently."""

    def __init__(
        self,
        config: WarehouseConfig,
        *,
        new_id: Callable[[], str] = new_query_id,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._new_id = new_id
        self._guard = Guard(schema.TABLES)
        self._executor = Executor(config)
        self.catalog = Catalog(self._executor, schema.TABLES)
        self.directory = Directory(lambda: self.ask("cluster_index", max_rows=MAX_ROWS), clock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._executor.__aexit__(kind, error, trace)

    def visit(self, caller: Caller) -> "Visit":
        """The door as one caller finds it."""
        return Visit(self, caller)

    async def read(self, sql: str, max_rows: int | None = None, caller: Caller = LOCAL) -> Result:
        """The first `max_rows` (default: the config's) rows of a SELECT. Raises Refusal and WarehouseError."""
        limit = self._config.max_rows if max_rows is None else max_rows
        if not 1 <= limit <= MAX_ROWS:
            reason = f"max_rows is 1 to {MAX_ROWS}"
            raise Refusal("max_rows", Code.BAD_ARGUMENT, reason, part=str(limit), hint="aggregate in SQL instead")
        admitted = await self._guard.admit_async(sql, limit)
        try:
            fetched = await self._executor.fetch(admitted.sql, max_rows=limit)
        except WarehouseError as error:
            await self._add_near_names(error, admitted)
            raise
        return Result(
            fetched.columns, fetched.rows, fetched.more, self._new_id(), admitted.sql, fetched.seconds, admitted.tables
        )

    async def ask(self, query: str, *, max_rows: int | None = None, caller: Caller = LOCAL, **values: Value) -> Result:
        """The result of one of the door's own queries (a file in queries/) with its values bound."""
        return await self.read(queries.bound(query, **values), max_rows, caller)

    async def _add_near_names(self, error: WarehouseError, admitted: Admitted) -> None:
        if error.code is Code.UNKNOWN_COLUMN and error.part and not error.near:
            error.near = tuple(await self.catalog.near_columns(error.part, admitted.tables))


class Visit:
    """The door for one call: every read of a tool is its caller's, so that no tool can forget to say who asks."""

    def __init__(self, door: Door, caller: Caller) -> None:
        self._door = door
        self.caller = caller
        self.catalog = door.catalog
        self.directory = door.directory

    async def read(self, sql: str, max_rows: int | None = None) -> Result:
        """See Door.read."""
        return await self._door.read(sql, max_rows, self.caller)

    async def ask(self, query: str, *, max_rows: int | None = None, **values: Value) -> Result:
        """See Door.ask."""
        return await self._door.ask(query, max_rows=max_rows, caller=self.caller, **values)
