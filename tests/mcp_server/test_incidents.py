"""Alerts as incidents and lines of logs, over MCP, against rows that are known."""

from datetime import datetime, timedelta

import pytest
from mcp import Client

from agent.rules_only import inventory
from mcp_server.door import Door
from tests.mcp_server import fleet
from tests.mcp_server.test_tools import call, records


async def test_copies_and_repeats_of_an_alert_are_joined_into_incidents(client: Client) -> None:
    found = {row["alert_name"]: row for row in await records(client, "query_cluster_alerts", cluster="prod-a")}
    compaction = found["CompactionScore"]
    assert (compaction["incidents"], compaction["repeats"], compaction["state"]) == (2, 8, "firing")
    assert compaction["first_firing"] < compaction["last_resolved"] < compaction["last_incident_began"]


async def test_joined_states_are_taken_apart_and_footers_dropped(client: Client) -> None:
    found = {row["alert_name"]: row for row in await records(client, "query_cluster_alerts", cluster="prod-a")}
    assert found["HeapUsageTooHigh"]["state"] == "quiet, not resolved"
    assert found["BeAliveAbnormal"]["state"] == "resolved"
    assert found["BeAliveAbnormal"]["incidents"] == 0
    assert found["ProcNotRunning"]["state"] == "resolved"
    assert found["ProcNotRunning"]["incidents"] == 1
    assert "Create Silence" not in found


async def test_an_alert_is_quiet_only_when_newer_rows_of_any_alert_are_known(client: Client) -> None:
    until = (fleet.NOW - timedelta(days=3)).isoformat()
    (edge,) = await records(client, "query_cluster_alerts", cluster="prod-a", until=until)
    # Nothing is known of the three days after it, so nothing says that it fell silent.
    assert (edge["alert_name"], edge["state"]) == ("EdgeOfWindow", "firing")
    assert edge["alerts_known_until"] == edge["last_firing"]
    found = {row["alert_name"]: row for row in await records(client, "query_cluster_alerts", cluster="prod-a")}
    assert found["EdgeOfWindow"]["state"] == "quiet, not resolved"


async def test_a_condition_that_was_on_when_the_window_began_is_an_incident_of_it(client: Client) -> None:
    until = (fleet.NOW - timedelta(hours=1, minutes=25)).isoformat()
    found = {
        row["alert_name"]: row
        for row in await records(client, "query_cluster_alerts", cluster="prod-a", days=1, until=until)
    }
    compaction = found["CompactionScore"]
    assert (compaction["began_before_window"], compaction["incidents"], compaction["repeats"]) == (1, 1, 2)
    assert (compaction["last_incident_began"], compaction["state"]) == (None, "resolved")
    assert found["ProcNotRunning"]["began_before_window"] == 0


async def test_rows_whose_utc_is_missing_or_still_to_come_are_set_right(client: Client) -> None:
    found = {row["alert_name"]: row for row in await records(client, "query_cluster_alerts", cluster="prod-a", days=1)}
    now = fleet.NOW.replace(tzinfo=None)

    def hours_ago(name: str) -> float:
        return (now - datetime.fromisoformat(found[name]["last_firing"])) / timedelta(hours=1)

    assert hours_ago("HookInUtc") == pytest.approx(2, abs=0.2)
    assert hours_ago("NoUtc") == pytest.approx(4, abs=0.2)
    assert found["HookInUtc"]["repeats"] == 1


async def test_the_window_of_alerts_is_measured_in_utc(client: Client) -> None:
    names = {row["alert_name"] for row in await records(client, "query_cluster_alerts", cluster="prod-a", days=7)}
    assert "EdgeOfWindow" in names
    names = {row["alert_name"] for row in await records(client, "query_cluster_alerts", cluster="prod-a", days=6)}
    assert "EdgeOfWindow" not in names


@pytest.mark.parametrize(
    ("pattern", "lines"),
    [("outofmemory", 1), ("100% of 'memory'", 1), ("no such text", 0), ("50_%", 1), ("e_e", 0), ("", 200)],
)
async def test_logs_are_searched_by_plain_text(client: Client, pattern: str, lines: int) -> None:
    assert len(await records(client, "search_logs", cluster="prod-a", pattern=pattern)) == lines


async def test_lines_are_counted_per_level_whatever_level_is_shown(client: Client) -> None:
    asked = {"cluster": "prod-a", "level": "ERROR"}
    assert [row["message"] for row in await records(client, "search_logs", **asked)] == [
        "OutOfMemory: Memory of process exceeds limit"
    ]
    text = (await call(client, "search_logs", **asked)).content[0].text
    assert f"1 ERROR, 1 INFO, {fleet.LOG_LINES + 1} WARN match" in text
    assert "1 ERROR match" in (await call(client, "search_logs", cluster="prod-a", pattern="memory of")).content[0].text
    assert "no line match" in (await call(client, "search_logs", cluster="prod-a", pattern="zzz")).content[0].text
    assert {row["level"] for row in await records(client, "search_logs", cluster="prod-a", level="WARN")} == {
        "ERROR",
        "WARN",
    }


async def test_lines_of_the_past_are_found_in_a_window_of_the_past(client: Client) -> None:
    assert "long ago" not in str(await records(client, "search_logs", cluster="prod-a", pattern="long ago"))
    until = (fleet.NOW - timedelta(hours=29)).isoformat()
    (line,) = await records(client, "search_logs", cluster="prod-a", until=until)
    assert line["message"] == "compaction slow, long ago"


async def test_the_analysts_list_sets_the_same_rows_right_and_knows_what_fires(door: Door, client: Client) -> None:
    as_of = fleet.NOW.replace(tzinfo=None, minute=0)
    result = await door.read(inventory.alerts(as_of, 24, by_cluster=False))
    places = {column.name: place for place, column in enumerate(result.columns)}
    listed = {row[places["alert_name"]]: row for row in result.rows}
    shown = {row["alert_name"]: row for row in await records(client, "query_cluster_alerts", cluster="prod-a", days=1)}
    assert listed["CompactionScore"][places["firing"]] == 1
    assert shown["CompactionScore"]["state"] == "firing"
    for name in ("HookInUtc", "NoUtc"):
        seen = datetime.fromisoformat(str(listed[name][places["last_seen"]]))
        assert abs(seen - datetime.fromisoformat(shown[name]["last_firing"])) < timedelta(minutes=1)
