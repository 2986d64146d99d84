"""Who may log in, and what each may do."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import SecretStr

import schema
from sandbox.dialect.translate import Effect, TableName
from sandbox.errors import access_denied

WRITTEN_TABLES = frozenset(TableName(*name.split(".")) for name in schema.WRITTEN)


@dataclass(frozen=True, slots=True)
class Account:
    """A user: `reads` and `inserts` are the tables it may use (None: all); an administrator may do everything.

    `cluster` is the simulated cluster whose own front end the user talks to, None for the warehouse's users.
    """

    name: str
    password: SecretStr
    reads: frozenset[TableName] | None = None
    inserts: frozenset[TableName] | None = frozenset()
    administers: bool = False
    cluster: str | None = None

    def require(self, effect: Effect, table: TableName) -> None:
        """Raise 5203 unless the account may do this to the table."""
        granted = self.administers or self._grants(effect, table)
        if not granted:
            raise access_denied(effect.value, "TABLE", table.name)

    def require_administrator(self, privilege: str) -> None:
        """Raise 5203 unless the account is an administrator."""
        if not self.administers:
            raise access_denied(privilege, "SYSTEM", "")

    def sees(self, table: TableName) -> bool:
        """Whether the account may read the table, and so may know of it."""
        return self.administers or self._grants(Effect.SELECT, table)

    def require_sight(self, table: TableName) -> None:
        """Raise 5203 unless the account may know the table's definition."""
        if not self.sees(table):
            raise access_denied("ANY", "TABLE", table.name)

    def privileges(self, table: TableName) -> tuple[str, ...]:
        """What the account may do with the table, in StarRocks' words."""
        if self.administers:
            return ("ALL",)
        return tuple(effect.value for effect in (Effect.SELECT, Effect.INSERT) if self._grants(effect, table))

    def _grants(self, effect: Effect, table: TableName) -> bool:
        if table.database == "information_schema":
            return effect is Effect.SELECT
        tables = {Effect.SELECT: self.reads, Effect.INSERT: self.inserts}.get(effect, frozenset())
        return tables is None or table in tables


READER = Account("reader", SecretStr("reader"))
WRITER = Account("writer", SecretStr("writer"), reads=WRITTEN_TABLES, inserts=WRITTEN_TABLES)
ADMIN = Account("admin", SecretStr("admin"), administers=True)
"""Exists only in a warehouse that was started empty, for trying out how the tables are created."""
