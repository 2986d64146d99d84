"""Figures in the texts of a model's report: of the evidence, of its tools, or marked."""

from dataclasses import replace
from datetime import timedelta

from agent.answer import ToolTrace
from agent.patrol.evidence import Evidence
from agent.patrol.finding import ClusterEvidence, Finding, Identity
from agent.patrol.proof import proven
from agent.patrol.report import CustomerSummary, Prediction, RecommendedAction
from agent.patrol.sections import Flag, Sections
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
TOOL = ToolTrace(
    "read_query",
    {},
    is_error=False,
    seconds=0.1,
    data={"columns": [{"name": "n"}], "rows": [[4321]], "query_id": "q-9", "sql": "S", "tables": ["byoc.clusters"]},
)


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
