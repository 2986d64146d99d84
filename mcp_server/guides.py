"""What the door offers MCP clients besides tools: each table's description as a resource, and a prompt that leads
through the review of a cluster."""

from collections.abc import Awaitable, Callable, Iterable
from importlib.resources import files
from string import Template
from typing import Annotated, Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp.server.mcpserver.prompts.base import Prompt
from mcp.types import (
    CallToolResult,
    Completion,
    CompletionArgument,
    CompletionContext,
    InputRequiredResult,
    PromptReference,
    ResourceTemplateReference,
    TextContent,
)
from pydantic import Field

from mcp_server.errors import Code

TABLE_URI = "starwatch://schema/{table}"
_REVIEW = Template((files(__package__) / "cluster_review.md").read_text(encoding="utf-8"))
_NAME_CHARS = 120
_COMPLETIONS = 100


def add_guides(server: MCPServer[Any], tables: Callable[[], Awaitable[Iterable[str]]]) -> None:
    """Register the guides; `tables` gives the names that clients may complete.

    Tables are described by the server's own tool, so that a page never shows what the tool would not.
    """

    @server.resource(
        TABLE_URI,
        name="table",
        description="One table (database.table): what it holds, its columns, units and joins",
        mime_type="text/plain",
    )
    async def table_page(table: str, context: Context[Any, Any]) -> str:
        return page_of(await server.call_tool("describe_table", {"table": table}, context))

    @server.completion()  # type: ignore[no-untyped-call, untyped-decorator]  # the SDK leaves its decorator unannotated
    async def table_names(
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion | None:
        if not isinstance(ref, ResourceTemplateReference) or ref.uri != TABLE_URI:
            return None
        names = [name for name in await tables() if argument.value.lower() in name]
        return Completion(values=names[:_COMPLETIONS], total=len(names), has_more=len(names) > _COMPLETIONS)

    server.add_prompt(Prompt.from_function(cluster_review))


def page_of(result: CallToolResult | InputRequiredResult) -> str:
    """What a tool said, as the text of a resource. Raises ResourceError with what it refused."""
    if not isinstance(result, CallToolResult):
        raise ResourceError("a description needs no further input")
    text = "\n".join(item.text for item in result.content if isinstance(item, TextContent))
    if result.is_error:
        missing = (result.structured_content or {}).get("code") == Code.UNKNOWN_TABLE
        raise (ResourceNotFoundError if missing else ResourceError)(text)
    return text


def cluster_review(
    cluster: Annotated[str, Field(description="Cluster UUID, its first 6 or more characters, or its name")],
) -> str:
    """Review one cluster: its state, what is wrong and since when, the likely cause, and what to do."""
    printable = "".join(character for character in cluster if character.isprintable() and character != '"')
    return _REVIEW.substitute(cluster=printable[:_NAME_CHARS])
