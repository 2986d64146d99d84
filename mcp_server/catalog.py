"""What the warehouse holds: tables, columns, types and comments, read once and told to the model in few tokens."""

import asyncio
import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.resources import files

from mcp_server.errors import Code, Refusal
from mcp_server.executor import Executor
from mcp_server.results import plain

_TABLES = """
SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_COMMENT FROM information_schema.tables
WHERE TABLE_SCHEMA IN ({databases}) ORDER BY TABLE_SCHEMA, TABLE_NAME
"""
_COLUMNS = """
SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_COMMENT FROM information_schema.columns
WHERE TABLE_SCHEMA IN ({databases}) ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION
"""
_MAX_COLUMNS = 20_000
_SUMMARY_CHARS = 90

NOTES = (files(__package__) / "dictionary.txt").read_text(encoding="utf-8").strip()
"""Join paths and traps, the same for every fleet."""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column as the warehouse describes it."""

    name: str
    type: str
    comment: str


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A table or view: qualified name, comment, columns in their order."""

    name: str
    comment: str
    columns: tuple[TableColumn, ...]


class Catalog:
    """The allowed tables as the warehouse has them; loaded by two queries at first use and kept."""

    def __init__(self, executor: Executor, tables: Collection[str]) -> None:
        self._executor = executor
        self._allowed = frozenset(tables)
        self._loading = asyncio.Lock()
        self._entries: dict[str, TableEntry] | None = None

    async def entries(self) -> dict[str, TableEntry]:
        """Qualified name → entry, sorted by name. Raises WarehouseError when the warehouse cannot tell."""
        async with self._loading:
            if self._entries is None:
                self._entries = await self._load()
            return self._entries

    async def entry(self, table: str) -> TableEntry:
        """One table by `database.table`, or by its name alone when that is unique. Raises Refusal."""
        entries = await self.entries()
        wanted = table.strip().strip("`").lower()
        matches = [name for name in entries if name == wanted or name.partition(".")[2] == wanted]
        if len(matches) == 1:
            return entries[matches[0]]
        near = matches or difflib.get_close_matches(wanted, entries, 3, 0.4)
        hint = "write database.table as discover_schema lists it"
        raise Refusal("table", Code.UNKNOWN_TABLE, "there is no such table", part=table, near=near, hint=hint)

    async def dictionary(self) -> str:
        """The data dictionary for a prompt: the same bytes for the same schema."""
        entries = await self.entries()
        lines = ["Tables (a column without a type is VARCHAR):"]
        database = ""
        for entry in entries.values():
            if entry.name.partition(".")[0] != database:
                database = entry.name.partition(".")[0]
                lines.append(f"[{database}]")
            columns = ", ".join(_brief(column) for column in entry.columns)
            lines.append(f"{entry.name.partition('.')[2]}({columns}): {_summary(entry.comment)}")
        return "\n".join([*lines, "", NOTES])

    async def near_columns(self, column: str, tables: Sequence[str]) -> list[str]:
        """Columns of the given tables that are written much like `column`."""
        entries = await self.entries()
        names = sorted({known.name for table in tables if table in entries for known in entries[table].columns})
        return difflib.get_close_matches(column.rpartition(".")[2].strip("`'\""), names, 4, 0.5)

    async def _load(self) -> dict[str, TableEntry]:
        databases = ", ".join(f"'{name}'" for name in sorted({table.partition(".")[0] for table in self._allowed}))
        tables, columns = await asyncio.gather(
            self._executor.fetch(_TABLES.format(databases=databases), max_rows=_MAX_COLUMNS),
            self._executor.fetch(_COLUMNS.format(databases=databases), max_rows=_MAX_COLUMNS),
        )
        described: dict[str, list[TableColumn]] = {}
        for database, table, name, kind, comment in columns.rows:
            entry = TableColumn(str(name), str(kind).upper(), plain(str(comment or "")))
            described.setdefault(f"{database}.{table}", []).append(entry)
        found = ((f"{database}.{table}", plain(str(comment or ""))) for database, table, comment in tables.rows)
        return {
            name: TableEntry(name, comment, tuple(described.get(name, ())))
            for name, comment in found
            if name in self._allowed
        }


def _brief(column: TableColumn) -> str:
    kind = column.type.partition("(")[0]
    return column.name if kind in {"VARCHAR", "STRING", "CHAR", "TEXT"} else f"{column.name} {kind}"


def _summary(comment: str) -> str:
    first = comment.partition(". ")[0]
    return first if len(first) <= _SUMMARY_CHARS else f"{first[:_SUMMARY_CHARS].rpartition(' ')[0]} …"
