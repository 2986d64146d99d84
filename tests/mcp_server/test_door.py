"""The door as code uses it: numbered results, limits, and the guard before everything."""

import asyncio
from collections.abc import Callable

import pytest

from mcp_server.config import WarehouseConfig
from mcp_server.door import Door, new_query_id
from mcp_server.errors import Code, DoorError, Refusal
from sandbox.launch import Endpoint
from tests.fakes.mysql_proxy import proxy
from tests.mcp_server import fleet

Configs = Callable[..., WarehouseConfig]


async def test_every_result_has_an_id_of_its_own(door: Door) -> None:
    results = await asyncio.gather(*(door.read("SELECT 1") for _ in range(5)))
    assert sorted(result.query_id for result in results) == ["q-1", "q-2", "q-3", "q-4", "q-5"]
    assert len({new_query_id() for _ in range(1_000)}) == 1_000


async def test_a_result_carries_the_text_as_run_and_the_tables_read(door: Door) -> None:
    result = await door.read("select biz_id -- all\nfrom byoc.clusters where cluster_name = 'prod-a'", 5)
    assert result.sql == "SELECT biz_id FROM byoc.clusters WHERE cluster_name = 'prod-a' LIMIT 6"
    assert result.tables == ("byoc.clusters",)
    assert result.rows == [[fleet.PROD]]


async def test_rows_are_limited_by_the_config_when_nobody_names_a_number(config: Configs) -> None:
    async with Door(config(max_rows=7)) as door:
        result = await door.read("SELECT message FROM byoc.cluster_log")
        assert (len(result.rows), result.truncated) == (7, True)
        assert len((await door.read("SELECT message FROM byoc.cluster_log", 9)).rows) == 9


@pytest.mark.parametrize("max_rows", [0, -1, 20_001])
async def test_a_limit_out_of_range_is_refused(door: Door, max_rows: int) -> None:
    with pytest.raises(Refusal) as caught:
        await door.read("SELECT 1", max_rows)
    assert caught.value.code is Code.BAD_ARGUMENT


async def test_a_refused_statement_never_reaches_the_warehouse(config: Configs) -> None:
    # Nobody listens here: had the statement been sent, the answer would be `unavailable`.
    async with Door(config(port=1)) as door:
        with pytest.raises(DoorError) as refused:
            await door.read("DELETE FROM byoc.clusters")
        assert refused.value.code is Code.READ_ONLY
        with pytest.raises(DoorError) as sent:
            await door.read("SELECT 1")
        assert sent.value.code is Code.UNAVAILABLE


async def test_the_door_is_of_use_again_when_the_warehouse_comes_back(
    config: Configs, known_warehouse: Endpoint
) -> None:
    async with proxy(known_warehouse) as way, Door(config(port=way.port)) as door:
        way.connected = False
        for _ in range(2):
            with pytest.raises(DoorError) as caught:
                await door.directory.find("prod-a")
            assert caught.value.code is Code.UNAVAILABLE
        way.connected = True
        assert (await door.directory.find("prod-a")).id == fleet.PROD


async def test_a_misspelt_column_is_looked_up_only_in_the_tables_that_were_read(door: Door) -> None:
    with pytest.raises(DoorError) as caught:
        await door.read("SELECT alert_nam FROM alerts.issues")
    assert caught.value.near[0] == "alert_name"
    assert "alert_detail" not in caught.value.near


async def test_secrets_in_the_data_are_taken_out_and_it_is_said(door: Door) -> None:
    result = await door.read("SELECT 'key AKIAIOSFODNN7EXAMPLE' AS detail, 'hunter2' AS password, 7 AS input_tokens")
    assert result.rows == [["key [redacted]", "[redacted]", 7]]
    assert result.caveats == ("2 cells hold what looks like a secret; [redacted] stands for it",)
    assert "AKIA" not in result.text()
