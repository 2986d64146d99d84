"""What a model may change in a report, and what only measurements decide."""

from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.patrol.binding import bind, severity_of
from agent.patrol.evidence import Evidence
from agent.patrol.finding import SEVERITY_RANK, ClusterEvidence, Finding, Identity
from agent.patrol.report import CustomerSummary, Severity, Tier
from agent.patrol.sections import Flag, Sections
from tests.agent.patrol.courses import AS_OF

SINCE = AS_OF - timedelta(hours=5)
PLANNED = "a load test was planned until noon"
ONE, TWO, CALM = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "123")


def cluster(
    cluster_id: str, severity: Severity | None, tier: str = "B", customer: str = "", name: str = ""
) -> ClusterEvidence:
    found = (
        (Finding(cluster_id, "disk_used_pct", severity, 93.456789, "%", "disk used 93.5%", 60.0, 90.0, SINCE, "q-1"),)
        if severity
        else ()
    )
    identity = Identity(cluster_id, name or f"name-{cluster_id[0]}", "acc", customer, cast(Tier, tier))
    return ClusterEvidence(identity, findings=found)


FLEET = Evidence(
    AS_OF,
    AS_OF,
    clusters=(
        cluster(ONE, "Critical", "S", "Acme"),
        cluster(TWO, "Unknown"),
        cluster(CALM, None),
    ),
)


def bound(*flags: Flag, customers: tuple[CustomerSummary, ...] = (), fleet: Evidence = FLEET):
    return bind(Sections("n", flags, customers=customers), fleet)


def test_every_cluster_with_findings_is_in_the_report_whatever_the_model_wrote() -> None:
    made = bound()
    assert [(one.cluster_id, one.severity) for one in made.flagged] == [(ONE, "Critical"), (TWO, "Unknown")]
    assert made.added == 2
    assert made.flagged[0].reason == "disk used 93.5%"


def test_figures_and_onset_come_from_measurements() -> None:
    made = bound(Flag(ONE, "Critical", "the disk is 99.9% full", {"disk_used_pct": 99.9, "moon": 1}))
    assert made.flagged[0].key_metrics == {"disk_used_pct": 93.46}
    assert made.flagged[0].since == "2026-11-20 07:00"
    assert made.flagged[0].reason == "the disk is 99.9% full"


@pytest.mark.parametrize("text", [ONE, ONE[:8], ONE[:8].upper(), ONE[:6], "name-1", " Name-1 "])
def test_a_cluster_may_be_meant_by_id_prefix_or_name(text: str) -> None:
    assert bound(Flag(text, "Critical", "mine")).flagged[0].reason == "mine"


@pytest.mark.parametrize("text", ["99999999-0000", "1111", "nobody", "", "%", ONE + "0"])
def test_unknown_clusters_are_refused(text: str) -> None:
    made = bound(Flag(text, "Critical", "mine"))
    assert made.refused == 1
    assert all(one.reason != "mine" for one in made.flagged)


def test_a_cluster_without_findings_cannot_be_flagged() -> None:
    made = bound(Flag(CALM, "Critical", "I feel it"))
    assert made.refused == 1
    assert CALM not in {one.cluster_id for one in made.flagged}


def test_an_ambiguous_prefix_means_nobody() -> None:
    twins = replace(FLEET, clusters=(cluster("abcdef01-1", "Critical"), cluster("abcdef01-2", "Critical")))
    assert bound(Flag("abcdef01", "Warning", "mine"), fleet=twins).refused == 1


@pytest.mark.parametrize(
    ("measured", "asked", "stands"),
    [
        ("Critical", "Warning", "Warning"),
        ("Critical", "Critical", "Critical"),
        ("Warning", "Critical", "Warning"),
        ("Unknown", "Critical", "Unknown"),
        ("Critical", "Unknown", "Critical"),
        ("Warning", None, "Warning"),
    ],
)
def test_a_severity_may_be_lowered_with_a_reason_but_never_raised(
    measured: str, asked: str | None, stands: str
) -> None:
    one = cluster(ONE, cast(Severity, measured))
    assert severity_of(one, cast(Severity | None, asked), PLANNED) == stands


@pytest.mark.parametrize("because", ["", " ", "n/a", "none", "- - - - - - - -", "because"])
def test_a_severity_that_is_lowered_without_a_reason_stands_as_measured_and_is_counted(because: str) -> None:
    made = bound(Flag(ONE, "Warning", "disk at 93%", because=because))
    assert (made.flagged[0].severity, made.flagged[0].lowered_because) == ("Critical", "")
    assert (made.lowered, made.unreasoned, made.raised) == (0, 1, 0)


def test_a_reason_for_a_milder_severity_stands_in_the_report() -> None:
    made = bound(Flag(ONE, "Warning", "disk at 93%", because=PLANNED), Flag(TWO, "Critical", "why"))
    assert [(one.severity, one.lowered_because) for one in made.flagged] == [("Warning", PLANNED), ("Unknown", "")]
    assert (made.lowered, made.unreasoned, made.raised) == (1, 0, 1)


