"""The rows behind an answer, read again for whoever asks for them as a file."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from agent.mcp_tools import McpTools
from agent.tools import ToolResult
from bot.caller import caller_in, told
from handlers.kept import ResultGone, ResultUnread, Rows, Statement
from mcp_server.door import MAX_ROWS
from mcp_server.principal import Principal, Scope

_OF_ANOTHER = "result "
"""How the one table of a statement on a stored result is called."""
_REASONS = {
    "unavailable": "the warehouse cannot be reached",
    "timeout": "the warehouse took too long",
    "permission": "they may not be read from here",
}


class WarehouseResults:
    """Implements `handlers.deps.Results` with the door's tools, called for the person who asks: what the door keeps for
    one person it gives to no other, and a statement that is run again is held to the scope of who runs it."""

    def __init__(self, tools: McpTools, scope_of: Callable[[Principal], Scope]) -> None:
        self._tools = tools
        self._scope_of = scope_of

    def may_read(self, thread: str, user: str, asker: str) -> bool:
        """Whether the scope of `user` in this thread holds that of `asker`."""
        reader, asked = (self._scope_of(caller_in(thread, one).principal) for one in (user, asker))
        return all(
            _holds(wide, narrow)
            for wide, narrow in (
                (reader.databases, asked.databases),
                (reader.tables, asked.tables),
                (reader.accounts, asked.accounts),
            )
        )

    async def rows(self, thread: str, user: str, statement: Statement) -> Rows:
        """The rows as they are kept, else the statement once more. Raises ResultGone and ResultUnread."""
        tools = self._tools.called_by(told(caller_in(thread, user)))
        if statement.result_id and not statement.truncated:
            wanted = {"result_id": statement.result_id, "sql": "SELECT * FROM result", "max_rows": MAX_ROWS}
            stored = await tools.call("query_result", wanted)
            if stored.data is not None and not stored.is_error:
                return _rows(stored.data, "stored")
        # what it was made from is as old, and may be gone with it
        if any(table.startswith(_OF_ANOTHER) for table in statement.tables):
            raise ResultGone(statement.query_id)
        # as it was run it carries the asker's scope already, and now gets the reader's on top: it can only show less
        again = await tools.call("read_query", {"sql": _whole(statement), "max_rows": MAX_ROWS})
        if again.data is None or again.is_error:
            raise ResultUnread(_reason(again))
        return _rows(again.data, "whole" if statement.truncated else "again")


def _holds(wide: frozenset[str] | None, narrow: frozenset[str] | None) -> bool:
    return wide is None or (narrow is not None and narrow <= wide)


def _whole(statement: Statement) -> str:
    """The statement without the LIMIT by which the door cut it, which is one row more than it gave."""
    if not statement.truncated:
        return statement.sql
    return re.sub(rf"\s+LIMIT\s+{statement.rows + 1}\s*$", "", statement.sql)


def _rows(data: Mapping[str, Any], source: Any) -> Rows:
    columns = tuple(str(column["name"]) for column in data["columns"])
    return Rows(columns, data["rows"], source, bool(data["truncated"]))


def _reason(result: ToolResult) -> str:
    """In our own words: what a server said is not for the channel."""
    return _REASONS.get(str((result.data or {}).get("code")), "the statement failed")
