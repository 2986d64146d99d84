"""The series of a cluster, over MCP, against rows that are known."""

from mcp import Client

from tests.mcp_server import fleet
from tests.mcp_server.test_tools import call, failure, records


async def test_a_counter_is_shown_as_increases_across_its_restart(client: Client) -> None:
    found = await records(
        client, "query_cluster_metrics", cluster="prod-a", metrics=["starrocks_fe_query_total"], hours=12
    )
    assert [row["starrocks_fe_query_total_increase"] for row in found] == [None, 100, 80, 100, 100]
    assert not any("_avg" in name or "_max" in name for name in found[0])


async def test_what_was_counted_in_a_hole_is_told_only_when_the_window_holds_all_of_it(client: Client) -> None:
    asked = {"cluster": fleet.TWIN_ONE, "metrics": ["starrocks_fe_query_total"]}
    within = await records(client, "query_cluster_metrics", **asked, hours=6)
    assert [row["starrocks_fe_query_total_increase"] for row in within] == [None, 10]
    around = await records(client, "query_cluster_metrics", **asked, hours=40)
    assert [row["starrocks_fe_query_total_increase"] for row in around] == [None, 10, 400, 10]


async def test_a_gauge_is_shown_by_mean_and_extremes_and_a_hole_stays_a_hole(client: Client) -> None:
    found = await records(client, "query_cluster_metrics", cluster="prod-a", metrics=["starrocks_fe_qps"], hours=20)
    name = "starrocks_fe_qps"
    whole = [row for row in found if not row["partial"]]
    assert {(row[f"{name}_avg"], row[f"{name}_min"], row[f"{name}_max"]) for row in whole} == {(20, 5, 30)}
    assert not any("increase" in column for column in found[0])
    hours = [row["hour"] for row in whole]
    assert len(set(hours)) == len(hours) == 19
    assert {row["coverage_pct"] for row in whole} == {100}


async def test_an_hour_that_is_still_being_filled_is_marked(client: Client) -> None:
    asked = {"cluster": "prod-a", "metrics": ["starrocks_fe_qps"]}
    found = await records(client, "query_cluster_metrics", **asked, hours=3)
    assert [row["partial"] for row in found] == [0, 0, 0, 1]
    assert found[-1]["coverage_pct"] == 25
    assert (
        "the last step is still being filled" in (await call(client, "query_cluster_metrics", **asked)).content[0].text
    )
    state = {row["metric_name"]: row for row in await records(client, "query_live_state", cluster="prod-a")}
    assert (state["starrocks_fe_qps"]["partial"], state["starrocks_fe_query_total"]["partial"]) == (1, 0)


async def test_values_stand_beside_what_was_usual_at_that_hour_of_the_week(client: Client) -> None:
    (*_, row, _partial) = await records(
        client, "query_cluster_metrics", cluster="prod-a", metrics=["starrocks_fe_qps"], hours=6
    )
    # One week ago 7, two weeks ago 9, three weeks ago an outlier: the median.
    assert row["starrocks_fe_qps_usual"] == 9
    longer = await records(client, "query_cluster_metrics", cluster="prod-a", metrics=["starrocks_fe_qps"], hours=720)
    assert all(row["starrocks_fe_qps_usual"] is None for row in longer)


async def test_one_metric_comes_hour_by_hour_and_many_in_wider_steps(client: Client) -> None:
    asked = {"cluster": "prod-a", "metrics": ["starrocks_fe_qps"]}
    found = await records(client, "query_cluster_metrics", **asked, hours=48)
    assert [int(row["hour"][11:13]) for row in found[:3]] != [0, 0, 0]
    assert "steps of 1 h" in (await call(client, "query_cluster_metrics", **asked, hours=168)).content[0].text
    found = await records(client, "query_cluster_metrics", **asked, hours=720)
    assert {int(row["hour"][11:13]) % 4 for row in found} == {0}


async def test_a_metric_asked_for_twice_comes_once(client: Client) -> None:
    (row, *_) = await records(client, "query_cluster_metrics", cluster="prod-a", metrics=["starrocks_fe_qps"] * 3)
    assert len(row) == 3 + 4


async def test_a_window_of_the_past_ends_where_it_was_asked_to(client: Client) -> None:
    metrics = {"cluster": "prod-a", "metrics": ["starrocks_fe_qps"]}
    hours = [row["hour"] for row in await records(client, "query_cluster_metrics", **metrics, hours=40)]
    past = await records(client, "query_cluster_metrics", **metrics, hours=5, until=hours[20])
    assert [row["hour"] for row in past] == hours[15:20]
    assert not any(row["partial"] for row in past)


async def test_a_metric_without_data_is_named(client: Client) -> None:
    result = await call(client, "query_cluster_metrics", cluster="prod-a", metrics=["up", "starrocks_fe_qps"])
    assert "no data at all for up" in result.content[0].text


async def test_an_unknown_metric_is_answered_with_names_like_it(client: Client) -> None:
    error = await failure(client, "query_cluster_metrics", cluster="prod-a", metrics=["starrocks_fe_qp"])
    assert error["code"] == "bad_argument"
    assert "starrocks_fe_qps" in error["near"]
