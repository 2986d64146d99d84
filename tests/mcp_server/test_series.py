"""Series: narrow steps for few metrics, wide ones for many, and always within the text of a result."""

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client

from mcp_server.door import Door
from mcp_server.results import TEXT_CHARS
from mcp_server.server import build_server
from mcp_server.tools.cluster import VITALS
from mcp_server.tools.series import Metric, known_metrics, pivot, step_hours, units
from tests.mcp_server.test_simulated_fleet import records, span, struck_by

QPS = Metric("starrocks_fe_qps", "queries/s", counter=False)
TOTAL = Metric("starrocks_fe_query_total", "count", counter=True)
MEMORY = Metric("node_memory_MemTotal_bytes", "bytes", counter=False)


@pytest.mark.parametrize(
    ("metrics", "hours", "step"),
    [([QPS], 24, 1), ([QPS], 168, 1), ([QPS], 720, 4), ([TOTAL], 168, 1), ([QPS] * 12, 24, 1), ([QPS] * 12, 168, 6)],
)
def test_the_step_is_as_narrow_as_the_text_allows(metrics: list[Metric], hours: int, step: int) -> None:
    assert step_hours(metrics, hours) == step


@given(st.lists(st.sampled_from([QPS, TOTAL, MEMORY]), min_size=1, max_size=12))
def test_steps_divide_the_day_and_do_not_narrow_with_the_window(metrics: list[Metric]) -> None:
    steps = [step_hours(metrics, hours) for hours in range(1, 721, 13)]
    assert all(24 % step == 0 for step in steps)
    assert all(earlier <= later for earlier, later in pairwise(steps))


def test_a_gauge_has_its_extremes_and_a_counter_its_increase() -> None:
    columns = [text.rpartition(" AS ")[2] for text in pivot([TOTAL, QPS])]
    assert columns == [
        "starrocks_fe_query_total_increase",
        "starrocks_fe_query_total_usual",
        *(f"starrocks_fe_qps_{suffix}" for suffix in ("avg", "min", "max", "usual")),
    ]


@pytest.mark.parametrize("name", ["", "a b", "x') FROM byoc.clusters --", "1a", "a-b", "ä", "a\n"])
def test_a_name_that_is_no_identifier_never_becomes_sql(name: str) -> None:
    with pytest.raises(ValueError, match="not a metric's name"):
        pivot([Metric(name, "", counter=False)])


def test_units_are_told_once_for_all_rows() -> None:
    assert units([QPS, TOTAL]) == "units: starrocks_fe_qps queries/s, starrocks_fe_query_total count (counter)"


@pytest.mark.parametrize("hours", [24, 48, 168, 720])
async def test_twelve_series_of_a_simulated_cluster_are_shown_to_the_last_step(
    simulated: Door, truth: dict[str, Any], hours: int
) -> None:
    async with Client(build_server(simulated)) as client:
        asked = {"cluster": struck_by(truth, "disk_filling")[0], "metrics": list(VITALS[:12]), "hours": hours}
        result = await client.call_tool("query_cluster_metrics", asked)
    assert not result.is_error
    text = result.content[0].text
    assert "shown " not in text.split("\n")[-1]
    assert len(text) < TEXT_CHARS + 4_500
    (step,) = re.findall(r"steps of (\d+) h", text)
    # an hour may have ended since the fleet was made
    assert result.structured_content["row_count"] * int(step) >= min(hours, 168) - 1


async def test_what_is_usual_is_what_the_same_hour_had_a_week_ago(simulated: Door, truth: dict[str, Any]) -> None:
    known = known_metrics(await simulated.ask("metric_names", max_rows=1_000))
    gauge, counter = known["starrocks_fe_qps"], known["starrocks_fe_query_total"]
    assert (gauge.counter, counter.counter) == (False, True)
    asked = {"cluster": truth["must_not_flag"][0], "metrics": [gauge.name, counter.name]}
    series = pivot([gauge, counter])
    week = records(
        await simulated.ask("cluster_metrics", **asked, step=1, series=series, max_rows=500, **span(hours=190))
    )
    day = records(
        await simulated.ask("cluster_metrics", **asked, step=1, series=series, max_rows=500, **span(hours=12))
    )
    then = {row["hour"][11:]: row for row in week[:23]}
    checked = 0
    for row in day:
        if (past := then.get(row["hour"][11:])) and past[f"{counter.name}_increase"] is not None:
            assert row[f"{gauge.name}_usual"] == pytest.approx(past[f"{gauge.name}_avg"])
            assert row[f"{counter.name}_usual"] == pytest.approx(past[f"{counter.name}_increase"])
            checked += 1
    assert checked >= 6
