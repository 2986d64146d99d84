"""Tools to read the warehouse freely: the schema, and SQL through the guard."""

from typing import Annotated

from mcp.types import CallToolResult
from pydantic import Field

from mcp_server import replies
from mcp_server.door import Visit


class ReadingTools:
    """Schema and SQL."""

    def __init__(self, door: Visit) -> None:
        self._door = door

    async def read_query(
        self,
        sql: Annotated[str, Field(description="One StarRocks SELECT; tables written database.table")],
        max_rows: Annotated[int, Field(description="Rows to fetch, 1 to 20000")] = 500,
    ) -> CallToolResult:
        """Run one read-only StarRocks SELECT (WITH and UNION are fine) on the databases metrics, byoc and alerts.

        Use it for what the query_* tools do not answer. Aggregate in SQL: about 12,000 characters of rows are shown,
        and the last line says how many rows there were. Times are UTC. A statement is killed after the time limit.
        """
        return replies.rows(await self._door.read(sql, max_rows))

    async def discover_schema(self) -> CallToolResult:
        """List all tables with their columns, how they join, the shapes of ids and the traps in the data.

        Read it before the first read_query. Use describe_table for the meaning of a table's columns.
        """
        entries = await self._door.catalog.entries()
        text = await self._door.catalog.dictionary()
        tables = [
            {"name": entry.name, "columns": [column.name for column in entry.columns]} for entry in entries.values()
        ]
        return replies.answer(text, {"text": text, "tables": tables})

    async def describe_table(
        self, table: Annotated[str, Field(description="database.table, e.g. alerts.issues")]
    ) -> CallToolResult:
        """Describe one table: what it holds, and each column with type, unit, meaning and what it joins to."""
        entry = await self._door.catalog.entry(table)
        columns = [{"name": column.name, "type": column.type, "comment": column.comment} for column in entry.columns]
        lines = [f"{entry.name}: {entry.comment}", *(f"- {c.name} {c.type}: {c.comment}" for c in entry.columns)]
        return replies.answer("\n".join(lines), {"name": entry.name, "comment": entry.comment, "columns": columns})