def test_a_reason_beside_a_severity_that_stays_is_not_told() -> None:
    made = bound(Flag(ONE, "Critical", "disk at 93%", because=PLANNED), Flag(TWO, "Warning", "silent", because=PLANNED))
    assert [(one.severity, one.lowered_because) for one in made.flagged] == [("Critical", ""), ("Unknown", "")]
    assert made.lowered == 0


def test_a_cluster_flagged_twice_counts_once_as_first_written() -> None:
    made = bound(Flag(ONE, "Critical", "first"), Flag(ONE[:8], "Warning", "second"))
    assert [one.reason for one in made.flagged if one.cluster_id == ONE] == ["first"]


def test_lowered_clusters_sink_below_critical_ones() -> None:
    fleet = replace(FLEET, clusters=(cluster(ONE, "Critical"), cluster(TWO, "Critical")))
    made = bound(Flag(ONE, "Warning", "disk at 93%", because=PLANNED), fleet=fleet)
    assert [(one.cluster_id, one.severity) for one in made.flagged] == [(TWO, "Critical"), (ONE, "Warning")]


def test_customers_are_those_of_tier_s_and_a_with_issues() -> None:
    written = (CustomerSummary("acme", "A", "Their disk fills."), CustomerSummary("Invented", "S", "Lovely."))
    assert bound(customers=written).customers == (CustomerSummary("Acme", "S", "Their disk fills."),)


def test_a_customer_that_the_model_forgot_is_told_from_the_findings() -> None:
    assert bound().customers == (CustomerSummary("Acme", "S", "name-1 is Critical: disk used 93.5%"),)


any_flag = st.builds(
    Flag,
    st.sampled_from([ONE, TWO, CALM, ONE[:8], "name-1", "name-2", "nobody", ""]) | st.text(max_size=12),
    st.sampled_from(["Critical", "Warning", "Unknown"]),
    st.text(max_size=20),
    st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False), max_size=2),
    st.text(max_size=12),
)
any_customer = st.builds(
    CustomerSummary, st.sampled_from(["Acme", "ACME ", "Other"]), st.just("S"), st.text(max_size=9)
)


@given(st.lists(any_flag, max_size=8), st.lists(any_customer, max_size=4))
def test_whatever_a_model_writes_the_report_flags_what_was_measured(
    flags: list[Flag], customers: list[CustomerSummary]
) -> None:
    made = bound(*flags, customers=tuple(customers))
    assert {one.cluster_id for one in made.flagged} == {ONE, TWO}
    for one in made.flagged:
        measured = next(cluster for cluster in FLEET.clusters if cluster.identity.cluster_id == one.cluster_id)
        assert SEVERITY_RANK[one.severity] >= SEVERITY_RANK[measured.severity or "Unknown"]
        assert (one.severity != measured.severity) == bool(one.lowered_because)
        assert one.key_metrics == {"disk_used_pct": 93.46}
        assert one.reason
    assert [one.customer for one in made.customers] == ["Acme"]
    assert made.refused <= len(flags)
    assert made.added + len(flags) - made.refused >= 2


def test_a_name_that_two_clusters_share_means_neither() -> None:
    twins = replace(FLEET, clusters=(cluster(ONE, "Critical", name="prod"), cluster(TWO, "Critical", name="PROD")))
    assert bound(Flag("prod", "Warning", "mine"), fleet=twins).refused == 1


def test_an_id_counts_before_a_name_that_looks_like_one() -> None:
    decoy = cluster(TWO, "Critical", name=ONE)
    made = bound(Flag(ONE, "Warning", "mine"), fleet=replace(FLEET, clusters=(decoy, cluster(ONE, "Critical"))))
    assert {one.cluster_id: one.reason for one in made.flagged}[ONE] == "mine"


def test_the_onset_of_a_cluster_is_that_of_its_oldest_finding() -> None:
    one = cluster(ONE, "Critical")
    older = replace(one.findings[0], dimension="cpu_util_pct", since=SINCE - timedelta(days=1))
    made = bound(fleet=replace(FLEET, clusters=(replace(one, findings=(*one.findings, older)),)))
    assert made.flagged[0].since == "2026-11-19 07:00"


def test_words_about_a_customer_name_three_clusters_and_count_the_rest() -> None:
    five = tuple(cluster(f"{digit * 8}-0", "Warning", "A", "Acme") for digit in "45678")
    (summary,) = bound(fleet=replace(FLEET, clusters=five)).customers
    assert summary.text.count(" is Warning: ") == 3
    assert summary.text.endswith("(and 2 more)")


def test_customers_of_tier_s_come_before_those_of_tier_a_however_bad() -> None:
    fleet = (cluster(ONE, "Critical", "A", "Second"), cluster(TWO, "Warning", "S", "First"))
    assert [one.customer for one in bound(fleet=replace(FLEET, clusters=fleet)).customers] == ["First", "Second"]
