"""Sentences of findings, predictions and customers, and the voice that they are said in."""

from dataclasses import replace

import pytest

from agent.patrol import told
from agent.patrol.finding import Finding, Outlook
from agent.patrol.patterns import Pattern, Trait
from agent.patrol.report import Prediction
from agent.patrol.rules import load_rules
from agent.patrol.voice import ENGLISH, Voice
from tests.agent.patrol.courses import AS_OF
from tests.agent.patrol.test_narrative import evidence, sick

RULES, ZH = load_rules(), Voice("zh")
OUTLOOK = Outlook("00000001-c", "disk_used_pct", 75.2, 90.0, "%", 9.4, 0.9, 7.1, 12.6)
MADE = Prediction("as it was", "High", "00000001-c", "disk_used_pct", 90.0, 24, 0.876, "2026-11-21 12:00")
GROUP = frozenset(f"{number:08d}-c" for number in (1, 2))
PATTERN = Pattern(Trait("in region eu-west-1", GROUP | {"00000003-c"}), ("cpu_util_pct",), GROUP, 0, 0.01)


def test_a_prediction_says_what_from_where_to_where_when_and_how_surely() -> None:
    assert told.prediction(ENGLISH, RULES, OUTLOOK, MADE, "name-1") == (
        "disk used of name-1 goes from 75.2% to 90% in about 9.4 h (7.1–12.6 h) if it goes on like this:"
        " 88% likely within 24 h"
    )
    chinese = told.prediction(ZH, RULES, OUTLOOK, MADE, "name-1")
    assert all(figure in chinese for figure in ("75.2%", "90%", "9.4 小时", "7.1–12.6", "88%", "24 小时", "name-1"))


def test_a_prediction_is_translated_by_its_course_and_stays_in_its_place() -> None:
    other = replace(MADE, cluster_id="00000009-c", text="of a cluster that is gone")
    made = replace(evidence(replace(sick(1), outlooks=(OUTLOOK,))), predictions=(other, MADE))
    first, second = told.predictions(ZH, RULES, made)
    assert first == other
    assert "磁盘使用率" in second.text
    assert replace(second, text=MADE.text) == MADE
    assert tuple(told.predictions(ENGLISH, RULES, made)) == made.predictions


@pytest.mark.parametrize(
    ("count", "english", "chinese"),
    [(1, "", ""), (3, "", ""), (5, " (and 2 more)", "另有 2 个")],
)
def test_a_customer_with_many_clusters_has_its_first_three_told(count: int, english: str, chinese: str) -> None:
    clusters = [sick(number, tier="S") for number in range(count)]
    text = told.customer(ENGLISH, RULES, clusters)
    assert text.count(" is Critical: cpu_util_pct is bad") == min(3, count)
    assert text.endswith(english)
    other = told.customer(ZH, RULES, clusters)
    assert other.count("为严重:BE CPU 95%") == min(3, count)
    assert chinese in other


@pytest.mark.parametrize(
    ("pattern", "chinese"),
    [
        (PATTERN, "位于区域 eu-west-1的 3 个集群中有 2 个存在:BE CPU"),
        (replace(PATTERN, elsewhere=4), "存在:BE CPU(其他集群 4 个)"),
        (replace(PATTERN, since=AS_OF), "BE CPU,大约自 11-20 12:00 起"),
        (replace(PATTERN, also=("at aws", "of type ELASTIC")), "BE CPU,它们全部部署在 aws、类型为 ELASTIC"),
        (replace(PATTERN, dimensions=("cpu_util_pct", "alerts")), "存在:BE CPU、告警"),
    ],
)
def test_a_pattern_is_told_from_what_is_known_of_it(pattern: Pattern, chinese: str) -> None:
    made = replace(evidence(sick(1)), shared=(pattern,), patterns=(pattern.sentence(RULES),))
    (sentence,) = told.patterns(ZH, RULES, made)
    assert chinese in sentence
    assert list(told.patterns(ENGLISH, RULES, made)) == [pattern.sentence(RULES)]


def test_units_are_words_of_the_language() -> None:
    lag = Finding("c", "routine_load_lag", "Critical", 3_319_000, "messages", "lag", 2_035.0, 3_000_000.0)
    assert told.finding(ZH, RULES, lag) == (
        "routine load 延迟 3,319,000 条消息,此时段通常为 2,035 条消息;限值 3,000,000 条消息"
    )


@pytest.mark.parametrize(("number", "english"), [(0, "0 clusters"), (1, "1 cluster"), (12, "12 clusters")])
def test_one_and_many_agree_with_their_noun(number: int, english: str) -> None:
    assert ENGLISH.several(number, "clusters") == english
    assert ZH.several(number, "clusters") == f"{number} 个集群"


def test_sentences_are_joined_as_the_language_does() -> None:
    assert ENGLISH.joined(["One.", "Two."]) == "One. Two."
    assert ZH.joined(["一。", "二。"]) == "一。二。"


def test_a_label_that_its_owner_rewrote_is_told_as_written_in_every_language() -> None:
    disk = RULES.dimensions["disk_used_pct"].model_copy(update={"label": "volume fill"})
    ours = RULES.model_copy(update={"dimensions": {**RULES.dimensions, "disk_used_pct": disk}})
    assert ZH.dimension(ours, "disk_used_pct") == ENGLISH.dimension(ours, "disk_used_pct") == "volume fill"
    assert ZH.dimension(RULES, "disk_used_pct") == "磁盘使用率"
    assert ZH.dimension(RULES, "starrocks_fe_qps") == "starrocks fe qps"


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("on version 3.4.7-ee", "版本为 3.4.7-ee"),
        ("with SCALE_OUT in the last 72 h", "最近 72 小时内有过 SCALE_OUT 操作"),
        ("12 clusters sent hours twice: up, cpu, …", "12 个集群有重复的小时数据:up, cpu, …"),
        ("could not be read: alerts, the daily values (timeout)", "无法读取:告警、每日数据 (timeout)"),
        ("could not be read: something new", "无法读取:something new"),
        ("Critical", "严重"),
    ],
)
def test_a_sentence_of_ours_is_found_again_by_its_shape(english: str, chinese: str) -> None:
    assert ZH.echo(english) == chinese
    assert ENGLISH.echo(english) == english


def test_what_reports_do_not_say_the_analyst_says() -> None:
    assert ZH.say("list.comma") == "、"
    assert ENGLISH.count(3, "cluster") == "3 clusters"
    with pytest.raises(KeyError):
        ENGLISH.say("report.of.nothing")
