"""Siblings: who they are, what they say of a finding, and that nobody is compared with what means something else."""

import json
from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.patrol.comparison import compared
from agent.patrol.evidence import PROMPT_CHARS
from agent.patrol.explain import cluster_of, explained
from agent.patrol.finding import ClusterEvidence, Finding, Identity
from agent.patrol.report import report_of
from agent.patrol.rules import load_rules
from agent.patrol.run import Patrol
from agent.patrol.siblings import Siblings
from tests.agent.doubles import ScriptedModel
from tests.agent.patrol.test_evidence import HOT, cid, healthy, look
from tests.agent.patrol.test_run import Store
from tests.agent.patrol.warehouse import NOW, Cluster, FleetTools


def cluster(name: str, cpu: float | None, *, sick: bool = False, dimension: str = "cpu_util_pct", **more: Any):
    identity = Identity(name, name, **{"account_id": "acc", "cluster_type": "CLASSIC"} | more)
    found = (Finding(name, dimension, "Warning", cpu or 0.0, "%", "busy"),) if sick else ()
    return ClusterEvidence(identity, {} if cpu is None else {dimension: cpu}, findings=found)


def told(*clusters: ClusterEvidence) -> Siblings | None:
    """What is said beside the finding of the first of them."""
    return compared(clusters)[0].findings[0].siblings


SICK = cluster("sick", 95, sick=True)


def test_a_finding_stands_beside_the_other_clusters_of_the_account() -> None:
    found = told(SICK, cluster("a", 12), cluster("b", 18), cluster("c", 15), cluster("d", 12.5))
    assert found == Siblings("account", 4, 0, 12, 18)
    assert found.words("%") == "its 4 siblings of the account: 12%–18%"


def test_what_all_siblings_have_is_said_of_all() -> None:
    found = told(SICK, *(cluster(name, 90, sick=True) for name in "abc"))
    assert found == Siblings("account", 3, 3)
    assert found.words("%") == "all 3 siblings of the account too"


def test_what_some_siblings_have_is_said_of_these_and_the_rest_apart() -> None:
    found = told(SICK, cluster("a", 91, sick=True), cluster("b", 20), cluster("c", 30))
    assert found == Siblings("account", 3, 1, 20, 30)
    assert found.words("%") == "1 of 3 siblings of the account too, the others 20%–30%"


def test_of_many_siblings_the_middle_half_counts() -> None:
    found = told(SICK, *(cluster(f"c{number}", float(number)) for number in range(1, 12)), cluster("odd", 4000))
    assert found is not None
    assert (found.count, found.low, found.high) == (12, 3.25, 9.75)


def test_a_cluster_alone_in_its_account_is_compared_with_those_of_its_version_and_machines() -> None:
    kin = {"version": "3.4.7-ee", "machine": "m6i.4xlarge"}
    lone = cluster("sick", 95, sick=True, account_id="own", **kin)
    other = cluster("stranger", 99, account_id="other", version="3.3.1-ee", machine="m6i.4xlarge")
    found = told(lone, cluster("a", 20, account_id="x", **kin), cluster("b", 30, account_id="y", **kin), other)
    assert found == Siblings("kind", 2, 0, 20, 30)
    assert found.words("%") == "its 2 siblings of its version and machines: 20%–30%"


def test_the_account_goes_before_the_version() -> None:
    kin = {"version": "3.4.7-ee", "machine": "m6i.4xlarge"}
    sick = cluster("sick", 95, sick=True, **kin)
    found = told(sick, cluster("near", 40), cluster("far", 20, account_id="x", **kin))
    assert found == Siblings("account", 1, 0, 40, 40)
    assert found.words("%") == "its only sibling of the account: 40%"


@pytest.mark.parametrize(
    "others",
    [
        (),
        (cluster("lake", 10, cluster_type="ELASTIC"),),
        (cluster("unmeasured", None),),
        (cluster("stranger", 10, account_id="other"),),
        (cluster("stranger", 10, account_id="other", version="", machine=""),),
    ],
)
def test_who_means_something_else_or_nothing_is_no_sibling(others: tuple[ClusterEvidence, ...]) -> None:
    assert told(SICK, *others) is None


