"""The door: the one way to the warehouse. Everything that passes is admitted by the guard and run by the executor."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Any, Self

import schema
from mcp_server import caveats, queries, stored
from mcp_server.audit import AuditLog, Statement
from mcp_server.catalog import Catalog
from mcp_server.clock import Now, Seconds, utc_now
from mcp_server.config import WarehouseConfig
from mcp_server.directory import Directory
from mcp_server.errors import Code, DoorError, Refusal, WarehouseError
from mcp_server.executor import Executor, Fetched
from mcp_server.guard import Admitted, Guard
from mcp_server.limits import Allowance, Limits
from mcp_server.live import SQL as LIVE_SQL
from mcp_server.live import Frontends, LiveState
from mcp_server.metrics import Metrics
from mcp_server.principal import LOCAL, Caller, Principal, Scope
from mcp_server.queries import Value
from mcp_server.recorder import Draft, Recorder
from mcp_server.redaction import redact_rows_async
from mcp_server.results import Result
from mcp_server.scope import Scopes
from mcp_server.shelf import Shelf

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
        until = self._scopes.until
        # what the tools take for the present; the audit goes by the clock all the same
        self.now: Now = now if until is None else lambda: until
        self._shelf = Shelf(clock)
        self._guard = Guard(schema.TABLES)
        self.metrics = Metrics()
        self.limits = Limits(clock, allowance)
        self.recorder = Recorder(self.metrics, audit, clock=clock, now=now)
        self._executor = Executor(config, self.metrics, clock=clock, now=now)
        self.frontends = Frontends(config.live, new_id)
        self.catalog = Catalog(self._executor, schema.TABLES, clock)
        self._directories: dict[Scope, Directory] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._executor.__aexit__(kind, error, trace)

    @property
    def lost(self) -> bool:
        """Whether the warehouse is given up for now."""
        return self._executor.breaker.health().since is not None

    def scope_of(self, principal: Principal) -> Scope:
        """What a principal may see."""
        return self._scopes.of(principal)

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

    async def run(
        self, sql: str, max_rows: int | None, caller: Caller, statements: list[Statement], *, own: bool = False
    ) -> Result:
        """The same for one statement of a call: what became of it is added to the call's `statements`.

        The rows are kept for `reread`. `own` statements are the door's, and known to mean what they say.
        """
        with self.recorder.statement(statements, sql) as draft:
            with _about(sql):
                scope = self._scopes.of(caller.principal)
                result = await self._run(sql, self._limit(max_rows), scope, draft, own)
            draft.answered(result)
            return self._shelf.keep(caller, result)

    async def reread(
        self, result_id: str, sql: str, max_rows: int | None, caller: Caller, statements: list[Statement]
    ) -> Result:
        """A SELECT on the table `result`: the rows that the caller was given under this query id, kept since.

        Raises Refusal and WarehouseError.
        """
        with self.recorder.statement(statements, sql) as draft:
            kept = self._shelf.get(caller, result_id)
            with _about(sql):
                admitted, fetched = await stored.select(kept, sql, self._limit(max_rows))
            draft.admitted(admitted)
            result = await self._result(fetched, admitted, (f"result {result_id}",), (*kept.caveats, *_partial(kept)))
            draft.answered(result)
            return self._shelf.keep(caller, result)

    def _limit(self, max_rows: int | None) -> int:
        limit = self._config.max_rows if max_rows is None else max_rows
        if not 1 <= limit <= MAX_ROWS:
            reason = f"max_rows is 1 to {MAX_ROWS}"
            raise Refusal("max_rows", Code.BAD_ARGUMENT, reason, part=str(limit), hint="aggregate in SQL instead")
        return limit

    async def _run(self, sql: str, limit: int, scope: Scope, draft: Draft, own: bool) -> Result:
        admitted = await self._guard.admit_async(sql, limit, scope)
        draft.admitted(admitted)
        try:
            fetched = await self._executor.fetch(admitted.sql, max_rows=limit)
        except WarehouseError as error:
            await self._complete(error, admitted)
            raise
        found = () if own else admitted.remarks.all_caveats(await self._kinds(admitted))
        return await self._result(fetched, admitted, admitted.tables, found)

    async def _result(
        self, fetched: Fetched, admitted: Admitted, tables: tuple[str, ...], found: tuple[str, ...]
    ) -> Result:
        rows, hidden = await redact_rows_async([column.name for column in fetched.columns], fetched.rows)
        seen = caveats.seen(fetched.columns, rows, self.now(), hidden)
        return Result(
            fetched.columns,
            rows,
            fetched.more,
            self._new_id(),
            admitted.sql,
            fetched.seconds,
            tables,
            order=admitted.remarks.order,
            caveats=tuple(dict.fromkeys((*found, *seen))),
        )

    async def _kinds(self, admitted: Admitted) -> Mapping[str, str]:
        """What the metrics are, when the statement makes that matter; rows never fail for want of a caveat."""
        if not admitted.remarks.aggregates:
            return {}
        try:
            return await self.catalog.kinds()
        except WarehouseError:
            return {}

    async def ask(self, query: str, *, max_rows: int | None = None, caller: Caller = LOCAL, **values: Value) -> Result:
        """The result of one of the door's own queries (a file in queries/) with its values bound."""
        statements: list[Statement] = []
        with self.recorder.call(caller, "", {}, statements):
            return await self.run(queries.bound(query, **values), max_rows, caller, statements, own=True)

    async def _complete(self, error: WarehouseError, admitted: Admitted) -> None:
        """Add what the warehouse left out: the columns that are written alike, and what was being read."""
        if error.code is Code.UNKNOWN_COLUMN and error.part and not error.near:
            error.near = tuple(await self.catalog.near_columns(error.part, admitted.tables))
        error.about(", ".join(admitted.tables))


