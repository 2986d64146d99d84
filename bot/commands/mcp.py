"""`starwatch mcp`: the door, offered over stdio. Nothing but the protocol may appear on stdout."""

import os
from pathlib import Path

from bot import logs, running
from bot.compose import door_to
from bot.settings import load
from bot.terminal import Terminal, console
from bot.warehouse import address
from mcp_server.server import STDIO, build_server
from sandbox.launch import Options


def run() -> int:
    """Serves until the client closes stdin."""
    return running.run(_serve())


async def _serve() -> int:
    settings = load(os.environ, Path.cwd())
    logs.configure(settings.log_level)
    progress = Terminal(console(stream_is_error=True), console(stream_is_error=True))
    async with address(settings, Options(), progress.show) as place, door_to(place, settings) as door:
        progress.show("")
        await build_server(door, STDIO).run_stdio_async()
    return 0
