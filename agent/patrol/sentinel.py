"""The sentinel: what turned bad between two looks, by code alone, and told once as long as the evidence is the same.

It remembers each cluster's severity and scores, so that a slide is seen however slow, and a state that merely lasts or
flickers is not told again."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from agent.patrol.evidence import Evidence
from agent.patrol.finding import ClusterEvidence
from agent.patrol.report import Severity

Trigger = Literal["critical", "slide", "storm", "important"]
"""A new Critical, a slide of the score, a storm of alerts, a tier S or A customer newly in Warning."""

DROP = 15.0
"""Points of score whose loss is a slide."""
FURTHER = 10.0
"""Points that a slide that was told has to lose on top before it is told again."""
NEAR, FAR = timedelta(hours=6), timedelta(hours=24)
"""The scores of this long ago are what the present ones are held against."""
CALM = 4
"""Looks in a row without the condition until it counts as over: fewer are a flicker."""
_GROWN = 1.5
"""By how much a storm that was told has to grow to be told again."""
_SPACING = timedelta(minutes=45)
"""Scores nearer to each other than this say the same."""
_ORDER: Sequence[Trigger] = ("critical", "storm", "slide", "important")


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of a trigger: on which dimensions, at which level (a score, a number of alerts), and for how many
    looks the condition has been away since."""

    dimensions: tuple[str, ...]
    level: float
    calm: int = 0


@dataclass(frozen=True, slots=True)
class Watched:
    """What the sentinel remembers of one cluster; `scores` are (naive UTC, 0..100), oldest first, of FAR at most."""

    severity: Severity | None = None
    scores: tuple[tuple[datetime, float], ...] = ()
    told: Mapping[Trigger, Told] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something to tell about a cluster, once: `was` and `level` are the figure before and now (scores, alerts)."""

    trigger: Trigger
    cluster: ClusterEvidence
    level: float
    was: float | None = None


def look(
    evidence: Evidence, before: Mapping[str, Watched] | None
) -> tuple[tuple[Sighting, ...], Mapping[str, Watched]]:
    """What is new against `before`, one sighting for a cluster at most, the most urgent first; and what to remember.
    Without a past (None) all is remembered and nothing told: what is bad already stands in the reports."""
    seen: list[Sighting] = []
    after: dict[str, Watched] = {}
    for cluster in evidence.clusters:
        identity = cluster.identity.cluster_id
        known = (before or {}).get(identity, Watched())
        conditions = {one.trigger: one for one in _conditions(cluster, known, evidence.now)}
        triggers = [trigger for trigger in _ORDER if trigger in conditions]
        new = [conditions[trigger] for trigger in triggers if _is_news(conditions[trigger], known)]
        if before is not None:
            seen.extend(new[:1])
        after[identity] = _remembered(cluster, known, conditions, {one.trigger for one in new}, evidence.now)
    return tuple(sorted(seen, key=lambda one: (_ORDER.index(one.trigger), one.cluster.rank))), after


def _conditions(cluster: ClusterEvidence, known: Watched, now: datetime) -> Iterator[Sighting]:
    """The triggers whose condition holds now, told before or not."""
    if cluster.severity == "Critical":
        yield Sighting("critical", cluster, float(len(_dimensions("critical", cluster))))
    elif cluster.severity == "Warning" and cluster.identity.tier in {"S", "A"}:
        yield Sighting("important", cluster, float(len(_dimensions("important", cluster))))
    for finding in cluster.findings:
        if finding.dimension == "alerts":
            yield Sighting("storm", cluster, finding.value, finding.baseline)
    past = [score for at, score in known.scores if NEAR <= now - at <= FAR]
    # what is Critical was told as that
    if cluster.score is not None and len(past) > 1 and cluster.severity != "Critical":
        # the middle of the past and not its best hour: one good hour makes no slide
        usual = statistics.median(past)
        if usual - cluster.score >= DROP:
            yield Sighting("slide", cluster, cluster.score, usual)


def _is_news(one: Sighting, known: Watched) -> bool:
    """Whether this was not told yet, or the evidence has changed for the worse since."""
    told = known.told.get(one.trigger)
    if told is None:
        return True
    if one.trigger == "slide":
        return one.level <= told.level - FURTHER
    if one.trigger == "storm":
        return one.level >= told.level * _GROWN
    return not set(_dimensions(one.trigger, one.cluster)) <= set(told.dimensions)


def _dimensions(trigger: Trigger, cluster: ClusterEvidence) -> tuple[str, ...]:
    """The dimensions that a trigger rests on."""
    if trigger == "critical":
        return tuple(one.dimension for one in cluster.findings if one.severity == "Critical")
    return tuple(one.dimension for one in cluster.findings)


def _remembered(
    cluster: ClusterEvidence,
    known: Watched,
    conditions: Mapping[Trigger, Sighting],
    new: set[Trigger],
    now: datetime,
) -> Watched:
    told: dict[Trigger, Told] = {}
    for trigger in _ORDER:
        before = known.told.get(trigger)
        if trigger in new:
            earlier = before.dimensions if before else ()
            dimensions = dict.fromkeys((*earlier, *_dimensions(trigger, cluster)))
            told[trigger] = Told(tuple(dimensions), conditions[trigger].level)
        elif before is not None and trigger in conditions:
            told[trigger] = replace(before, calm=0)
        # an unknown state is no calm: a cluster that fell silent did not recover
        elif before is not None and cluster.severity == "Unknown":
            told[trigger] = before
        elif before is not None and before.calm + 1 < CALM:
            told[trigger] = replace(before, calm=before.calm + 1)
    # a Critical that becomes a Warning is getting better, which is no news of that kind
    if "critical" in told and "important" not in told and cluster.severity == "Critical":
        told["important"] = Told(_dimensions("important", cluster), 0.0)
    return Watched(cluster.severity, _scores(cluster, known, now), told)


def _scores(cluster: ClusterEvidence, known: Watched, now: datetime) -> tuple[tuple[datetime, float], ...]:
    kept = [(at, score) for at, score in known.scores if now - at <= FAR]
    if cluster.score is not None and (not kept or now - kept[-1][0] >= _SPACING):
        kept.append((now, round(cluster.score, 2)))
    return tuple(kept)
