"""What each kind of answer says first, of which rows, and what it says when there are none or they cannot be read."""

from collections.abc import Mapping

import pytest

from agent.rules_only.measures import LIMITED
from agent.tools import ToolResult
from mcp_server.errors import Code
from tests.agent.rules_only.scripted import FRESH, INFO_A, INFO_B, THRESHOLDS, A, B, Thread, fault, rows
from tests.agent.rules_only.supported import unsupported

Results = Mapping[str, ToolResult]
MEMBER = "cluster_name cluster_id account_id customer tier sr_version region stage use_case total:BIGINT"
PATROL = "created_at:DATETIME flagged:BIGINT name_0 severity_0 name_1 severity_1 name_2 severity_2 forecast_0"
LATEST = ("2026-03-01 02:05:00", 3, "prod-a-01", "Critical", "prod-b-02", "Warning", "prod-d-04", "Unknown", "disk up")
EARLIER = ("2026-02-28 02:05:00", 2, "prod-b-02", "Unknown", "prod-c-03", "Warning", None, None, None)
PATROLS = rows(PATROL, LATEST, EARLIER)
OPERATIONS = rows(
    "created_at:DATETIME type state cluster_name cluster_id detail total:BIGINT",
    ("2026-03-01 01:00:00", "UPDATE", "SUCCESS", "prod-a-01", A, "sr_version 3.3.9-ee -> 3.4.7-ee", 31),
)
BILLS = rows(
    "cluster_name cluster_id amount:DECIMAL ccu:DOUBLE first_day:DATE last_day:DATE fleet:DECIMAL total:BIGINT",
    ("prod-a-01", A, 1200.5, 3400, "2026-02-22", "2026-02-28", 2000.5, 40),
    ("prod-b-02", B, 800, 2300, "2026-02-22", "2026-02-28", 2000.5, 40),
)
MEMBERS = rows(
    MEMBER,
    ("prod-a-01", A, "acc1", "Acme", "S", "3.3.9-ee", "us-east-1", "production", "reports", 2),
    ("prod-z-09", B, "acc1", "Acme", "S", "3.4.7-ee", "us-east-1", "production", "reports", 2),
)
LEVEL = "cluster_id measure latest:DOUBLE enough:BIGINT first_day:DOUBLE highest:DOUBLE lowest:DOUBLE"
RANKED = f"cluster_name customer tier {LEVEL} total:BIGINT"
SILENT = rows(
    "cluster_name cluster_id customer tier last_hour:DATETIME hours_silent:BIGINT total:BIGINT",
    ("prod-q-07", A, None, None, "2026-02-28 14:00:00", 12, 1),
)
SUMMARY = rows("dimension value clusters:BIGINT", ("clusters", "active", 24))
NONE = rows("nothing")

