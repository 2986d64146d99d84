"""What foreign MCP servers offer and whether they are used: each is started once and asked."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.errors import ToolsRefused, ToolsUnavailable
from agent.foreign import AllowedTool, ForeignServer
from agent.foreign_tools import foreign_connection

WAITS = "needs approvals: offered where STARWATCH_APPROVERS names somebody"


@dataclass(frozen=True, slots=True)
class Listing:
    """One server. `state` is used, changed (its tools are not those accepted), or away; `hash` is that of the tools it
    has now, when known. `tools` maps each allowed tool's shown name to `offered` or why it is not, `told` its own name
    to the description and schema that accepting the hash accepts."""

    name: str
    state: str
    detail: str
    hash: str
    tools: Mapping[str, str]
    told: Mapping[str, Mapping[str, Any]]


async def listed(servers: Sequence[ForeignServer]) -> Sequence[Listing]:
    """One listing for each server, in their order; they are asked side by side and ended again."""
    return await asyncio.gather(*(_listing(server) for server in servers))


async def _listing(server: ForeignServer) -> Listing:
    async with foreign_connection(server) as connection:
        await connection.settled()
        state, detail, found = "used", "its tools are those accepted", server.hash
        try:
            await connection.tools()
        except ToolsRefused as refused:
            state, detail, found = "changed", f"{refused}{_how(refused)}", refused.found
        except ToolsUnavailable as error:
            state, detail, found = "away", str(error), ""
        told = {
            tool.name: {"description": tool.description, "schema": tool.input_schema}
            for tool in connection.listed
            if tool.name in server.tools
        }
    use = {server.shown(name): _use(tool, state) for name, tool in server.tools.items()}
    return Listing(server.name, state, detail, found, use, told)


def _use(tool: AllowedTool, state: str) -> str:
    if tool.access == "approval":
        return WAITS
    return "offered" if state == "used" else "not offered: the server is not in use"


def _how(refused: ToolsRefused) -> str:
    return "; read them with --json, then write it into the file as `hash:`" if refused.found else ""
