"""Whose trouble is told first: by severity, and within one severity by health, tier, impact and change."""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agent.patrol.earlier import Earlier
from agent.patrol.finding import SEVERITY_RANK, ClusterEvidence, Finding, Identity
from agent.patrol.inspection import inspect
from agent.patrol.ranking import factors, ranked, shares, since_last, why
from agent.patrol.report import Severity, Tier
from agent.patrol.rules import Ranking, load_rules
from agent.patrol.series import Track
from tests.agent.patrol.courses import AS_OF
from tests.agent.patrol.test_evidence import HOT, cid, healthy, look
from tests.agent.patrol.warehouse import NOW, Cluster, FleetTools

RANKING = load_rules().ranking
SCORES = st.none() | st.floats(0, 100)
HOURS = st.none() | st.floats(0, 400)
TIERS = st.sampled_from(["S", "A", "B", ""])
SEVERITIES = st.sampled_from(["Critical", "Warning", "Unknown"])
BEFORE = st.sampled_from(["no report", "not flagged", "milder", "same", "harder"])


def cluster(
    number: int = 1,
    severity: str | None = "Critical",
    *,
    tier: str = "B",
    score: float | None = 50.0,
    worst: float | None = 20.0,
    share: float | None = 0.1,
    hours: float | None = 100.0,
) -> ClusterEvidence:
    """A cluster with one finding (none without a severity); an empty tier is one that is not known."""
    cluster_id = f"{number:08d}-0000-4000-8000-000000000000"
    since = None if hours is None else AS_OF - timedelta(hours=hours)
    found = (
        Finding(cluster_id, "disk_used_pct", cast(Severity, severity), 85.0, "%", "disk", since=since, query_id="q-1"),
    )
    known = cast(Tier, tier or "B")
    identity = Identity(cluster_id, f"name-{number}", tier=known, tier_known=bool(tier))
    return ClusterEvidence(identity, score=score, worst=worst, share=share, findings=found if severity else ())


def left(one: ClusterEvidence, before: str) -> Mapping[str, Earlier] | None:
    """What the last report had of a cluster's finding."""
    if before == "no report":
        return None
    now = one.findings[0]
    value = {"milder": now.value - 20, "same": now.value, "harder": now.value + 20}
    return {} if before == "not flagged" else {now.key: Earlier(now.severity, value[before])}


def product(one: ClusterEvidence, before: str = "no report") -> float:
    return factors(one, 10, RANKING, AS_OF, left(one, before)).product


def order(*clusters: ClusterEvidence, before: Mapping[str, Earlier] | None = None) -> list[int]:
    return [int(one.identity.cluster_id[:8]) for one in ranked(clusters, RANKING, AS_OF, before)]


CLUSTERS = st.builds(
    cluster,
    st.integers(1, 10**7),
    st.none() | SEVERITIES,
    tier=TIERS,
    score=SCORES,
    worst=SCORES,
    share=st.none() | st.floats(0, 1),
    hours=HOURS,
)


def test_severity_goes_before_everything_else() -> None:
    mild = cluster(1, "Warning", tier="S", score=0, worst=0, share=1.0, hours=0)
    grave = cluster(2, "Critical", tier="B", score=99, worst=99, share=0.0, hours=400)
    unknown = cluster(3, "Unknown", tier="S", score=None, worst=None, hours=0)
    well = cluster(4, None, tier="S", share=1.0)
    assert order(unknown, well, mild, grave) == [2, 1, 3, 4]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"score": 30.0}, {"score": 60.0}),
        ({"worst": 0.0}, {"worst": 45.0}),
        ({"tier": "S"}, {"tier": "A"}),
        ({"tier": "A"}, {"tier": ""}),
        ({"tier": ""}, {"tier": "B"}),
        ({"share": 0.4}, {"share": 0.1}),
        ({"share": None}, {"share": 0.0}),
        ({"hours": 2.0}, {"hours": 40.0}),
    ],
)
def test_of_two_alike_the_one_that_is_worse_in_one_thing_goes_first(
    first: dict[str, object], second: dict[str, object]
) -> None:
    assert order(cluster(1, **second), cluster(2, **first)) == [2, 1]  # type: ignore[arg-type]


def test_what_is_new_or_worse_goes_before_what_is_the_same_and_that_before_what_is_better() -> None:
    by_change = [product(cluster(), before) for before in ("not flagged", "milder", "same", "harder")]
    assert by_change[0] == by_change[1] > by_change[2] > by_change[3]
    assert product(cluster(), "no report") == by_change[2]


def test_a_busy_cluster_of_a_small_customer_can_go_before_an_idle_one_of_a_large() -> None:
    assert product(cluster(tier="S", share=0.0)) < product(cluster(tier="B", share=0.9))
    assert product(cluster(tier="S", share=0.5)) > product(cluster(tier="B", share=0.5))


def test_a_cluster_in_trouble_of_which_nothing_is_known_is_not_taken_for_well() -> None:
    assert factors(cluster(score=None, worst=None), 10, RANKING, AS_OF).health == 1.0
    assert factors(cluster(severity=None, score=None, worst=None), 10, RANKING, AS_OF).health == RANKING.least_health


