"""Compares what is wrong with a cluster with its siblings, from what was measured anyway.

Siblings are the other clusters of the account, or, of a cluster that is alone there, those of its version and machines;
always of one type, because the figures of CLASSIC and ELASTIC clusters mean different things."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import quantiles
from typing import Literal

from agent.patrol.finding import ClusterEvidence, Finding, Identity
from agent.patrol.siblings import Siblings

_MANY = 8
_UNMEASURED = frozenset({"freshness", "alerts"})
"""Findings that stand on no value of a dimension: siblings can only have them as well, or not."""

_Groups = Mapping[Hashable, Sequence[ClusterEvidence]]


def compared(clusters: Sequence[ClusterEvidence]) -> tuple[ClusterEvidence, ...]:
    """The same clusters, in the same order, with every finding beside the siblings of its cluster."""
    accounts, kinds = _grouped(clusters, _account), _grouped(clusters, _kind)
    return tuple(_with_siblings(one, accounts, kinds) if one.findings else one for one in clusters)


def _grouped(clusters: Iterable[ClusterEvidence], by: Callable[[Identity], Hashable]) -> _Groups:
    groups: dict[Hashable, list[ClusterEvidence]] = {}
    for one in clusters:
        if (key := by(one.identity)) is not None:
            groups.setdefault(key, []).append(one)
    return groups


def _account(one: Identity) -> Hashable:
    return (one.account_id, one.cluster_type) if one.account_id else None


def _kind(one: Identity) -> Hashable:
    # Clusters of which neither is known are no kin of each other.
    return (one.version, one.cluster_type, one.machine) if one.version and one.machine else None


def _with_siblings(cluster: ClusterEvidence, accounts: _Groups, kinds: _Groups) -> ClusterEvidence:
    return replace(
        cluster, findings=tuple(replace(one, siblings=_of(cluster, one, accounts, kinds)) for one in cluster.findings)
    )


def _of(cluster: ClusterEvidence, finding: Finding, accounts: _Groups, kinds: _Groups) -> Siblings | None:
    by: Literal["account", "kind"]
    for by, key, groups in (
        ("account", _account(cluster.identity), accounts),
        ("kind", _kind(cluster.identity), kinds),
    ):
        found = _beside(by, finding, [one for one in groups.get(key, ()) if one is not cluster])
        if found is not None:
            return found
    return None


def _beside(by: Literal["account", "kind"], finding: Finding, others: Sequence[ClusterEvidence]) -> Siblings | None:
    name = finding.dimension
    known = [one for one in others if name in one.values or name in _UNMEASURED or _has(one, name)]
    if not known:
        return None
    well = [one.values[name] for one in known if not _has(one, name) and name in one.values]
    low, high = _middle(well)
    return Siblings(by, len(known), sum(_has(one, name) for one in known), low, high)


def _has(cluster: ClusterEvidence, dimension: str) -> bool:
    return any(one.dimension == dimension for one in cluster.findings)


def _middle(values: Sequence[float]) -> tuple[float | None, float | None]:
    """The ends of a few values, or of the middle half of many: one odd cluster of sixty says nothing of the others."""
    if not values:
        return None, None
    if len(values) <= _MANY:
        return min(values), max(values)
    first, _, last = quantiles(values, n=4)
    return first, last
