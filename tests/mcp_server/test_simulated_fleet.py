"""The tools on the simulated fleet: what was planted there can be seen through the door."""

import asyncio
from datetime import timedelta
from typing import Any

from mcp_server.clock import utc_now
from mcp_server.door import Door
from mcp_server.results import Result
from mcp_server.tools import series
from mcp_server.tools.cluster import VITALS
from mcp_server.tools.moments import stored, window


def span(**length: int) -> dict[str, str]:
    """A window that ends now, as queries take it."""
    return dict(window(utc_now(), timedelta(**length), "", None).values())


def records(result: Result) -> list[dict[str, Any]]:
    """The rows as dictionaries."""
    names = [column.name for column in result.columns]
    return [dict(zip(names, row, strict=True)) for row in result.rows]


def struck_by(truth: dict[str, Any], kind: str) -> list[str]:
    """The clusters that a kind of fault was planted in, at least one."""
    found = [fault["cluster_id"] for fault in truth["faults"] if fault["kind"] == kind]
    assert found
    return found


async def test_every_vital_metric_is_known_to_the_dictionary_and_alive(simulated: Door, truth: dict[str, Any]) -> None:
    known = {row[0] for row in (await simulated.ask("metric_names", max_rows=1_000)).rows}
    assert set(VITALS) <= known
    (cluster, *_) = struck_by(truth, "disk_filling")
    state = records(await simulated.ask("live_state", cluster=cluster, metrics=VITALS, now=stored(utc_now())))
    assert {row["metric_name"] for row in state} == set(VITALS)
    assert all(row["age_hours"] <= 2 for row in state)


async def test_a_cluster_that_went_silent_is_counted_and_shows_its_age(simulated: Door, truth: dict[str, Any]) -> None:
    (cluster, *_) = struck_by(truth, "silent_cluster")
    state = records(await simulated.ask("live_state", cluster=cluster, metrics=VITALS, now=stored(utc_now())))
    assert all(row["age_hours"] >= 3 for row in state)
    summary = {
        row["value"]: row["clusters"] for row in records(await simulated.ask("fleet_summary", now=stored(utc_now())))
    }
    assert summary["silent: no metrics for 3 h"] >= 1
    assert summary["active"] >= summary["silent: no metrics for 3 h"]


async def test_a_storm_of_alerts_is_seen_as_many_names_and_a_lasting_one_as_one_incident(
    simulated: Door, truth: dict[str, Any]
) -> None:
    (stormy, *_) = struck_by(truth, "alert_storm")
    storm = records(await simulated.ask("cluster_alerts", cluster=stormy, **span(days=2)))
    assert len(storm) >= 5
    (filling, *_) = struck_by(truth, "disk_filling")
    lasting = records(await simulated.ask("cluster_alerts", cluster=filling, **span(days=7)))
    assert lasting
    assert all(row["incidents"] < row["repeats"] for row in lasting if row["repeats"] > 8)
    assert "firing" in {row["state"] for row in lasting}


async def test_no_counter_of_any_cluster_falls(simulated: Door, truth: dict[str, Any]) -> None:
    clusters = truth["must_flag"] + truth["must_not_flag"]
    names = ["starrocks_fe_query_total", "starrocks_fe_query_err", "starrocks_fe_txn_failed"]
    columns = series.pivot([series.Metric(name, "count", counter=True) for name in names])
    asked = {"metrics": names, "series": columns, "step": 6, **span(hours=168)}
    results = await asyncio.gather(
        *(simulated.ask("cluster_metrics", cluster=cluster, max_rows=5_000, **asked) for cluster in clusters)
    )
    cells = [row[f"{name}_increase"] for result in results for row in records(result) for name in names]
    increases = [cell for cell in cells if cell is not None]
    assert len(increases) > 24 * len(clusters)
    assert min(increases) >= 0


async def test_every_planted_cluster_is_found_by_name_and_described(simulated: Door, truth: dict[str, Any]) -> None:
    for cluster in truth["must_flag"]:
        found = await simulated.directory.find(cluster)
        (row,) = records(await simulated.ask("cluster_info", cluster=found.id))
        assert row["cluster_name"] == found.name
        assert row["state"] == "active"
        assert row["fe_nodes"] >= 1
