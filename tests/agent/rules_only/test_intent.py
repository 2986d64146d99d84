"""Questions as people write them, and what each asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.rules_only.intent import Context, Intent, normalise, understand
from agent.rules_only.references import MAX_HOURS, window

UUID = "0f3a91c2-7b1e-4c55-9d20-aa10be77c001"

# question | kind | what else must be understood
QUESTIONS = [
    ("how is the fleet?", "overview", {}),
    ("Give me a fleet overview", "overview", {}),
    ("fleet health", "overview", {}),
    ("status?", "overview", {}),
    ("how are we doing", "overview", {}),
    ("everything ok?", "overview", {}),
    ("how many active clusters are there", "overview", {}),
    ("summarize the fleet please", "overview", {}),
    ("集群整体情况怎么样？", "overview", {}),
    ("现在有多少个集群", "overview", {}),
    ("健康概览", "overview", {}),
    ("which clusters are worst?", "worst", {}),
    ("show top 5 worst clusters", "worst", {"limit": 5}),
    ("is anything on fire?", "worst", {}),
    ("what needs attention", "worst", {}),
    ("any problems right now?", "worst", {}),
    ("list unhealthy clusters", "worst", {}),
    ("how are tier S customers?", "worst", {"important": True}),
    ("重要客户有风险吗", "worst", {"important": True}),
    ("哪些集群最差？", "worst", {}),
    ("有异常吗", "worst", {}),
    ("how is prod-analytics-03?", "status", {"clusters": ("prod-analytics-03",)}),
    ("How is Prod-Analytics-03 doing today?", "status", {"clusters": ("prod-analytics-03",)}),
    ("prod-analytics-03", "status", {"clusters": ("prod-analytics-03",)}),
    ("status of cluster 1a2b3c4d", "status", {"clusters": ("1a2b3c4d",)}),
    (f"what about {UUID}", "status", {"clusters": (UUID,)}),
    ("what's wrong with prod-analytics-03", "status", {"clusters": ("prod-analytics-03",)}),
    ("tell me about 'My Cluster'", "status", {"clusters": ("my cluster",)}),
    ("how is sparrow?", "status", {"clusters": ("sparrow",)}),
    ("is cluster sparrow healthy", "status", {}),
    ("how is disk-alerts-1?", "status", {"clusters": ("disk-alerts-1",), "measure": None}),
    ("why is prod-analytics-03 slow?", "status", {"beyond": True}),
    ("prod-analytics-03 怎么样", "status", {"clusters": ("prod-analytics-03",)}),
    ("集群 prod-analytics-03 的状态", "status", {"clusters": ("prod-analytics-03",)}),
    ("alerts in the last 24 hours", "alerts", {"hours": 24, "clusters": ()}),
    ("what is firing?", "alerts", {}),
    ("any alarms today?", "alerts", {"hours": 24}),
    ("alert summary", "alerts", {"hours": 168}),
    ("did anything page us last night", "alerts", {"hours": 24}),
    (
        "any alerts for prod-analytics-03 in the last 3 days?",
        "alerts",
        {"hours": 72, "clusters": ("prod-analytics-03",)},
    ),
    ("最近24小时的告警", "alerts", {"hours": 24}),
    ("prod-analytics-03 有告警吗", "alerts", {"clusters": ("prod-analytics-03",)}),
    ("open issues", "issues", {"severity": ""}),
    ("open critical issues", "issues", {"severity": "Critical"}),
    ("show 5 warning issues", "issues", {"severity": "Warning", "limit": 5}),
    ("未解决的严重问题单", "issues", {"severity": "Critical"}),
    ("latency trend", "series", {"measure": "p99_latency_ms", "clusters": ()}),
    ("query latency over the last 2 days", "series", {"measure": "p99_latency_ms", "hours": 48}),
    ("p99 of prod-analytics-03 over the last 7 days", "series", {"measure": "p99_latency_ms", "hours": 168}),
    ("延迟趋势", "series", {"measure": "p99_latency_ms"}),
    ("disk usage of prod-analytics-03", "series", {"measure": "disk_used_pct"}),
    ("cpu on prod-analytics-03 yesterday", "series", {"measure": "cpu_util_pct", "hours": 48}),
    ("compaction score prod-analytics-03 12h", "series", {"measure": "compaction_score", "hours": 12}),
    ("starrocks_fe_connection_total of prod-analytics-03", "series", {"measure": "fe_connection_total"}),
    ("fe heap of the fleet", "series", {"measure": "fe_heap_used_pct", "clusters": ()}),
    ("error rate of prod-analytics-03", "series", {"measure": "error_share_pct"}),
    ("query errors across the fleet in the last 48h", "series", {"measure": "error_share_pct", "hours": 48}),
    ("memory of prod-analytics-03 over the past two weeks", "series", {"measure": "memory_available_pct"}),
    ("prod-analytics-03 最近3天的内存", "series", {"measure": "memory_available_pct", "hours": 72}),
    ("prod-analytics-03 的 cpu 两周趋势", "series", {"measure": "cpu_util_pct", "hours": 336}),
    ("which clusters have the highest cpu?", "ranking", {"measure": "cpu_util_pct", "ascending": False}),
    ("top 3 clusters by disk", "ranking", {"measure": "disk_used_pct", "limit": 3}),
    ("slowest clusters", "ranking", {"measure": "p99_latency_ms"}),
    ("which clusters use the most memory", "ranking", {"measure": "memory_available_pct"}),
    ("lowest qps", "ranking", {"measure": "qps", "ascending": True}),
    ("slow queries by cluster", "ranking", {"measure": "slow_query_pct"}),
    ("who has routine load lag", "ranking", {"measure": "routine_load_lag"}),
    ("磁盘使用率最高的集群", "ranking", {"measure": "disk_used_pct"}),
    ("which clusters are near breaking point?", "limits", {}),
    ("are we about to run out of disk anywhere?", "limits", {"measure": "disk_used_pct"}),
    ("who is close to the limit", "limits", {}),
    ("哪些集群磁盘快满了", "limits", {"measure": "disk_used_pct"}),
    ("compare prod-a-01 with prod-b-02", "compare", {"clusters": ("prod-a-01", "prod-b-02")}),
    ("prod-a-01 vs prod-b-02", "compare", {"clusters": ("prod-a-01", "prod-b-02")}),
    ("对比 prod-a-01 和 prod-b-02", "compare", {"clusters": ("prod-a-01", "prod-b-02")}),
    ("compare sparrow with eagle", "compare", {"clusters": ("sparrow", "eagle")}),
    ("difference between sparrow and eagle?", "compare", {"clusters": ("sparrow", "eagle")}),
    ("compare disk with cpu", "which_cluster", {}),
    ("compare", "which_cluster", {}),
    ("what changed this week?", "operations", {"hours": 168}),
    ("any operations on prod-analytics-03?", "operations", {"hours": 336, "clusters": ("prod-analytics-03",)}),
    ("who was restarted or upgraded yesterday", "operations", {"hours": 48}),
    ("最近7天有哪些变更", "operations", {"hours": 168}),
    ("clusters by version", "breakdown", {"grouping": "version"}),
    ("which versions are we running?", "breakdown", {"grouping": "version"}),
    ("how many clusters per region?", "breakdown", {"grouping": "region", "clusters": ()}),
    ("count of clusters by cloud", "breakdown", {"grouping": "cloud"}),
    ("breakdown by customer", "breakdown", {"grouping": "customer"}),
    ("各版本分布", "breakdown", {"grouping": "version"}),
    ("which clusters stopped reporting?", "silent", {}),
    ("any silent clusters?", "silent", {}),
    ("哪些集群没有数据", "silent", {}),
    ('show logs of prod-analytics-03 matching "OutOfMemory"', "logs", {"pattern": "outofmemory"}),
    ("logs of prod-analytics-03 in the last 2 hours", "logs", {"hours": 2, "clusters": ("prod-analytics-03",)}),
    ("show me the logs", "which_cluster", {}),
    ("what did the last patrol say?", "patrol", {}),
    ("latest report", "patrol", {}),
    ("which clusters run version 3.3.9?", "members", {"version": "3.3.9"}),
    ("what clusters are on 3.4", "members", {"version": "3.4"}),
    ("who is still running v3.1.15?", "members", {"version": "3.1.15"}),
    ("list 3.5.3-ee clusters", "members", {"version": "3.5.3"}),
    ("哪些集群是 3.3.9 版本", "members", {"version": "3.3.9"}),
    ("who is customer Acme Corp?", "members", {"customer": "acme corp"}),
    ("clusters of customer Acme", "members", {"customer": "acme"}),
    ("clusters of Acme-Labs", "members", {"customer": "acme-labs", "clusters": ()}),
    ("account a4zgpz33k", "members", {"customer": "a4zgpz33k"}),
    ("how is customer Acme doing?", "members", {"customer": "acme"}),
    ("who is Solstice Data?", "members", {"customer": "solstice data"}),
    ("客户 acme 有哪些集群", "members", {"customer": "acme"}),
    ("what is new?", "news", {"hours": 24}),
    ("what changed since yesterday?", "news", {"hours": 48}),
    ("anything new since the last patrol?", "news", {}),
    ("有什么变化", "news", {}),
    ("cost by customer", "cost", {"grouping": "customer", "hours": 168}),
    ("what does prod-a-01 cost?", "cost", {"clusters": ("prod-a-01",)}),
    ("most expensive clusters of the last 30 days", "cost", {"hours": 720, "clusters": ()}),
    ("费用最高的集群", "cost", {}),
    ("clusters by customer", "breakdown", {"grouping": "customer", "customer": ""}),
    ("what is up with the cpu trend?", "series", {"measure": "cpu_util_pct"}),
    ("help", "help", {}),
    ("hello", "help", {}),
    ("what can you do?", "help", {}),
    ("你能做什么", "help", {}),
    ("what is the weather in Paris?", "unknown", {}),
    ("write me a poem", "unknown", {}),
    ("", "unknown", {}),
    ("SELECT * FROM alerts.lark_alerts; DROP TABLE x", "unknown", {}),
    ("'; drop table byoc.clusters; --", "unknown", {}),
]


@pytest.mark.parametrize(("question", "kind", "more"), QUESTIONS, ids=[row[0][:40] or "empty" for row in QUESTIONS])
def test_a_question_is_understood(question: str, kind: str, more: dict[str, object]) -> None:
    intent = understand(question)
    found = {name: getattr(intent, name) for name in more}
    if intent.measure is not None and "measure" in more:
        found["measure"] = intent.measure.key
    assert (intent.kind, found) == (kind, more)


def thread(*questions: str, listed: tuple[str, ...] = ()) -> Context:
    context = Context()
    for question in questions:
        intent = understand(question, context)
        spoken_of = tuple(dict.fromkeys((*intent.clusters, *context.clusters)))
        context = Context(last=intent, clusters=spoken_of, listed=listed)
    return context


FOLLOW_UPS = [
    (("how is prod-a-01?",), "and its alerts?", "alerts", {"clusters": ("prod-a-01",)}),
    (("how is prod-a-01?",), "alerts too", "alerts", {"clusters": ("prod-a-01",)}),
    (("how is prod-a-01?",), "what changed on it?", "operations", {"clusters": ("prod-a-01",)}),
    (("how is prod-a-01?",), "compare it with prod-b-02", "compare", {"clusters": ("prod-a-01", "prod-b-02")}),
    (("how is prod-a-01?",), "compare with prod-b-02", "compare", {"clusters": ("prod-a-01", "prod-b-02")}),
    (("how is prod-a-01?",), "why?", "status", {"clusters": ("prod-a-01",), "beyond": True}),
    (("how is prod-a-01?",), "and prod-b-02?", "status", {"clusters": ("prod-b-02",)}),
    (("how is prod-a-01?",), "its disk over 3 days", "series", {"clusters": ("prod-a-01",), "hours": 72}),
    (("how is prod-a-01?",), "它的告警呢", "alerts", {"clusters": ("prod-a-01",)}),
    (("how is prod-a-01?",), "show me the logs", "logs", {"clusters": ("prod-a-01",)}),
    (("alerts of prod-a-01 today",), "same for last week", "alerts", {"clusters": ("prod-a-01",), "hours": 168}),
    (("alerts of prod-a-01 today",), "and prod-b-02?", "alerts", {"clusters": ("prod-b-02",), "hours": 24}),
    (("alerts today",), "same for last week", "alerts", {"clusters": (), "hours": 168}),
    (("cpu of prod-a-01",), "and for prod-b-02?", "series", {"clusters": ("prod-b-02",), "hours": 168}),
    (("cpu of prod-a-01",), "last 24 hours", "series", {"clusters": ("prod-a-01",), "hours": 24}),
    (("open issues",), "only critical", "issues", {"severity": "Critical"}),
    (("clusters by version",), "and by region", "breakdown", {"grouping": "region"}),
    (("which clusters are worst?",), "more", "worst", {"limit": 40}),
    (("how is prod-a-01?", "how is prod-b-02?"), "compare them", "compare", {"clusters": ("prod-a-01", "prod-b-02")}),
    (("what does prod-a-01 cost?",), "and prod-b-02?", "cost", {"clusters": ("prod-b-02",), "customer": ""}),
    (("who is customer acme?",), "and customer beta?", "members", {"customer": "beta"}),
    (("which clusters run 3.3.9?",), "and 3.4.7?", "members", {"version": "3.4.7"}),
    (("how is prod-a-01?",), "它怎么样", "status", {"clusters": ("prod-a-01",)}),
    (("how is prod-a-01?",), "为什么", "status", {"clusters": ("prod-a-01",), "beyond": True}),
    (("how is prod-a-01?",), "how is the fleet?", "overview", {"clusters": ()}),
]


@pytest.mark.parametrize(("before", "question", "kind", "more"), FOLLOW_UPS, ids=[row[1] for row in FOLLOW_UPS])
def test_a_follow_up_takes_what_it_leaves_out_from_the_thread(
    before: tuple[str, ...], question: str, kind: str, more: dict[str, object]
) -> None:
    intent = understand(question, thread(*before))
    assert (intent.kind, {name: getattr(intent, name) for name in more}) == (kind, more)


LISTED = ("1a2b3c4d", "5e6f7a8b", "9c0d1e2f")


@pytest.mark.parametrize(
    ("question", "cluster"),
    [
        ("the second one", "5e6f7a8b"),
        ("how is the first one?", "1a2b3c4d"),
        ("why?", "1a2b3c4d"),
        ("what about #3", "9c0d1e2f"),
        ("第二个呢", "5e6f7a8b"),
        ("第3个怎么样", "9c0d1e2f"),
        ("第 3 个怎么样", "9c0d1e2f"),
    ],
)
def test_a_place_in_the_last_list_is_that_cluster(question: str, cluster: str) -> None:
    intent = understand(question, thread("which clusters are worst?", listed=LISTED))
    assert (intent.kind, intent.clusters) == ("status", (cluster,))


def test_a_place_beyond_the_list_is_not_guessed() -> None:
    intent = understand("the fifth one", thread("which clusters are worst?", listed=LISTED))
    assert intent.clusters == ()


def test_its_alerts_without_a_cluster_in_the_thread_are_the_fleets() -> None:
    assert understand("and its alerts?").clusters == ()


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("last 24 hours", 24),
        ("past 3d", 72),
        ("2 weeks", 336),
        ("最近两周", 336),
        ("过去半天", 12),
        ("十天", 240),
        ("today", 24),
        ("999 weeks", MAX_HOURS),
        ("0 days", 1),
        ("p99 now", None),
    ],
)
def test_a_window_is_read_in_hours_and_bounded(text: str, hours: int | None) -> None:
    assert window(text) == hours


@given(st.text(max_size=300), st.text(max_size=60))
def test_any_text_has_an_intent_within_bounds(question: str, before: str) -> None:
    intent = understand(question, thread(before, listed=LISTED))
    assert isinstance(intent, Intent)
    assert len(intent.clusters) <= 4
    assert intent.kind in {"help", "unknown"} or 1 <= intent.hours <= MAX_HOURS
    assert 1 <= intent.limit <= 40


def test_ten_kilobytes_are_cut_and_understood_by_their_beginning() -> None:
    question = "how is the fleet? " + "a-" * 5000
    assert len(normalise(question)) <= 2000
    assert understand(question).kind in {"overview", "status"}


def test_control_and_direction_characters_do_not_hide_words() -> None:
    assert understand("how is\u202e the\x00 fleet?").kind == "overview"
