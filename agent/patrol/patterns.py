"""What flagged clusters have in common beyond chance: a version, a region, an account, an operation, an alert.

One cause is often seen in many places. It is told once, and only when so many hits in one group would be a rare
accident, however many groups were looked at."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from agent.patrol.finding import ClusterEvidence, Identity
from agent.patrol.freshness import Operation
from agent.patrol.rules import Rules
from agent.untrusted import visible

_ALPHA = 0.05
_AT_LEAST = 2
# A group of forty with two sick members more than its share is significant in a large fleet, and of no use to anybody.
_LIFT = 2.0
_SHARE = 0.25
_LATELY = timedelta(hours=72)
_TOGETHER = timedelta(hours=6)
_VALUE_CHARS = 40

_TRAITS: Sequence[tuple[str, Callable[[Identity], str]]] = (
    ("on version", lambda one: one.version),
    ("of account", lambda one: one.account_id),
    ("in region", lambda one: one.region),
    ("at", lambda one: one.provider),
    ("on machines", lambda one: one.machine),
    ("of type", lambda one: one.cluster_type),
)


@dataclass(frozen=True, slots=True)
class Trait:
    """Something that some clusters share: how it is said of them, and which they are."""

    words: str
    clusters: frozenset[str]


@dataclass(frozen=True, slots=True)
class Pattern:
    """`clusters` are those of a group of `size` that share findings on `dimensions`, outside of it `elsewhere` do.
    `chance` is the corrected probability that this is an accident; `also` is what else holds for all of them."""

    trait: Trait
    dimensions: tuple[str, ...]
    clusters: frozenset[str]
    elsewhere: int
    chance: float
    since: datetime | None = None
    also: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many clusters the group has, with the finding or without."""
        return len(self.trait.clusters)

    def sentence(self, rules: Rules) -> str:
        """The pattern in one line."""
        labels = ", ".join(rules.label(dimension) for dimension in self.dimensions)
        text = f"{len(self.clusters)} of {self.size} clusters {self.trait.words} share: {labels}"
        text += f", all of them {', '.join(self.also)}" if self.also else ""
        text += f", since about {self.since:%m-%d %H:%M}" if self.since else ""
        return text + (f" (elsewhere {self.elsewhere})" if self.elsewhere else "")


def accident(fleet: int, hits: int, size: int, inside: int) -> float:
    """The probability that a group of `size`, drawn blindly from a fleet with `hits` hits, holds `inside` or more of
    them (hypergeometric, exact)."""
    ways = sum(
        math.comb(hits, count) * math.comb(fleet - hits, size - count) for count in range(inside, min(hits, size) + 1)
    )
    return ways / math.comb(fleet, size)


def tried(best: Sequence[float], alpha: float = _ALPHA) -> int:
    """By how much to correct for many looks, given the smallest probability that each look could have shown (Tarone):
    groups too small to ever prove anything do not count as looks."""
    looks = 1
    while sum(one <= alpha / looks for one in best) > looks:
        looks += 1
    return looks


def shared(
    clusters: Sequence[ClusterEvidence], operations: Mapping[str, Sequence[Operation]], as_of: datetime
) -> tuple[Pattern, ...]:
    """The significant patterns, the least accidental first; of several that tell of the same clusters only one."""
    known = [one for one in clusters if one.findings or one.score is not None]
    traits = [one for one in _traits(known, operations, as_of) if _AT_LEAST <= len(one.clusters) < len(known)]
    hit = _hits(known)
    looks = [(trait, dimension) for dimension in hit for trait in traits]
    correction = tried([_best(len(known), len(hit[dimension]), len(trait.clusters)) for trait, dimension in looks])
    found = [
        pattern
        for trait, dimension in looks
        if (pattern := _pattern(trait, dimension, hit[dimension], len(known), correction)) is not None
    ]
    told = _distinct(sorted(found, key=lambda one: (one.chance, -len(one.clusters), one.trait.words, one.dimensions)))
    return tuple(_dated(one, known) for one in told)