def test_clusters_without_an_account_are_no_siblings_for_that() -> None:
    assert told(cluster("sick", 95, sick=True, account_id=""), cluster("a", 10, account_id="")) is None


def test_silence_has_no_value_and_is_compared_all_the_same() -> None:
    silent = cluster("sick", None, sick=True, dimension="freshness")
    assert told(silent, cluster("a", 10), cluster("b", 10)) == Siblings("account", 2, 0)
    too = (cluster(name, None, sick=True, dimension="freshness") for name in "ab")
    found = told(silent, *too)
    assert found is not None
    assert found.words("h") == "all 2 siblings of the account too"


@pytest.mark.parametrize(
    ("siblings", "said"),
    [
        (Siblings("account", 2, 0), "its 2 siblings of the account do not"),
        (Siblings("account", 1, 0), "its only sibling of the account does not"),
        (Siblings("account", 1, 1), "its only sibling of the account too"),
        (Siblings("account", 3, 2), "2 of 3 siblings of the account too"),
        (Siblings("kind", 3, 0, 1200.0, 1200.0), "its 3 siblings of its version and machines: 1,200 ms"),
    ],
)
def test_siblings_are_told_in_few_words(siblings: Siblings, said: str) -> None:
    assert siblings.words("ms") == said


def test_order_and_everything_else_stay_as_they_are() -> None:
    fleet = (SICK, cluster("a", 12), cluster("b", 93, sick=True))
    made = compared(fleet)
    bare = [replace(one, findings=tuple(replace(each, siblings=None) for each in one.findings)) for one in made]
    assert tuple(bare) == fleet
    assert made[1] is fleet[1]


fleets = st.lists(
    st.tuples(
        st.sampled_from(["", "x", "y"]), st.sampled_from(["CLASSIC", "ELASTIC", ""]), st.booleans(), st.floats(0, 1e6)
    ),
    max_size=15,
)


@given(fleets)
def test_siblings_never_outnumber_the_fleet_and_their_ends_are_in_order(
    fleet: list[tuple[str, str, bool, float]],
) -> None:
    clusters = [
        cluster(f"c{at}", value, sick=sick, account_id=account, cluster_type=kind, version="3.4", machine="m6i")
        for at, (account, kind, sick, value) in enumerate(fleet)
    ]
    for one in compared(clusters):
        for finding in one.findings:
            found = finding.siblings
            if found is not None:
                assert 0 <= found.alike <= found.count < len(clusters)
                assert (found.low is None) == (found.high is None)
                assert found.low is None or found.high is None or found.low <= found.high
                assert found.words("%")


async def test_the_prompt_and_the_explanation_tell_of_siblings_within_the_budget() -> None:
    evidence = await look([Cluster(cid(1), "hot", HOT), *healthy(3)])
    line = next(line for line in evidence.render().splitlines() if line.startswith("- ") and '"hot"' in line)
    assert "(its 3 siblings of the account: 35%)" in line
    (found,) = cluster_of(evidence, "hot")
    assert "    beside: its 3 siblings of the account: 35%" in list(explained(found, load_rules()))
    assert evidence.to_json()["findings"][0]["siblings"]["count"] == 3
    crowd = await look([*(Cluster(cid(number), f"hot-{number}", HOT) for number in range(90)), *healthy(30)])
    assert len(crowd.render()) <= PROMPT_CHARS


async def test_a_report_keeps_the_siblings_of_its_findings_and_reads_those_of_none() -> None:
    patrol = Patrol(
        ScriptedModel(analyst="rules-only"),
        FleetTools([Cluster(cid(1), "hot", HOT), *healthy(2)]),
        writer=Store(),
        clock=lambda: NOW.replace(tzinfo=UTC),
    )
    _, report = await patrol.run_patrol("morning", "clock")
    assert report.flagged_clusters[0].findings[0].siblings == Siblings("account", 2, 0, 35, 35)
    stored = json.loads(json.dumps(report.to_json()))
    assert report_of(stored) == report
    del stored["flagged_clusters"][0]["findings"][0]["siblings"]
    assert report_of(stored).flagged_clusters[0].findings[0].siblings is None
