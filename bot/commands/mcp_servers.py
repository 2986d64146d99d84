"""`starwatch mcp-servers`: the foreign MCP servers of the settings, and how to accept their tools."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bot import logs, running
from bot.foreign_listing import Listing, listed
from bot.neighbours import KEY, foreign_servers
from bot.settings import load
from bot.terminal import Terminal, console
from handlers.document import Document, Prose, Table


def run(*, as_json: bool) -> int:
    """0 when every server is in use, 1 when one is not."""
    settings = load(os.environ, Path.cwd())
    logs.configure("error")
    servers = foreign_servers(settings.mcp_servers, os.environ)
    listings = running.run(listed(servers))
    if as_json:
        # in ASCII, because an invisible character in a description is just what a reader has to see
        print(json.dumps([asdict(listing) for listing in listings]))
    else:
        running.run(Terminal(console(), console(stream_is_error=True)).post("", _document(listings)))
    return int(any(listing.state != "used" for listing in listings))


def _document(listings: Sequence[Listing]) -> Document:
    if not listings:
        return Document("mcp servers", (Prose(f"No foreign MCP servers: {KEY} names no file, or an empty one."),))
    states = tuple((listing.name, listing.state, listing.detail) for listing in listings)
    tools = tuple((name, said) for listing in listings for name, said in listing.tools.items())
    parts = (Table(("server", "state", "detail"), states), Table(("tool", "use"), tools))
    return Document("mcp servers", parts)
