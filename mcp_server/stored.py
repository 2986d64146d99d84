"""SQL over the rows of a stored result: in an SQLite of its own in memory, which sees nothing but these rows."""

import asyncio
import difflib
import re
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence

import sqlglot
from sqlglot import exp

from mcp_server.errors import Code, Refusal, WarehouseError
from mcp_server.executor import Column, Fetched
from mcp_server.guard import Admitted, Guard
from mcp_server.guard.rewrite import PARSER_FAULTS
from mcp_server.results import Result
from mcp_server.values import Scalar

TABLE = "result"
MAX_SECONDS = 2.0
MAX_BYTES = 16 * 1024 * 1024
_CELL_BYTES = 1024 * 1024
_OPERATIONS = 5_000
_LARGEST_INTEGER = 2**63
_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION})
_TYPES = {int: "BIGINT", float: "DOUBLE", str: "VARCHAR"}
_MISSING = re.compile(r"no such (column|function|table): (.+)")
_HINT = f"stored rows are read by SQLite: plain SELECT, WHERE, GROUP BY and window functions on the table {TABLE}"

_TRUNCATED = "0000-01-01 00:00:00"
_KEPT = {"year": 4, "month": 7, "day": 10, "hour": 13, "minute": 16}

_GUARD = Guard({TABLE})


async def select(stored: Result, sql: str, max_rows: int, *, seconds: float = MAX_SECONDS) -> tuple[Admitted, Fetched]:
    """The first `max_rows` rows of a SELECT on the table `result`, which holds the stored rows.

    The statement passes the guard like any other and is written in StarRocks SQL. Raises Refusal and WarehouseError.
    """
    admitted = await _GUARD.admit_async(sql, max_rows)
    return admitted, await asyncio.to_thread(_run, stored, _translated(admitted.sql), max_rows, seconds)


def _translated(sql: str) -> str:
    try:
        tree = sqlglot.parse_one(sql, dialect="starrocks")
        if isinstance(tree, exp.Query):
            return tree.transform(_known).sql(dialect="sqlite", comments=False)
    except PARSER_FAULTS as error:
        raise Refusal("stored", Code.SYNTAX, "this form is not known for stored rows", hint=_HINT) from error
    raise Refusal("stored", Code.READ_ONLY, "stored rows can only be selected from", part=sql, hint=_HINT)


def _known(node: exp.Expr) -> exp.Expr:
    """SQLite has no DATE_TRUNC; it gets one of ours."""
    if isinstance(node, (exp.TimestampTrunc, exp.DateTrunc)):
        return exp.Anonymous(this="date_trunc", expressions=[exp.Literal.string(node.text("unit").lower()), node.this])
    return node


def _date_trunc(unit: str, time: Scalar) -> str | None:
    kept = _KEPT.get(unit, 0)
    return f"{str(time)[:kept]}{_TRUNCATED[kept:]}" if kept and time is not None else None


def _run(stored: Result, sql: str, max_rows: int, seconds: float) -> Fetched:
    started = time.monotonic()
    names = _unique([column.name for column in stored.columns])
    database = sqlite3.connect(":memory:", isolation_level=None)
    try:
        _fill(database, names, stored.rows)
        _confine(database, started + seconds)
        cursor = database.execute(sql)
        rows, more = _taken(cursor, max_rows)
        described = [str(field[0]) for field in cursor.description]
    except sqlite3.Error as error:
        raise _fault(error, names) from error
    finally:
        database.close()
    types = dict(zip(names, (column.type for column in stored.columns), strict=True))
    columns = tuple(
        Column(name, types.get(name) or _type([row[place] for row in rows])) for place, name in enumerate(described)
    )
    return Fetched(columns, rows, more, time.monotonic() - started)


def _fill(database: sqlite3.Connection, names: Sequence[str], rows: Sequence[Sequence[Scalar]]) -> None:
    quoted = [f'"{name}"'.replace("\0", "") for name in (name.replace('"', '""') for name in names)]
    database.execute(f"CREATE TABLE {TABLE} ({', '.join(quoted)})")
    places = ", ".join("?" * len(names))
    database.execute("BEGIN")
    database.executemany(f"INSERT INTO {TABLE} VALUES ({places})", ([_storable(cell) for cell in row] for row in rows))
    database.execute("COMMIT")


def _confine(database: sqlite3.Connection, deadline: float) -> None:
    """From here on the connection can only select, for a limited time, and build no large values."""
    database.create_function("date_trunc", 2, _date_trunc, deterministic=True)
    # As in the warehouse; SQLite's own LIKE ignores case.
    database.execute("PRAGMA case_sensitive_like = ON")
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _CELL_BYTES)
    database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    database.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY)
    database.set_progress_handler(lambda: time.monotonic() > deadline, _OPERATIONS)


def _taken(cursor: sqlite3.Cursor, max_rows: int) -> tuple[list[list[Scalar]], bool]:
    rows: list[list[Scalar]] = []
    size = 0
    for row in cursor:
        size += sum(map(sys.getsizeof, row))
        if len(rows) == max_rows or size > MAX_BYTES:
            return rows, True
        rows.append(list(row))
    return rows, False


def _unique(names: Sequence[str]) -> list[str]:
    """The names, a repeated one with a number; SQLite takes `A` and `a` for the same."""
    taken: set[str] = set()
    return list(_numbered(names, taken))


def _numbered(names: Sequence[str], taken: set[str]) -> Iterator[str]:
    for name in names:
        number, unique = 1, name or "column"
        while unique.casefold() in taken:
            number += 1
            unique = f"{name}_{number}"
        taken.add(unique.casefold())
        yield unique


def _storable(cell: Scalar) -> Scalar:
    return float(cell) if isinstance(cell, int) and not -_LARGEST_INTEGER <= cell < _LARGEST_INTEGER else cell


def _type(cells: Sequence[Scalar]) -> str:
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds == {int, float}:
        return "DOUBLE"
    return _TYPES.get(kinds.pop(), "VARCHAR") if len(kinds) == 1 else "VARCHAR"


def _fault(error: sqlite3.Error, names: Sequence[str]) -> WarehouseError:
    words = str(error)
    missing = _MISSING.search(words)
    if missing and missing[1] == "column":
        wanted = missing[2].rpartition(".")[2]
        near = difflib.get_close_matches(wanted, names, 4, 0.5) or names[:8]
        reason = "the stored result has no such column"
        return WarehouseError(Code.UNKNOWN_COLUMN, reason, part=missing[2], near=near, hint=_HINT)
    if missing:
        reason = f"stored rows have no such {missing[1]}"
        return WarehouseError(Code.EXECUTION, reason, part=missing[2], hint=_HINT)
    if words == "interrupted":
        reason = "the statement took too long for stored rows"
        return WarehouseError(Code.TIMEOUT, reason, part=TABLE, hint="join and sort fewer rows, or aggregate first")
    return WarehouseError(Code.EXECUTION, words[:200], part=TABLE, hint=_HINT)
