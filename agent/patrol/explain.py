"""Why a cluster stands where it stands: every dimension with its value, its past, its limits and its points."""

from collections.abc import Iterator

from agent.patrol.evidence import Evidence, label
from agent.patrol.finding import ClusterEvidence
from agent.patrol.reference import Reference, standing
from agent.patrol.rules import Dimension, Rules, number, quantity
from agent.patrol.scorer import CAP_AT_WORST, points
from agent.untrusted import visible

# As the door has it: shorter ones match by accident in a fleet of hundreds.
_MIN_PREFIX = 6


def cluster_of(evidence: Evidence, text: str) -> tuple[ClusterEvidence, ...]:
    """The clusters that an id, the beginning of one (six characters or more) or a name can mean; ids go first."""
    wanted = text.strip().lower()
    ids = [one for one in evidence.clusters if one.identity.cluster_id.lower() == wanted]
    begun = [
        one
        for one in evidence.clusters
        if len(wanted) >= _MIN_PREFIX and one.identity.cluster_id.lower().startswith(wanted)
    ]
    named = [one for one in evidence.clusters if one.identity.name.lower() == wanted]
    # Ids before names: a name is chosen by its owner and may look like another cluster's id.
    return tuple(ids or begun or named)


def explained(cluster: ClusterEvidence, rules: Rules) -> Iterator[str]:
    """Lines for people: severity, every finding with its rule, every dimension, and how the score came about."""
    identity = cluster.identity
    rules = rules.of(identity.cluster_type)
    yield f"{label(identity)} ({identity.cluster_id}), tier {identity.tier}: {cluster.severity or 'no finding'}"
    for finding in cluster.findings:
        since = f", since {finding.since:%Y-%m-%d %H:%M} UTC" if finding.since else ""
        yield f"  {finding.severity}: {visible(finding.reason)}{since}"
        yield f"    rule: {finding.rule}" if finding.rule else f"    dimension: {finding.dimension}"
        if finding.siblings is not None:
            yield f"    beside: {finding.siblings.words(finding.unit)}"
    for operation in cluster.operations:
        yield f"  before: {visible(operation)}"
    yield f"  {'dimension':<28} {'now':>12} {'usual':>12} {'Warning':>10} {'Critical':>10} {'points':>7} {'weight':>7}"
    for name, rule in rules.dimensions.items():
        yield _row(cluster, name, rule)
    yield from _score(cluster, rules)


def _row(cluster: ClusterEvidence, name: str, rule: Dimension) -> str:
    value, usual = cluster.values.get(name), cluster.usual.get(name)
    now = "no data" if value is None else quantity(value, rule.unit)
    past = "-" if usual is None else quantity(usual, rule.unit)
    earned = "-" if value is None else f"{points(rule, value):.0f}"
    limits = f"{number(rule.limits.yellow):>10} {number(rule.limits.red):>10}"
    return f"  {name:<28} {now:>12} {past:>12} {limits} {earned:>7} {rule.weight or 0:>7.2f}"


def _score(cluster: ClusterEvidence, rules: Rules) -> Iterator[str]:
    graded = {
        name: (rule.weight, points(rule, cluster.values[name]))
        for name, rule in rules.dimensions.items()
        if name in cluster.values and rule.weight > 0
    }
    if cluster.score is None or not graded:
        yield "  score: none, too little is known"
        return
    mean = sum(weight * earned for weight, earned in graded.values()) / sum(weight for weight, _ in graded.values())
    worst = min(graded, key=lambda name: graded[name][1])
    cap = CAP_AT_WORST + (100 - CAP_AT_WORST) * graded[worst][1] / 100
    held = f", held at {cap:.1f} by {worst}" if cap < mean else ""
    yield f"  score: {cluster.score:.1f} of 100; weighted mean {mean:.1f}{held}"


def explained_by_reference(cluster: ClusterEvidence, rules: Reference) -> Iterator[str]:
    """Lines for people on how the reference platform classifies a cluster; `cluster` is from its own look."""
    yield f"by the reference platform's rules: {cluster.severity or 'no finding'}"
    for finding in cluster.findings:
        yield f"  {finding.severity}: {visible(finding.reason)}"
    graded = standing(rules, cluster.values, cluster.firing_rows, cluster.identity.tier)
    if graded is None:
        yield "  score: none, no data"
        return
    shares = rules.shares
    yield (
        f"  score: {graded.overall:.1f} ({graded.classification}) = {shares.metrics:g} x metrics {graded.metrics:.1f}"
        f" + {shares.alerts:g} x alerts {graded.alerts:.0f} + {shares.tier:g} x tier {graded.tier:.1f}"
    )
