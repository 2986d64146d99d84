"""SHOW, DESC and their like as listings: columns and rows of text, made from the catalogue and the process list."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sandbox.accounts import Account
from sandbox.catalogue import Catalogue, TableInfo
from sandbox.dialect.statement import Statement
from sandbox.dialect.translate import TableName
from sandbox.errors import StatementError, syntax
from sandbox.listing import Line, Listing
from sandbox.live import Live
from sandbox.processes import Processes
from sandbox.variables import COMMENT, Variables

_PROCESS_COLUMNS = (
    *("Id", "User", "Host", "Db", "Command", "ConnectionStartTime"),
    *("Time", "State", "Info", "IsPending", "Warehouse", "CNGroup"),
)


@dataclass(frozen=True, slots=True)
class View:
    """What one session may see; `live` is the cluster before which it stands, if it stands before one."""

    catalogue: Catalogue
    processes: Processes
    variables: Variables
    account: Account
    database: str | None
    live: Live | None = None

    def tables(self, database: str) -> tuple[TableInfo, ...]:
        """The visible tables of a database; raises 1049."""
        found = self.catalogue.tables(database)
        return tuple(table for table in found if self.account.sees(TableName(database, table.name)))

    def table(self, database: str | None, name: str) -> TableInfo:
        """One visible table; raises 1046, 1049 or 5502."""
        table = self.catalogue.table(database or self.chosen(), name)
        self.account.require_sight(TableName(table.database, table.name))
        return table

    def chosen(self) -> str:
        """The current database; raises 1046 when there is none."""
        if not self.database:
            raise StatementError(1046, "No database selected", "3D000")
        return self.database


def show(statement: Statement, view: View) -> Listing:
    """The listing of a SHOW statement.

    Raises:
        StatementError: 1235 for a SHOW that the sandbox does not have, 1064 for unreadable clauses.
    """
    words = [statement.word(index) for index in range(1, len(statement.tokens))]
    skipped = 0
    # Clients put these before anything; only FULL makes a difference to a listing.
    while words and words[0] in ("FULL", "SESSION", "GLOBAL", "EXTENDED", "ALL"):
        words, skipped = words[1:], skipped + 1
    for names, make in _SHOWS:
        if tuple(words[: len(names)]) == names:
            full = statement.word(1) == "FULL"
            return make(view, statement.after_or_end(1 + skipped + len(names)), full)
    raise StatementError(1235, f"SHOW {' '.join(words[:2])} is not supported by the sandbox", "42000")


def describe(statement: Statement, view: View) -> Listing:
    """The listing of DESC table."""
    database, name, _ = _name(statement.after_or_end(1), 0)
    return _fields(view.table(database, name), full=False)


def _fields(table: TableInfo, *, full: bool) -> Listing:
    rows: list[Line] = []
    for column in table.columns:
        nullable = "YES" if column.nullable else "NO"
        key = "true" if column.key else "false"
        if full:
            line: Line = (column.name, column.type, None, nullable, key, column.default, "", "", column.comment)
        else:
            line = (column.name, column.type, nullable, key, column.default, "")
        rows.append(line)
    short = ("Field", "Type", "Null", "Key", "Default", "Extra")
    long = ("Field", "Type", "Collation", "Null", "Key", "Default", "Extra", "Privileges", "Comment")
    return Listing(long if full else short, tuple(rows))


def _databases(view: View, rest: Statement | None, full: bool) -> Listing:
    # A database of which one may see no table is not named either.
    names = [name for name in view.catalogue.databases if view.tables(name) or view.account.administers]
    return Listing(("Database",), tuple((name,) for name in names)).like(_pattern(rest))


def _tables(view: View, rest: Statement | None, full: bool) -> Listing:
    database = _from(rest) or view.chosen()
    names = [(table.name, "VIEW" if table.is_view else "BASE TABLE") for table in view.tables(database)]
    if full:
        listing = Listing((f"Tables_in_{database}", "Table_type"), tuple(names))
    else:
        listing = Listing((f"Tables_in_{database}",), tuple((name,) for name, _ in names))
    return listing.like(_pattern(rest))


def _columns(view: View, rest: Statement | None, full: bool) -> Listing:
    if rest is None or rest.word(0) not in ("FROM", "IN"):
        raise syntax("SHOW COLUMNS needs FROM and a table")
    database, name, end = _name(rest, 1)
    # clients write the database before the table or, as MySQL has it, after a second FROM
    database = _name(rest, end + 1)[1] if rest.word(end) in ("FROM", "IN") else database
    return _fields(view.table(database, name), full=full).like(_pattern(rest))


def _create_table(view: View, rest: Statement | None, full: bool) -> Listing:
    database, name, _ = _name(rest, 0)
    table = view.table(database, name)
    if table.is_view:
        columns = ("View", "Create View", "character_set_client", "collation_connection")
        return Listing(columns, ((table.name, table.ddl, "utf8", "utf8_general_ci"),))
    return Listing(("Table", "Create Table"), ((table.name, table.ddl),))


def _variables(view: View, rest: Statement | None, full: bool) -> Listing:
    return Listing(("Variable_name", "Value"), tuple(view.variables.items())).like(_pattern(rest))


def _processlist(view: View, rest: Statement | None, full: bool) -> Listing:
    # As in StarRocks, which shows other people's statements to administrators alone: texts hold data.
    user = None if view.account.administers else view.account.name
    now = time.monotonic()
    rows = tuple(
        (
            str(process.connection_id),
            process.user,
            process.address,
            process.database,
            process.command,
            f"{process.connected_at:%Y-%m-%d %H:%M:%S}",
            str(int(now - process.since)),
            "OK" if process.command == "Sleep" else "RUNNING",
            process.info if full else process.info[:100],
            "false",
            "default_warehouse",
            "",
        )
        for process in view.processes.of(user)
    )
    return Listing(_PROCESS_COLUMNS, rows)


def _frontends(view: View, rest: Statement | None, full: bool) -> Listing:
    if view.live is not None:
        return view.live.frontends()
    columns = ("Id", "Name", "IP", "QueryPort", "Role", "Join", "Alive", "ErrMsg", "Version")
    return Listing(columns, (("1", "sandbox", "127.0.0.1", "", "LEADER", "true", "true", "", COMMENT),))


def _backends(view: View, rest: Statement | None, full: bool) -> Listing:
    if view.live is not None:
        return view.live.backends()
    columns = ("BackendId", "IP", "Alive", "ErrMsg", "Version", "TabletNum", "MemUsedPct", "CpuUsedPct")
    tables = len([table for table in view.catalogue.all_tables() if not table.is_view])
    return Listing(columns, (("10001", "127.0.0.1", "true", "", COMMENT, str(tables), None, None),))


def _compute_nodes(view: View, rest: Statement | None, full: bool) -> Listing:
    if view.live is not None:
        return view.live.compute_nodes()
    return Listing(("ComputeNodeId", "IP", "Alive", "ErrMsg", "Version", "StarletPort", "WorkerId", "WarehouseName"))


def _proc(view: View, rest: Statement | None, full: bool) -> Listing:
    if view.live is None:
        raise StatementError(1235, "SHOW PROC is supported by the sandbox for live users alone", "42000")
    if rest is None or len(rest.tokens) != 1:
        raise syntax("SHOW PROC needs a path")
    return view.live.proc(str(rest.tokens[0].text))


def _data(view: View, rest: Statement | None, full: bool) -> Listing:
    """Sizes are not measured here: every table is told as empty."""
    size, copies = "0.000 B", "1"
    tables = [(table.name, size, copies) for table in view.tables(view.chosen()) if not table.is_view]
    return Listing(("TableName", "Size", "ReplicaCount"), (*tables, ("Total", size, str(len(tables)))))


def _catalogs(view: View, rest: Statement | None, full: bool) -> Listing:
    internal = ("default_catalog", "Internal", "An internal catalog contains this cluster's self-managed tables.")
    return Listing(("Catalog", "Type", "Comment"), (internal,))


def _warnings(view: View, rest: Statement | None, full: bool) -> Listing:
    return Listing(("Level", "Code", "Message"))


def _engines(view: View, rest: Statement | None, full: bool) -> Listing:
    columns = ("Engine", "Support", "Comment", "Transactions", "XA", "Savepoints")
    return Listing(columns, (("OLAP", "YES", COMMENT, "NO", "NO", "NO"),))


def _grants(view: View, rest: Statement | None, full: bool) -> Listing:
    account = view.account
    grantee = f"'{account.name}'@'%'"
    rows = []
    for table in sorted(view.catalogue.all_tables(), key=lambda table: (table.database, table.name)):
        name = TableName(table.database, table.name)
        if granted := account.privileges(name):
            kind = "VIEW" if table.is_view else "TABLE"
            rows.append((grantee, "default", f"GRANT {', '.join(granted)} ON {kind} {name} TO USER {grantee}"))
    return Listing(("UserIdentity", "Catalog", "Grants"), tuple(rows))


_Show = Callable[[View, Statement | None, bool], Listing]
_SHOWS: Sequence[tuple[tuple[str, ...], _Show]] = (
    (("DATABASES",), _databases),
    (("SCHEMAS",), _databases),
    (("TABLES",), _tables),
    (("COLUMNS",), _columns),
    (("FIELDS",), _columns),
    (("CREATE", "TABLE"), _create_table),
    (("CREATE", "VIEW"), _create_table),
    (("VARIABLES",), _variables),
    (("PROCESSLIST",), _processlist),
    (("FRONTENDS",), _frontends),
    (("BACKENDS",), _backends),
    (("COMPUTE", "NODES"), _compute_nodes),
    (("PROC",), _proc),
    (("DATA",), _data),
    (("CATALOGS",), _catalogs),
    (("WARNINGS",), _warnings),
    (("ENGINES",), _engines),
    (("GRANTS",), _grants),
)


def _pattern(rest: Statement | None) -> str | None:
    """The pattern of `LIKE '…'` or of `WHERE name = '…'` at the end of a SHOW."""
    if rest is None:
        return None
    count = len(rest.tokens)
    for index in range(count):
        word = rest.word(index)
        # Only at the very end: elsewhere it may be the name of a table.
        if word == "LIKE" and index + 2 == count:
            return str(rest.tokens[index + 1].text)
        if word == "WHERE":
            if index + 4 == count and rest.word(index + 2) in ("=", "LIKE"):
                return str(rest.tokens[index + 3].text)
            raise StatementError(1235, "SHOW … WHERE takes one comparison of the name in the sandbox", "42000")
    return None


def _from(rest: Statement | None) -> str | None:
    if rest is not None and rest.word(0) in ("FROM", "IN"):
        return _name(rest, 1)[1]
    return None


def _name(rest: Statement | None, index: int) -> tuple[str | None, str, int]:
    """A table name at `index`: its database (if written), its name, and the index after it."""
    if rest is None or index >= len(rest.tokens):
        raise syntax("A name is missing")
    parts = [rest.tokens[index].text]
    while rest.word(index + 1) == "." and index + 2 < len(rest.tokens):
        index += 2
        parts.append(rest.tokens[index].text)
    # Tools qualify everything in full; there is no other catalogue that could be meant.
    if len(parts) > 1 and parts[0] == "default_catalog":
        parts = parts[1:]
    return (parts[-2] if len(parts) > 1 else None), parts[-1], index + 1
