"""The tools of one MCP server as the loop takes them."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from mcp.types import CallToolResult, TextContent

from agent.errors import ToolsUnavailable, ToolTimedOut
from agent.mcp_connection import McpConnection
from agent.tools import ToolResult, ToolSpec, failed

PRINCIPAL = "starwatch/principal"
"""Key of the request metadata that names who a call is made for: `{"surface", "channel", "user", "thread"}`."""


class McpTools:
    """Implements `agent.tools.Tools`. `only` names the tools that may be seen and called; None allows all. `caller` is
    who the calls are made for; it is told to servers of our own process alone, never to foreign ones."""

    def __init__(
        self,
        connection: McpConnection,
        *,
        only: frozenset[str] | None = None,
        caller: Mapping[str, str] | None = None,
    ) -> None:
        self._connection = connection
        self._only = only
        self._meta = {PRINCIPAL: dict(caller)} if caller else None

    def called_by(self, caller: Mapping[str, str]) -> Self:
        """The same tools for one caller."""
        return type(self)(self._connection, only=self._only, caller=caller)

    async def specs(self) -> Sequence[ToolSpec]:
        """The tools by name, so that a server listing them differently does not spoil prompt caches.

        Raises `ToolsUnavailable` when the server was never reached; afterwards the last known list stands.
        """
        tools = await self._connection.tools()
        specs = [ToolSpec(tool.name, tool.description or tool.name, tool.input_schema) for tool in tools]
        return sorted((spec for spec in specs if self._allows(spec.name)), key=lambda spec: spec.name)

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """See `agent.tools.Tools`."""
        if not self._allows(name):
            return failed("permission", f"{name} is not among the allowed tools of {self._connection.name}")
        try:
            result = await self._connection.call(name, arguments, meta=self._meta)
        except ToolTimedOut:
            return failed("timeout", f"{name} gave no answer in time", "ask for less: a shorter window, fewer clusters")
        except ToolsUnavailable:
            return failed("unavailable", f"{self._connection.name} cannot be reached", "say so; do not guess figures")
        return ToolResult(_text_of(result), result.is_error, _data_of(result))

    def _allows(self, name: str) -> bool:
        return self._only is None or name in self._only


def _text_of(result: CallToolResult) -> str:
    return "\n".join(item.text for item in result.content if isinstance(item, TextContent))


def _data_of(result: CallToolResult) -> Mapping[str, Any] | None:
    return result.structured_content if isinstance(result.structured_content, dict) else None
