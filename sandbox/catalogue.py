"""What tables exist: columns, keys, comments and the text that made them; SHOW and information_schema read it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.errors import unknown_database, unknown_table


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """One column: its StarRocks type (`varchar(32)`), and what its definition says."""

    name: str
    type: str
    nullable: bool = True
    default: str | None = None
    comment: str = ""
    key: bool = False

    @property
    def base_type(self) -> str:
        """The type without its size."""
        return self.type.partition("(")[0].partition("<")[0].strip()


@dataclass(frozen=True, slots=True)
class TableInfo:
    """One table or view: `model` is PRIMARY_KEYS, DUP_KEYS or VIEW."""

    database: str
    name: str
    model: str
    columns: tuple[ColumnInfo, ...]
    comment: str
    ddl: str

    @property
    def is_view(self) -> bool:
        """Whether the table holds no rows of its own."""
        return self.model == "VIEW"

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the key columns."""
        return tuple(column.name for column in self.columns if column.key)


@dataclass(slots=True)
class Catalogue:
    """The databases and tables of the warehouse. information_schema is among them, read-only."""

    _tables: dict[str, dict[str, TableInfo]] = field(default_factory=lambda: {"information_schema": {}})

    @property
    def databases(self) -> tuple[str, ...]:
        """All database names, sorted."""
        return tuple(sorted(self._tables))

    def add_database(self, name: str) -> None:
        """Make `name` known; nothing happens when it is already."""
        self._tables.setdefault(name, {})

    def add(self, table: TableInfo) -> None:
        """Make a table known, in place of an older one of that name."""
        self._of(table.database)[table.name] = table

    def remove(self, database: str, name: str) -> None:
        """Forget a table; unknown names are ignored."""
        self._of(database).pop(name, None)

    def has(self, database: str, name: str) -> bool:
        """Whether the table exists; raises 1049 when its database does not."""
        return name in self._of(database)

    def tables(self, database: str) -> tuple[TableInfo, ...]:
        """The tables of a database by name; raises 1049."""
        return tuple(sorted(self._of(database).values(), key=lambda table: table.name))

    def table(self, database: str, name: str) -> TableInfo:
        """One table; raises 1049 or 5502."""
        found = self._of(database).get(name)
        if found is None:
            raise unknown_table(f"{database}.{name}")
        return found

    def all_tables(self) -> tuple[TableInfo, ...]:
        """Every table that somebody created."""
        return tuple(table for name in self.databases if name != "information_schema" for table in self.tables(name))

    def _of(self, database: str) -> dict[str, TableInfo]:
        tables = self._tables.get(database)
        if tables is None:
            raise unknown_database(database)
        return tables
