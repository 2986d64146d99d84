"""The rules-only analyst's words: the five sections made from evidence, and a few lines from what its tools found."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent.patrol.binding import customer_words, important, key_metrics, severity_of
from agent.patrol.evidence import Evidence, label, told_once
from agent.patrol.finding import ClusterEvidence
from agent.patrol.report import CustomerSummary, RecommendedAction, Urgency
from agent.patrol.rules import Rules
from agent.patrol.sections import Flag, Sections
from agent.rules_only.envelope import Sheet, read
from agent.untrusted import visible

Result = tuple[str, Mapping[str, Any], str, bool]
"""Tool name, arguments, text, whether it failed."""

_NAMED = 5
_ACTIONS = 10
_LOG_CHARS = 140
_SOON = 12.0
_LOOK = "look at its course and at what was done before it began"
_ADVICE = {
    "freshness": "find out why no data comes: exporter, network, or the cluster itself is down",
    "alerts": "read the alerts in the order in which they began; the first one is nearest to the cause",
}


def sections(evidence: Evidence, rules: Rules, results: Sequence[Result] = ()) -> Sections:
    """The five sections of a report. With nothing flagged they say so, and nothing else."""
    flags = tuple(
        Flag(
            cluster.identity.cluster_id,
            severity_of(cluster, None),
            "; ".join(finding.reason for finding in cluster.findings),
            key_metrics(cluster),
        )
        for cluster in evidence.flagged
    )
    customers = tuple(
        CustomerSummary(name, clusters[0].identity.tier, customer_words(clusters))
        for name, clusters in important(evidence).items()
    )
    narrative = "\n\n".join(part for part in _paragraphs(evidence, rules, results) if part)
    return Sections(narrative, flags, evidence.predictions, customers, tuple(_actions(evidence, rules)))


def _paragraphs(evidence: Evidence, rules: Rules, results: Sequence[Result]) -> Iterator[str]:
    yield _opening(evidence)
    yield _worst(evidence)
    yield _shared(evidence)
    yield _dug_up(evidence, results)
    yield _doubts(evidence, results)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _opening(evidence: Evidence) -> str:
    active = _count(len(evidence.clusters), "active cluster")
    as_of = f"{evidence.as_of:%Y-%m-%d %H:%M} UTC"
    unjudged = evidence.unjudged
    rest = f" {_count(unjudged, 'cluster')} could not be judged: starting, being stopped, or too few metrics."
    aside = rest if unjudged else ""
    well = len(evidence.clusters) - len(evidence.flagged) - unjudged
    if not evidence.flagged:
        which = f"all {active} send data and" if not unjudged else f"the {well} of {active} that could be judged"
        return f"The fleet is healthy: {which} are within their limits and their own past (as of {as_of}).{aside}"
    counts = ", ".join(f"{number} {severity}" for severity, number in evidence.by_severity().items())
    verb = "needs" if len(evidence.flagged) == 1 else "need"
    others = f" {well} are healthy." if well else ""
    return f"{len(evidence.flagged)} of {active} {verb} attention as of {as_of}: {counts}.{others}{aside}"


def _worst(evidence: Evidence) -> str:
    # What a pattern explains is told with the first of its clusters, and for all of them under "In common".
    own = [one for one, pattern in told_once(evidence.flagged, evidence.shared) if pattern is None]
    told = [f"{_who(one)}: {one.findings[0].reason}{_began(one)}" for one in own[:_NAMED]]
    if not told:
        return ""
    rest = len(evidence.flagged) - len(told)
    return "Worst first: " + "; ".join(told) + (f"; and {rest} more below." if rest else ".")


def _who(cluster: ClusterEvidence) -> str:
    tier = f" (tier {cluster.identity.tier})" if cluster.identity.tier != "B" else ""
    return f"{label(cluster.identity)}{tier}"


def _began(cluster: ClusterEvidence) -> str:
    since = cluster.findings[0].since
    operation = f", after {cluster.operations[0]}" if cluster.operations else ""
    return f", since {since:%m-%d %H:%M}{operation}" if since else operation


def _shared(evidence: Evidence) -> str:
    return "In common: " + "; ".join(evidence.patterns[:4]) + "." if evidence.patterns else ""


def _dug_up(evidence: Evidence, results: Sequence[Result]) -> str:
    """What the logs of the worst clusters say, quoted as data."""
    names = {one.identity.cluster_id: label(one.identity) for one in evidence.clusters}
    found: list[str] = []
    for tool, arguments, text, failed in results:
        sheet = read(text, failed) if tool == "search_logs" else None
        if not isinstance(sheet, Sheet):
            continue
        lines = (row for row in sheet if row.text("level").upper() in {"ERROR", "FATAL", "WARN", "WARNING"})
        first = next((row.text("message") for row in lines), "")
        if first:
            quoted = " ".join(visible(first).split())[:_LOG_CHARS].replace("`", "'")
            found.append(f"{names.get(str(arguments.get('cluster')), 'a cluster')}: `{quoted}`")
    return "From the logs: " + "; ".join(found) + "." if found else ""


def _doubts(evidence: Evidence, results: Sequence[Result]) -> str:
    failed = sorted({tool for tool, _, _, failed in results if failed})
    notes = [*evidence.notes, *evidence.quality] + ([f"no answer from {', '.join(failed)}"] if failed else [])
    return "On the data: " + "; ".join(notes) + "." if notes else ""


def _urgency(cluster: ClusterEvidence) -> Urgency:
    if cluster.severity == "Critical":
        return "Immediate"
    soon = any(outlook.hours <= _SOON for outlook in cluster.outlooks)
    important_customer = cluster.identity.tier in {"S", "A"}
    if soon and important_customer:
        return "Immediate"
    return "Today" if soon or important_customer or cluster.severity == "Unknown" else "This Week"


def _actions(evidence: Evidence, rules: Rules) -> Iterator[RecommendedAction]:
    """One action for each kind of trouble and urgency, with the clusters that it concerns."""
    grouped: dict[tuple[Urgency, str], list[str]] = {}
    for cluster in evidence.flagged:
        dimension = cluster.findings[0].dimension
        grouped.setdefault((_urgency(cluster), dimension), []).append(label(cluster.identity))
    order: Sequence[Urgency] = ("Immediate", "Today", "This Week")
    ranked = sorted(grouped.items(), key=lambda item: order.index(item[0][0]))
    for (urgency, dimension), names in ranked[:_ACTIONS]:
        rule = rules.dimensions.get(dimension)
        advice = rule.advice if rule else _ADVICE.get(dimension, _LOOK)
        shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        yield RecommendedAction(urgency, f"{shown} ({rules.label(dimension)}): {advice}")
