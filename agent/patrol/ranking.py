"""Which cluster is told first: severity decides, and within one severity health x tier x impact x change. Pure.

Health and severity are measured; a customer's tier and a cluster's traffic only say whose trouble is told first."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from statistics import fmean, median

from agent.patrol.earlier import Earlier, moved
from agent.patrol.finding import ClusterEvidence
from agent.patrol.report import Factors, Moved
from agent.patrol.rules import Ranking, number, rough
from agent.patrol.series import Track

TRAFFIC = ("queries", "transactions")
"""The series that tell how much a cluster is used."""

Left = Mapping[str, Earlier]
"""What the report before flagged, by `Finding.key`."""


def ranked(
    clusters: Iterable[ClusterEvidence], ranking: Ranking, as_of: datetime, left: Left | None = None
) -> tuple[ClusterEvidence, ...]:
    """The clusters with their factors, worst first. Without what the report before `left` open, only the onset tells of
    change."""
    known = tuple(clusters)
    weighed = (replace(one, factors=factors(one, len(known), ranking, as_of, left)) for one in known)
    return tuple(sorted(weighed, key=lambda one: one.rank))


def factors(
    cluster: ClusterEvidence, fleet: int, ranking: Ranking, as_of: datetime, left: Left | None = None
) -> Factors:
    """Why a cluster of a `fleet` of so many stands where it stands."""
    became = since_last(cluster, left)
    hours = _began(cluster, as_of)
    busy = None if cluster.share is None else cluster.share * fleet
    tier = cluster.identity.tier if cluster.identity.tier_known else "none"
    return Factors(
        health=_health(cluster, ranking),
        tier=ranking.tiers.get(tier, 1.0),
        impact=_impact(busy, ranking),
        change=_change(became, hours, ranking),
        moved=became,
        tiered=cluster.identity.tier_known,
        share=cluster.share,
        busy=busy,
        hours=hours,
    )


def shares(tracks: Mapping[str, Mapping[str, Track]]) -> dict[str, float]:
    """Each cluster's part (0..1) of what the fleet usually does in an hour: the mean of its part of the queries and of
    its part of the loads. Clusters that send neither are left out."""
    parts: dict[str, list[float]] = {}
    for series in TRAFFIC:
        used = {cluster: usual for cluster, known in tracks.items() if (usual := _usual(known.get(series))) is not None}
        total = sum(used.values())
        if 0 < total < math.inf:
            for cluster, value in used.items():
                parts.setdefault(cluster, []).append(value / total)
    return {cluster: fmean(found) for cluster, found in parts.items()}


def since_last(cluster: ClusterEvidence, left: Left | None) -> Moved:
    """What became of a cluster since the last report: the most urgent of what became of its findings."""
    if left is None or not cluster.findings:
        return ""
    became = {_moved(cluster, at, left) for at in range(len(cluster.findings))}
    if became == {"new"}:
        return "new"
    if became & {"new", "worse"}:
        return "worse"
    return "same" if "same" in became else "better"


def why(cluster: ClusterEvidence, clusters: Sequence[ClusterEvidence]) -> str:
    """In one line why a cluster has its place; `clusters` are those of its evidence, in their order."""
    place = next(at for at, one in enumerate(clusters, 1) if one.identity.cluster_id == cluster.identity.cluster_id)
    found = cluster.factors
    parts = (
        f"health {found.health:.2f} ({', '.join(_condition(cluster))})",
        f"tier {found.tier:g} ({cluster.identity.tier if cluster.identity.tier_known else 'none is known'})",
        f"impact {found.impact:.2f} ({_traffic(found)})",
        f"change {found.change:.2f} ({', '.join(_news(found))})",
    )
    return f"place {place} of {len(clusters)}: {cluster.severity or 'no finding'}, then {found.product:.2f} = " + (
        " x ".join(parts)
    )


def _moved(cluster: ClusterEvidence, at: int, left: Left) -> Moved:
    finding = cluster.findings[at]
    before = left.get(finding.key)
    return "new" if before is None else moved(before, finding)


def _usual(track: Track | None) -> float | None:
    """What a cluster does in a usual hour. By the hours of the usual day, each of which is a median of many days: one
    wild day does not count, and neither does a cluster's standing still now make it look unused."""
    if track is None:
        return None
    hours = track.profile or track.recent
    known = [value for value in hours.values() if math.isfinite(value) and value >= 0]
    if not known:
        return None
    return fmean(known) if track.profile else median(known)


def _health(cluster: ClusterEvidence, ranking: Ranking) -> float:
    lost = [100.0 - value for value in (cluster.score, cluster.worst) if value is not None and math.isfinite(value)]
    if not lost:
        # of a cluster in trouble that nothing more is known of the worst is to be thought
        return 1.0 if cluster.findings else ranking.least_health
    return min(1.0, max(ranking.least_health, fmean(lost) / 100.0))


def _impact(busy: float | None, ranking: Ranking) -> float:
    rule = ranking.impact
    if busy is None or not math.isfinite(busy):
        return 1.0
    return min(rule.most, max(rule.least, math.pow(max(0.0, busy), rule.power)))


def _began(cluster: ClusterEvidence, as_of: datetime) -> float | None:
    newest = max((finding.since for finding in cluster.findings if finding.since), default=None)
    return None if newest is None else rough(max(0.0, (as_of - newest) / timedelta(hours=1)))


def _change(became: Moved, hours: float | None, ranking: Ranking) -> float:
    rule = ranking.change
    state = {"": 1.0, "new": rule.new, "worse": rule.worse, "same": rule.same, "better": rule.better}[became]
    return state if hours is None else state * (1.0 + (rule.fresh - 1.0) * 0.5 ** (hours / rule.halves_hours))


def _condition(cluster: ClusterEvidence) -> Iterator[str]:
    if cluster.score is None and cluster.worst is None:
        yield "nothing is known"
    if cluster.score is not None:
        yield f"score {cluster.score:.0f}"
    if cluster.worst is not None:
        yield f"worst dimension {cluster.worst:.0f} points"


def _traffic(found: Factors) -> str:
    if found.share is None or found.busy is None:
        return "traffic is not known"
    return f"{number(100 * found.share)}% of the fleet's queries and loads, {number(found.busy)} times the mean cluster"


def _news(found: Factors) -> Iterator[str]:
    yield f"{found.moved} since the last report" if found.moved else "no report to compare with"
    if found.hours is not None:
        yield f"began {number(found.hours)} h ago"
