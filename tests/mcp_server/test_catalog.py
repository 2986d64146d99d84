"""What the door knows of the schema, and how it finds the cluster that is meant."""

import asyncio
import hashlib
from collections.abc import Callable

import pytest

import schema
from mcp_server.catalog import Catalog
from mcp_server.config import WarehouseConfig
from mcp_server.directory import Directory
from mcp_server.errors import Refusal
from mcp_server.executor import Column, Executor, Fetched
from mcp_server.results import Result

Configs = Callable[..., WarehouseConfig]


class CountingExecutor(Executor):
    """An executor that remembers what it ran."""

    def __init__(self, config: WarehouseConfig) -> None:
        super().__init__(config)
        self.ran: list[str] = []

    async def fetch(self, sql: str, *, max_rows: int) -> Fetched:
        self.ran.append(sql)
        return await super().fetch(sql, max_rows=max_rows)


async def test_the_schema_costs_two_queries_however_often_it_is_asked(config: Configs) -> None:
    async with CountingExecutor(config()) as executor:
        catalog = Catalog(executor, schema.TABLES)
        await asyncio.gather(*(catalog.dictionary() for _ in range(5)))
        await catalog.entry("byoc.clusters")
        assert len(executor.ran) == 2


async def test_the_dictionary_is_the_same_bytes_for_every_reader(config: Configs) -> None:
    digests = set()
    for _ in range(2):
        async with Executor(config()) as executor:
            text = await Catalog(executor, reversed(schema.TABLES)).dictionary()  # type: ignore[arg-type]
            digests.add(hashlib.sha256(text.encode()).hexdigest())
    assert len(digests) == 1


async def test_tables_outside_the_list_are_not_told(config: Configs) -> None:
    async with Executor(config()) as executor:
        catalog = Catalog(executor, ["byoc.clusters", "byoc.accounts"])
        assert list(await catalog.entries()) == ["byoc.accounts", "byoc.clusters"]
        with pytest.raises(Refusal):
            await catalog.entry("alerts.issues")


async def test_every_table_of_the_schema_is_told_with_its_columns(config: Configs) -> None:
    async with Executor(config()) as executor:
        entries = await Catalog(executor, schema.TABLES).entries()
        assert set(entries) == set(schema.TABLES)
        assert all(entry.columns and entry.comment for entry in entries.values())


class Clusters:
    """A directory over names that change, with a clock of its own."""

    def __init__(self) -> None:
        self.names = ["one"]
        self.now = 0.0
        self.loads = 0
        self.directory = Directory(self._load, lambda: self.now, max_age=60)

    async def _load(self) -> Result:
        self.loads += 1
        rows = [[f"0000000{index}-0000", name, 1] for index, name in enumerate(self.names)]
        return Result((Column("x", "VARCHAR"),), rows, False, "q-1", "", 0.0, ())  # type: ignore[arg-type]


async def test_the_index_of_clusters_is_read_again_only_when_it_is_old() -> None:
    clusters = Clusters()
    await asyncio.gather(*(clusters.directory.find("one") for _ in range(5)))
    clusters.names = ["two"]
    clusters.now = 60.0
    assert (await clusters.directory.find("one")).name == "one"
    assert clusters.loads == 1
    clusters.now = 60.1
    assert (await clusters.directory.find("two")).name == "two"
    assert clusters.loads == 2


@pytest.mark.parametrize("wanted", ["", "  ", "0", "00000"])
async def test_too_little_to_go_by_finds_nothing(wanted: str) -> None:
    with pytest.raises(Refusal):
        await Clusters().directory.find(wanted)
