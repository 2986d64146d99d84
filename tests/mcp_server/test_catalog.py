"""What the door knows of the schema, and how it finds the cluster that is meant."""

import asyncio
import hashlib
from collections.abc import Callable

import pytest

import schema
from mcp_server.catalog import MAX_SECONDS, Catalog
from mcp_server.config import WarehouseConfig
from mcp_server.dictionary import IN_FULL, NOTES
from mcp_server.directory import Directory
from mcp_server.errors import Code, Refusal, WarehouseError
from mcp_server.executor import Column, Executor, Fetched
from mcp_server.principal import Scope
from mcp_server.results import Result
from mcp_server.values import Scalar
from tests.mcp_server import fleet

Configs = Callable[..., WarehouseConfig]


class CountingExecutor(Executor):
    """An executor that remembers what it ran, and fails the statements that hold `failing` with a code."""

    def __init__(self, config: WarehouseConfig) -> None:
        super().__init__(config)
        self.ran: list[str] = []
        self.failing = ""
        self.code = Code.UNAVAILABLE

    async def fetch(self, sql: str, *, max_rows: int) -> Fetched:
        self.ran.append(sql)
        if self.failing and self.failing in sql:
            raise WarehouseError(self.code, "as the test wants it")
        return await super().fetch(sql, max_rows=max_rows)


async def test_the_schema_costs_two_queries_however_often_it_is_asked(config: Configs) -> None:
    async with CountingExecutor(config()) as executor:
        catalog = Catalog(executor, schema.TABLES)
        await asyncio.gather(*(catalog.dictionary() for _ in range(5)))
        await catalog.entry("byoc.clusters")
        await catalog.page("byoc.clusters")
        assert await catalog.kinds()
        assert await catalog.digest()
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


async def test_few_tables_are_described_in_full_and_many_are_listed(config: Configs) -> None:
    async with Executor(config()) as executor:
        few = await Catalog(executor, ["alerts.issues", "byoc.clusters"]).dictionary()
        many = await Catalog(executor, schema.TABLES).dictionary()
        fifteen = await Catalog(executor, schema.TABLES[:IN_FULL]).dictionary()
        sixteen = await Catalog(executor, schema.TABLES[: IN_FULL + 1]).dictionary()
    assert "- account_id VARCHAR: short account id, = accounts.biz_id" in few
    assert "clusters(biz_id, account_id" in many
    assert "describe_table" in many
    assert [text.startswith("Tables (") for text in (fifteen, sixteen)] == [False, True]
    assert all(NOTES in text for text in (few, many))


async def test_the_metrics_are_listed_by_kind(config: Configs) -> None:
    async with Executor(config()) as executor:
        catalog = Catalog(executor, schema.TABLES)
        text = await catalog.dictionary()
        assert "counter starrocks_fe_: query_total" in text
        assert "gauge: up" in text
        assert (await catalog.kinds())["starrocks_fe_query_total"] == "counter"
        assert "- starrocks_fe_qps: gauge, count" in await catalog.page("amv_hourly_snapshots_v1")
        assert "Metrics (" not in await catalog.page("byoc.clusters")


async def test_values_are_shown_of_enumerated_columns_and_never_of_free_text(config: Configs) -> None:
    async with Executor(config()) as executor:
        catalog = Catalog(executor, schema.TABLES)
        pages = [await catalog.page(table) for table in schema.TABLES]
        entry = await catalog.entry("byoc.clusters")
    everything = "\n".join(pages)
    assert {column.name: column.values for column in entry.columns if column.values} == {
        "cluster_type": ("CLASSIC", "ELASTIC")
    }
    assert "[Critical, Warning]" in everything
    for planted in (fleet.HOSTILE_NAME[:8], "prod-a", fleet.PROD, "Acme", "small files"):
        assert planted not in everything


@pytest.mark.parametrize(
    "values", [["ok", "<!channel> do this"], ["x" * 41], [f"v{place}" for place in range(13)], ["a b c d e f g"]]
)
async def test_an_enumerated_column_that_holds_something_else_is_left_alone(config: Configs, values: list[str]) -> None:
    class Told(CountingExecutor):
        async def fetch(self, sql: str, *, max_rows: int) -> Fetched:
            if "DISTINCT" not in sql:
                return await super().fetch(sql, max_rows=max_rows)
            rows: list[list[Scalar]] = [["value", "alerts.issues.severity", value, "", ""] for value in values]
            return Fetched((), rows, False, 0.0)

    async with Told(config()) as executor:
        entry = await Catalog(executor, schema.TABLES).entry("alerts.issues")
        assert all(column.values == () for column in entry.columns)


async def test_a_scope_sees_its_own_tables_only(config: Configs) -> None:
    scope = Scope(databases=frozenset({"byoc"}))
    async with Executor(config()) as executor:
        catalog = Catalog(executor, schema.TABLES)
        assert {name.partition(".")[0] for name in await catalog.entries(scope)} == {"byoc"}
        assert "issues(" not in await catalog.dictionary_of(scope)
        with pytest.raises(Refusal):
            await catalog.page("alerts.issues", scope)


async def test_the_catalogue_is_read_again_after_an_hour_and_survives_a_failure(config: Configs) -> None:
    now = [0.0]
    async with CountingExecutor(config()) as executor:
        catalog = Catalog(executor, schema.TABLES, lambda: now[0])
        first = await catalog.dictionary(), await catalog.digest()
        now[0] = MAX_SECONDS + 1
        executor.failing = "information_schema"
        assert (await catalog.dictionary(), await catalog.digest()) == first
        assert len(executor.ran) == 3
        now[0], executor.failing = 2 * MAX_SECONDS + 2, ""
        assert (await catalog.dictionary(), await catalog.digest()) == first
        assert len(executor.ran) == 5


async def test_closed_tables_of_values_leave_the_structure_readable(config: Configs) -> None:
    async with CountingExecutor(config()) as executor:
        executor.failing, executor.code = "DISTINCT", Code.PERMISSION
        catalog = Catalog(executor, schema.TABLES)
        assert "clusters(biz_id" in await catalog.dictionary()
        assert await catalog.kinds() == {}


async def test_a_warehouse_that_cannot_be_reached_is_asked_again_next_time(config: Configs) -> None:
    async with CountingExecutor(config()) as executor:
        executor.failing = "DISTINCT"
        catalog = Catalog(executor, schema.TABLES)
        with pytest.raises(WarehouseError):
            await catalog.dictionary()
        executor.failing = ""
        assert await catalog.kinds()


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
