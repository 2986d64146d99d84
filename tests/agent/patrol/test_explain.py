"""Why a cluster stands where it stands, in lines for people."""

from agent.patrol.evidence import Evidence
from agent.patrol.explain import cluster_of, explained
from agent.patrol.rules import load_rules
from tests.agent.patrol.courses import rhythm, steps
from tests.agent.patrol.test_evidence import FULL, HOT, cid, healthy, look
from tests.agent.patrol.warehouse import Cluster

RULES = load_rules()


async def lines_of(cluster: Cluster) -> list[str]:
    evidence = await look([cluster, *healthy(3)])
    (found,) = cluster_of(evidence, cluster.cluster_id)
    return list(explained(found, RULES))


def named(evidence: Evidence, text: str) -> list[str]:
    return [one.identity.name for one in cluster_of(evidence, text)]


async def test_every_dimension_stands_with_value_past_limits_and_points() -> None:
    lines = await lines_of(Cluster(cid(1), "full", FULL))
    row = next(line.split() for line in lines if line.strip().startswith("disk_used_pct"))
    assert row == ["disk_used_pct", "94%", "46%", "80", "90", "0", "0.08"]
    assert all(any(line.strip().startswith(name) for line in lines) for name in RULES.dimensions)


async def test_the_score_tells_what_holds_it_down() -> None:
    lines = await lines_of(Cluster(cid(1), "full", FULL))
    assert lines[-1] == "  score: 40.0 of 100; weighted mean 92.0, held at 40.0 by disk_used_pct"
    assert (await lines_of(healthy(1)[0]))[-1] == "  score: 100.0 of 100; weighted mean 100.0"


async def test_findings_come_with_their_rule_and_beginning() -> None:
    lines = await lines_of(Cluster(cid(1), "hot", HOT))
    assert lines[0].startswith(f"hot ({cid(1)}), tier B: Critical")
    assert lines[1].startswith("  Critical: BE CPU 96%")
    assert lines[1].endswith("since 2026-11-20 07:00 UTC")
    assert lines[2] == f"    rule: {RULES.explain('cpu_util_pct')}"


async def test_what_is_not_known_is_told_as_such() -> None:
    lines = await lines_of(Cluster(cid(1), "quiet", silent=9))
    assert sum("no data" in line for line in lines) > len(RULES.dimensions)
    assert lines[-1] == "  score: none, too little is known"


async def test_a_cluster_is_found_by_id_beginning_and_name_ids_first() -> None:
    twins = [Cluster(cid(1), "same"), Cluster(cid(2), "same"), Cluster(cid(3), cid(1)[:8])]
    evidence = await look([*twins, Cluster(cid(4), "warm", {"cpu": steps(rhythm(35), 85, 6)})])
    assert named(evidence, "WARM ") == ["warm"]
    assert named(evidence, "same") == ["same", "same"]
    assert named(evidence, cid(1)[:8]) == ["same"]
    assert named(evidence, cid(1)[:5]) == []
    assert named(evidence, "nobody") == []


async def test_a_cluster_is_explained_by_the_limits_of_its_type() -> None:
    lines = await lines_of(Cluster(cid(1), "lake", FULL, kind="ELASTIC"))
    assert lines[0].endswith("no finding")
    row = next(line.split() for line in lines if line.strip().startswith("disk_used_pct"))
    assert row == ["disk_used_pct", "94%", "46%", "99", "99.8", "100", "0.04"]
    assert lines[-1].endswith("held at 94.0 by compaction_score")


async def test_a_cluster_of_unknown_type_is_explained_by_the_common_limits() -> None:
    lines = await lines_of(Cluster(cid(1), "full", FULL, kind=""))
    assert lines[0].endswith("Critical")
