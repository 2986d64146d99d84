"""The sentinel over many looks: what it tells, once; and what it keeps to itself."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.patrol.evidence import Evidence
from agent.patrol.finding import ClusterEvidence, Finding, Identity
from agent.patrol.report import Severity, Tier
from agent.patrol.sentinel import CALM, Sighting, Watched, look
from tests.agent.patrol.courses import AS_OF

QUARTER = timedelta(minutes=15)


def found(dimension: str, severity: Severity, value: float = 95.0) -> Finding:
    return Finding("c-1", dimension, severity, value, "%", f"{dimension} is bad", 3.0)


def one(*findings: Finding, score: float | None = 90.0, tier: Tier = "B", name: str = "c-1") -> ClusterEvidence:
    return ClusterEvidence(Identity(name, f"name-{name}", tier=tier), score=score, findings=findings)


CALM_ONE = one()
FULL = one(found("disk_used_pct", "Critical"), score=30.0)


class Post:
    """A sentinel at its post: looks every quarter of an hour and remembers."""

    def __init__(self) -> None:
        self.now = AS_OF
        self.memory: Mapping[str, Watched] | None = None

    def sees(self, *clusters: ClusterEvidence) -> list[str]:
        self.now += QUARTER
        sightings, self.memory = look(Evidence(self.now, self.now, clusters=clusters), self.memory)
        return [sighting.trigger for sighting in sightings]

    def all(self, looks: Iterable[ClusterEvidence]) -> list[str]:
        return [trigger for cluster in looks for trigger in self.sees(cluster)]


@pytest.fixture
def post() -> Post:
    post = Post()
    post.sees(CALM_ONE)
    return post


def test_the_first_look_ever_learns_and_tells_nothing() -> None:
    post = Post()
    assert post.sees(FULL) == []
    assert post.sees(FULL) == []


def test_a_new_critical_is_told_once_however_long_it_lasts(post: Post) -> None:
    assert post.all([FULL] * 200) == ["critical"]


def test_a_cluster_that_was_not_there_before_is_news_when_it_is_critical(post: Post) -> None:
    assert post.sees(CALM_ONE, one(found("cpu_util_pct", "Critical"), name="c-2")) == ["critical"]


def test_a_flicker_is_not_told_again_and_a_return_after_an_hour_is(post: Post) -> None:
    assert post.sees(FULL) == ["critical"]
    assert post.all([CALM_ONE, FULL] * 5) == []
    assert post.all([CALM_ONE] * CALM) == []
    assert post.sees(FULL) == ["critical"]


def test_a_further_critical_dimension_is_changed_evidence(post: Post) -> None:
    both = replace(FULL, findings=(*FULL.findings, found("fe_heap_used_pct", "Critical")))
    assert post.all([FULL, both, both, FULL, both]) == ["critical", "critical"]


def test_falling_silent_is_no_recovery(post: Post) -> None:
    silent = one(found("freshness", "Unknown"), score=None)
    assert post.all([FULL, *[silent] * (2 * CALM), FULL]) == ["critical"]


@pytest.mark.parametrize(("tier", "told"), [("S", ["important"]), ("A", ["important"]), ("B", [])])
def test_an_important_customer_newly_in_warning_is_told(post: Post, tier: Tier, told: list[str]) -> None:
    assert post.all([one(found("cpu_util_pct", "Warning"), tier=tier, score=85.0)] * 50) == told


def test_a_critical_that_becomes_a_warning_is_no_news(post: Post) -> None:
    critical = one(found("cpu_util_pct", "Critical"), tier="S", score=80.0)
    warning = one(found("cpu_util_pct", "Warning"), tier="S", score=85.0)
    assert post.all([critical, warning, warning]) == ["critical"]


def test_a_slow_slide_is_seen_although_no_two_looks_differ_by_much(post: Post) -> None:
    course = [one(score=90.0 - 0.4 * step) for step in range(97)]
    told = post.all([CALM_ONE] * 40 + course)
    assert told and set(told) == {"slide"} and len(told) <= 3


def test_a_slide_names_both_ends(post: Post) -> None:
    post.all([CALM_ONE] * 48)
    post.now += QUARTER
    cluster = one(score=70.0)
    (sighting,), _ = look(Evidence(post.now, post.now, clusters=(cluster,)), post.memory)
    assert sighting == Sighting("slide", cluster, 70.0, 90.0)


def test_scores_that_swing_around_their_usual_are_no_slide(post: Post) -> None:
    swing = [one(score=score) for _ in range(60) for score in (90.0, 78.0)]
    assert post.all(swing) == []


def test_a_storm_is_told_again_only_when_it_has_grown(post: Post) -> None:
    storms = [one(found("alerts", "Warning", value)) for value in (6.0, 6.0, 7.0, 9.0, 9.0, 12.0, 14.0)]
    assert post.all(storms) == ["storm", "storm", "storm"]


def test_of_several_reasons_the_most_urgent_is_told_and_all_are_remembered(post: Post) -> None:
    worst = one(found("cpu_util_pct", "Critical"), found("alerts", "Critical", 6.0))
    assert post.all([worst, worst, worst]) == ["critical"]


any_cluster = st.builds(
    lambda severity, score, tier: one(*([found("cpu_util_pct", severity)] if severity else []), score=score, tier=tier),
    st.sampled_from([None, "Critical", "Warning", "Unknown"]),
    st.none() | st.floats(min_value=0, max_value=100),
    st.sampled_from(["S", "A", "B"]),
)


@given(st.lists(any_cluster, min_size=1, max_size=30))
def test_whatever_is_seen_a_cluster_is_told_of_once_a_look_and_memory_stays_small(looks: list[ClusterEvidence]) -> None:
    post = Post()
    for cluster in looks:
        assert len(post.sees(cluster)) <= 1
    assert post.memory is not None
    assert len(post.memory["c-1"].scores) <= 33