SAID: list[tuple[str, str, Results, list[str]]] = [
    (
        "news names what is new, worse and over, and what was done",
        "what is new?",
        {"patrols": PATROLS, "operations": OPERATIONS, "freshness": FRESH},
        [
            "**2 newly flagged, 1 worse, 1 no longer flagged, from 2026-02-28 02:05 UTC to 2026-03-01 02:05 UTC.**",
            "- New: prod-a-01 (Critical), prod-d-04 (Unknown)",
            "- Worse: prod-b-02 (Unknown → Warning)",
            "- No longer flagged: prod-c-03 (Warning)",
            "31 operations in the last 24 hours",
            "1 of 31 shown.",
        ],
    ),
    (
        "one report alone does not tell what is new",
        "what is new?",
        {"patrols": rows(PATROL, LATEST), "operations": NONE, "freshness": FRESH},
        ["**What is new cannot be told by patrol reports: it takes two, and only one is stored", "No operation in the"],
    ),
    (
        "no report at all is said",
        "what is new?",
        {"patrols": rows(PATROL), "operations": NONE, "freshness": FRESH},
        ["it takes two, and none is stored.**"],
    ),
    (
        "a report longer than what was read is told",
        "what is new?",
        {"patrols": rows(PATROL, (LATEST[0], 57, *LATEST[2:]), EARLIER), "operations": NONE, "freshness": FRESH},
        ["*Only the first 40 of 57 flagged clusters were compared.*"],
    ),
    (
        "a version lists its clusters with what the patrol thinks of them",
        "which clusters run 3.3.9?",
        {"members": MEMBERS, "patrols": PATROLS},
        ["**2 active clusters run version 3.3.9.**", "3.3.9-ee", "| Critical |", "Patrol of 2026-03-01 02:05 UTC"],
    ),
    (
        "a customer is told with tier, stage, use and account",
        "who is customer Acme?",
        {"members": MEMBERS, "patrols": rows(PATROL)},
        ["**Acme (tier S, production, reports, account acc1): 2 active clusters.**", "prod-z-09"],
    ),
    (
        "an unknown customer is not made up",
        "who is customer Nobody?",
        {"members": rows(MEMBER), "patrols": PATROLS},
        ["**No active cluster is known to belong to nobody.**", '"clusters by customer"'],
    ),
    (
        "an unused version is said to be unused",
        "which clusters run 9.9?",
        {"members": rows(MEMBER), "patrols": PATROLS},
        ["**No active cluster is known to run version 9.9.**"],
    ),
    (
        "cost sums up the fleet and names who pays most",
        "most expensive clusters",
        {"bills": BILLS, "freshness": FRESH},
        [
            "**2,000 USD billed to 40 clusters, 2026-02-22 to 2026-02-28; most to prod-a-01: 1,200 USD.**",
            "2 of 40 shown.",
        ],
    ),
    (
        "cost of one cluster is its own",
        "what does prod-a-01 cost?",
        {"bills": BILLS, "freshness": FRESH, "info:0": INFO_A},
        ["**prod-a-01 was billed 1,200 USD, 2026-02-22 to 2026-02-28.**"],
    ),
    (
        "no bill is no statement",
        "cost by customer",
        {"bills": rows("customer amount:DECIMAL"), "freshness": FRESH},
        ["**No bill of the last 7 days is in the warehouse, so I can say nothing about cost.**"],
    ),
    (
        "a warehouse without bills does not cover cost",
        "cost by customer",
        {"bills": fault(Code.UNKNOWN_TABLE, "no such table", part="byoc.bill_detail"), "freshness": FRESH},
        ["**Cost and usage are not covered: the warehouse has no billing table that I can read.**"],
    ),
    (
        "the overview leads with the patrol's verdict",
        "how is the fleet?",
        {"summary": SUMMARY, "patrols": PATROLS, "silent": SILENT, "freshness": FRESH, "beyond": rows(RANKED)},
        [
            "**24 active clusters. Patrol of 2026-03-01 02:05 UTC: 1 Critical, 1 Warning, 1 Unknown flagged.**",
            "Silent, so their health is unknown: 1 cluster (prod-q-07)",
            "0 measurements",
            "Alerts: could not be read (not reachable)",
        ],
    ),
    (
        "a measure that came to less than it takes to judge has no verdict",
        "how is prod-a-01?",
        {"info:0": INFO_A, "freshness": FRESH, "vitals": rows(LEVEL, (A, "error_share_pct", 50.0, 0, 0.0, 50.0, 0.0))},
        ["**prod-a-01: no vital measure is beyond a limit of the rules.**", "| failed queries | 50% |"],
    ),
    (
        "old metrics of a cluster make it unknown",
        "how is prod-a-01?",
        {
            "info:0": rows(
                "cluster_id cluster_name newest_metrics_hour:DATETIME", (A, "prod-a-01", "2026-02-28 23:00:00")
            ),
            "freshness": FRESH,
            "vitals": rows(LEVEL, (A, "disk_used_pct", 95.0, 1, 50.0, 95.0, 50.0)),
        },
        ["**prod-a-01 sent no vital measures in the last 3 h: its health is unknown, not good.**"],
    ),
    (
        "a stopped cluster is not called sick",
        "how is prod-a-01?",
        {"info:0": rows("cluster_id cluster_name state", (A, "prod-a-01", "stopped")), "freshness": FRESH},
        ["**prod-a-01 is stopped, so it is expected to send nothing.**"],
    ),
    (
        "a falling measure is ranked and judged by its low end",
        "which clusters have the lowest memory?",
        {
            "ranking": rows(RANKED, ("prod-a-01", "Acme", "S", A, "memory_available_pct", 9.0, 1, 50.0, 60.0, 8.0, 24)),
            "freshness": FRESH,
        },
        [
            "**prod-a-01 has the lowest memory available: 9% now.**",
            "| 9% (Critical) | 8% | down (50% → 9%) |",
            "1 of 24",
        ],
    ),
    (
        "every value of now says which statistic it is",
        "top 3 clusters by compaction",
        {
            "ranking": rows(RANKED, ("prod-a-01", None, None, A, "compaction_score", 3121.0, 1, 16.0, 3300.0, 10.0, 1)),
            "freshness": FRESH,
        },
        ["*Now is the median of the newest 3 h, each the hourly maximum.*", "3,121 (Warning)", "up 195-fold"],
    ),
    (
        "capacity quotes what the patrol expects",
        "near breaking point",
        {
            **{f"limit:{measure.key}": NONE for measure in LIMITED},
            "limit:disk_used_pct": rows(
                RANKED, ("prod-a-01", None, None, A, "disk_used_pct", 96.1, 1, 43.0, 97, 40, 1)
            ),
            "patrols": PATROLS,
            "freshness": FRESH,
        },
        [
            "nearest to its limit: prod-a-01, disk used 96.1% now.**",
            "up (43% → 96.1%)",
            "- disk up",
            "free space or grow",
        ],
    ),
    (
        "no alert in the window is said with the window",
        "alerts today",
        {"alerts": rows("alert_name"), "alerts_by_cluster": rows("cluster_name"), "freshness": FRESH},
        [
            "**No alert fired in the 24 hours up to the newest metrics.**",
            "Newest metrics: 2026-03-01 02:00 UTC, 1 h old.",
        ],
    ),
    ("no log line is said", "logs of prod-a-01", {"logs": rows("message")}, ["**No log line is kept for prod-a-01"]),
    (
        "no open issue is said",
        "open warning issues",
        {"issues": rows("severity")},
        ["**There is no open Warning issue.**"],
    ),
    ("no report is said", "last patrol", {"patrol": rows("report_id")}, ["**No patrol report is stored yet."]),
    (
        "no silent cluster is said",
        "silent clusters",
        {"silent": rows("cluster_name"), "freshness": FRESH},
        ["**Every active cluster sent metrics in the last 3 h.**"],
    ),
    (
        "a measure nobody sent is missing and not healthy",
        "routine load lag by cluster",
        {"ranking": rows(RANKED), "freshness": FRESH},
        ["**No active cluster sent routine load lag in the last 7 days.** Missing data is not health."],
    ),
    (
        "a comparison with a cluster that sends nothing says so",
        "compare prod-a-01 with prod-b-02",
        {
            "info:0": INFO_A,
            "info:1": INFO_B,
            "freshness": FRESH,
            "vitals": rows(LEVEL, (A, "disk_used_pct", 85.0, 1, 80.0, 86.0, 79.0)),
        },
        ["**prod-a-01: disk used Warning; prod-b-02: no recent metrics.**", "| disk used | 85% | – |"],
    ),
]


