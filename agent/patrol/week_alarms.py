"""What came back during the week: findings on three days or more, and alerts that fire without consequence. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from agent.patrol.finding import SEVERITY_RANK, Finding, Identity
from agent.patrol.incidents import Incident
from agent.patrol.week import DAYS, Noisy, Past, Recurring

LEAST_DAYS = 3
"""On so many days of the week a finding recurs."""
LEAST_INCIDENTS = 5
IDLE_SHARE = 0.8
"""From which share without consequence on an alert that fires often is noise."""
_BRIEF = timedelta(hours=1)
_RESTLESS = 3
# An alert may be earlier than what it warns of, and a report only sees what is there in its hour.
_BEFORE, _AFTER = timedelta(hours=6), timedelta(hours=2)
_BETWEEN_REPORTS = timedelta(hours=12)

Span = tuple[datetime, datetime]


def recurring(past: Past, findings: Sequence[Finding], identities: Sequence[Identity], as_of: datetime) -> tuple[
    Recurring, ...
]:  # fmt: skip
    """The findings that stood in reports of at least LEAST_DAYS days, those of now included, the most lasting first."""
    names = {one.cluster_id: one.name for one in identities}
    now = {(one.cluster_id, one.dimension): one for one in findings}
    days: defaultdict[tuple[str, str], set[date]] = defaultdict(set)
    times: Counter[tuple[str, str]] = Counter()
    severity = {(one.cluster_id, one.dimension): one.severity for one in past.sightings}
    severity |= {key: one.severity for key, one in now.items()}
    for one in past.sightings:
        key = (one.cluster_id, one.dimension)
        days[key].add(one.at.date())
        times[key] += one.opened
    for key in now:
        days[key].add(as_of.date())
    found = [
        Recurring(
            cluster, names[cluster], dimension, severity[cluster, dimension], len(on), max(1, times[key]), lasting
        )
        for key, on in days.items()
        if len(on) >= LEAST_DAYS
        for cluster, dimension in [key]
        for lasting in [key in now]
        # a cluster that is stopped or gone by now concerns nobody
        if cluster in names
    ]
    return tuple(sorted(found, key=_weight))


def _weight(one: Recurring) -> tuple[bool, int, int, str, str]:
    return (not one.lasting, SEVERITY_RANK[one.severity], -one.days, one.cluster_name, one.dimension)


def of_the_week(incidents: Iterable[Incident], as_of: datetime) -> list[Incident]:
    """The incidents that began within the week."""
    return [one for one in incidents if one.first > as_of - timedelta(days=DAYS)]


def noise(
    incidents: Sequence[Incident],
    past: Past,
    findings: Sequence[Finding],
    unwell: Mapping[str, frozenset[int]],
    as_of: datetime,
) -> tuple[Noisy, ...]:
    """The alerts that fire often and of whose incidents hardly any fell into trouble of their cluster: a finding of a
    report, a finding of now, or a day with something beyond its limit. The most idle first."""
    trouble: defaultdict[str, list[Span]] = defaultdict(list)
    for cluster, span in _troubles(past, findings, unwell, as_of):
        trouble[cluster].append(span)
    named: defaultdict[str, list[Incident]] = defaultdict(list)
    for one in incidents:
        named[one.name].append(one)
    told = (_noisy(name, ours, trouble) for name, ours in named.items() if len(ours) >= LEAST_INCIDENTS)
    found = [one for one in told if one.idle >= IDLE_SHARE * one.incidents]
    return tuple(sorted(found, key=lambda one: (-one.idle, one.name)))


def _noisy(name: str, ours: Sequence[Incident], trouble: Mapping[str, Sequence[Span]]) -> Noisy:
    by_cluster = Counter(one.cluster_id for one in ours)
    return Noisy(
        name,
        len(ours),
        len(by_cluster),
        sum(not _met(one, trouble.get(one.cluster_id, ())) for one in ours),
        sum(not one.open and one.last - one.first <= _BRIEF for one in ours),
        sum(count >= _RESTLESS for count in by_cluster.values()),
    )


def _met(one: Incident, troubles: Iterable[Span]) -> bool:
    return any(one.first <= until + _AFTER and one.last >= since - _BEFORE for since, until in troubles)


def _troubles(
    past: Past, findings: Sequence[Finding], unwell: Mapping[str, frozenset[int]], as_of: datetime
) -> Iterator[tuple[str, Span]]:
    # A storm of alerts is made of alerts and proves nothing about them.
    for seen in past.sightings:
        if seen.dimension != "alerts":
            yield seen.cluster_id, (seen.at - _BETWEEN_REPORTS, seen.at)
    for one in findings:
        if one.dimension != "alerts":
            yield one.cluster_id, (one.since or as_of - _BETWEEN_REPORTS, as_of)
    for cluster, days in unwell.items():
        for back in days:
            end = as_of - timedelta(days=back)
            yield cluster, (end - timedelta(days=1), end)