def test_one_finding_that_got_worse_makes_a_cluster_worse_whatever_the_others_did() -> None:
    one = cluster()
    two = replace(one.findings[0], dimension="cpu_util_pct")
    both = replace(one, findings=(*one.findings, two))
    here = {one.findings[0].key: Earlier("Critical", 85.0)}
    assert since_last(both, here) == "worse"
    assert since_last(both, here | {two.key: Earlier("Critical", 85.0)}) == "same"
    assert since_last(both, here | {two.key: Earlier("Critical", 99.0)}) == "same"
    assert since_last(both, {key.key: Earlier("Critical", 99.0) for key in both.findings}) == "better"
    assert since_last(both, {key.key: Earlier("Warning", 85.0) for key in both.findings}) == "worse"
    assert since_last(both, {}) == "new"
    assert since_last(both, None) == ""
    assert since_last(cluster(severity=None), {}) == ""


@given(CLUSTERS, SCORES, SCORES, st.booleans())
def test_worse_health_never_brings_a_cluster_back(
    one: ClusterEvidence, some: float | None, other: float | None, score: bool
) -> None:
    if some is None or other is None or not one.findings:
        return
    low, high = sorted((some, other))
    down, up = (
        replace(one, score=low if score else one.score, worst=one.worst if score else low),
        replace(one, score=high if score else one.score, worst=one.worst if score else high),
    )
    assert product(down) >= product(up)


@given(CLUSTERS, st.floats(0, 1), st.floats(0, 1))
def test_more_traffic_never_brings_a_cluster_back(one: ClusterEvidence, some: float, other: float) -> None:
    low, high = sorted((some, other))
    assert product(replace(one, share=high)) >= product(replace(one, share=low))


@given(CLUSTERS, HOURS, HOURS)
def test_a_fresher_onset_never_brings_a_cluster_back(
    one: ClusterEvidence, some: float | None, other: float | None
) -> None:
    if some is None or other is None or not one.findings:
        return
    fresh, old = (
        replace(one, findings=(replace(one.findings[0], since=AS_OF - timedelta(hours=hours)),))
        for hours in sorted((some, other))
    )
    assert product(fresh) >= product(old)


@given(CLUSTERS)
def test_a_greater_tier_never_brings_a_cluster_back_and_never_changes_its_severity(one: ClusterEvidence) -> None:
    tiers: list[tuple[Tier, bool]] = [("S", True), ("A", True), ("B", False), ("B", True)]
    made = [replace(one, identity=replace(one.identity, tier=tier, tier_known=known)) for tier, known in tiers]
    products = [product(each) for each in made]
    assert products == sorted(products, reverse=True)
    assert {each.severity for each in ranked(made, RANKING, AS_OF)} == {one.severity}
    assert {each.score for each in ranked(made, RANKING, AS_OF)} == {one.score}


@given(st.lists(CLUSTERS, max_size=12, unique_by=lambda one: one.identity.cluster_id), st.randoms(), BEFORE)
def test_the_order_is_total_and_does_not_depend_on_how_the_clusters_came(
    clusters: list[ClusterEvidence], random: Random, before: str
) -> None:
    known = None if before == "no report" else {}
    for one in clusters:
        if known is not None and one.findings:
            known |= left(one, before) or {}
    first = ranked(clusters, RANKING, AS_OF, known)
    mixed = list(clusters)
    random.shuffle(mixed)
    assert ranked(mixed, RANKING, AS_OF, known) == first
    levels = [SEVERITY_RANK[one.severity] if one.severity else 3 for one in first]
    assert levels == sorted(levels)
    for one in first:
        assert math.isfinite(one.factors.product) and one.factors.product > 0


@given(st.sampled_from([math.nan, math.inf, -math.inf, -1.0]), SEVERITIES)
def test_a_figure_that_is_none_never_reaches_the_order(wild: float, severity: str) -> None:
    made = factors(cluster(1, severity, score=wild, worst=wild, share=wild), 10, RANKING, AS_OF)
    assert math.isfinite(made.product) and made.product > 0


def test_the_share_of_a_cluster_is_the_mean_of_its_part_of_queries_and_of_loads() -> None:
    def track(level: float) -> Track:
        return Track(profile=dict.fromkeys(range(24), level))

    found = shares(
        {
            "one": {"queries": track(300), "transactions": track(0)},
            "two": {"queries": track(100), "transactions": track(50)},
            "three": {"cpu": track(90)},
        }
    )
    assert found == {"one": pytest.approx(0.375), "two": pytest.approx(0.625)}
    assert shares({"one": {"queries": track(0)}}) == {}


def test_a_cluster_that_stands_still_now_counts_with_its_usual_traffic() -> None:
    down = Track(recent=dict.fromkeys(range(48), 0.0), profile=dict.fromkeys(range(24), 900.0))
    calm = Track(recent=dict.fromkeys(range(48), 100.0), profile=dict.fromkeys(range(24), 100.0))
    found = shares({"down": {"queries": down}, "calm": {"queries": calm}})
    assert found["down"] == pytest.approx(0.9)