@pytest.mark.parametrize(("question", "results", "said"), [row[1:] for row in SAID], ids=[row[0] for row in SAID])
async def test_an_answer_says(question: str, results: Results, said: list[str]) -> None:
    thread = Thread()
    answer = await thread.ask(question, results)
    opening, *rest = said
    assert answer.startswith(opening) or opening in answer.split("\n\n")[0] or not opening.startswith("**"), answer
    assert [text for text in rest if text not in answer] == []
    assert unsupported(answer, thread.texts, [given for _, given in thread.calls], THRESHOLDS) == []


ASKED = [row[1] for row in SAID] + ["disk of prod-a-01", "alerts of prod-a-01", "clusters by region", "latency trend"]


@pytest.mark.parametrize("code", [Code.UNAVAILABLE, Code.TIMEOUT, Code.PERMISSION, Code.EXECUTION])
async def test_no_answer_is_given_from_failed_reads(code: Code) -> None:
    class Failing(dict[str, ToolResult]):
        def get(self, key: str, default: object = None) -> ToolResult:
            return fault(code, "secret detail of the server")

    for question in dict.fromkeys(ASKED):
        answer = await Thread().ask(question, Failing())
        assert "secret detail" not in answer
        assert "**No " not in answer and "Every active cluster" not in answer and "0 " not in answer, answer


