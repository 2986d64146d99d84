"""The database behind the wire: one in-memory DuckDB, its catalogue, its accounts, and threads for statements."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from importlib.resources import files

import duckdb

from sandbox import information_schema
from sandbox.accounts import READER, WRITER, Account
from sandbox.catalogue import Catalogue, ColumnInfo, TableInfo
from sandbox.dialect import definition
from sandbox.dialect.statement import Statement, split
from sandbox.errors import StatementError
from sandbox.processes import Processes
from sandbox.results import type_name

_SETTINGS = (
    # The machine's zone would move every timestamp of the fleet, and tests with it.
    "SET GLOBAL TimeZone = 'UTC'",
    # StarRocks gives NULL for a division by zero, and so do the patrol's shares.
    "SET GLOBAL error_on_division_by_zero = false",
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps of one server. Bytes of a statement's text (inserts carry whole reports), and sizes of the engine."""

    statement_bytes: int = 64 << 10
    insert_bytes: int = 8 << 20
    threads: int = 2
    workers: int = 16
    memory: str = "4GB"
    batch_rows: int = 1000


@dataclass(slots=True)
class Engine:
    """Owns the DuckDB connection; sessions work on cursors of it."""

    connection: duckdb.DuckDBPyConnection
    workers: ThreadPoolExecutor
    accounts: dict[str, Account]
    limits: Limits
    catalogue: Catalogue = field(default_factory=Catalogue)
    processes: Processes = field(default_factory=Processes)
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while rows change: DuckDB refuses concurrent changes of a row, StarRocks queues them."""
    locked: bool = False

    def define(self, text: str) -> None:
        """Run the CREATE statements of a text; raises StatementError as `define_statement` does."""
        for statement in split(text):
            self.define_statement(statement, None)

    def define_statement(self, statement: Statement, database: str | None) -> None:
        """Create a database, table or view.

        Raises:
            StatementError: 1064 for unreadable text, 1050 for a table that exists, 1049 for an unknown database.
        """
        wanted = definition.read(statement, database)
        if wanted.kind == "DATABASE":
            self.connection.execute(wanted.sql)
            self.catalogue.add_database(wanted.database)
            return
        if self.catalogue.has(wanted.database, wanted.name) and wanted.kind == "TABLE":
            if wanted.if_not_exists:
                return
            raise StatementError(1050, f"Table '{wanted.name}' already exists", "42S01")
        self.connection.execute(wanted.sql)
        # Only DuckDB knows what types the query of a view gives.
        columns = self._typed(wanted) if wanted.kind == "VIEW" else wanted.columns
        made = TableInfo(wanted.database, wanted.name, wanted.model, columns, wanted.comment, statement.text)
        self.catalogue.add(made)

    def refresh(self) -> None:
        """Bring information_schema up to date with the catalogue and the row counts."""
        information_schema.refresh(self.connection, self.catalogue)

    def lock(self) -> None:
        """From now on no file, no network and no setting can be reached by any statement."""
        if self.locked:
            return
        self.refresh()
        # After the tables are filled, since --load reads files; and locked below, so that no statement undoes it.
        self.connection.execute("SET enable_external_access = false")
        self.connection.execute("SET lock_configuration = true")
        self.locked = True

    def close(self) -> None:
        """Stop what runs and free the memory."""
        # The threads first: no connection may be closed under a call that still runs on it.
        self.workers.shutdown(wait=True, cancel_futures=True)
        self.connection.close()

    def _typed(self, view: definition.Definition) -> tuple[ColumnInfo, ...]:
        described = self.connection.execute(f'DESCRIBE "{view.database}"."{view.name}"').fetchall()
        comments = {column.name: column.comment for column in view.columns}
        return tuple(
            replace(ColumnInfo(name, type_name(kind)), comment=comments.get(name, "")) for name, kind, *_ in described
        )


def open_engine(accounts: Sequence[Account] = (READER, WRITER), limits: Limits | None = None) -> Engine:
    """An empty engine with StarRocks' functions; `lock` it before clients may enter."""
    limits = limits or Limits()
    connection = duckdb.connect(":memory:", config={"threads": limits.threads, "memory_limit": limits.memory})
    for setting in _SETTINGS:
        connection.execute(setting)
    macros = (files("sandbox.dialect") / "macros.sql").read_text(encoding="utf-8")
    # One by one: of several statements DuckDB would report an error without saying which.
    for macro in macros.split(";\n"):
        if macro.strip():
            connection.execute(macro)
    workers = ThreadPoolExecutor(limits.workers, thread_name_prefix="statement")
    engine = Engine(connection, workers, {account.name: account for account in accounts}, limits)
    information_schema.describe(engine.catalogue)
    return engine
