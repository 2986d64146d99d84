"""A weekly patrol of a simulated fleet through the real door: the guard admits what it reads, the week finds what was
planted."""

from typing import Any

from agent.patrol.inspection import inspect
from agent.patrol.rules import load_rules
from agent.patrol.run import Patrol
from agent.patrol.weekly import looked_back
from agent.tools import Tools
from tests.agent.doubles import ScriptedModel
from tests.agent.patrol.test_fleet import Watched, now, tools
from tests.agent.patrol.test_run import Store
from tests.agent.patrol.test_weekly import Remembered

__all__ = ["tools"]
ORDINARY, MORE = 20, 2
"""Statements of any patrol at most, and what a weekly one adds."""


async def test_the_guard_admits_the_statements_of_a_week(tools: Tools) -> None:
    evidence = await inspect(tools, load_rules(), now())
    watched = Watched(tools)
    await looked_back(watched, load_rules(), evidence, Remembered())
    assert [(sql, result.text) for sql, result in watched.results if result.is_error] == []
    assert len(watched.results) == MORE
    assert evidence.statements + MORE <= ORDINARY + MORE


async def test_what_was_planted_within_the_week_is_among_what_fell_and_nothing_healthy_is_worst(
    tools: Tools, truth: dict[str, Any]
) -> None:
    evidence = await looked_back(tools, load_rules(), await inspect(tools, load_rules(), now()), Remembered())
    week = evidence.week
    assert week is not None
    assert week.missing == ()
    assert {one.cluster_id for one in week.worst}.isdisjoint(truth["must_not_flag"])
    fell = {one.cluster_id for one in week.fell}
    assert fell & set(truth["must_flag"])
    assert week.incidents > 0
    assert all(0 <= one.idle <= one.incidents for one in week.noise)


async def test_a_weekly_report_without_a_model_tells_the_week_in_both_languages(tools: Tools) -> None:
    patrol = Patrol(ScriptedModel(analyst="rules-only"), tools, writer=Store(), reports=Remembered())
    _, report = await patrol.run_patrol("weekly", "clock")
    assert report.usage.queries <= ORDINARY + MORE
    assert "The week: mean score" in report.fleet_narrative
    assert "本周:平均得分" in report.told_in("zh").fleet_narrative
    assert report.week is not None
    assert report.week.query_ids <= report.receipts.keys()
