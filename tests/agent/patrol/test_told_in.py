"""In which language a report is written: by a model in that of who asked, by code in every one."""

import re

import pytest

from agent.errors import ModelUnavailable, ToolsUnavailable
from agent.patrol.report import Prediction, RecommendedAction, report_of
from tests.agent.doubles import ScriptedModel, say
from tests.agent.patrol.test_evidence import healthy
from tests.agent.patrol.test_run import FULL_CLUSTER, GOOD, HOT_CLUSTER, LostTools, by_rules, fleet, patrol
from tests.fakes.thinking import report

CHINESE = re.compile(r"[\u4e00-\u9fff]")


async def test_a_model_is_asked_in_the_language_of_the_channel_and_its_rules_stay_the_same() -> None:
    asked = []
    for language in ("en", "zh"):
        model = ScriptedModel(say(GOOD))
        await patrol(model, fleet(HOT_CLUSTER)).run_patrol("weekly", "U1", language=language)  # type: ignore[arg-type]
        asked.append(model.requests[0])
    english, chinese = (str(one.messages[0]["content"][0]["text"]) for one in asked)
    assert "Simplified Chinese" not in english
    assert chinese == english + chinese[len(english) :]
    assert "Simplified Chinese" in chinese[len(english) :]
    assert asked[0].system == asked[1].system


async def test_what_a_model_wrote_stays_as_it_wrote_it() -> None:
    _, made = await patrol(ScriptedModel(say(GOOD)), fleet(HOT_CLUSTER, FULL_CLUSTER)).run_patrol("morning", "U1")
    assert made.told_in("zh").fleet_narrative == "Two clusters need attention."
    assert made.told_in("zh").customer_summaries[0].text == "busy"


async def test_what_rules_wrote_is_there_in_chinese_and_after_it_was_stored_too() -> None:
    _, made = await patrol(by_rules(), fleet(HOT_CLUSTER, FULL_CLUSTER)).run_patrol("weekly", "U1")
    assert not CHINESE.search(made.fleet_narrative)
    told = report_of(made.to_json()).told_in("zh")
    texts = [told.fleet_narrative, *(one.text for one in (*told.customer_summaries, *told.recommended_actions))]
    assert len(texts) >= 3
    assert [text for text in texts if not CHINESE.search(text)] == []
    assert "个活跃集群中有 2 个需要关注" in told.fleet_narrative


async def test_the_floor_below_a_model_speaks_chinese_too() -> None:
    model = ScriptedModel(ModelUnavailable("overloaded"))
    _, made = await patrol(model, fleet(HOT_CLUSTER)).run_patrol("morning", "U1", language="zh")
    assert made.analyst == "rules-only"
    assert "个需要关注" in made.told_in("zh").fleet_narrative


async def test_so_does_the_report_of_an_analyst_that_lost_its_tools() -> None:
    _, made = await patrol(by_rules(), LostTools([HOT_CLUSTER, *healthy(2)])).run_patrol("morning", "U1")
    assert made.usage.tool_calls == 0
    assert "个需要关注" in made.told_in("zh").fleet_narrative


async def test_without_a_floor_a_lost_tool_is_told_to_whoever_asked() -> None:
    with pytest.raises(ToolsUnavailable):
        await patrol(ScriptedModel(say(GOOD)), LostTools(healthy(2)), floor=False).run_patrol("morning", "U1")


def test_each_text_is_looked_up_by_itself() -> None:
    words = {"zh": {"grow the disk": "扩容磁盘", "full by noon": "中午写满"}}
    made = report(
        0,
        fleet_narrative="All is well.",
        predictions=(Prediction("full by noon", "High"), Prediction("a feeling", "Low")),
        recommended_actions=(RecommendedAction("Today", "grow the disk"),),
        words=words,
    )
    told = made.told_in("zh")
    assert [one.text for one in told.predictions] == ["中午写满", "a feeling"]
    assert told.recommended_actions == (RecommendedAction("Today", "扩容磁盘"),)
    assert told.fleet_narrative == "All is well."
    assert made.told_in("en") is made


def test_a_report_from_before_there_were_languages_is_shown_as_it_is() -> None:
    body = report(1).to_json()
    del body["words"]
    old = report_of(body)
    assert old.told_in("zh") is old
