"""All that one patrol knows before a model sees it, and its short form for the prompt."""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent.patrol.coverage import Coverage
from agent.patrol.facts import FleetFacts
from agent.patrol.finding import SEVERITY_RANK, ClusterEvidence, Finding, Identity
from agent.patrol.freshness import STALE_AFTER
from agent.patrol.incidents import Incident
from agent.patrol.patterns import Pattern
from agent.patrol.predictions import Statement
from agent.patrol.report import LabelRecord, Prediction
from agent.patrol.week import Week
from agent.untrusted import visible

PROMPT_CHARS = 5_000
"""The longest prompt block; figures and ids take a token for every 2.5 characters or more, so 2,000 tokens at most."""

_NAME_LENGTH = 48
_REASONS = 3
_PREFIX = 8


@dataclass(frozen=True, slots=True)
class Evidence:
    """The state of the fleet as of the hour `as_of` (naive UTC). `clusters` holds every active cluster, worst first;
    `patterns` and `notes` are plain sentences: what flagged clusters share, and what is wrong with the data."""

    now: datetime
    as_of: datetime
    facts: FleetFacts = field(default_factory=FleetFacts)
    clusters: tuple[ClusterEvidence, ...] = ()
    patterns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    query_ids: tuple[str, ...] = ()
    quality: tuple[str, ...] = field(default=(), kw_only=True)
    """What is wrong with the data itself, in plain sentences."""
    statements: int = 0
    receipts: Mapping[str, str] = field(default_factory=dict)
    """The SQL behind the query ids that findings name."""
    shared: tuple[Pattern, ...] = ()
    """The significant ones of the patterns, with their clusters."""
    graded: tuple[Statement, ...] = ()
    """Earlier predictions that this look could grade, or not yet."""
    predictions: tuple[Prediction, ...] = ()
    record: tuple[LabelRecord, ...] = ()
    incidents: tuple[Incident, ...] = ()
    """The alerts of eight days, as incidents; `alerts_id` is their receipt, empty when they could not be read."""
    alerts_id: str = ""
    coverage: Coverage | None = None
    week: Week | None = None
    """The look back of a weekly patrol, and in `week_lines` the same in a few lines for the prompt."""
    week_lines: tuple[str, ...] = ()

    @property
    def flagged(self) -> tuple[ClusterEvidence, ...]:
        """The clusters with findings, worst first."""
        return tuple(cluster for cluster in self.clusters if cluster.findings)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, in the order of the clusters."""
        return tuple(finding for cluster in self.clusters for finding in cluster.findings)

    @property
    def unjudged(self) -> int:
        """How many clusters without findings cannot be called healthy either: starting, being stopped, or sending too
        few metrics for a score."""
        return sum(not cluster.findings and cluster.score is None for cluster in self.clusters)

    @property
    def stale(self) -> bool:
        """Whether even the newest data is old, so that all is said as of then."""
        return self.now - self.as_of > STALE_AFTER

    def by_severity(self) -> dict[str, int]:
        """How many clusters are at each severity, worst first; severities without a cluster are left out."""
        counts = Counter(cluster.severity for cluster in self.flagged)
        return {severity: counts[severity] for severity in SEVERITY_RANK if counts[severity]}

    def prefixes(self) -> dict[str, str]:
        """Short unique ids: cluster id by its prefix, at least eight characters long."""
        ids = [cluster.identity.cluster_id for cluster in self.clusters]
        short = {identity: _prefix(identity, ids) for identity in ids}
        return {prefix: identity for identity, prefix in short.items()}

    def render(self) -> str:
        """The evidence for a prompt, at most PROMPT_CHARS long whatever the size of the fleet. Names and details in it
        are quoted data."""
        return "\n".join(_within(self._lines(), PROMPT_CHARS))

    def _lines(self) -> Iterator[str]:
        yield from _overview(self)
        if not self.flagged:
            yield "No cluster is flagged: every cluster that could be judged is within its limits and its own past."
            return
        yield "Flagged, worst first (id prefix, name, tier, severity: findings):"
        short = {identity: prefix for prefix, identity in self.prefixes().items()}
        for cluster, pattern in told_once(self.flagged, self.shared):
            yield _cluster_line(cluster, short[cluster.identity.cluster_id], pattern)

    def to_json(self) -> dict[str, Any]:
        """What is stored beside a report: counts, findings and notes as plain JSON values."""
        return {
            "as_of": self.as_of.isoformat(sep=" "),
            "facts": dataclasses.asdict(self.facts),
            "flagged": self.by_severity(),
            "findings": [_finding_json(finding) for finding in self.findings],
            "patterns": list(self.patterns),
            "notes": list(self.notes),
            "data_quality": list(self.quality),
            "prediction_record": [dataclasses.asdict(one) for one in self.record],
            "query_ids": list(self.query_ids),
            "coverage": dataclasses.asdict(self.coverage) if self.coverage else None,
            "week": dataclasses.asdict(self.week) if self.week else None,
        }


def told_once(
    flagged: Iterable[ClusterEvidence], shared: Sequence[Pattern]
) -> Iterator[tuple[ClusterEvidence, Pattern | None]]:
    """The clusters with the pattern that an earlier one of them told of already and that explains all their findings;
    None for a cluster that has a story of its own."""
    told: set[int] = set()
    for cluster in flagged:
        dimensions = {finding.dimension for finding in cluster.findings}
        ours = next(
            (at for at, one in enumerate(shared) if _explains(one, cluster.identity.cluster_id, dimensions)), None
        )
        yield cluster, shared[ours] if ours is not None and ours in told else None
        told |= set() if ours is None else {ours}


def _explains(pattern: Pattern, cluster_id: str, dimensions: Set[str]) -> bool:
    return cluster_id in pattern.clusters and dimensions <= set(pattern.dimensions)


def label(identity: Identity) -> str:
    """A cluster's name as quoted data: visible characters on one line, cut when long."""
    name = " ".join(visible(identity.name).split())
    return name if len(name) <= _NAME_LENGTH else name[: _NAME_LENGTH - 1] + "…"


