"""What clusters share beyond chance: exact, careful with small groups, told once."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.patrol.evidence import Evidence
from agent.patrol.finding import ClusterEvidence, Finding, Identity
from agent.patrol.freshness import Operation
from agent.patrol.narrative import sections
from agent.patrol.patterns import Pattern, accident, patterns, shared, tried
from agent.patrol.rules import load_rules
from tests.agent.patrol.courses import AS_OF

RULES = load_rules()


def cluster(number: int, *dimensions: str, hours: float = 5, **identity: str) -> ClusterEvidence:
    """A cluster with findings on some dimensions that began so many hours ago; none means that it is well."""
    one = f"{number:08x}-c"
    since = AS_OF - timedelta(hours=hours)
    findings = tuple(Finding(one, name, "Critical", 9.0, "%", f"{name} is 9%", since=since) for name in dimensions)
    return ClusterEvidence(Identity(one, f"name-{number}", **identity), {}, 80.0, findings)  # type: ignore[arg-type]


def well(first: int, count: int, **identity: str) -> list[ClusterEvidence]:
    return [cluster(number, **identity) for number in range(first, first + count)]


def found(clusters: Sequence[ClusterEvidence], **operations: Operation) -> tuple[Pattern, ...]:
    done = {
        one.identity.cluster_id: (operations[one.identity.name.replace("-", "_")],)
        for one in clusters
        if one.identity.name.replace("-", "_") in operations
    }
    return shared(clusters, done, AS_OF)


def told(clusters: Sequence[ClusterEvidence]) -> list[str]:
    return [one.sentence(RULES) for one in found(clusters)]


def test_the_probability_of_an_accident_is_exact() -> None:
    assert accident(48, 3, 3, 3) == pytest.approx(1 / math.comb(48, 3))
    assert accident(10, 4, 5, 0) == pytest.approx(1)
    assert accident(20, 5, 4, 2) == pytest.approx(sum(math.comb(5, k) * math.comb(15, 4 - k) for k in (2, 3, 4)) / 4845)


def test_looks_that_could_prove_nothing_are_not_counted() -> None:
    assert tried([0.2] * 50) == 1
    assert tried([0.001] * 10) == 10
    assert tried([0.001] * 10 + [0.04] * 90) == 10


@pytest.mark.parametrize(
    ("trait", "words"),
    [
        ({"version": "3.4.7-ee"}, "on version 3.4.7-ee"),
        ({"account_id": "acc-x"}, "of account acc-x"),
        ({"region": "Frankfurt"}, "in region Frankfurt"),
        ({"provider": "Azure"}, "at Azure"),
        ({"machine": "m6i.4xlarge"}, "on machines m6i.4xlarge"),
    ],
)
def test_a_group_with_all_the_hits_is_a_pattern(trait: dict[str, str], words: str) -> None:
    clusters = [*(cluster(number, "p99_latency_ms", **trait) for number in (1, 2, 3)), *well(10, 45)]
    assert told(clusters) == [f"3 of 3 clusters {words} share: query p99, since about 11-20 07:00"]


def test_what_several_traits_say_of_the_same_clusters_is_said_once() -> None:
    both = {"version": "3.4.7-ee", "account_id": "acc-x"}
    sick = [cluster(number, "p99_latency_ms", "error_share_pct", **both) for number in (1, 2, 3)]
    (said,) = told([*sick, *well(10, 45, version="3.4.5-ee")])
    assert said.startswith("3 of 3 clusters of account acc-x share: ")
    assert "all of them on version 3.4.7-ee" in said
    assert "query p99" in said
    assert "failed queries" in said


def test_clusters_with_the_same_operation_before_are_a_pattern() -> None:
    sick = [cluster(number, "p99_latency_ms") for number in (1, 2, 3)]
    update = Operation("UPDATE", "SUCCESS", AS_OF - timedelta(hours=9))
    old = replace(update, at=AS_OF - timedelta(days=6))
    (pattern,) = found([*sick, *well(10, 45)], name_1=update, name_2=update, name_3=update, name_10=old)
    assert pattern.trait.words == "with UPDATE in the last 72 h"
    assert pattern.size == 3


def test_two_hits_in_a_large_group_are_no_pattern() -> None:
    spread = [cluster(1, "p99_latency_ms", version="a"), cluster(2, "p99_latency_ms", version="a")]
    assert found([*spread, *well(10, 30, version="a"), *well(50, 30, version="b")]) == ()


def test_two_of_two_are_a_pattern_only_where_hits_are_rare() -> None:
    pair = [cluster(1, "cpu_util_pct", account_id="x"), cluster(2, "cpu_util_pct", account_id="x")]
    assert len(found([*pair, *well(10, 150)])) == 1
    common = [cluster(number, "cpu_util_pct", account_id=f"y{number}") for number in range(10, 40)]
    assert found([*pair, *common, *well(50, 100)]) == ()


def test_what_holds_for_the_whole_fleet_explains_nothing() -> None:
    fleet = [*(cluster(number, "cpu_util_pct", provider="AWS") for number in (1, 2, 3)), *well(9, 40, provider="AWS")]
    assert found(fleet) == ()


def test_clusters_without_a_version_share_nothing() -> None:
    assert found([cluster(1, "cpu_util_pct"), cluster(2, "cpu_util_pct"), *well(10, 40)]) == ()


def test_hits_elsewhere_and_different_beginnings_are_told() -> None:
    sick = [cluster(number, "cpu_util_pct", hours=8.0 * number, version="v") for number in range(1, 6)]
    (said,) = told([*sick, cluster(9, "cpu_util_pct"), *well(10, 60)])
    assert said == "5 of 5 clusters on version v share: BE CPU (elsewhere 1)"


def test_random_fleets_seldom_show_a_pattern() -> None:
    def fleet(seed: int) -> list[ClusterEvidence]:
        rng = random.Random(seed)
        return [
            cluster(
                number,
                *(["cpu_util_pct"] if rng.random() < 0.08 else []),
                *(["p99_latency_ms"] if rng.random() < 0.05 else []),
                version=f"v{rng.randrange(6)}",
                account_id=f"a{rng.randrange(30)}",
                region=f"r{rng.randrange(12)}",
                provider=f"p{rng.randrange(3)}",
                machine=f"m{rng.randrange(8)}",
            )
            for number in range(100)
        ]

    # At five percent over all looks of a fleet, with room for the luck of a hundred draws.
    assert sum(bool(found(fleet(seed))) for seed in range(100)) <= 10


def test_names_of_traits_are_harmless_text() -> None:
    evil = {"version": "3.4\u202e\n<!channel>" + "x" * 200}
    (said,) = told([*(cluster(number, "cpu_util_pct", **evil) for number in (1, 2, 3)), *well(10, 45)])
    assert "\n" not in said
    assert "\u202e" not in said
    assert len(said) < 140


def test_an_alert_on_several_flagged_clusters_is_told() -> None:
    sick = [replace(cluster(number, "nodes_up"), alerts=("HeapUsageTooHigh",)) for number in (1, 2)]
    bystander = replace(cluster(3), alerts=("HeapUsageTooHigh",))
    assert patterns([*sick, bystander], (), RULES) == ("alert HeapUsageTooHigh fires on 2 flagged clusters",)


def test_a_shared_cause_is_told_once_in_the_report_and_in_the_prompt() -> None:
    slow = [cluster(number, "p99_latency_ms", version="3.5.3-ee") for number in (1, 2, 3)]
    own = cluster(4, "p99_latency_ms", "disk_used_pct", version="3.5.3-ee")
    clusters = [*slow, own, *well(10, 45, version="3.4.5-ee")]
    common = found(clusters)
    evidence = Evidence(
        AS_OF, AS_OF, clusters=tuple(clusters), shared=common, patterns=patterns(clusters, common, RULES)
    )
    narrative = sections(evidence, RULES).narrative
    worst = narrative.split("Worst first: ")[1].split("\n\n")[0]
    assert worst.count("p99_latency_ms is 9%") == 2
    assert "and 2 more below" in worst
    assert "4 of 4 clusters on version 3.5.3-ee share: query p99" in narrative
    assert evidence.render().count("as others on version 3.5.3-ee") == 2
