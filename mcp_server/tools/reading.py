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
        Also DESC db.table, SHOW TABLES FROM db and its like, and EXPLAIN SELECT …, which never runs the query.
        """
        return replies.rows(await self._door.read(sql, max_rows))

    async def query_result(
        self,
        result_id: Annotated[str, Field(description="q-… of an earlier result")],
        sql: Annotated[str, Field(description="One SELECT … FROM result")],
        max_rows: Annotated[int, Field(description="Rows to fetch, 1 to 20000")] = 500,
    ) -> CallToolResult:
        """Run a SELECT on the complete rows of an earlier result (last hour, same thread) instead of asking again.

        Use it to see, filter, sort or aggregate rows that were fetched but not shown. The table is called result.
        """
        return replies.rows(await self._door.reread(result_id, sql, max_rows))

    async def discover_schema(self) -> CallToolResult:
        """List all tables with their columns, how they join, the shapes of ids and the traps in the data.

        Read it before the first read_query. Use describe_table for the meaning of a table's columns.
        """
        catalog, scope = self._door.catalog, self._door.scope
        entries, text = await catalog.entries(scope), await catalog.dictionary_of(scope)
        tables = [
            {"name": entry.name, "columns": [column.name for column in entry.columns]} for entry in entries.values()
        ]
        return replies.answer(text, {"text": text, "tables": tables, "digest": await catalog.digest()})

    async def describe_table(
        self, table: Annotated[str, Field(description="database.table, e.g. alerts.issues")]
    ) -> CallToolResult:
        """Describe one table: what it holds, and each column with type, unit, meaning, values and what it joins to."""
        entry = await self._door.catalog.entry(table, self._door.scope)
        text = await self._door.catalog.page(entry.name, self._door.scope)
        columns = [
            {"name": column.name, "type": column.type, "comment": column.comment, "values": list(column.values)}
            for column in entry.columns
        ]
        return replies.answer(text, {"name": entry.name, "comment": entry.comment, "columns": columns})
