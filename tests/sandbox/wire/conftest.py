"""Raw clients that are closed after each test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from tests.sandbox.wire.client import RawClient, open_client

OpenRaw = Callable[[int], Awaitable[RawClient]]


@pytest.fixture
async def raw() -> AsyncIterator[OpenRaw]:
    """Opens raw connections."""
    async with AsyncExitStack() as opened:

        async def open_one(port: int) -> RawClient:
            client = await open_client(port)
            opened.callback(client.writer.close)
            return client

        yield open_one
