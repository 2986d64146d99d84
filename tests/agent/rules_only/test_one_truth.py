"""Chat and patrol say the same figure for the same thing: every level of every cluster, computed both ways."""

from collections.abc import Mapping
from datetime import datetime
from math import inf
from typing import Any

import pytest

from agent.mcp_connection import McpConnection
from agent.mcp_tools import McpTools
from agent.patrol.courses import measure as measured
from agent.patrol.judge import Judge
from agent.patrol.rules import load_rules, quantity
from agent.rules_only import Threshold, from_rules, readings
from agent.rules_only.measures import BY_KEY, LIMITED, VITALS, Measure
from agent.rules_only.voice import Voice
from agent.rules_only.writing.levels import statistic
from mcp_server.door import Door
from mcp_server.results import Result
from mcp_server.server import build_server

JUDGED = [measure for key, measure in BY_KEY.items() if key in load_rules().dimensions]
Levels = Mapping[str, Mapping[str, float]]


def records(result: Result) -> list[dict[str, Any]]:
    """The rows by column name."""
    names = [column.name for column in result.columns]
    return [dict(zip(names, row, strict=True)) for row in result.rows]


@pytest.fixture(scope="module")
def kept() -> dict[str, Levels]:
    """The patrol's levels by cluster and dimension, computed once."""
    return {}


@pytest.fixture
async def patrol(door: Door, as_of: datetime, kept: dict[str, Levels]) -> Levels:
    if not kept:
        rules = load_rules()
        async with McpConnection(lambda: build_server(door), name="warehouse") as connection:
            courses = await measured(McpTools(connection), rules, as_of, 24)
        judge = Judge(rules, as_of)
        kept["levels"] = {
            cluster: {course.name: course.value for course in judge.courses(tracks)}
            for cluster, tracks in courses.tracks.items()
        }
    return kept["levels"]


@pytest.mark.parametrize("measure", JUDGED, ids=lambda measure: measure.key)
async def test_the_chats_level_is_the_patrols(door: Door, as_of: datetime, patrol: Levels, measure: Measure) -> None:
    result = await door.read(readings.ranking(measure, as_of, 48, 100), 100)
    names = [column.name for column in result.columns]
    found = {row[names.index("cluster_id")]: row[names.index("latest")] for row in result.rows}
    expected = {cluster: levels[measure.key] for cluster, levels in patrol.items() if measure.key in levels}
    assert expected
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


async def test_the_level_does_not_depend_on_the_window_or_on_what_is_read_with_it(door: Door, as_of: datetime) -> None:
    (disk,) = (measure for measure in VITALS if measure.key == "disk_used_pct")
    ranked = await door.read(readings.ranking(disk, as_of, 192, 1))
    (first,) = records(ranked)
    vitals = records(await door.read(readings.vitals((str(first["cluster_id"]),), as_of)))
    (same,) = (row for row in vitals if row["measure"] == "disk_used_pct")
    assert (same["latest"], same["cluster_type"]) == (first["latest"], first["cluster_type"])


async def test_chat_judges_a_cluster_by_the_limits_of_its_type(door: Door, as_of: datetime) -> None:
    rules = load_rules()
    thresholds = from_rules(rules)
    (disk,) = (measure for measure in VITALS if measure.key == "disk_used_pct")
    ranked = records(await door.read(readings.ranking(disk, as_of, 48, 100), 100))
    told = records(await door.read(readings.beyond(thresholds, as_of, 100), 100))

    def beyond(row: dict[str, Any], limit: str) -> bool:
        limits = rules.of(str(row["cluster_type"])).dimensions[disk.key].limits
        return bool(row["latest"] >= getattr(limits, limit))

    expected = {row["cluster_id"] for row in ranked if beyond(row, "yellow")}
    assert {row["cluster_id"] for row in told if row["measure"] == disk.key} == expected
    for row in ranked:
        level = thresholds[disk.key].of(str(row["cluster_type"])).level(row["latest"])
        assert level == ("Critical" if beyond(row, "red") else "Warning" if beyond(row, "yellow") else "")


async def test_what_a_type_is_not_judged_by_is_not_told_of_it(door: Door, as_of: datetime) -> None:
    own = {"disk_used_pct": Threshold(0, 0.001, types={"ELASTIC": Threshold(inf, inf)})}
    told = records(await door.read(readings.beyond(own, as_of, 100), 100))
    assert {row["cluster_type"] for row in told} == {"CLASSIC", None}
    (disk,) = (measure for measure in VITALS if measure.key == "disk_used_pct")
    ranked = records(await door.read(readings.nearest(disk, own, as_of, 48, 100), 100))
    elastic = [row["cluster_type"] == "ELASTIC" for row in ranked]
    assert elastic == sorted(elastic) and set(elastic) == {False, True}


async def test_who_is_nearest_to_a_limit_is_told_by_the_limit_of_the_type(door: Door, as_of: datetime) -> None:
    rules = load_rules()
    for measure in LIMITED:
        rows = records(await door.read(readings.nearest(measure, from_rules(rules), as_of, 48, 100), 100))
        red = [rules.of(str(row["cluster_type"])).dimensions[measure.key].limits.red for row in rows]
        used = [
            (100 - row["latest"]) / (100 - limit) if measure.low_is_bad else row["latest"] / limit
            for row, limit in zip(rows, red, strict=True)
        ]
        assert used == sorted(used, reverse=True)
        assert len(rows) > 12


def test_a_figure_is_written_as_the_patrol_writes_it() -> None:
    for value in (96.05, 0.0673, 999.6, 1_204.0, 0.0):
        assert Voice("en").figure(value, "%") == quantity(value, "%")


def test_every_dimension_but_growth_can_be_asked_for_under_its_own_label_and_statistic() -> None:
    rules = load_rules()
    assert {measure.key for measure in JUDGED} == {key for key, rule in rules.dimensions.items() if not rule.growth}
    assert all(measure.noun == rules.dimensions[measure.key].label for measure in JUDGED)
    told = {key: statistic(Voice("en"), BY_KEY[key]) for key in ("compaction_score", "error_share_pct")}
    assert told["compaction_score"] == "median of the newest 3 h, each the hourly maximum"
    assert told["error_share_pct"] == "share over the newest 3 h"
