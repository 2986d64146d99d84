"""information_schema as StarRocks shapes it: upper-case column names, comments included, filled from the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb

from sandbox.catalogue import Catalogue, ColumnInfo, TableInfo
from sandbox.dialect.shape import INFORMATION_SCHEMA

_TEXT = "VARCHAR"
_COLUMNS: dict[str, dict[str, str]] = {
    "schemata": {
        "CATALOG_NAME": _TEXT,
        "SCHEMA_NAME": _TEXT,
        "DEFAULT_CHARACTER_SET_NAME": _TEXT,
        "DEFAULT_COLLATION_NAME": _TEXT,
        "SQL_PATH": _TEXT,
    },
    "tables": {
        "TABLE_CATALOG": _TEXT,
        "TABLE_SCHEMA": _TEXT,
        "TABLE_NAME": _TEXT,
        "TABLE_TYPE": _TEXT,
        "ENGINE": _TEXT,
        "TABLE_ROWS": "BIGINT",
        "TABLE_COLLATION": _TEXT,
        "TABLE_COMMENT": _TEXT,
    },
    "columns": {
        "TABLE_CATALOG": _TEXT,
        "TABLE_SCHEMA": _TEXT,
        "TABLE_NAME": _TEXT,
        "COLUMN_NAME": _TEXT,
        "ORDINAL_POSITION": "BIGINT",
        "COLUMN_DEFAULT": _TEXT,
        "IS_NULLABLE": _TEXT,
        "DATA_TYPE": _TEXT,
        "CHARACTER_MAXIMUM_LENGTH": "BIGINT",
        "COLUMN_TYPE": _TEXT,
        "COLUMN_KEY": _TEXT,
        "EXTRA": _TEXT,
        "COLUMN_COMMENT": _TEXT,
        "GENERATION_EXPRESSION": _TEXT,
    },
    "views": {
        "TABLE_CATALOG": _TEXT,
        "TABLE_SCHEMA": _TEXT,
        "TABLE_NAME": _TEXT,
        "VIEW_DEFINITION": _TEXT,
    },
    "tables_config": {
        "TABLE_SCHEMA": _TEXT,
        "TABLE_NAME": _TEXT,
        "TABLE_ENGINE": _TEXT,
        "TABLE_MODEL": _TEXT,
        "PRIMARY_KEY": _TEXT,
    },
}
# What MySQL clients look for; StarRocks says the same.
_CATALOG = "def"
Line = tuple[str | int | None, ...]


def describe(catalogue: Catalogue) -> None:
    """Put the views of information_schema themselves into the catalogue."""
    for name, columns in _COLUMNS.items():
        infos = tuple(
            ColumnInfo(column, "bigint" if kind == "BIGINT" else "varchar(2048)") for column, kind in columns.items()
        )
        catalogue.add(TableInfo("information_schema", name, "VIEW", infos, "", f"CREATE VIEW `{name}`"))


def refresh(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> None:
    """Write the present catalogue into the tables behind information_schema."""
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {INFORMATION_SCHEMA}")
    lines: dict[str, Sequence[Line]] = {
        "schemata": [(_CATALOG, name, "utf8", "utf8_general_ci", None) for name in catalogue.databases],
        "tables": [_table(table, _count(connection, table)) for table in catalogue.all_tables()],
        "columns": [line for table in catalogue.all_tables() for line in _columns(table)],
        "views": [(_CATALOG, t.database, t.name, t.ddl) for t in catalogue.all_tables() if t.is_view],
        "tables_config": [_config(table) for table in catalogue.all_tables() if not table.is_view],
    }
    for name, columns in _COLUMNS.items():
        body = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        connection.execute(f"CREATE OR REPLACE TABLE {INFORMATION_SCHEMA}.{name} ({body})")
        # one statement: DuckDB prepares an executemany anew for every row
        row = "(" + ", ".join("?" * len(columns)) + ")"
        if lines[name]:
            values = [value for line in lines[name] for value in line]
            sql = f"INSERT INTO {INFORMATION_SCHEMA}.{name} VALUES {', '.join([row] * len(lines[name]))}"
            connection.execute(sql, values)


def _count(connection: duckdb.DuckDBPyConnection, table: TableInfo) -> int | None:
    if table.is_view:
        return None
    row = connection.execute(f'SELECT count(*) FROM "{table.database}"."{table.name}"').fetchone()
    return int(row[0]) if row else 0


def _table(table: TableInfo, rows: int | None) -> Line:
    kind, engine = ("VIEW", "VIEW") if table.is_view else ("BASE TABLE", "StarRocks")
    return (_CATALOG, table.database, table.name, kind, engine, rows, "utf8_general_ci", table.comment)


def _columns(table: TableInfo) -> Iterator[Line]:
    key = {"PRIMARY_KEYS": "PRI", "UNQ_KEYS": "UNI", "DUP_KEYS": "DUP", "AGG_KEYS": "AGG"}.get(table.model, "")
    for position, column in enumerate(table.columns, 1):
        size = column.type.partition("(")[2].rstrip(")")
        length = int(size) if column.base_type in ("varchar", "char") and size.isdigit() else None
        nullable = "YES" if column.nullable else "NO"
        place = (_CATALOG, table.database, table.name, column.name, position, column.default, nullable)
        yield (*place, column.base_type, length, column.type, key if column.key else "", "", column.comment, None)


def _config(table: TableInfo) -> Line:
    keys = ", ".join(f"`{key}`" for key in table.keys) if table.model == "PRIMARY_KEYS" else ""
    return (table.database, table.name, "OLAP", table.model, keys)