def test_the_traffic_of_a_young_cluster_is_that_of_its_newest_hours_and_one_wild_hour_does_not_count() -> None:
    young = Track(recent={0: 10.0, 1: 10.0, 2: 1e12, 3: 10.0, 4: math.nan, 5: -5.0})
    old = Track(profile=dict.fromkeys(range(24), 30.0))
    assert shares({"young": {"queries": young}, "old": {"queries": old}})["young"] == pytest.approx(0.25)


def test_the_reason_names_place_severity_and_every_factor() -> None:
    first, second = cluster(1, tier="S", share=0.3, hours=3.0), cluster(2, "Warning", tier="", share=None, hours=None)
    places = ranked((second, first), RANKING, AS_OF, {})
    assert why(places[0], places) == (
        "place 1 of 2: Critical, then 1.95 = health 0.65 (score 50, worst dimension 20 points) x tier 1.6 (S)"
        " x impact 0.88 (30% of the fleet's queries and loads, 0.6 times the mean cluster)"
        " x change 2.13 (new since the last report, began 3 h ago)"
    )
    assert why(places[1], places).endswith(
        "x tier 1 (none is known) x impact 1.00 (traffic is not known) x change 1.50 (new since the last report)"
    )
    alone = ranked((cluster(score=None, worst=None, hours=None),), RANKING, AS_OF)
    assert "health 1.00 (nothing is known)" in why(alone[0], alone)
    assert why(alone[0], alone).endswith("change 1.00 (no report to compare with)")


@pytest.mark.parametrize(("hours", "told"), [(1.21, "1.2"), (26.0, "26"), (126.4, "130")])
def test_an_onset_is_told_in_two_digits(hours: float, told: str) -> None:
    places = ranked((cluster(hours=hours),), RANKING, AS_OF)
    assert f"began {told} h ago" in why(places[0], places)


@pytest.mark.parametrize(
    "wrong",
    [
        {"tiers": {"S": 1.0, "A": 2.0}},
        {"tiers": {"S": 0.0}},
        {"tiers": {"S": 11.0}},
        {"tiers": {"C": 1.0}},
        {"change": {"new": 0.5, "same": 1.0}},
        {"change": {"better": 1.2}},
        {"change": {"fresh": 0.9}},
        {"impact": {"least": 1.2}},
        {"impact": {"power": -1}},
        {"least_health": 0},
    ],
)
def test_weights_that_would_turn_the_order_round_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Ranking.model_validate(wrong)


def test_rules_without_a_ranking_rank_by_severity_and_health_alone() -> None:
    plain = Ranking()
    idle, busy = cluster(1, tier="B", share=0.0, hours=90.0), cluster(2, tier="S", share=1.0, hours=0.0)
    assert [factors(one, 2, plain, AS_OF, {}).product for one in (idle, busy)] == [0.65, 0.65]


@pytest.mark.parametrize(("tier", "known"), [("S", True), ("B", True), ("", False)])
def test_whether_the_tier_is_known_is_told_with_the_factors(tier: str, known: bool) -> None:
    assert factors(cluster(tier=tier), 2, RANKING, AS_OF).tiered is known


class Busy(FleetTools):
    """A fleet whose second cluster usually does ten times as much as any other."""

    def _profile(self, sql: str) -> list[dict[str, Any]]:
        rows = super()._profile(sql)
        traffic = {"queries", "transactions"}
        return [
            {name: cell * 10 if name in traffic and row["cluster_id"] == cid(2) else cell for name, cell in row.items()}
            for row in rows
        ]


async def test_of_two_sick_alike_the_busier_one_comes_first_in_evidence_and_prompt() -> None:
    twins = [Cluster(cid(1), "idle", HOT), Cluster(cid(2), "busy", HOT)]
    evidence = await inspect(Busy([*twins, *healthy(3)]), load_rules(), NOW)
    assert [one.identity.name for one in evidence.flagged] == ["busy", "idle"]
    assert [one.severity for one in evidence.flagged] == ["Critical", "Critical"]
    assert [one.share for one in evidence.flagged] == [pytest.approx(10 / 14), pytest.approx(1 / 14)]
    prompt = evidence.render().partition("Flagged, worst first")[2]
    assert prompt.index('"busy"') < prompt.index('"idle"')


async def test_the_tier_of_a_customer_changes_the_place_and_neither_score_nor_severity() -> None:
    plain, important = Cluster(cid(1), "one", HOT, tier="B"), Cluster(cid(1), "one", HOT, tier="S")
    other = Cluster(cid(2), "two", HOT, tier="A")
    first = await look([plain, other, *healthy(3)])
    second = await look([important, other, *healthy(3)])
    assert [one.identity.name for one in first.flagged] == ["two", "one"]
    assert [one.identity.name for one in second.flagged] == ["one", "two"]
    judged = [
        {one.identity.name: (one.score, one.severity, one.worst) for one in evidence.clusters}
        for evidence in (first, second)
    ]
    assert judged[0] == judged[1]
