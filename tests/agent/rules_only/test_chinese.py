"""Questions in Chinese are answered in Chinese; names, SQL and figures stay as they are."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent import rules_only
from agent.catalogue import LANGUAGES, catalogue, placeholders
from agent.patrol.rules import load_rules
from agent.rules_only.envelope import Outcome, read
from agent.rules_only.intent import Context, understand
from agent.rules_only.measures import BY_KEY, LIMITED
from agent.rules_only.plan import asks
from agent.rules_only.readings import TRAFFIC
from agent.rules_only.voice import PHRASES, Voice
from agent.tools import ToolResult
from mcp_server.errors import Code
from tests.agent.rules_only.scripted import FRESH, INFO_A, INFO_B, THRESHOLDS, A, B, Thread, fault, rows
from tests.agent.rules_only.supported import unsupported
from tests.agent.rules_only.test_answers import BILLS, MEMBERS, NONE, OPERATIONS, PATROLS, RANKED, SILENT, SUMMARY
from tests.agent.rules_only.test_drawn import COURSE

Results = Mapping[str, ToolResult]
ZH = Voice("zh")
FOLDER = Path(rules_only.__file__).parent
DISK = ("prod-a-01", "Acme", "S", A, "disk_used_pct", 96.1, 1, 43.0, 97, 40, 1)
BEYOND = rows(RANKED, DISK)
VITALS = rows(
    "cluster_id measure latest:DOUBLE enough:BIGINT first_day:DOUBLE highest:DOUBLE lowest:DOUBLE",
    (A, "disk_used_pct", 88.4, 1, 79.1, 89.0, 78.0),
    (A, "p99_latency_ms", 340.0, 1, 210.0, 500.0, 200.0),
    (B, "compaction_score", 3121.0, 1, 16.0, 3300.0, 10.0),
)
TRAFFICKED = rows("cluster_id metric_name gained:DOUBLE", (A, "starrocks_fe_query_err", 240))
ALERT = rows(
    "alert_name state incidents:BIGINT first_firing last_firing",
    ("DiskUsage", "firing", 3, "2026-02-28 20:00:00", "2026-03-01 02:00:00"),
)
ALERTS = rows(
    "alert_name conditions:BIGINT firing:BIGINT clusters:BIGINT first_seen last_seen total:BIGINT",
    ("DiskUsage", 4, 2, 3, "2026-02-28 20:00:00", "2026-03-01 02:00:00", 1),
)
OF_CLUSTERS = rows(
    "cluster_name cluster_id alert_names:BIGINT firing:BIGINT last_seen", ("prod-a-01", A, 2, 1, "2026-03-01 02:00:00")
)
ISSUES = rows(
    "severity alert_name cluster_id cluster_name tier triage_status first_seen",
    ("Critical", "DiskUsage", A, "prod-a-01", "S", "untriaged", "2026-02-28 20:00:00"),
)
STANDING = rows(
    "cluster_name cluster_id customer tier risk_level overall_score:DOUBLE risk_reasons computed_at total:BIGINT",
    ("prod-a-01", A, "Acme", "S", "Critical", 41.2, '["disk 88.4%"]', "2026-03-01 02:00:00", 40),
)
FLEET = {"summary": SUMMARY, "patrols": PATROLS, "silent": SILENT, "beyond": BEYOND, "freshness": FRESH}
WHOLE = {**FLEET, "standing": STANDING, "alerts": ALERTS, "issues": ISSUES}
ONE = {"info:0": INFO_A, "freshness": FRESH, "vitals": VITALS, "traffic": TRAFFICKED}
BOTH = {**ONE, "info:1": INFO_B}
PICTURE = ToolResult(COURSE)

SAID: list[tuple[str, Results, list[str]]] = [
    (
        "整体情况怎么样?",
        WHOLE,
        [
            "**共 24 个活跃集群。2026-03-01 02:05 UTC 的巡检标记:严重 1、警告 1、未知 1。**",
            "最近 24 小时的告警:4 个告警条件,其中 2 个仍在触发",
            "未解决的问题单:1 (严重 1)",
            "| prod-a-01 | 0f3a91c2 | Acme (S 级) | 磁盘使用率 96.1% (严重) |",
            "没有数据、健康状况未知:1 个集群 (prod-q-07)",
        ],
    ),
    (
        "哪些集群最差?",
        WHOLE,
        [
            "**1 个活跃集群超出规则限值;最差:prod-a-01,磁盘使用率 96.1% (严重)。**",
            "严重,评分 41.2",
            "共 40 项,此处 1 项。",
        ],
    ),
    (
        "prod-a-01 怎么样?",
        {**ONE, "alerts": ALERT, "operations": OPERATIONS},
        [
            "**prod-a-01 状态为警告:磁盘使用率 88.4%。**",
            "| 磁盘使用率 | 88.4% | 上升 (79.1% → 88.4%) | 警告 |",
            "| 查询 p99 | 340 ms | 上升 62% (210 ms → 340 ms) | – |",
            "最近 7 天:查询失败 240。",
            "最近 7 天内有 1 个告警,其中 1 个仍在触发:",
            "sr_version 3.3.9-ee",
        ],
    ),
    (
        "prod-a-01 最近 3 天的磁盘",
        {**ONE, "series": PICTURE},
        ["**prod-a-01的磁盘使用率:当前 88.4% (警告);", "按规则(警告 80%,严重 90%),当前为警告。", "| 起始 | 均值 |"],
    ),
    ("哪些集群磁盘最高?", {"ranking": BEYOND, "freshness": FRESH}, ["**最高的磁盘使用率:prod-a-01,当前 96.1%。**"]),
    (
        "今天的告警",
        {"alerts": ALERTS, "alerts_by_cluster": OF_CLUSTERS, "freshness": FRESH},
        [
            "**最近 24 小时内有 4 个告警条件,涉及 1 个告警名称;其中 2 个仍在触发。**",
            "按集群:",
            "(“prod-a-01 怎么样?”)",
            "距今 1 小时",
        ],
    ),
    ("prod-a-01 的告警", {"alerts": ALERT}, ["**prod-a-01**:最近 7 天内有 1 个告警", "| DiskUsage | firing | 3 |"]),
    ("未解决的严重问题单", {"issues": ISSUES}, ["**共 1 个未解决的严重问题单。**", "| DiskUsage | 严重 | S |"]),
    ("未解决的警告问题单", {"issues": rows("severity")}, ["**没有未解决的警告问题单。**"]),
    (
        "今天有哪些变更",
        {"operations": OPERATIONS, "freshness": FRESH},
        ["**最近 24 小时内有 31 次操作:**", "| UPDATE |"],
    ),
    (
        "有什么变化",
        {"patrols": PATROLS, "operations": NONE, "freshness": FRESH},
        [
            "**从 2026-02-28 02:05 UTC 到 2026-03-01 02:05 UTC:新标记 2 个,恶化 1 个,不再标记 1 个。**",
            "- 恶化:prod-b-02 (未知 → 警告)",
            "最近 24 小时内没有操作。",
        ],
    ),
    ("最近一次巡检", {"patrol": rows("report_id")}, ["**尚无已存的巡检报告。可用 `/patrol` 发起巡检。**"]),
    (
        "哪些集群快满了?",
        {**{f"limit:{measure.key}": NONE for measure in LIMITED}, "limit:disk_used_pct": BEYOND, **FLEET},
        ["**1 项指标超出警告限值;最接近限值:prod-a-01,当前磁盘使用率 96.1%。**", "上升 (43% → 96.1%)", "- disk up"],
    ),
    (
        "对比 prod-a-01 和 prod-b-02",
        BOTH,
        ["**prod-a-01:磁盘使用率 警告;prod-b-02:compaction 分数 警告。**", "| compaction 分数 | – | 3,121 |"],
    ),
    (
        "费用最高的集群",
        {"bills": BILLS, "freshness": FRESH},
        ["**40 个集群的账单共 2,000 USD,2026-02-22 至 2026-02-28;最多的是 prod-a-01:1,200 USD。**"],
    ),
    (
        "哪些集群没有数据",
        {"silent": SILENT, "freshness": FRESH},
        ["**1 个活跃集群最近 3 小时没有发送指标;", "| 12 小时 |"],
    ),
    (
        "客户 acme 有哪些集群",
        {"members": MEMBERS, "patrols": PATROLS},
        ["**Acme (S 级、production、reports、账户 acc1):2 个活跃集群。**", "| us-east-1 | 严重 |"],
    ),
    ("哪些集群是 3.3.9 版本", {"members": MEMBERS, "patrols": PATROLS}, ["**2 个活跃集群运行版本 3.3.9。**"]),
    (
        "各区域有多少集群",
        {"breakdown": rows("label clusters:BIGINT", ("us-east-1", 3), ("eu-west-1", 2))},
        ["**5 个活跃集群分布于 2 个区域;最多的是 us-east-1 (3)。**"],
    ),
    ("prod-a-01 的日志", {"logs": rows("message")}, ["**prod-a-01 最近 6 小时没有日志。**"]),
    (
        "为什么 prod-a-01 慢?",
        {**ONE, "alerts": ALERT, "operations": NONE},
        ["**prod-a-01 状态为警告", "*判断原因或作出预测"],
    ),
    ("帮助", {}, ["我按固定规则从数据仓库回答以下问题:", "**单个集群**"]),
    ("今晚吃什么", {}, ["我没有理解这个问题。"]),
]
GIVEN = [*(limit.advice for limit in THRESHOLDS.values() if limit.advice), "disk up"]
"""English that the data and the scripted rules brought along."""
ENGLISH = re.compile(
    r"\b(?:the|of|is|in|are|by|with|now|last|first|next|no|none|still|clusters?|alerts?|issues?|hours?|days?|unknown"
    r"|critical|warning|tier|up|down|steady|within|mean|median|account|what|which|how|shown|stored|old)\b",
    re.IGNORECASE | re.ASCII,
)


@pytest.mark.parametrize(("question", "results", "said"), SAID, ids=[row[0] for row in SAID])
async def test_a_chinese_question_is_answered_in_chinese(question: str, results: Results, said: list[str]) -> None:
    thread = Thread()
    answer = await thread.ask(question, results)
    assert [text for text in said if text not in answer] == [], answer
    assert answer.startswith(said[0])
    for given in GIVEN:
        answer = answer.replace(given, "")
    assert ENGLISH.findall(answer) == []
    assert not results or unsupported(answer, thread.texts, [given for _, given in thread.calls], THRESHOLDS) == []


async def test_every_answer_from_failed_reads_is_chinese_and_concludes_nothing() -> None:
    for question, _, _ in SAID:
        for results in ({}, {"freshness": FRESH, "info:0": INFO_A, "info:1": INFO_B}):
            answer = await Thread().ask(question, results)
            assert ENGLISH.findall(answer) == []
            assert "没有告警" not in answer and "均无风险" not in answer and "没有操作" not in answer


async def test_an_unknown_cluster_is_told_with_the_names_near_it() -> None:
    near = fault(Code.BAD_ARGUMENT, "no such cluster", near=[f"prod-a-01 ({A})"])
    answer = await Thread().ask("prod-a-1 怎么样?", {"info:0": near, "freshness": FRESH})
    assert answer.startswith("没有找到集群 **prod-a-1**。您是否指以下之一?")
    assert f"| 集群 | ID |\n| --- | --- |\n| prod-a-01 | {A} |" in answer


async def test_the_chart_of_a_chinese_question_has_a_chinese_title() -> None:
    outcomes: dict[str, Outcome] = {}
    intent = understand("画出 prod-a-01 的磁盘曲线")
    texts = {"freshness": FRESH.text, "info:0": INFO_A.text}
    for _ in range(3):
        for ask in asks(intent, outcomes, THRESHOLDS):
            outcomes[ask.key] = read(texts.get(ask.role, COURSE), is_error=False)
    titles = [ask.arguments["title"] for ask in asks(intent, outcomes, THRESHOLDS) if ask.tool == "chart"]
    assert titles == ["prod-a-01:磁盘使用率"]


async def test_a_row_of_a_chinese_table_can_be_pointed_at() -> None:
    thread = Thread()
    await thread.ask("客户 acme 有哪些集群", {"members": MEMBERS, "patrols": PATROLS})
    answer = await thread.ask("第二个怎么样?", {"info:0": INFO_B, "freshness": FRESH, "vitals": VITALS})
    assert ("query_cluster_info", {"cluster": B[:8]}) in thread.calls
    assert answer.startswith("**prod-b-02 状态为警告:compaction 分数 3,121。**")


async def test_a_follow_up_of_a_name_alone_keeps_the_threads_language() -> None:
    thread = Thread()
    await thread.ask("prod-a-01 的告警", {"alerts": ALERT})
    assert (await thread.ask("prod-b-02?")).startswith("无法连接数据仓库")
    assert "最近 7 天内没有告警" in (await thread.ask("prod-b-02 的告警呢?", {"alerts": rows("state")}))
    assert "No alert of" in (await thread.ask("and the alerts of prod-b-02?", {"alerts": rows("state")}))


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("how is the fleet?", "en"),
        ("整体情况怎么样", "zh"),
        ("prod-a-01 的 p99 怎么样", "zh"),
        ("disk 趋势", "zh"),
        ("how is customer 京东 doing?", "en"),
        ("你好", "zh"),
        ("", "en"),
    ],
)
def test_a_question_has_a_language(question: str, language: str) -> None:
    assert understand(question).language == language


def test_a_question_of_names_and_figures_goes_on_in_the_language_before_it() -> None:
    before = understand("prod-a-01 的告警")
    assert understand("prod-b-02?", Context(last=before)).language == "zh"
    assert understand("prod-b-02?").language == "en"


@pytest.mark.parametrize("question", re.findall("“([^”]+)”", ZH.say("abilities")))
def test_what_the_help_offers_is_understood_and_asked_in_chinese(question: str) -> None:
    last = understand("prod-analytics-03 怎么样")
    intent = understand(question, Context(last=last, clusters=last.clusters))
    assert intent.kind not in {"unknown", "which_cluster", "help"}
    assert intent.language == "zh"


@pytest.mark.parametrize("key", PHRASES.texts)
def test_every_text_stands_in_every_language_with_the_same_placeholders(key: str) -> None:
    texts = PHRASES.texts[key]
    assert set(texts) == set(LANGUAGES)
    assert all(text.strip(" ,;") or key.startswith("list.") for text in texts.values())
    assert len({placeholders(text) for text in texts.values()}) == 1


def test_every_word_of_the_rules_is_known_in_chinese() -> None:
    rules = load_rules()
    words = {word for rule in rules.dimensions.values() for word in (rule.label, rule.advice)}
    words |= {measure.noun for measure in BY_KEY.values()} | set(TRAFFIC)
    same = {"BE CPU", "", "%", "ms"}
    assert {word for word in words | {measure.unit for measure in BY_KEY.values()} if ZH.own(word) == word} <= same


def test_a_label_that_its_owner_rewrote_is_shown_as_written() -> None:
    assert ZH.own("disk used, ours") == "disk used, ours"


def test_every_key_that_the_writers_ask_for_is_there_and_every_text_is_asked_for() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.py"))
    asked = set(re.findall(r'\bsay\(\s*"([a-z0-9_.]+)"', source))
    assert asked
    assert asked <= set(PHRASES.texts)
    prefixes = (*re.findall(r'f"([a-z_.]+\.)\{', source), "own.", "issues.none", "noun.", "column.")
    unused = {key for key in set(PHRASES.texts) - asked if not key.startswith(prefixes) and f'"{key}"' not in source}
    assert unused == set()


def test_a_key_in_two_files_is_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text("a.key: {en: a, zh: b}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"two\.yaml: a\.key stands in another catalogue"):
        catalogue(tmp_path)