@pytest.mark.parametrize("question", list(dict.fromkeys(ASKED)))
async def test_one_failed_part_is_named_and_never_read_as_none(question: str) -> None:
    """Everything but the freshness fails: nothing may be concluded from what was not read."""
    answer = await Thread().ask(question, {"freshness": FRESH, "info:0": INFO_A, "info:1": INFO_B})
    for claim in ("**No ", "There is no", "Every active cluster", "no cluster sent", "is no active cluster"):
        assert claim not in answer
    assert "could not be read" in answer or "cannot be reached" in answer or "here is what could be" in answer


HOSTILE = "<!channel> [x](https://evil.example) `a`|b @all"


@pytest.mark.parametrize(
    ("question", "role", "result"),
    [
        ("who is customer Acme?", "members", rows(MEMBER, (HOSTILE, A, HOSTILE, HOSTILE, "S", *[HOSTILE] * 4, 1))),
        ("cost by customer", "bills", rows("customer amount:DECIMAL first_day", (HOSTILE, 5, HOSTILE))),
        ("what is new?", "patrols", rows(PATROL, *[("2026-03-01 02:05:00", 1, HOSTILE, HOSTILE, *[None] * 5)] * 2)),
        ("clusters by region", "breakdown", rows("label clusters:BIGINT", (HOSTILE, 3))),
        ("last patrol", "patrol", rows("report_id created_at part_0", (HOSTILE, HOSTILE, HOSTILE))),
        ("what changed?", "operations", rows("created_at type state cluster_name cluster_id detail", (HOSTILE,) * 6)),
        ("top 3 by disk", "ranking", rows(RANKED, (HOSTILE, HOSTILE, "S", A, "disk_used_pct", 9, 1, 9, 9, 9, 1))),
    ],
)
async def test_hostile_words_from_the_data_stay_inert(question: str, role: str, result: ToolResult) -> None:
    answer = await Thread().ask(
        question, {role: result, "freshness": FRESH, "patrols": NONE, "operations": NONE} | {role: result}
    )
    assert not [raw for raw in ("<!channel>", "https://", "`a`", "@all") if raw in answer]


async def test_a_follow_up_finds_the_customers_second_cluster() -> None:
    thread = Thread()
    await thread.ask("who is customer Acme?", {"members": MEMBERS, "patrols": PATROLS})
    await thread.ask("how is the second one?", {"info:0": INFO_B, "freshness": FRESH})
    assert ("query_cluster_info", {"cluster": B[:8]}) in thread.calls


async def test_the_cost_of_another_cluster_is_asked_by_its_name_alone() -> None:
    thread = Thread()
    await thread.ask("what does prod-a-01 cost?", {"info:0": INFO_A, "bills": BILLS, "freshness": FRESH})
    await thread.ask("and prod-b-02?", {"info:0": INFO_B, "bills": BILLS, "freshness": FRESH})
    assert any(B in given.get("sql", "") for _, given in thread.calls)
    assert ("query_cluster_info", {"cluster": "prod-b-02"}) in thread.calls
