"""The tools as a model meets them: over MCP, against a warehouse whose rows are known."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from mcp import Client

from tests.mcp_server import fleet

DATA_TOOLS = [
    ("query_fleet_summary", {}),
    ("query_open_issues", {}),
    ("query_cluster_info", {"cluster": "prod-a"}),
    ("query_cluster_metrics", {"cluster": "prod-a", "metrics": ["starrocks_fe_qps"]}),
    ("query_cluster_alerts", {"cluster": "prod-a"}),
    ("query_cluster_operations", {"cluster": "prod-a"}),
    ("query_similar_clusters", {"cluster": "prod-a"}),
    ("query_live_state", {"cluster": "prod-a"}),
    ("search_logs", {"cluster": "prod-a"}),
    ("query_agent_memory", {}),
    ("read_query", {"sql": "SELECT 1"}),
]


async def call(client: Client, tool: str, **arguments: Any) -> Any:
    """The result of a call that must succeed."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return result


async def records(client: Client, tool: str, **arguments: Any) -> list[dict[str, Any]]:
    """The rows of a call as dictionaries."""
    data = (await call(client, tool, **arguments)).structured_content
    names = [column["name"] for column in data["columns"]]
    return [dict(zip(names, row, strict=True)) for row in data["rows"]]


async def failure(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """The structured form of a call that must fail."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    assert result.content[0].text.startswith(f"{result.structured_content['code'].upper()}: ")
    return result.structured_content


async def test_every_tool_says_that_it_only_reads_and_explains_itself(client: Client) -> None:
    tools = (await client.list_tools()).tools
    assert len(tools) == 14
    for tool in tools:
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint
        assert not tool.annotations.destructive_hint
        assert len(tool.description or "") > 80
        assert tool.input_schema["additionalProperties"] is False
        assert all("description" in argument for argument in tool.input_schema["properties"].values())


@pytest.mark.parametrize(("tool", "arguments"), DATA_TOOLS)
async def test_every_data_tool_answers_with_text_and_structured_rows(
    client: Client, tool: str, arguments: dict[str, Any]
) -> None:
    result = await call(client, tool, **arguments)
    data = result.structured_content
    assert set(data) == {"columns", "rows", "row_count", "truncated", "query_id", "result_id", "sql", "seconds"} | {
        "tables",
        "caveats",
    }
    assert data["row_count"] == len(data["rows"])
    assert all(len(row) == len(data["columns"]) for row in data["rows"])
    assert result.content[0].text.startswith("columns: ")
    assert data["query_id"] in result.content[0].text.split("\n")[-1]


async def test_the_fleet_is_counted_by_its_active_clusters_only(client: Client) -> None:
    counts = {(row["dimension"], row["value"]): row["clusters"] for row in await records(client, "query_fleet_summary")}
    assert counts["clusters", "active"] == 6
    assert counts["type", "CLASSIC"] == 3
    assert counts["type", "ELASTIC"] == 2
    assert counts["tier", "S"] == 2
    assert counts["tier", "B (no profile)"] == 4
    assert counts["cloud", "AWS"] == 6
    assert counts["version", "3.4.7-ee"] == 3
    assert counts["version", "unknown"] == 2
    assert counts["issues", "clusters with an ongoing Critical issue"] == 2


async def test_the_fleet_summary_comes_in_one_order(client: Client) -> None:
    found = await records(client, "query_fleet_summary")
    dimensions = list(dict.fromkeys(row["dimension"] for row in found))
    assert dimensions[:3] == ["clusters", "type", "tier"]
    assert [row["clusters"] for row in found if row["dimension"] == "version"] == [3, 2, 1]
    assert await records(client, "query_fleet_summary") == found


async def test_the_fleet_summary_takes_the_newest_judgement_and_never_calls_silence_healthy(client: Client) -> None:
    counts = {(row["dimension"], row["value"]): row["clusters"] for row in await records(client, "query_fleet_summary")}
    assert counts["risk level", "Critical"] == 1
    assert counts["risk level", "Healthy"] == 1
    assert counts["risk level", "none computed"] == 4
    assert counts["health class", "Critical"] == 1
    assert counts["data", "silent: no metrics for 3 h"] == 4
    assert counts["alerts 24 h", "clusters with an alert still firing"] == 1


async def test_open_issues_are_ordered_by_severity_and_by_the_customer(client: Client) -> None:
    found = await records(client, "query_open_issues")
    assert [row["issue_id"] for row in found] == ["i-tier-s", "i-trial", "i-warning"]
    assert [row["tier"] for row in found] == ["S", "B", "S"]
    only = await records(client, "query_open_issues", severity="Warning")
    assert [row["issue_id"] for row in only] == ["i-warning"]
    assert len(await records(client, "query_open_issues", limit=1)) == 1


async def test_a_cluster_is_described_with_its_owner_machines_and_newest_score(client: Client) -> None:
    (row,) = await records(client, "query_cluster_info", cluster="prod-a")
    assert (row["cluster_id"], row["state"], row["tier"]) == (fleet.PROD, "active", "S")
    assert (row["customer_name"], row["organization"], row["cloud"]) == ("Acme", "Acme Group", "AWS")
    assert (row["fe_nodes"], row["be_nodes"]) == (3, 4)
    assert (row["be_machine"], row["be_memory_gb"]) == ("r5.4xlarge", 128)
    assert (row["overall_score"], row["risk_level"]) == (41.5, "Critical")


async def test_text_from_outside_reaches_the_model_without_hidden_characters(client: Client) -> None:
    for tool in ("query_cluster_alerts", "query_cluster_info"):
        cluster = fleet.PROD if tool == "query_cluster_alerts" else fleet.HOSTILE
        text = (await call(client, tool, cluster=cluster)).content[0].text
        assert "<!channel>" in text
        assert "\u202e" not in text


async def test_operations_come_newest_first_within_the_window(client: Client) -> None:
    found = await records(client, "query_cluster_operations", cluster="prod-a")
    assert [row["order_id"] for row in found] == ["o2", "o1"]
    assert len(await records(client, "query_cluster_operations", cluster="prod-a", days=60)) == 3


async def test_siblings_share_the_account_or_the_version(client: Client) -> None:
    found = await records(client, "query_similar_clusters", cluster="prod-a")
    assert [(row["cluster_id"], row["shared"]) for row in found] == [
        (fleet.SIBLING, "account and version"),
        (fleet.TWIN_ONE, "version"),
    ]
    assert found[0]["overall_score"] == 88


async def test_the_live_state_shows_newest_values_with_their_age(client: Client) -> None:
    found = {row["metric_name"]: row for row in await records(client, "query_live_state", cluster="prod-a")}
    assert found["starrocks_fe_qps"]["last_value"] == 10
    assert (found["starrocks_fe_qps"]["age_hours"], found["starrocks_fe_query_total"]["age_hours"]) == (0, 1)
    assert found["starrocks_fe_query_total"]["increase"] == 100
    assert found["starrocks_fe_query_total"]["last_value"] is None


async def test_a_silent_cluster_is_called_silent(client: Client) -> None:
    text = (await call(client, "query_live_state", cluster=fleet.TWIN_TWO)).content[0].text
    assert "the cluster is silent" in text


async def test_memory_joins_investigations_and_flags_of_patrols(client: Client) -> None:
    found = await records(client, "query_agent_memory")
    assert [(row["id"], row["cluster_id"]) for row in found if row["source"] == "investigation"] == [
        ("inv-3", fleet.TWIN_ONE),
        ("inv-2", fleet.SIBLING),
        ("inv-1", fleet.PROD),
    ]
    only = await records(client, "query_agent_memory", cluster="prod-a")
    assert [(row["source"], row["finding"]) for row in only] == [
        ("patrol morning", "disk 82 %"),
        ("investigation", "small files"),
    ]


@pytest.mark.parametrize(
    "wanted", [fleet.PROD, fleet.PROD.upper(), "prod-a", " PROD-A ", "aaaaaaaa-0000-4000-8000-000000000001"]
)
async def test_a_cluster_is_found_by_id_or_name(client: Client, wanted: str) -> None:
    assert (await records(client, "query_cluster_info", cluster=wanted))[0]["cluster_id"] == fleet.PROD


async def test_a_cluster_is_found_by_the_beginning_of_its_id(client: Client) -> None:
    assert (await records(client, "query_cluster_info", cluster="bbbbbb"))[0]["cluster_id"] == fleet.TWIN_ONE
    assert (await failure(client, "query_cluster_info", cluster="bbbbb"))["code"] == "bad_argument"


async def test_a_cluster_that_is_no_more_is_found_and_said_to_be_deleted(client: Client) -> None:
    for tool in ("query_cluster_info", "query_cluster_alerts", "query_cluster_operations", "query_live_state"):
        text = (await call(client, tool, cluster=fleet.OLD_DELETED)).content[0].text
        assert f"({fleet.OLD_DELETED}, deleted)" in text
    (row,) = await records(client, "query_cluster_info", cluster=fleet.OLD_DELETED)
    assert row["state"] == "deleted"


async def test_a_cluster_without_a_version_on_record_is_described_and_says_so(client: Client) -> None:
    text = (await call(client, "query_cluster_info", cluster=fleet.OLD_ACTIVE)).content[0].text
    assert "no version on record" in text
    assert "no version" not in (await call(client, "query_cluster_info", cluster="prod-a")).content[0].text
    assert len(await records(client, "query_similar_clusters", cluster=fleet.OLD_ACTIVE)) == 3


async def test_every_answer_about_a_stretch_of_time_tells_its_window(client: Client) -> None:
    asked = [
        ("query_cluster_metrics", {"metrics": ["up"]}),
        ("query_cluster_alerts", {}),
        ("query_cluster_operations", {}),
        ("search_logs", {}),
    ]
    for tool, arguments in asked:
        result = await call(client, tool, cluster="prod-a", zone="Asia/Kolkata", **arguments)
        assert re.search(r"window 20\d\d-.{11} to 20\d\d-.{11} Asia/Kolkata", result.content[0].text)
        assert result.structured_content["query_id"] in result.content[0].text


async def test_times_are_told_in_the_zone_that_was_asked_for(client: Client) -> None:
    (utc, *_) = await records(client, "query_cluster_operations", cluster="prod-a")
    (local, *_) = await records(client, "query_cluster_operations", cluster="prod-a", zone="Asia/Kolkata")
    told = local["created_at (Asia/Kolkata)"]
    assert told.endswith("+0530")
    assert datetime.fromisoformat(told) == datetime.fromisoformat(utc["created_at"]).replace(tzinfo=UTC)
    for tool in ("query_open_issues", "query_agent_memory"):
        assert "(Asia/Kolkata)" in (await call(client, tool, zone="Asia/Kolkata")).content[0].text


async def test_of_two_clusters_with_one_name_the_active_one_is_meant(client: Client) -> None:
    assert (await records(client, "query_cluster_info", cluster="old"))[0]["cluster_id"] == fleet.OLD_ACTIVE


@pytest.mark.parametrize(
    ("wanted", "candidates"), [("twin", [fleet.TWIN_ONE, fleet.TWIN_TWO]), ("aaaaaaaa", [fleet.PROD, fleet.SIBLING])]
)
async def test_an_ambiguous_cluster_is_answered_with_candidates(
    client: Client, wanted: str, candidates: list[str]
) -> None:
    error = await failure(client, "query_cluster_info", cluster=wanted)
    assert sorted(name.rpartition("(")[2].rstrip(")") for name in error["near"]) == candidates


async def test_an_unknown_cluster_is_answered_with_names_like_it(client: Client) -> None:
    error = await failure(client, "query_cluster_info", cluster="prod-aa")
    assert any("prod-a (" in name for name in error["near"])
    assert "\u202e" not in str((await failure(client, "query_cluster_info", cluster="DROP"))["near"])


async def test_a_hostile_name_is_only_a_name(client: Client) -> None:
    (row,) = await records(client, "query_cluster_info", cluster=fleet.HOSTILE_NAME)
    assert row["cluster_name"] == fleet.HOSTILE_NAME
    assert (await records(client, "read_query", sql="SELECT COUNT(*) AS n FROM byoc.clusters"))[0]["n"] == 7


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("read_query", {"sql": "SELECT 1", "database": "byoc"}),
        ("read_query", {}),
        ("read_query", {"sql": ["SELECT 1"]}),
        ("read_query", {"sql": "SELECT 1", "max_rows": 0}),
        ("read_query", {"sql": "SELECT 1", "max_rows": 20_001}),
        ("query_open_issues", {"severity": "Catastrophic"}),
        ("query_open_issues", {"limit": 1_000_000}),
        ("query_cluster_metrics", {"cluster": "prod-a", "metrics": []}),
        ("query_cluster_metrics", {"cluster": "prod-a", "metrics": ["up"], "hours": 100_000}),
        ("query_fleet_summary", {"cluster": "prod-a"}),
        ("search_logs", {"cluster": "prod-a", "pattern": "x" * 300}),
        ("search_logs", {"cluster": "prod-a", "level": "FINE"}),
        ("search_logs", {"cluster": "prod-a", "until": "soon"}),
        ("search_logs", {"cluster": "prod-a", "hours": 169}),
        ("query_cluster_alerts", {"cluster": "prod-a", "zone": "Mars/Olympus"}),
        ("query_cluster_metrics", {"cluster": "prod-a", "metrics": ["up"] * 13}),
        ("drop_table", {}),
    ],
)
async def test_an_argument_that_does_not_fit_is_refused_with_its_name(
    client: Client, tool: str, arguments: dict[str, Any]
) -> None:
    assert (await failure(client, tool, **arguments))["code"] == "bad_argument"


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("DROP TABLE byoc.clusters", "read_only"),
        ("SELECT 1; SELECT 2", "read_only"),
        ("SELECT FROM", "syntax"),
        ("SELECT biz_id FROM byoc.clutsers", "unknown_table"),
        ("SELECT biz_ib FROM byoc.clusters", "unknown_column"),
        ("SELECT * FROM mysql.user", "permission"),
        ("SELECT SLEEP(5)", "permission"),
    ],
)
async def test_a_failed_query_has_a_code(client: Client, sql: str, code: str) -> None:
    assert (await failure(client, "read_query", sql=sql))["code"] == code


async def test_a_misspelt_column_is_answered_with_the_columns_like_it(client: Client) -> None:
    error = await failure(client, "read_query", sql="SELECT cluster_nam FROM byoc.clusters")
    assert error["part"] == "cluster_nam"
    assert "cluster_name" in error["near"]


async def test_a_result_over_the_limit_says_so_in_text_and_data(client: Client) -> None:
    sql = "SELECT node, message FROM byoc.cluster_log"
    result = await call(client, "read_query", sql=sql, max_rows=60)
    assert result.structured_content["row_count"] == 60
    assert result.structured_content["truncated"] is True
    assert "of more than 60 rows" in result.content[0].text
    complete = await call(client, "read_query", sql=sql, max_rows=20_000)
    assert complete.structured_content["row_count"] == fleet.LOG_LINES + 4
    assert complete.structured_content["truncated"] is False
    assert f"of {fleet.LOG_LINES + 4} rows" in complete.content[0].text
    assert len(complete.content[0].text) < 12_500


async def test_values_arrive_as_json_with_their_types(client: Client) -> None:
    sql = """
        SELECT 1 AS i, 1.5 AS d, CAST(2.25 AS DOUBLE) AS f, 'x' AS s, NULL AS n,
          CAST('2026-01-02 03:04:05' AS DATETIME) AS t, CAST('2026-01-02' AS DATE) AS day
    """
    data = (await call(client, "read_query", sql=sql)).structured_content
    assert data["rows"] == [[1, 1.5, 2.25, "x", None, "2026-01-02 03:04:05", "2026-01-02"]]
    types = {column["name"]: column["type"] for column in data["columns"]}
    assert (types["f"], types["s"], types["t"], types["day"]) == ("DOUBLE", "VARCHAR", "DATETIME", "DATE")


async def test_the_schema_tells_tables_joins_and_traps_in_few_tokens(client: Client) -> None:
    result = await call(client, "discover_schema")
    text = result.content[0].text
    assert "amv_hourly_snapshots_v1(snapshot_hour DATETIME, account_id, cluster_id" in text
    assert "US/Pacific" in text
    # About four characters a token for this kind of text.
    assert len(text) <= 3_000 * 4
    assert len(result.structured_content["tables"]) == 30
    again = await client.read_resource("starwatch://schema")
    assert again.contents[0].text == text


async def test_a_table_is_described_by_its_full_or_its_own_name(client: Client) -> None:
    full = (await call(client, "describe_table", table="alerts.lark_alerts")).structured_content
    short = (await call(client, "describe_table", table="LARK_ALERTS")).structured_content
    assert full == short
    assert any(column["name"] == "created_at" and "Pacific" in column["comment"] for column in full["columns"])
    error = await failure(client, "describe_table", table="alerts.lark_alert")
    assert (error["code"], error["near"][0]) == ("unknown_table", "alerts.lark_alerts")
