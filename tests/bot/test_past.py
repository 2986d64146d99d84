"""The warehouse of a patrol as of a moment that is over: its tools see no further, its audit knows when it was read."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from agent.tools import Tools
from bot.clock import utc_now
from bot.errors import WarehouseError
from bot.past import tools_as_of
from bot.settings import Settings
from bot.warehouse import Account, Address
from sandbox.launch import Endpoint

SNAPSHOTS = "metrics.amv_hourly_snapshots_v1"


@pytest.fixture
def place(warehouse: Endpoint) -> Address:
    user, password = warehouse.reader
    return Address(warehouse.host, warehouse.port, Account(user, SecretStr(password)), None, embedded=False)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(audit_file=tmp_path / "audit.jsonl", calls_per_minute=10_000)


async def rows(tools: Tools, name: str, **arguments: Any) -> list[list[Any]]:
    result = await tools.call(name, arguments)
    assert not result.is_error, result.text
    data: Mapping[str, Any] = result.data or {}
    return list(data["rows"])


async def newest(tools: Tools) -> datetime:
    ((at,),) = await rows(tools, "read_query", sql=f"SELECT max(snapshot_hour) AS at FROM {SNAPSHOTS}")
    return datetime.fromisoformat(at)


async def test_statements_tools_and_the_present_end_at_the_moment(place: Address, settings: Settings) -> None:
    async with tools_as_of(place, settings) as tools:
        now = await newest(tools)
        ((cluster,),) = await rows(tools, "read_query", sql=f"SELECT min(cluster_id) AS id FROM {SNAPSHOTS}")
    then = now - timedelta(days=3)
    async with tools_as_of(place, settings, then) as tools:
        assert await newest(tools) == then
        ((present,),) = await rows(tools, "read_query", sql="SELECT now() AS t")
        assert datetime.fromisoformat(present) == then
        metrics = await rows(tools, "query_cluster_metrics", cluster=cluster, metrics=["up"], hours=24)
        hours = [datetime.fromisoformat(cell) for row in metrics for cell in row if _is_moment(cell)]
        assert hours and then - timedelta(hours=25) <= min(hours) and max(hours) <= then
        alerts = await rows(tools, "query_cluster_alerts", cluster=cluster, days=7)
        assert all(datetime.fromisoformat(cell) <= then for row in alerts for cell in row if _is_moment(cell))


def _is_moment(cell: Any) -> bool:
    try:
        datetime.fromisoformat(str(cell))
    except ValueError:
        return False
    return len(str(cell)) >= len("2026-11-20 03:00")


async def test_what_a_replay_reads_is_audited_when_it_is_read(place: Address, settings: Settings) -> None:
    began = utc_now()
    async with tools_as_of(place, settings, datetime(2020, 1, 1)) as tools:
        await rows(tools, "read_query", sql="SELECT count(*) AS c FROM byoc.clusters")
    assert settings.audit_file is not None
    lines = [json.loads(line) for line in settings.audit_file.read_text().splitlines()]
    moments = [datetime.fromisoformat(line["time"]) for line in lines]
    assert moments and all(moment.astimezone(UTC) >= began - timedelta(seconds=1) for moment in moments)


async def test_front_ends_that_know_no_past_are_not_asked(place: Address, settings: Settings, tmp_path: Path) -> None:
    async with tools_as_of(place, settings) as tools:
        now = await newest(tools)
        ((cluster,),) = await rows(tools, "read_query", sql=f"SELECT min(cluster_id) AS id FROM {SNAPSHOTS}")
    # read, or this file would be refused: there is none
    named = settings.model_copy(update={"live_endpoints": tmp_path / "none.yaml"})
    async with tools_as_of(place, named, now - timedelta(days=1)) as tools:
        result = await tools.call("query_live_state", {"cluster": cluster})
    assert "its own front end told" not in result.text


async def test_an_account_that_cannot_read_is_one_line(place: Address, settings: Settings) -> None:
    wrong = Address(place.host, place.port, Account("reader", SecretStr("wrong")), None, embedded=False)
    with pytest.raises(WarehouseError, match="check STARWATCH_STARROCKS_HOST"):
        async with tools_as_of(wrong, settings, datetime(2026, 11, 20)):
            pass
