"""The door before the small simulated fleet, and the newest hour it holds."""

from collections.abc import AsyncIterator
from datetime import datetime

import pytest
from pydantic import SecretStr

from agent.rules_only import inventory
from mcp_server.config import WarehouseConfig
from mcp_server.door import Door
from sandbox.launch import Endpoint


@pytest.fixture
async def door(warehouse: Endpoint) -> AsyncIterator[Door]:
    user, password = warehouse.reader
    config = WarehouseConfig(host=warehouse.host, port=warehouse.port, user=user, password=SecretStr(password))
    async with Door(config) as opened:
        yield opened


@pytest.fixture
async def as_of(door: Door) -> datetime:
    return datetime.fromisoformat(str((await door.read(inventory.freshness())).rows[0][0]))
