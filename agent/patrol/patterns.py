"""What flagged clusters have in common: a version, an account, an alert. One cause is often seen in many places."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

from agent.patrol.finding import ClusterEvidence
from agent.patrol.rules import Rules
from agent.untrusted import visible

_AT_LEAST = 2
# Of a group of forty, two sick clusters are a coincidence; of six they are a pattern.
_SHARE = 0.3


def _shared(
    clusters: Sequence[ClusterEvidence], group_of: Callable[[ClusterEvidence], str]
) -> Iterator[tuple[str, str, int, int]]:
    """Group, dimension, flagged and all clusters of the group, where enough of the group have the same finding."""
    sizes = Counter(group_of(cluster) for cluster in clusters)
    hits: defaultdict[tuple[str, str], int] = defaultdict(int)
    for cluster in clusters:
        for dimension in {finding.dimension for finding in cluster.findings}:
            hits[group_of(cluster), dimension] += 1
    for (group, dimension), count in sorted(hits.items(), key=lambda item: (-item[1], item[0])):
        if group and count >= _AT_LEAST and count >= _SHARE * sizes[group]:
            yield group, dimension, count, sizes[group]


def patterns(clusters: Sequence[ClusterEvidence], rules: Rules) -> tuple[str, ...]:
    """Plain sentences on what flagged clusters share, the most common first."""
    found = [
        f"{count} of {size} clusters on version {visible(group)[:24]} share: {rules.label(dimension)}"
        for group, dimension, count, size in _shared(clusters, lambda one: one.identity.version)
    ]
    found += [
        f"{count} of {size} clusters of account {visible(group)[:24]} share: {rules.label(dimension)}"
        for group, dimension, count, size in _shared(clusters, lambda one: one.identity.account_id)
    ]
    names = Counter(name for cluster in clusters if cluster.findings for name in set(cluster.alerts))
    found += [
        f"alert {visible(name)[:60]} fires on {count} flagged clusters"
        for name, count in names.most_common(3)
        if count >= _AT_LEAST
    ]
    return tuple(found)
