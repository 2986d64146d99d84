"""The door's tools in front of a simulated warehouse, as benchmarks of the patrol use them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import SecretStr

from agent.mcp_connection import McpConnection
from agent.mcp_tools import McpTools
from agent.tools import Tools
from mcp_server.config import WarehouseConfig
from mcp_server.door import Door
from mcp_server.server import build_server
from sandbox.launch import Endpoint


@asynccontextmanager
async def tools_of(place: Endpoint) -> AsyncIterator[Tools]:
    """The door's tools as an agent has them."""
    user, password = place.reader
    config = WarehouseConfig(host=place.host, port=place.port, user=user, password=SecretStr(password))
    async with Door(config) as door, McpConnection(lambda: build_server(door), name="starwatch") as connection:
        yield McpTools(connection)
