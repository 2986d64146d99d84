"""The lists of the rules-only analyst against plain counts of the same simulated fleet."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from agent.patrol.rules import load_rules
from agent.rules_only import from_rules, inventory, readings
from mcp_server.door import Door

ACTIVE = "NOT coalesce(stopped, false) AND NOT coalesce(deleted, false)"
Row = Mapping[str, Any]


async def read(door: Door, sql: str) -> list[Row]:
    result = await door.read(sql, 1000)
    return [dict(zip((column.name for column in result.columns), row, strict=True)) for row in result.rows]


async def one(door: Door, sql: str) -> Any:
    (row,) = await read(door, sql)
    return next(iter(row.values()))


@pytest.mark.parametrize("grouping", ["version", "region", "cloud", "type", "tier", "customer"])
async def test_the_groups_of_a_breakdown_add_up_to_the_active_clusters(door: Door, grouping: str) -> None:
    groups = await read(door, inventory.breakdown(grouping))
    assert sum(row["clusters"] for row in groups) == await one(
        door, f"SELECT count(*) FROM byoc.clusters WHERE {ACTIVE}"
    )
    assert {row["total"] for row in groups} == {len(groups)}


async def test_a_version_lists_as_many_clusters_as_the_breakdown_counts(door: Door) -> None:
    for group in await read(door, inventory.breakdown("version")):
        members = await read(door, inventory.of_version(group["label"]))
        assert len(members) == group["clusters"]
        assert {row["sr_version"] for row in members} == {group["label"]}


async def test_a_short_version_means_all_that_begin_with_it_and_no_longer_number(door: Door) -> None:
    members = await read(door, inventory.of_version("3.3"))
    assert members and all(row["sr_version"].startswith("3.3.") for row in members)
    nine = await read(door, inventory.of_version("3.3.1"))
    assert all(row["sr_version"].startswith("3.3.1-") for row in nine)


async def test_a_customer_is_found_by_any_part_of_its_name_in_any_case_and_by_its_account(door: Door) -> None:
    (most, *_) = await read(door, inventory.breakdown("customer"))
    by_name = await read(door, inventory.of_customer(most["label"].lower()))
    assert {row["customer"] for row in by_name} == {most["label"]} and len(by_name) == most["clusters"]
    account = by_name[0]["account_id"]
    assert {row["account_id"] for row in await read(door, inventory.of_customer(account))} == {account}


async def test_a_name_with_wildcards_does_not_list_everybody(door: Door) -> None:
    assert await read(door, inventory.of_customer("zz%%zz")) == []


async def test_bills_by_customer_and_by_cluster_have_the_same_sum(door: Door, as_of: datetime) -> None:
    clusters = await read(door, inventory.bills(as_of, 72))
    customers = await read(door, inventory.bills(as_of, 72, by_customer=True))
    fleet = float(clusters[0]["fleet"])
    assert (
        fleet
        == pytest.approx(float(customers[0]["fleet"]))
        == pytest.approx(sum(float(row["amount"]) for row in clusters))
    )
    days = {str(row["first_day"])[:10] for row in clusters} | {str(row["last_day"])[:10] for row in clusters}
    assert len(days) == 2 and max(days) < as_of.strftime("%Y-%m-%d")


async def test_the_bill_of_one_cluster_is_its_line_of_the_fleets(door: Door, as_of: datetime) -> None:
    (first, *_) = await read(door, inventory.bills(as_of, 72))
    (own,) = await read(door, inventory.bills(as_of, 72, cluster_ids=(first["cluster_id"],)))
    assert own["amount"] == first["amount"] == own["fleet"]


async def test_the_silent_are_those_that_fell_silent_and_nobody_stopped(
    door: Door, as_of: datetime, truth: Mapping[str, Any]
) -> None:
    silent = {row["cluster_id"] for row in await read(door, inventory.silent(as_of))}
    assert silent == {fault["cluster_id"] for fault in truth["faults"] if fault["kind"] == "silent_cluster"}


async def test_what_is_beyond_a_limit_is_beyond_it_and_the_critical_come_first(door: Door, as_of: datetime) -> None:
    thresholds = from_rules(load_rules())
    levels = [
        thresholds[row["measure"]].level(row["latest"]) for row in await read(door, readings.beyond(thresholds, as_of))
    ]
    assert levels and "" not in levels
    assert levels == sorted(levels)


async def test_counters_gain_what_the_hours_gained(door: Door, as_of: datetime) -> None:
    (first, *_) = await read(door, f"SELECT biz_id FROM byoc.clusters WHERE {ACTIVE} ORDER BY biz_id LIMIT 1")
    gained = {
        row["metric_name"]: row["gained"] for row in await read(door, readings.traffic((first["biz_id"],), as_of))
    }
    assert gained["starrocks_fe_query_total"] > gained["starrocks_fe_query_err"] >= 0
