"""The writer account: reports arrive in the warehouse whole, and nothing else can be done with it."""

import json

import aiomysql
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import SecretStr

from agent.patrol.report import FlaggedCluster, PatrolReport, PatrolUsage, Prediction, RecommendedAction
from bot.errors import WarehouseError
from bot.warehouse import Account, Address
from bot.writer import WarehouseWriter
from sandbox.launch import Endpoint


def address(warehouse: Endpoint, **changed: str) -> Address:
    user, password = warehouse.writer
    account = Account(changed.get("user", user), SecretStr(changed.get("password", password)))
    reader = Account(warehouse.reader[0], SecretStr(warehouse.reader[1]))
    return Address(warehouse.host, warehouse.port, reader, account, embedded=True)


def report(report_id: str, text: str = "All quiet.") -> PatrolReport:
    flag = FlaggedCluster("c-1", text, "Critical", text, {"disk_used_pct": 93.5, "note": text}, text, "S", "2026-11-19")
    return PatrolReport(
        report_id,
        "morning",
        text,
        (flag,),
        (Prediction(text, "High"),),
        (),
        (RecommendedAction("Immediate", text),),
        "claude",
        "claude-sonnet-5-5",
        PatrolUsage(rounds=7, tool_calls=12, input_tokens=1000, output_tokens=200, seconds=12.3456),
        created_at="2026-11-20T08:00:00+01:00",
        triggered_by="clock",
    )


async def stored(warehouse: Endpoint, report_id: str) -> list[dict[str, object]]:
    user, password = warehouse.reader
    address = {"host": warehouse.host, "port": warehouse.port, "user": user, "password": password}
    async with aiomysql.connect(**address) as connection, connection.cursor(aiomysql.DictCursor) as cursor:
        await cursor.execute("SELECT * FROM alerts.patrol_reports WHERE report_id = %s", (report_id,))
        return list(await cursor.fetchall())


async def test_a_report_arrives_whole_with_a_column_for_each_section(warehouse: Endpoint) -> None:
    await WarehouseWriter(address(warehouse)).write(report("w-1"), {"as_of": "2026-11-20 07:00", "active": 24})
    (row,) = await stored(warehouse, "w-1")
    assert str(row["created_at"]) == "2026-11-20 07:00:00"
    assert (row["report_type"], row["triggered_by"], row["provider"]) == ("morning", "clock", "claude")
    assert (row["input_tokens"], row["output_tokens"], row["tool_rounds"]) == (1000, 200, 7)
    assert json.loads(str(row["clusters_flagged"]))[0]["key_metrics"]["disk_used_pct"] == 93.5
    assert json.loads(str(row["fleet_summary"])) == {"as_of": "2026-11-20 07:00", "active": 24}


@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=80))
async def test_any_text_is_stored_as_it_is(warehouse: Endpoint, text: str) -> None:
    await WarehouseWriter(address(warehouse)).write(report("w-any", text), {})
    row = (await stored(warehouse, "w-any"))[-1]
    assert row["fleet_narrative"] == text
    assert json.loads(str(row["clusters_flagged"]))[0]["cluster_name"] == text


@pytest.mark.parametrize(
    "changed", [{"password": "wrong"}, {"user": "nobody"}, {"user": "reader", "password": "reader"}]
)
async def test_an_account_that_may_not_write_is_one_line_without_its_password(
    warehouse: Endpoint, changed: dict[str, str]
) -> None:
    with pytest.raises(WarehouseError, match="check STARWATCH_WRITER_USER") as caught:
        await WarehouseWriter(address(warehouse, **changed)).write(report("w-2"), {})
    assert "wrong" not in str(caught.value)
    assert await stored(warehouse, "w-2") == []


def test_a_writer_needs_an_account(warehouse: Endpoint) -> None:
    place = Address(warehouse.host, warehouse.port, Account("reader", SecretStr("reader")), None, embedded=False)
    with pytest.raises(WarehouseError, match="STARWATCH_WRITER_USER: is missing"):
        WarehouseWriter(place)
