"""The door: the one way to the warehouse. Everything that passes is admitted by the guard and run by the executor."""

import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self

import schema
from mcp_server import queries
from mcp_server.audit import AuditLog, Statement
from mcp_server.catalog import Catalog
from mcp_server.clock import Now, Seconds, utc_now
from mcp_server.config import WarehouseConfig
from mcp_server.directory import Directory
from mcp_server.errors import Code, Refusal, WarehouseError
from mcp_server.executor import Executor
from mcp_server.guard import Admitted, Guard
from mcp_server.limits import Allowance, Limits
from mcp_server.metrics import Metrics
from mcp_server.principal import LOCAL, Caller, Principal, Scope
from mcp_server.queries import Value
from mcp_server.recorder import Draft, Recorder
from mcp_server.results import Result
from mcp_server.scope import Scopes

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
        clock: Seconds = time.monotonic,
        now: Now = utc_now,
        allowance: Allowance | None = None,
        audit: AuditLog | None = None,
        scopes: Scopes | None = None,
    ) -> None:
        self._config = config
        self._clock = clock
        self._scopes = scopes or Scopes()
        self._new_id = new_id
        self._guard = Guard(schema.TABLES)
        self.metrics = Metrics()
        self.limits = Limits(clock, allowance)
        self.recorder = Recorder(self.metrics, audit, clock=clock, now=now)
        self._executor = Executor(config, self.metrics, clock=clock, now=now)
        self.catalog = Catalog(self._executor, schema.TABLES)
        self._directories: dict[Scope, Directory] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._executor.__aexit__(kind, error, trace)

    def directory_of(self, principal: Principal) -> Directory:
        """The clusters that a principal may know of. Principals of one scope share it: it is read in the name of the
        first of them."""
        scope = self._scopes.of(principal)
        if scope not in self._directories:
            reader = Caller(principal)
            self._directories[scope] = Directory(
                lambda: self.ask("cluster_index", max_rows=MAX_ROWS, caller=reader), self._clock
            )
        return self._directories[scope]

    @property
    def directory(self) -> Directory:
        """All clusters, for the process itself."""
        return self.directory_of(LOCAL.principal)

    def visit(self, caller: Caller) -> "Visit":
        """The door as one caller finds it."""
        return Visit(self, caller)

    async def read(self, sql: str, max_rows: int | None = None, caller: Caller = LOCAL) -> Result:
        """The first `max_rows` (default: the config's) rows of a SELECT. Raises Refusal and WarehouseError."""
        statements: list[Statement] = []
        with self.recorder.call(caller, "", {}, statements):
            return await self.run(sql, max_rows, caller, statements)

    async def run(self, sql: str, max_rows: int | None, caller: Caller, statements: list[Statement]) -> Result:
        """The same for one statement of a call: what became of it is added to the call's `statements`."""
        with self.recorder.statement(statements, sql) as draft:
            result = await self._run(sql, max_rows, self._scopes.of(caller.principal), draft)
            draft.answered(result)
            return result

    async def _run(self, sql: str, max_rows: int | None, scope: Scope, draft: Draft) -> Result:
        limit = self._config.max_rows if max_rows is None else max_rows
        if not 1 <= limit <= MAX_ROWS:
            reason = f"max_rows is 1 to {MAX_ROWS}"
            raise Refusal("max_rows", Code.BAD_ARGUMENT, reason, part=str(limit), hint="aggregate in SQL instead")
        admitted = await self._guard.admit_async(sql, limit, scope)
        draft.admitted(admitted)
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
        self.statements: list[Statement] = []
        self.catalog = door.catalog
        self.directory = door.directory_of(caller.principal)

    def recorded(self, tool: str, arguments: Mapping[str, Any]) -> AbstractContextManager[None]:
        """Around the call of a tool: it is noted with all that it read here."""
        return self._door.recorder.call(self.caller, tool, arguments, self.statements)

    async def read(self, sql: str, max_rows: int | None = None) -> Result:
        """See Door.read."""
        return await self._door.run(sql, max_rows, self.caller, self.statements)

    async def ask(self, query: str, *, max_rows: int | None = None, **values: Value) -> Result:
        """See Door.ask."""
        return await self.read(queries.bound(query, **values), max_rows)
