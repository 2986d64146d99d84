"""How a tool answers over MCP: text for the model, structured content for code, errors with a code."""

from collections.abc import Mapping
from typing import Any

from mcp.types import CallToolResult, TextContent

from mcp_server.errors import DoorError
from mcp_server.results import Result


def rows(result: Result, note: str = "") -> CallToolResult:
    """A result's text and data; `note` is a line of its own above the rows."""
    return answer(result.text(note), result.data())


def answer(text: str, data: Mapping[str, Any]) -> CallToolResult:
    """Any text with its structured form."""
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=dict(data))


def failure(error: DoorError) -> CallToolResult:
    """An error the model can act on."""
    return CallToolResult(
        content=[TextContent(type="text", text=error.text())], structured_content=error.data(), is_error=True
    )
