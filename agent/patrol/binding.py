"""Ties what a model wrote to the evidence: which clusters, how severe, which figures.

The model explains and ranks; what is flagged and every figure beside it come from measurements."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from agent.patrol.evidence import Evidence
from agent.patrol.explain import cluster_of
from agent.patrol.finding import SEVERITY_RANK, ClusterEvidence, Finding
from agent.patrol.report import CustomerSummary, Factors, FlaggedCluster, FlaggedFinding, Prediction, Severity
from agent.patrol.sections import Flag, Sections

_REASON_CHARS = 600
# Letters and digits: "n/a" and "none" are no reasons, and four Chinese words are one.
_LEAST_REASON = 8


@dataclass(frozen=True, slots=True)
class Bound:
    """The parts of a report that depend on evidence, and how many of the model's flags were refused (no such cluster,
    or nothing measured against it), had raised a severity, had lowered one with a reason or `unreasoned`, and how many
    clusters it had forgotten."""

    flagged: tuple[FlaggedCluster, ...]
    customers: tuple[CustomerSummary, ...]
    refused: int = 0
    raised: int = 0
    lowered: int = 0
    unreasoned: int = 0
    added: int = 0
    predictions: tuple[Prediction, ...] = ()


def bind(sections: Sections, evidence: Evidence) -> Bound:
    """The flagged clusters and customers of a report, worst first. Every cluster with findings is in; none without."""
    flags: dict[str, Flag] = {}
    refused = 0
    for written in sections.flags:
        meant = cluster_of(evidence, written.cluster)
        if len(meant) != 1 or not meant[0].findings:
            refused += 1
        else:
            # The first wins: a model that contradicts itself should not be able to lower a cluster in passing.
            flags.setdefault(meant[0].identity.cluster_id, written)
    # From the evidence and not from the flags, so that forgetting a cluster cannot hide it.
    flagged = [_flagged(cluster, flags.get(cluster.identity.cluster_id)) for cluster in evidence.flagged]
    steps = [
        SEVERITY_RANK[flag.severity] - SEVERITY_RANK[one.severity]
        for one in flagged
        if (flag := flags.get(one.cluster_id)) is not None
    ]
    return Bound(
        tuple(sorted(flagged, key=lambda one: SEVERITY_RANK[one.severity])),
        tuple(_customers(sections, evidence)),
        refused,
        sum(step < 0 for step in steps),
        sum(bool(one.lowered_because) for one in flagged),
        sum(step > 0 for step in steps),
        sum(one.cluster_id not in flags for one in flagged),
        tuple(_predictions(sections, evidence)),
    )


def severity_of(cluster: ClusterEvidence, asked: Severity | None, because: str = "") -> Severity:
    """What stands in the report: a model may lower Critical to Warning when it says why, never raise, and what is
    unknown stays so."""
    measured = cluster.severity or "Unknown"
    # Unknown is a fact about the data; nobody can argue a silent cluster into health, nor a measured one out of it.
    if asked is None or measured == "Unknown" or asked == "Unknown":
        return measured
    # The higher rank is the milder word.
    milder = max(measured, asked, key=SEVERITY_RANK.__getitem__)
    return milder if _is_reason(because) else measured


def _is_reason(text: str) -> bool:
    """Whether a text says anything; what it says is for people to judge, who see it beside both severities."""
    return sum(letter.isalnum() for letter in text) >= _LEAST_REASON


def _flagged(cluster: ClusterEvidence, flag: Flag | None) -> FlaggedCluster:
    identity = cluster.identity
    since = min((finding.since for finding in cluster.findings if finding.since), default=None)
    measured = "; ".join(finding.reason for finding in cluster.findings)[:_REASON_CHARS]
    severity = severity_of(cluster, flag.severity, flag.because) if flag else severity_of(cluster, None)
    return FlaggedCluster(
        identity.cluster_id,
        identity.name,
        severity,
        # The model explains better than the rules; what it measured wrongly stands corrected beside it.
        flag.reason if flag and flag.reason else measured,
        key_metrics(cluster),
        identity.customer,
        identity.tier,
        _minute(since),
        tuple(_finding(finding) for finding in cluster.findings),
        factors=_factors(cluster),
        lowered_because=flag.because if flag and severity != cluster.severity else "",
    )


def _factors(cluster: ClusterEvidence) -> Factors:
    known = cluster.factors
    return replace(
        known,
        health=_short(known.health),
        impact=_short(known.impact),
        change=_short(known.change),
        share=None if known.share is None else _short(known.share),
        busy=None if known.busy is None else _short(known.busy),
        hours=None if known.hours is None else _short(known.hours),
    )


def _finding(finding: Finding) -> FlaggedFinding:
    return FlaggedFinding(
        dimension=finding.dimension,
        severity=finding.severity,
        value=_short(finding.value),
        unit=finding.unit,
        reason=finding.reason,
        baseline=None if finding.baseline is None else _short(finding.baseline),
        threshold=finding.threshold,
        since=_minute(finding.since),
        query_id=finding.query_id,
        down=finding.down,
        course=finding.course,
        hours_left=None if finding.hours_left is None else _short(finding.hours_left),
        breaking=finding.breaking,
        rule=finding.rule,
        siblings=finding.siblings,
    )


def _short(value: float) -> float:
    """Four significant digits: what the data is good for."""
    return float(f"{value:.4g}")


def _minute(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""


def key_metrics(cluster: ClusterEvidence) -> Mapping[str, float]:
    """The measured figure of each finding, by dimension, to four significant digits."""
    return {finding.dimension: _short(finding.value) for finding in cluster.findings}


def important(evidence: Evidence) -> dict[str, list[ClusterEvidence]]:
    """Flagged clusters of tier S and A customers, by customer, the most important first."""
    found: dict[str, list[ClusterEvidence]] = {}
    for cluster in sorted(evidence.flagged, key=lambda one: (one.identity.tier != "S", one.rank)):
        if cluster.identity.tier in {"S", "A"}:
            name = cluster.identity.customer or cluster.identity.account_id
            found.setdefault(name, []).append(cluster)
    return found


def _customers(sections: Sections, evidence: Evidence) -> Iterator[CustomerSummary]:
    """One summary for each tier S and A customer with issues: the model's words where it has some."""
    written = {one.customer.strip().lower(): one.text for one in sections.customers if one.text}
    for customer, clusters in important(evidence).items():
        text = written.get(customer.strip().lower()) or customer_words(clusters)
        yield CustomerSummary(customer, clusters[0].identity.tier, text)


def _predictions(sections: Sections, evidence: Evidence) -> Iterator[Prediction]:
    """The measured predictions, then those of the model that are about something else; these rest on no record, so
    nothing above Low is said of them."""
    yield from evidence.predictions
    measured = {one.text for one in evidence.predictions}
    subjects = {_subject(evidence, one.cluster_id) for one in evidence.predictions}
    for written in sections.predictions:
        said = written.text.lower()
        if written.text not in measured and not any(name in said or prefix in said for name, prefix in subjects):
            yield replace(written, confidence="Low")


def _subject(evidence: Evidence, cluster_id: str) -> tuple[str, str]:
    name = next((one.identity.name for one in evidence.clusters if one.identity.cluster_id == cluster_id), cluster_id)
    return name.lower(), cluster_id[:8].lower()


def customer_words(clusters: list[ClusterEvidence]) -> str:
    """How a customer fares, from findings alone."""
    parts = [f"{one.identity.name} is {one.severity}: {one.findings[0].reason}" for one in clusters[:3]]
    more = f" (and {len(clusters) - 3} more)" if len(clusters) > 3 else ""
    return "; ".join(parts) + more
