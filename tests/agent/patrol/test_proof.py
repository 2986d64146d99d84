"""Figures in the texts of a model's report: of the evidence, of its tools, or marked."""

from dataclasses import replace
from datetime import timedelta

from agent.answer import ToolTrace
from agent.patrol.evidence import Evidence
from agent.patrol.finding import ClusterEvidence, Finding, Identity
from agent.patrol.proof import proven
from agent.patrol.report import CustomerSummary, Prediction, RecommendedAction
from agent.patrol.sections import Flag, Sections
from agent.patrol.week import Filling, FleetTrend, Noisy, Recurring, Shift, Standing, Week
from agent.receipts import SIGN
from tests.agent.patrol.courses import AS_OF

FULL, HOT = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "12")
DISK = Finding(
    FULL, "disk_used_pct", "Critical", 93.456, "%", "disk used 93.5%", 60.0, 90.0, AS_OF - timedelta(hours=5), "q-1"
)
FLEET = Evidence(
    AS_OF,
    AS_OF,
    clusters=(
        ClusterEvidence(Identity(FULL, "full-one"), {"disk_used_pct": 93.456}, findings=(DISK,)),
        ClusterEvidence(Identity(HOT, "hot-one"), {"disk_used_pct": 41.2, "cpu_util_pct": 77.7}),
    ),
)
NAMES = ("prod-ads-02", "uat-shop-11")
TOOL_DATA = {
    "columns": [{"name": "n"}],
    "rows": [[4321]],
    "query_id": "q-9999",
    "sql": "S",
    "tables": ["byoc.clusters"],
}
TOOL = ToolTrace("read_query", {}, is_error=False, seconds=0.1, data=TOOL_DATA)


def test_every_text_of_a_report_is_checked() -> None:
    sections = Sections(
        "full-one is at 93.5% since 5 h, usually 60%; 4,321 queries.\nhot-one has 77.7% CPU, not 88.8%.",
        (Flag(FULL, "Critical", "disk at 93.5%, grows 12.34% a day"),),
        (Prediction("full-one reaches 99.1%", "High"),),
        (CustomerSummary("Acme", "S", "hot-one is at 93.5% of its disk"),),
        (RecommendedAction("Today", "free 7.7 TiB on full-one"),),
    )
    proof = proven(sections, FLEET, [TOOL])
    assert proof.sections.narrative == sections.narrative.replace("88.8%", f"88.8%{SIGN}")
    assert proof.sections.flags[0].reason == f"disk at 93.5%, grows 12.34%{SIGN} a day"
    assert proof.sections.predictions[0].text == f"full-one reaches 99.1%{SIGN}"
    assert proof.sections.customers[0].text == f"hot-one is at 93.5%{SIGN} of its disk"
    assert proof.sections.actions[0].text == f"free 7.7 TiB{SIGN} on full-one"
    assert (proof.unbound, proof.stated) == (5, 11)


def test_what_code_says_of_the_fleet_is_known_too() -> None:
    fleet = replace(FLEET, patterns=("3 of 3 clusters on 3.5.3 share query p99",), notes=("17 rows are no numbers",))
    proof = proven(Sections("1 of 2 clusters is flagged; 17 rows are bad."), fleet, [])
    assert proof.unbound == 0


def test_what_the_week_says_of_a_cluster_is_known_of_that_cluster_alone() -> None:
    shift = Shift("compaction_score", "", 61.0, 4021.0)
    week = Week(
        until="",
        fleet=FleetTrend(97.2, 99.8, 24, 3, 5),
        fell=(Standing(FULL, "full-one", 46.3, 98.9, (), (shift,)),),
        recurring=(Recurring(HOT, "hot-one", "cpu_util_pct", "Warning", 4, 2, True),),
        capacity=(Filling(HOT, "hot-one", "disk_used_pct", "%", 71.3, 90.0, 3.5, 38.2, 31.1, 49.4),),
        noise=(Noisy("TooSlow", 24, 6, 22, 20, 2),),
    )
    lines = ("Week: mean score 97.2 of 100, a week ago 99.8; of 24 clusters 3 better, 5 worse.",)
    fleet = replace(FLEET, week=week, week_lines=lines)
    said = (
        "The mean score went from 99.8 to 97.2.\n"
        "full-one fell from 98.9 to 46.3 as its compaction score went from 61 to 4,021.\n"
        "hot-one fills by 3.5 a week from 71.3% and is at 90% in 38 days (31 to 49), flagged on 4 days.\n"
        "TooSlow fired in 24 incidents, 22 without consequence (91.7%).\n"
    )
    assert proven(Sections(said), fleet, []).unbound == 0
    assert proven(Sections("hot-one fell from 98.9 to 46.3."), fleet, []).unbound == 2
    assert proven(Sections("full-one is at 90% in 38 days."), fleet, []).sections.narrative.count(SIGN) == 1


def test_times_ids_and_names_that_are_in_no_result_are_marked_like_figures() -> None:
    onset = f"{DISK.since:%Y-%m-%d %H:%M}"
    fleet = replace(FLEET, clusters=tuple(_renamed(one, name) for one, name in zip(FLEET.clusters, NAMES, strict=True)))
    said = (
        f"prod-ads-02 ({FULL[:8]}) is full since {onset} UTC, not since 03:30, and prod-pay-09 (99999999-aaaa) not.\n"
        "At 11:11 somebody upgraded it, as the audit of q-9999 says and q-nothing does not."
    )
    log = replace(TOOL, data={**TOOL_DATA, "rows": [["2026-11-19 11:11:09 upgrade"]]})
    proof = proven(Sections(said), fleet, [log])
    marked = [word.strip(",.()").removesuffix(SIGN) for word in proof.sections.narrative.split() if SIGN in word]
    assert marked == ["03:30", "prod-pay-09", "99999999-aaaa", "q-nothing"]
    assert proof.unbound == 4


def test_what_failed_proves_no_name() -> None:
    asked = ToolTrace("query_cluster_info", {"cluster": "prod-pay-09"}, is_error=True, seconds=0.1, text="prod-pay-09?")
    fleet = replace(FLEET, clusters=tuple(_renamed(one, name) for one, name in zip(FLEET.clusters, NAMES, strict=True)))
    assert proven(Sections("prod-pay-09 is well"), fleet, [asked]).unbound == 1
    assert proven(Sections("prod-pay-09 is well"), fleet, [replace(asked, is_error=False)]).unbound == 0


def test_what_is_expected_may_be_told_as_a_time() -> None:
    soon = replace(DISK, hours_left=9.6, breaking=100.0)
    fleet = replace(FLEET, clusters=(replace(FLEET.clusters[0], findings=(soon,)), FLEET.clusters[1]))
    at = AS_OF + timedelta(hours=10)
    flags = (Flag(FULL, "Critical", f"full by {at:%Y-%m-%d %H:%M}"),)
    assert proven(Sections("n", flags), fleet, []).unbound == 0
    assert proven(Sections("n", flags), FLEET, []).unbound == 1


def test_what_is_said_of_a_flagged_cluster_is_held_against_that_cluster_without_its_name() -> None:
    mild = (Flag(HOT, "Warning", "its disk is at 93.5%", because="its disk is at 41.2% only, not 93.5%"),)
    proof = proven(Sections("n", mild), FLEET, [])
    assert proof.sections.flags[0].reason == f"its disk is at 93.5%{SIGN}"
    assert proof.sections.flags[0].because == f"its disk is at 41.2% only, not 93.5%{SIGN}"


def _renamed(cluster: ClusterEvidence, name: str) -> ClusterEvidence:
    return replace(cluster, identity=replace(cluster.identity, name=name))
