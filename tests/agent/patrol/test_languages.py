"""A report made once and read in two languages: what code wrote is there in both, figures and names unchanged."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import patrol
from agent.catalogue import LANGUAGES, placeholders
from agent.patrol import quality, told
from agent.patrol.evidence import Evidence
from agent.patrol.finding import ClusterEvidence, Finding, Identity, Outlook
from agent.patrol.inspection import inspect
from agent.patrol.languages import other_words
from agent.patrol.narrative import sections
from agent.patrol.patterns import Pattern, Trait
from agent.patrol.report import Prediction
from agent.patrol.rules import load_rules
from agent.patrol.series import Track
from agent.patrol.voice import ENGLISH, PHRASES, Voice
from agent.patrol.week import Filling, FleetTrend, Noisy, Recurring, Rising, Shift, Standing, Week
from agent.patrol.week_words import week
from tests.agent.patrol.courses import AS_OF
from tests.agent.patrol.test_evidence import cid, healthy
from tests.agent.patrol.test_narrative import evidence, sick, well
from tests.agent.patrol.warehouse import NOW, FleetTools

RULES, ZH = load_rules(), Voice("zh")
STILL = Track(recent=dict.fromkeys(range(48), 35.0))
WORD = re.compile(r"[A-Za-z]{3,}")
KEPT = {"name", "alert", "UTC", "CPU", "Acme", "UPDATE", "exporter", "compaction", "timeout"}
"""What stays as it is: names, and words that are the same in Chinese."""
LOGS = ("search_logs", {"cluster": "00000001-c"}, "columns: log_time:DATETIME,level:VARCHAR,message:VARCHAR\n", False)


def words(text: str) -> set[str]:
    """English words of a text."""
    return set(WORD.findall(text))


def finding(dimension: str, value: float, unit: str, **more: object) -> Finding:
    base = Finding("00000001-c", dimension, "Warning", value, unit, "an English sentence", 3.0, 90.0)
    return replace(base, **more)  # type: ignore[arg-type]


def with_finding(cluster: ClusterEvidence, one: Finding) -> ClusterEvidence:
    return replace(cluster, findings=(one,))


def full() -> Evidence:
    """A look at a fleet in which there is something of everything."""
    outlook = Outlook("00000002-c", "disk_used_pct", 75.0, 90.0, "%", 9.0, 0.9, 7.0, 12.0)
    clusters = (
        replace(sick(1, tier="S", customer="Acme"), operations=("UPDATE 11-20 08:00",)),
        replace(sick(2, "disk_used_pct", "Warning"), outlooks=(outlook,)),
        with_finding(sick(3, "freshness", "Unknown"), finding("freshness", 9.0, "h", since=AS_OF, severity="Unknown")),
        *(sick(number) for number in range(4, 7)),
        replace(well(9), score=None),
        well(10),
    )
    pattern = Pattern(
        Trait("on version 3.4.7", frozenset(f"{number:08d}-c" for number in range(9))),
        ("cpu_util_pct",),
        frozenset(f"{number:08d}-c" for number in (4, 5, 6)),
        1,
        0.01,
        AS_OF,
        ("with UPDATE in the last 72 h",),
    )
    made = Prediction(
        "disk used of name-2 goes from 75% to 90%", "High", "00000002-c", "disk_used_pct", 90.0, 24, 0.9, "2026-11-21"
    )
    return replace(
        evidence(*clusters),
        shared=(pattern,),
        patterns=(pattern.sentence(RULES), "alert CPU fires on 3 flagged clusters"),
        predictions=(made,),
        notes=("could not be read: operations, the newest hours (timeout)",),
        quality=("1 cluster sent hours twice: up", "no tier is known for 3 clusters, taken for tier B"),
        week=a_week(),
    )


def a_week(**changed: object) -> Week:
    shift = Shift("compaction_score", "", 60.0, 4000.0)
    standing = Standing("00000001-c", "name-1", 46.0, 100.0, (), (shift,))
    made = Week(
        until="2026-11-20 12:00",
        fleet=FleetTrend(97.2, 99.8, 24, 3, 5),
        rising=(Rising("p99_latency_ms", "ms", 4, 1, 120.0, 300.0),),
        worst=(standing, Standing("00000002-c", "name-2", 40.0)),
        fell=(standing,),
        rose=(Standing("00000003-c", "name-3", 100.0, 70.0),),
        recurring=(
            Recurring("00000001-c", "name-1", "disk_used_pct", "Warning", 4, 1, True),
            Recurring("00000002-c", "name-2", "cpu_util_pct", "Critical", 3, 2, False),
        ),
        reports=("R-1", "R-2"),
        noise=(Noisy("name-of-alert", 24, 6, 22, 20, 2),),
        incidents=60,
        names=9,
        capacity=(Filling("00000002-c", "name-2", "disk_used_pct", "%", 71.0, 90.0, 3.5, 38.0, 31.0, 49.0),),
        missing=("noise",),
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def spoken(made: Evidence) -> Mapping[str, str]:
    return other_words(made, RULES, ())["zh"]


def test_a_report_is_told_in_chinese_from_its_first_word_to_its_last() -> None:
    made = full()
    texts = spoken(made)
    english = sections(made, RULES)
    said = [
        english.narrative,
        *(one.text for one in (*english.predictions, *english.customers, *english.actions)),
    ]
    assert [text for text in said if text not in texts] == []
    left = {word for text in said for word in words(texts[text])}
    assert left <= KEPT


@pytest.mark.parametrize(
    "chinese",
    [
        "8 个活跃集群中有 6 个需要关注",
        "版本为 3.4.7的 9 个集群中有 3 个存在:BE CPU",
        "1 个集群有重复的小时数据:up",
        "3 个集群没有等级信息",
        "无法读取:操作记录、最近几小时的数据 (timeout)",
        "告警 CPU 在 3 个被标记的集群上触发",
        "9 小时没有数据",
        "本周:平均得分 97.2",
    ],
)
def test_the_chinese_narrative_says(chinese: str) -> None:
    assert chinese in sections(full(), RULES, language="zh").narrative


def test_every_figure_of_the_english_narrative_stands_in_the_chinese_one() -> None:
    made = replace(full(), clusters=(*full().clusters[3:6], well(10)), shared=(), patterns=())
    texts = [sections(made, RULES, language=language).narrative for language in LANGUAGES]
    english, chinese = (sorted(re.findall(r"\d+(?:\.\d+)?", text)) for text in texts)
    # a Chinese finding is told in figures, the English one here in words
    assert set(english) <= set(chinese)


def test_a_healthy_fleet_is_called_healthy_in_both() -> None:
    made = evidence(well(1), well(2))
    assert sections(made, RULES).narrative.startswith("The fleet is healthy: all 2 active clusters")
    assert sections(made, RULES, language="zh").narrative.startswith("机群健康:2 个活跃集群全部有数据")


def test_a_report_of_a_model_has_its_measured_predictions_and_customers_in_both() -> None:
    texts = other_words(full(), RULES, None)["zh"]
    assert len(texts) == 2
    assert any("照此趋势约 9 小时后" in text for text in texts.values())
    assert any(text.startswith("name-1 为严重") for text in texts.values())


@pytest.mark.parametrize(
    ("one", "chinese"),
    [
        (finding("cpu_util_pct", 95.0, "%"), "BE CPU 95%,此时段通常为 3%;限值 90%"),
        (finding("cpu_util_pct", 95.0, "%", baseline=None, threshold=None), "BE CPU 95%"),
        (
            finding("disk_used_pct", 75.0, "%", hours_left=9.0, breaking=90.0),
            "磁盘使用率 75%,此时段通常为 3%;限值 90%;按此趋势 9 小时后达到 90%",
        ),
        (finding("freshness", 14 * 24.0, "h"), "14 天内没有任何数据;其状态未知"),
        (finding("freshness", 7.0, "metrics"), "有 7 项指标不再发送,而其他指标仍在发送"),
        (
            finding("alerts", 6.0, "alerts", baseline=1.0, since=AS_OF),
            "自 12:00 UTC 起有 6 种不同的告警(通常每天 1 种)",
        ),
        (finding("alerts", 6.0, "alerts", baseline=None), "6 种不同的告警(通常每天 0 种)"),
    ],
)
def test_a_finding_is_told_in_its_figures(one: Finding, chinese: str) -> None:
    assert told.finding(ZH, RULES, one) == chinese
    assert told.finding(ENGLISH, RULES, one) == "an English sentence"


def test_the_week_is_told_in_both_languages_with_the_same_names_and_figures() -> None:
    english, chinese = (list(week(Voice(language), RULES, a_week())) for language in LANGUAGES)
    assert len(english) == len(chinese) == 9
    assert english[0].startswith("The week: mean score 97.2 of 100, a week ago 99.8; of 24 clusters 3 clearly better")
    assert "Fell most: name-1 100 → 46 (compaction score 60 → 4,000)." in english
    assert "Lowest scores: name-2 40." in english
    assert "Filling up: name-2 disk used from 71% to 90% in about 38 days (31–49)." in english
    assert "Alerts mostly without consequence: name-of-alert (22 of 24 incidents)." in english
    assert "name-2: BE CPU on 3 days, opened 2 times" in english[6]
    assert {word for text in chinese for word in words(text)} <= {
        "name",
        "alert",
        "query",
        "compaction",
        "BE",
        "CPU",
        "of",
    }


def test_a_quiet_week_is_one_sentence() -> None:
    quiet = Week(until="", fleet=FleetTrend(100.0, 100.0, 4, 0, 0))
    assert len(list(week(ENGLISH, RULES, quiet))) == 1


def test_a_long_list_is_shortened_and_says_by_how_much() -> None:
    many = a_week(fell=tuple(Standing(f"c-{at}", f"name-{at}", 40.0, 90.0 - at) for at in range(9)))
    assert any("and 6 more" in sentence for sentence in week(ENGLISH, RULES, many))


def test_a_name_from_data_is_one_visible_line() -> None:
    odd = Standing("c-1", "a\nb\u202e" + "x" * 90, 40.0, 90.0)
    sentence = next(one for one in week(ENGLISH, RULES, a_week(fell=(odd,))) if one.startswith("Fell"))
    assert "\n" not in sentence
    assert "\u202e" not in sentence
    assert len(sentence) < 90


BAD_ROW = {"cluster_id": "c-1", "metric_name": "up", "gone": 0, "doubled": 0, "unusable": 0, "ahead": 0}


@pytest.mark.parametrize("broken", ["lark_alerts", "billing_order", "alerts.issues", "cluster_risk", "health_scores"])
async def test_what_could_not_be_read_is_named_in_chinese(broken: str) -> None:
    looked = await inspect(FleetTools(healthy(2), broken=(broken,)), RULES, NOW)
    assert looked.notes
    for note in looked.notes:
        assert words(ZH.echo(note)) <= {"unknown_table", "unknown", "table"}


@pytest.mark.parametrize("column", ["doubled", "unusable", "ahead"])
@pytest.mark.parametrize("count", [1, 2])
def test_what_is_wrong_with_the_data_is_told_in_chinese(column: str, count: int) -> None:
    rows = [BAD_ROW | {"cluster_id": f"c-{number}", column: 1} for number in range(count)]
    still = {f"c-{number}": dict.fromkeys(("cpu", "latency", "journal"), STILL) for number in range(count)}
    nobody = [Identity(f"c-{number}", "x", tier_known=False) for number in range(count)]
    unnamed = [{"metric_name": f"m{number}"} for number in range(count)]
    told_of = quality.told(rows, unnamed, still, nobody)
    assert len(told_of) == 4
    assert {word for one in told_of for word in words(ZH.echo(one))} <= {"NaN", "exporter"}


async def test_an_old_warehouse_and_a_vanished_metric_are_told_in_chinese() -> None:
    vanished = [BAD_ROW | {"cluster_id": cid(101), "gone": 1, "last_hour": "2026-11-20 02:00:00"}]
    tools = FleetTools(healthy(3), gone=vanished)
    looked = await inspect(tools, RULES, NOW + timedelta(hours=9))
    assert len(looked.notes) == 2
    assert {word for note in looked.notes for word in words(ZH.echo(note))} == set()


def test_a_sentence_that_nobody_foresaw_stays_english() -> None:
    assert ZH.echo("the moon is full") == "the moon is full"
    assert ENGLISH.echo("1 cluster sent hours twice: up") == "1 cluster sent hours twice: up"


def test_no_two_sentences_that_are_found_again_are_the_same() -> None:
    found = [texts["en"] for key, texts in PHRASES.texts.items() if key.startswith(("remark.", "trait.", "part."))]
    assert len(found) == len(set(found)) > 20


@pytest.mark.parametrize("key", PHRASES.texts)
def test_every_text_stands_in_both_languages_with_the_same_placeholders(key: str) -> None:
    texts = PHRASES.texts[key]
    assert set(texts) == set(LANGUAGES)
    assert len({placeholders(text) for text in texts.values()}) == 1


def test_every_key_that_is_asked_for_is_there_and_every_text_is_asked_for() -> None:
    folder = Path(patrol.__file__ or "").parent if patrol.__file__ else Path(next(iter(patrol.__path__)))
    source = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    asked = set(re.findall(r'"((?:report|finding|pattern|week)\.[a-z_.]+[a-z])"', source))
    assert asked <= set(PHRASES.texts)
    made = (*re.findall(r'f"([a-z.]+\.)\{', source), "remark.", "trait.", "part.")
    assert {key for key in set(PHRASES.texts) - asked if not key.startswith(made)} == set()


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_name_costs_a_report_its_languages(name: str, customer: str) -> None:
    odd = sick(1, tier="S", customer=customer)
    made = evidence(replace(odd, identity=replace(odd.identity, name=name or "x")))
    assert "个需要关注" in "".join(spoken(made).values())


@given(st.text(max_size=200))
def test_whatever_is_echoed_ends(text: str) -> None:
    assert ZH.echo(text) or not text


def test_a_prediction_without_its_course_stays_as_it_was_written() -> None:
    made = replace(full(), clusters=(well(2),))
    assert list(told.predictions(ZH, RULES, made)) == list(made.predictions)


def test_log_lines_are_quoted_as_they_are() -> None:
    rows = "log_time,level,message\n2026-11-20 11:00:00,ERROR,disk is full\n-- 1 row, 0.01 s, q-1"
    result = (LOGS[0], LOGS[1], LOGS[2] + rows, False)
    narrative = sections(evidence(sick(1)), RULES, [result], "zh").narrative
    assert "日志中:name-1:`disk is full`。" in narrative
    since = AS_OF - timedelta(hours=3)
    assert f"自 {since:%m-%d %H:%M} 起" in narrative