def patterns(clusters: Sequence[ClusterEvidence], found: Sequence[Pattern], rules: Rules) -> tuple[str, ...]:
    """Plain sentences on what flagged clusters share; alerts that many of them have come last."""
    names = Counter(name for cluster in clusters if cluster.findings for name in set(cluster.alerts))
    return (
        *(pattern.sentence(rules) for pattern in found),
        *(
            f"alert {visible(name)[:60]} fires on {count} flagged clusters"
            for name, count in names.most_common(3)
            if count >= _AT_LEAST
        ),
    )


def _traits(
    clusters: Sequence[ClusterEvidence], operations: Mapping[str, Sequence[Operation]], as_of: datetime
) -> Iterator[Trait]:
    for preposition, value_of in _TRAITS:
        groups: defaultdict[str, set[str]] = defaultdict(set)
        for one in clusters:
            groups[value_of(one.identity)].add(one.identity.cluster_id)
        for value, members in groups.items():
            if value:
                yield Trait(f"{preposition} {_shown(value)}", frozenset(members))
    done: defaultdict[str, set[str]] = defaultdict(set)
    for one in clusters:
        for operation in operations.get(one.identity.cluster_id, ()):
            if as_of - operation.at <= _LATELY:
                done[operation.kind].add(one.identity.cluster_id)
    yield from (Trait(f"with {_shown(kind)} in the last 72 h", frozenset(members)) for kind, members in done.items())


def _shown(value: str) -> str:
    return " ".join(visible(value).split())[:_VALUE_CHARS]


def _hits(clusters: Sequence[ClusterEvidence]) -> dict[str, frozenset[str]]:
    """The clusters with a finding on each dimension that at least two have."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for one in clusters:
        for finding in one.findings:
            found[finding.dimension].add(one.identity.cluster_id)
    return {dimension: frozenset(ids) for dimension, ids in found.items() if len(ids) >= _AT_LEAST}


def _best(fleet: int, hits: int, size: int) -> float:
    return accident(fleet, hits, size, min(hits, size))


def _pattern(trait: Trait, dimension: str, hit: frozenset[str], fleet: int, correction: int) -> Pattern | None:
    inside = hit & trait.clusters
    size = len(trait.clusters)
    expected = size * len(hit) / fleet
    if len(inside) < max(_AT_LEAST, _LIFT * expected, _SHARE * size):
        return None
    chance = min(1.0, accident(fleet, len(hit), size, len(inside)) * correction)
    if chance > _ALPHA:
        return None
    return Pattern(trait, (dimension,), inside, len(hit) - len(inside), chance)


def _distinct(found: Sequence[Pattern]) -> list[Pattern]:
    """The best pattern of each set of clusters; further dimensions and traits of the same set are added to it."""
    told: list[Pattern] = []
    for one in found:
        for at, other in enumerate(told):
            if one.clusters == other.clusters:
                told[at] = _joined(other, one)
                break
            # A part of what was told already, or most of it under a weaker name, is no news.
            if set(one.dimensions) & set(other.dimensions) and 2 * len(one.clusters & other.clusters) >= len(
                one.clusters
            ):
                break
        else:
            told.append(one)
    return told


def _joined(told: Pattern, more: Pattern) -> Pattern:
    known = {told.trait.words, *told.also}
    also = told.also if more.trait.words in known else (*told.also, more.trait.words)
    return replace(told, dimensions=tuple(dict.fromkeys((*told.dimensions, *more.dimensions))), also=also)


def _dated(pattern: Pattern, clusters: Sequence[ClusterEvidence]) -> Pattern:
    """With the hour in which it began, if it began in all of the clusters at about the same time."""
    begun = [
        finding.since
        for one in clusters
        if one.identity.cluster_id in pattern.clusters
        for finding in one.findings
        if finding.dimension == pattern.dimensions[0] and finding.since is not None
    ]
    if len(begun) < len(pattern.clusters) or max(begun) - min(begun) > _TOGETHER:
        return pattern
    return replace(pattern, since=min(begun))
