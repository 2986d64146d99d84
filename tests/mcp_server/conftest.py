"""An embedded warehouse with known rows, and doors to it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from mcp import Client
from pydantic import SecretStr

from mcp_server.config import WarehouseConfig
from mcp_server.door import Door
from mcp_server.server import build_server
from sandbox.launch import Endpoint, Options, running
from tests.mcp_server import fleet


@pytest.fixture(scope="session")
def known_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """The endpoint of a warehouse that holds the rows of fleet.py."""
    folder = tmp_path_factory.mktemp("fleet")
    fleet.write(folder)
    with asyncio.Runner() as runner:
        context = running(Options(load=folder))
        endpoint = runner.run(context.__aenter__())
        try:
            yield endpoint
        finally:
            runner.run(context.__aexit__(None, None, None))


@pytest.fixture
def config(known_warehouse: Endpoint) -> Callable[..., WarehouseConfig]:
    """Makes a reader's config of the known warehouse, with settings of the test's own."""

    def make(**settings: Any) -> WarehouseConfig:
        user, password = known_warehouse.reader
        defaults = {"host": known_warehouse.host, "port": known_warehouse.port, "user": user}
        return WarehouseConfig(**{**defaults, "password": SecretStr(password), **settings})

    return make


@pytest.fixture
async def door(config: Callable[..., WarehouseConfig]) -> AsyncIterator[Door]:
    """A door that numbers its queries q-1, q-2, …"""
    numbers = iter(range(1, 1_000))
    async with Door(config(), new_id=lambda: f"q-{next(numbers)}", now=lambda: fleet.NOW) as opened:
        yield opened


@pytest.fixture
async def client(door: Door) -> AsyncIterator[Client]:
    """An in-process MCP client; one task holds it, as a client must be left where it was entered."""
    opened: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
    closing = asyncio.Event()

    async def hold() -> None:
        async with Client(build_server(door)) as connected:
            opened.set_result(connected)
            await closing.wait()

    holder = asyncio.create_task(hold())
    yield await opened
    closing.set()
    await holder


@pytest.fixture
async def simulated(warehouse: Endpoint) -> AsyncIterator[Door]:
    """A door to the simulated fleet."""
    user, password = warehouse.reader
    config = WarehouseConfig(host=warehouse.host, port=warehouse.port, user=user, password=SecretStr(password))
    async with Door(config) as opened:
        yield opened
