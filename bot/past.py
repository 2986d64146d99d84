"""The warehouse as of a moment that is over, for replays: the same account, door and tools, and no later row."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from agent.mcp_connection import ConnectionTimes, McpConnection
from agent.mcp_tools import McpTools
from agent.tools import Tools
from bot.caller import PATROL, told
from bot.compose import door_to
from bot.settings import Settings
from bot.warehouse import Address
from mcp_server.server import build_server


@asynccontextmanager
async def tools_as_of(place: Address, settings: Settings, at: datetime | None = None) -> AsyncIterator[Tools]:
    """The tools of a patrol at `at` (naive UTC), None for now. Raises WarehouseError when the account cannot read."""
    until = None if at is None else at.replace(tzinfo=UTC)
    times = ConnectionTimes(call=settings.query_seconds + 10)
    async with (
        door_to(place, settings, until) as door,
        McpConnection(lambda: build_server(door), name="starwatch", times=times) as connection,
    ):
        yield McpTools(connection).called_by(told(PATROL))
