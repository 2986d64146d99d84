"""`starwatch mcp-servers`: starts each foreign MCP server once and says what it offers and whether it is used."""

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agent.errors import ToolsRefused, ToolsUnavailable
from agent.foreign import AllowedTool, ForeignServer
from agent.foreign_tools import foreign_connection
from bot import logs, running
from bot.neighbours import KEY, foreign_servers
from bot.settings import load
from bot.terminal import Terminal, console
from handlers.document import Document, Prose, Table

WAITS = "waits for approvals, which do not exist yet: not offered"


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


def run(*, as_json: bool) -> int:
    """0 when every server is in use, 1 when one is not."""
    settings = load(os.environ, Path.cwd())
    logs.configure("error")
    servers = foreign_servers(settings.mcp_servers, os.environ)
    listings = running.run(_listed(servers))
    if as_json:
        # in ASCII, because an invisible character in a description is just what a reader has to see
        print(json.dumps([asdict(listing) for listing in listings]))
    else:
        running.run(Terminal(console(), console(stream_is_error=True)).post("", _document(listings)))
    return int(any(listing.state != "used" for listing in listings))


async def _listed(servers: Sequence[ForeignServer]) -> Sequence[Listing]:
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


def _document(listings: Sequence[Listing]) -> Document:
    if not listings:
        return Document("mcp servers", (Prose(f"No foreign MCP servers: {KEY} names no file, or an empty one."),))
    states = tuple((listing.name, listing.state, listing.detail) for listing in listings)
    tools = tuple((name, said) for listing in listings for name, said in listing.tools.items())
    parts = (Table(("server", "state", "detail"), states), Table(("tool", "use"), tools))
    return Document("mcp servers", parts)
