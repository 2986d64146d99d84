"""One client's session: what it may do, its variables, and its statements from text to rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sandbox import live, results, settings, show
from sandbox.accounts import Account
from sandbox.dialect.environment import FUNCTION, VARIABLE
from sandbox.dialect.statement import Statement, placeholders, split
from sandbox.dialect.translate import Effect, TableName, Translation, translate
from sandbox.engine import Engine
from sandbox.errors import StatementError, syntax, unknown_database, unknown_table
from sandbox.listing import Listing
from sandbox.processes import Process
from sandbox.variables import VERSION, Variables
from sandbox.wire.backend import Affected, Outcome, Peer, ResultSet
from sandbox.wire.values import Column, Kind, Row
from sandbox.worker import Worker

_QUERIES = frozenset({"SELECT", "WITH", "(", "VALUES"})
_CHANGES = frozenset({"INSERT", "UPDATE", "DELETE", "TRUNCATE", "DROP"})


@dataclass(frozen=True, slots=True)
class _Opened:
    """A query that has begun: its columns, and its first rows."""

    columns: tuple[Column, ...]
    rows: Sequence[Row]


class SqlSession:
    """Runs the statements of one client, one at a time, each in a worker thread."""

    def __init__(self, engine: Engine, account: Account, peer: Peer) -> None:
        self._engine = engine
        self._account = account
        self._cursor = engine.connection.cursor()
        self._variables = Variables()
        self._database: str | None = None
        self._worker = Worker(engine.workers, self._cursor)
        self._process = Process(peer.connection_id, account.name, peer.address, self._worker.kill, peer.disconnect)
        engine.processes.add(self._process)
        self._administration: dict[str, Callable[[Statement], Outcome]] = {
            "SET": self._set,
            "USE": self._use,
            "KILL": self._kill,
            **dict.fromkeys(("BEGIN", "START", "COMMIT", "ROLLBACK"), lambda _: Affected()),
        }

    async def use(self, database: str) -> None:
        """Make `database` the one of unqualified names; raises 1049."""
        self._choose(database)

    async def split(self, text: str) -> Sequence[str]:
        """The statements of a text; raises 1064 for text without tokens or over the size limit."""
        limit = self._engine.limits.insert_bytes
        if len(text) > limit:
            raise syntax(f"The statement is longer than {limit} bytes")
        return [statement.text for statement in await self._worker.run(lambda: split(text))]

    async def run(self, statement: str) -> Outcome:
        """Run one statement.

        Raises:
            StatementError: whatever StarRocks would say.
        """
        # Before anything can fail, so that the process list and KILL know every statement, refused ones too.
        self._begin(statement)
        parsed = split(statement)[0]
        keyword = parsed.keyword
        limits = self._engine.limits
        # Whole reports are written by INSERT; nothing that reads is ever this long, and the parser is slow on it.
        if keyword != "INSERT" and len(statement) > limits.statement_bytes:
            raise syntax(f"The statement is longer than {limits.statement_bytes} bytes")
        if keyword in self._administration:
            return self._administration[keyword](parsed)
        if keyword == "SHOW":
            return await self._show(parsed)
        if keyword == "CREATE":
            return await self._create(parsed)
        if keyword in ("EXPLAIN", "DESC", "DESCRIBE"):
            return await self._describe(parsed)
        if keyword not in _QUERIES | _CHANGES:
            raise syntax(f"Unexpected input '{keyword[:40]}'")
        # Before the text is parsed: whoever may not change rows learns nothing about the tables from the error.
        if keyword in _CHANGES and keyword != "INSERT":
            self._account.require_administrator(keyword)
        # In the worker, because a long statement takes the parser longer than other clients should wait.
        translation = await self._worker.call(lambda: translate(parsed, self._database))
        self._check(translation)
        return await (self._select(translation) if translation.effect is Effect.SELECT else self._change(translation))

    async def placeholders(self, statement: str) -> Sequence[str]:
        """The parts of a statement around its parameters."""
        return await self._worker.run(lambda: placeholders(statement))

    def columns_of(self, table: str) -> Sequence[Column]:
        """The columns of a table of the current database."""
        found = self._view().table(None, table)
        return [Column(column.name, results.kind_of(column.type)) for column in found.columns]

    def finish(self) -> None:
        """The results of the current command are with the client."""
        self._worker.finish()
        self._process.idle()

    def reset(self) -> None:
        """Forget session variables."""
        self._variables.reset()

    async def close(self) -> None:
        """Leave the process list and free the cursor."""
        self._engine.processes.remove(self._process.connection_id)
        self._cursor.close()

    def _begin(self, text: str) -> None:
        self._worker.begin(self._variables.query_timeout)
        self._process.busy_with(text)

    def _view(self) -> show.View:
        engine = self._engine
        return show.View(engine.catalogue, engine.processes, self._variables, self._account, self._database)

    async def _show(self, statement: Statement) -> Outcome:
        view = self._view()
        cluster = self._account.cluster
        if cluster is not None:
            now = dt.datetime.now(dt.UTC)
            view = replace(view, live=await self._worker.call(lambda: live.read(self._cursor, cluster, now)))
        return _listed(show.show(statement, view))

    def _choose(self, database: str) -> None:
        name = database.removeprefix("default_catalog.")
        if name not in self._engine.catalogue.databases:
            raise unknown_database(name)
        self._database = self._process.database = name

    def _use(self, statement: Statement) -> Outcome:
        self._choose(statement.after(1).tokens[-1].text)
        return Affected()

    def _set(self, statement: Statement) -> Outcome:
        settings.apply(statement, self._variables, self._account)
        return Affected()

    def _kill(self, statement: Statement) -> Outcome:
        number = statement.tokens[-1].text
        if not number.isdigit():
            raise syntax("KILL needs the id of a connection")
        # A session of somebody else is answered like one that does not exist, so that ids cannot be probed.
        user = None if self._account.administers else self._account.name
        process = self._engine.processes.find(int(number), user)
        # The statement first: the connection that is cut next would otherwise leave it to be found out by itself.
        process.stop()
        if statement.word(1) != "QUERY":
            process.disconnect()
        return Affected()

    async def _create(self, statement: Statement) -> Outcome:
        self._account.require_administrator("CREATE")
        async with self._engine.writing:
            await self._worker.call(lambda: self._engine.define_statement(statement, self._database))
            await self._worker.call(self._engine.refresh)
        return Affected()

    async def _describe(self, statement: Statement) -> Outcome:
        start, explain = 1, "EXPLAIN "
        if statement.keyword == "EXPLAIN" and statement.word(1) in ("LOGICAL", "VERBOSE", "COSTS", "ANALYZE"):
            start, explain = 2, "EXPLAIN ANALYZE " if statement.word(1) == "ANALYZE" else explain
        if statement.word(start) not in _QUERIES:
            if statement.keyword == "EXPLAIN":
                raise StatementError(1235, "EXPLAIN takes a query in the sandbox", "42000")
            return _listed(show.describe(statement, self._view()))
        inner = statement.after(start)
        translation = await self._worker.call(lambda: translate(inner, self._database))
        self._check(translation)
        values = self._values(translation)
        plan = await self._worker.call(lambda: self._cursor.execute(explain + translation.sql, values).fetchall())
        lines = [line for _, text in plan for line in str(text).splitlines()]
        return _listed(Listing(("Explain String",), tuple((line,) for line in lines)))

    def _check(self, translation: Translation) -> None:
        """Every table exists and the account may use it so; what is not understood is refused."""
        catalogue = self._engine.catalogue
        if translation.effect not in (Effect.SELECT, Effect.INSERT):
            self._account.require_administrator(translation.effect.value)
        elif translation.effect is Effect.INSERT and translation.target is None:
            raise syntax("INSERT needs a table")
        # Sorted, so that of two missing tables it is always the same one that is told.
        for table in sorted(translation.reads):
            self._exists(table)
            self._account.require(Effect.SELECT, table)
        if translation.target is not None:
            self._exists(translation.target)
            self._account.require(translation.effect, translation.target)
            info = catalogue.table(translation.target.database, translation.target.name)
            if info.is_view and translation.effect is not Effect.DROP:
                raise StatementError(1471, f"The target table {info.name} of the statement is not insertable-into")

    def _exists(self, table: TableName) -> None:
        if not self._engine.catalogue.has(table.database, table.name):
            raise unknown_table(str(table))

    def _values(self, translation: Translation) -> dict[str, Any]:
        """The session's values for the parameters of a statement."""
        account = f"'{self._account.name}'@'%'"
        functions = {
            "connection_id": self._process.connection_id,
            "current_user": account,
            "user": account,
            "database": self._database or "",
            "schema": self._database or "",
            "version": VERSION,
            "current_version": VERSION,
        }
        values: dict[str, Any] = {}
        for name in translation.parameters:
            if name.startswith(VARIABLE):
                # `@@session.x` and `@@global.x` are the same here: there is one set of values, the session's.
                values[name] = self._variables.get(name.removeprefix(VARIABLE).rpartition(".")[2])
            else:
                values[name] = functions[name.removeprefix(FUNCTION)]
        return values

    async def _select(self, translation: Translation) -> Outcome:
        values = self._values(translation)
        size = self._engine.limits.batch_rows

        def begin() -> _Opened:
            self._cursor.execute(translation.sql, values)
            columns = results.columns(self._cursor.description or ())
            return _Opened(columns, results.rows(self._cursor.fetchmany(size), columns))

        opened = await self._worker.call(begin)
        return ResultSet(opened.columns, self._batches(opened, size))

    async def _batches(self, opened: _Opened, size: int) -> AsyncIterator[Sequence[Row]]:
        left = self._variables.row_limit
        batch = opened.rows
        while batch and left > 0:
            yield batch[:left]
            left -= len(batch)
            # Spares a last trip to the worker just to hear that there is nothing left.
            if len(batch) < size:
                return
            batch = await self._worker.call(lambda: results.rows(self._cursor.fetchmany(size), opened.columns))

    async def _change(self, translation: Translation) -> Outcome:
        values = self._values(translation)
        sql = translation.sql
        target = translation.target
        if translation.effect is Effect.INSERT and target is not None:
            table = self._engine.catalogue.table(target.database, target.name)
            if table.model == "PRIMARY_KEYS":
                # A primary key table in StarRocks takes the newer row; DuckDB would refuse the second one.
                sql = "INSERT OR REPLACE" + sql.removeprefix("INSERT")
        async with self._engine.writing:
            count = await self._worker.call(lambda: self._cursor.execute(sql, values).fetchone())
            if translation.effect is Effect.DROP and target is not None:
                # Only now that it is gone: a DROP that failed must leave the table listed.
                self._engine.catalogue.remove(target.database, target.name)
                await self._worker.call(self._engine.refresh)
        return Affected(int(count[0]) if count and isinstance(count[0], int) else 0)


def _listed(listing: Listing) -> ResultSet:
    async def batches() -> AsyncIterator[Sequence[Row]]:
        yield listing.rows

    return ResultSet(tuple(Column(name, Kind.VAR_STRING) for name in listing.columns), batches())
