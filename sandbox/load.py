"""Fills the tables from exported files, one CSV or Parquet per table, columns matched by their header names."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from pathlib import Path

import duckdb

from sandbox.catalogue import TableInfo
from sandbox.engine import Engine
from sandbox.errors import StartError

_READERS = {
    # All as text: guessed types would turn ids of digits into numbers and lose their zeros; the table decides.
    ".csv": "read_csv(?, header = true, all_varchar = true, sample_size = -1)",
    ".parquet": "read_parquet(?)",
}


def load(engine: Engine, directory: Path, on_progress: Callable[[str], None] | None = None) -> None:
    """Read `directory`/`database.table.csv` (or `.parquet`) into the tables; tables without a file stay empty.

    Raises:
        StartError: no such directory, a file of no table, a column of no such name, or values that do not fit.
    """
    if not directory.is_dir():
        raise StartError(f"--load: {directory} is not a directory")
    files = sorted(path for path in directory.iterdir() if path.suffix.lower() in _READERS)
    if not files:
        raise StartError(f"--load: {directory} holds no .csv or .parquet file")
    tables = {f"{table.database}.{table.name}": table for table in engine.catalogue.all_tables() if not table.is_view}
    for path in files:
        table = tables.get(path.stem)
        if table is None:
            raise StartError(f"--load: {path.name}: there is no table {path.stem}{_near(path.stem, tables)}")
        count = _fill(engine.connection, table, path)
        if on_progress is not None:
            on_progress(f"loaded {count:,} rows into {path.stem}")


def _fill(connection: duckdb.DuckDBPyConnection, table: TableInfo, path: Path) -> int:
    reader = _READERS[path.suffix.lower()]
    try:
        header = connection.execute(f"SELECT * FROM {reader} LIMIT 0", [str(path)]).description or []
        names = [str(entry[0]) for entry in header]
        # Before any row: an error about column 7 of line 90,000 would help nobody.
        _check_header(table, names, path)
        quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
        verb = "INSERT OR REPLACE" if table.model == "PRIMARY_KEYS" else "INSERT"
        target = f'"{table.database}"."{table.name}"'
        row = connection.execute(
            f"{verb} INTO {target} ({quoted}) SELECT {quoted} FROM {reader}", [str(path)]
        ).fetchone()
    except duckdb.Error as error:
        line = " ".join(str(error).split())[:300]
        raise StartError(f"--load: {path.name}: {line}") from error
    return int(row[0]) if row else 0


def _check_header(table: TableInfo, names: list[str], path: Path) -> None:
    known = {column.name.lower(): column for column in table.columns}
    for name in names:
        if name.lower() not in known:
            raise StartError(f"--load: {path.name}: the table has no column {name}{_near(name, known)}")
    given = {name.lower() for name in names}
    for column in table.columns:
        if not column.nullable and column.default is None and column.name.lower() not in given:
            raise StartError(f"--load: {path.name}: the column {column.name} is missing, and it may not be NULL")


def _near(name: str, names: Iterable[str]) -> str:
    found = difflib.get_close_matches(name, list(names), n=1)
    return f"; did you mean {found[0]}?" if found else ""