def record_line(record: LabelRecord) -> str:
    """How the predictions of one confidence came out, in words."""
    return f"{record.confidence} {record.hits} of {record.graded} right, Brier {record.brier:.2f}"


def _prefix(identity: str, ids: list[str]) -> str:
    length = _PREFIX
    while length < len(identity) and sum(other.startswith(identity[:length]) for other in ids) > 1:
        length += 4
    return identity[:length]


def _finding_json(finding: Finding) -> dict[str, Any]:
    since = finding.since.isoformat(sep=" ") if finding.since else None
    return {**dataclasses.asdict(finding), "key": finding.key, "since": since}


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"


def _overview(evidence: Evidence) -> Iterator[str]:
    facts = evidence.facts
    newest = f"{evidence.as_of:%Y-%m-%d %H:%M} UTC"
    yield f"Newest data: {newest}" + (" (old: everything below is as of then)" if evidence.stale else "")
    flagged = _counts(evidence.by_severity())
    if evidence.unjudged:
        flagged += f"; not judged (starting, being stopped, or too few metrics): {evidence.unjudged}"
    yield f"Active clusters: {len(evidence.clusters)} of {facts.total} ({_counts(facts.by_type)}); flagged: {flagged}"
    yield f"Stored risk levels: {_counts(facts.risk)}; stored health classes: {_counts(facts.health)}"
    firing, pairs = facts.alert_rows.get("Firing", 0), facts.alert_names.get("Firing", 0)
    yield f"Alerts in 24 h: {firing} firing rows of {pairs} cluster/alert pairs; open issues: {_counts(facts.issues)}"
    worst = ", ".join(
        f"{json.dumps(one.name[:_NAME_LENGTH], ensure_ascii=False)} {one.score:.0f}"
        for one in facts.worst[:5]
        if one.score is not None
    )
    if worst:
        yield f"Lowest stored scores (counts of repeats weigh in them): {worst}"
    yield from (f"Note: {note}" for note in evidence.notes[:6])
    yield from (f"Data quality: {one}" for one in evidence.quality[:5])
    yield from (f"Pattern: {pattern}" for pattern in evidence.patterns[:6])
    yield from (f"Forecast [{one.confidence}]: {one.text}" for one in evidence.predictions[:5])
    yield from evidence.week_lines
    if evidence.record:
        yield f"Record of earlier forecasts: {'; '.join(record_line(one) for one in evidence.record)}"


def _cluster_line(cluster: ClusterEvidence, prefix: str, pattern: Pattern | None) -> str:
    identity = cluster.identity
    name = json.dumps(label(identity), ensure_ascii=False)
    who = f", customer {json.dumps(visible(identity.customer)[:32], ensure_ascii=False)}" if identity.customer else ""
    if pattern is not None:
        return f"- {prefix} {name} tier {identity.tier}{who}, {cluster.severity}: as others {pattern.trait.words}"
    since = min((finding.since for finding in cluster.findings if finding.since), default=None)
    began = f" since {since:%m-%d %H:%M}" if since else ""
    reasons = "; ".join(finding.reason for finding in cluster.findings[:_REASONS])
    worst = cluster.findings[0]
    beside = f" ({worst.siblings.words(worst.unit)})" if worst.siblings is not None else ""
    operation = f" [before: {cluster.operations[0]}]" if cluster.operations else ""
    return f"- {prefix} {name} tier {identity.tier}{who}, {cluster.severity}{began}: {reasons}{beside}{operation}"


def _within(lines: Iterator[str], budget: int) -> Iterator[str]:
    """The lines that fit; a last line counts what was left out."""
    # Room for the line that tells what was left out.
    left, rest = budget - 60, 0
    for line in lines:
        short = line if len(line) <= 600 else line[:599] + "…"
        left -= len(short) + 1
        # Nothing after the first line that does not fit: lines are in order of severity, and a gap would hide that.
        if left < 0 or rest:
            rest += 1
        else:
            yield short
    if rest:
        yield f"… and {rest} more lines left out here, less severe than these"