@contextmanager
def _about(sql: str) -> Iterator[None]:
    """Failures that name no part of the statement are about all of it."""
    try:
        yield
    except DoorError as error:
        error.about(sql)
        raise


def _partial(kept: Result) -> tuple[str, ...]:
    return (f"the stored result is itself cut at {len(kept.rows)} rows",) if kept.truncated else ()


class Visit:
    """The door for one call: every read of a tool is its caller's, so that no tool can forget to say who asks."""

    def __init__(self, door: Door, caller: Caller) -> None:
        self._door = door
        self.caller = caller
        self.statements: list[Statement] = []
        self.catalog = door.catalog
        self.scope = door.scope_of(caller.principal)
        self.directory = door.directory_of(caller.principal)
        self.now = door.now

    def recorded(self, tool: str, arguments: Mapping[str, Any]) -> AbstractContextManager[None]:
        """Around the call of a tool: it is noted with all that it read here."""
        return self._door.recorder.call(self.caller, tool, arguments, self.statements)

    async def read(self, sql: str, max_rows: int | None = None) -> Result:
        """See Door.read."""
        return await self._door.run(sql, max_rows, self.caller, self.statements)

    async def ask(self, query: str, *, max_rows: int | None = None, **values: Value) -> Result:
        """See Door.ask."""
        sql = queries.bound(query, **values)
        return await self._door.run(sql, max_rows, self.caller, self.statements, own=True)

    def looks_at(self, cluster: str) -> bool:
        """Whether the cluster's own front end can be asked."""
        return self._door.frontends.has(cluster)

    async def look(self, cluster: str) -> LiveState:
        """What the cluster's own front end tells; the cluster was found in the directory. Raises WarehouseError."""
        with self._door.recorder.statement(self.statements, LIVE_SQL) as draft:
            state = await self._door.frontends.look(cluster)
            draft.answered(state.nodes)
            return state

    async def reread(self, result_id: str, sql: str, max_rows: int | None = None) -> Result:
        """See Door.reread."""
        return await self._door.reread(result_id, sql, max_rows, self.caller, self.statements)
