"""A calm simulated fleet in a real SQL engine that a test may spoil, and the real door in front of it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime

from pydantic import SecretStr

import schema
from agent.mcp_connection import McpConnection
from agent.mcp_tools import McpTools
from agent.tools import Tools
from mcp_server.config import WarehouseConfig
from mcp_server.door import Door
from mcp_server.server import build_server
from sandbox.engine import Engine, open_engine
from sandbox.fleet import build
from sandbox.server import serving

SNAPSHOTS = "metrics.amv_hourly_snapshots_v1"
ONE = f"cluster_id = (SELECT min(cluster_id) FROM {SNAPSHOTS})"
"""The cluster that tests change."""


@contextmanager
def calm(now: datetime, *, clusters: int, days: int) -> Iterator[Engine]:
    """A fleet without faults and decoys, whose newest hour is the last full one before `now`."""
    engine = open_engine()
    for statement in schema.statements():
        engine.define(statement)
    build(engine.connection, seed=3, clusters=clusters, days=days, scenario="none", now=now)
    engine.connection.execute(f"CREATE TABLE main.kept AS SELECT * FROM {SNAPSHOTS}")
    try:
        yield engine
    finally:
        engine.close()


@contextmanager
def spoiled(engine: Engine) -> Iterator[None]:
    """The snapshots are as before afterwards."""
    try:
        yield
    finally:
        engine.connection.execute(f"DELETE FROM {SNAPSHOTS}")
        engine.connection.execute(f"INSERT INTO {SNAPSHOTS} SELECT * FROM main.kept")


@asynccontextmanager
async def reading(engine: Engine) -> AsyncIterator[Tools]:
    """The tools of an agent."""
    async with serving(engine) as port:
        config = WarehouseConfig(host="127.0.0.1", port=port, user="reader", password=SecretStr("reader"))
        async with Door(config) as door, McpConnection(lambda: build_server(door), name="starwatch") as connection:
            yield McpTools(connection)
