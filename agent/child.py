"""An MCP server as a child process whose stderr goes into our log instead of onto somebody's terminal."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mcp import StdioServerParameters
from mcp.client.stdio import stdio_client

from agent.untrusted import visible

log = logging.getLogger(__name__)

_CHUNK = 4_096
# Somebody else's program decides what it writes; the log should not be filled by it.
_LINE = 500


@asynccontextmanager
async def child(server: StdioServerParameters, name: str) -> AsyncIterator[Any]:
    """The transport to a child that lives as long as the context. What it writes to stderr is logged at level debug."""
    read_end, write_end = os.pipe()
    reader = asyncio.StreamReader()
    pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb", buffering=0)
    )
    logged = asyncio.create_task(_log(reader, name), name=f"mcp {name} stderr")
    try:
        with os.fdopen(write_end, "w", encoding="utf-8") as errors:
            async with stdio_client(server, errlog=errors) as streams:
                yield streams
    finally:
        # a grandchild may hold the other end open for ever, so the end of the stream is not waited for
        pipe.close()
        logged.cancel()
        await asyncio.wait([logged])


async def _log(reader: asyncio.StreamReader, name: str) -> None:
    while chunk := await reader.read(_CHUNK):
        for line in chunk.decode("utf-8", "replace").splitlines():
            if line.strip():
                log.debug("mcp server %s: %s", name, visible(line)[:_LINE])
