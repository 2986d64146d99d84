"""The figures in a model's report, held against the evidence and against what its tools gave."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agent.answer import ToolTrace
from agent.patrol.evidence import Evidence
from agent.patrol.sections import Sections
from agent.patrol.week import Week
from agent.receipts import Grounds, marked, receipts

_WHO = ("cluster_name", "cluster_id", "customer", "dimension")
_COLUMNS = (*_WHO, "value", "usual", "limit", "hours_left", "said", "since")


@dataclass(frozen=True, slots=True)
class Proof:
    """The sections with a sign behind each figure that is in no result; `unbound` counts these among the `stated`."""

    sections: Sections
    stated: int = 0
    unbound: int = 0


def proven(sections: Sections, evidence: Evidence, tools: Sequence[ToolTrace]) -> Proof:
    """Check every text of the sections. A figure beside a cluster's name has to be that cluster's."""
    grounds = Grounds((_measured(evidence), *tools), tuple(_spoken(evidence)), now=evidence.now)
    counts = [0, 0]

    def checked(text: str) -> str:
        found = receipts(text, grounds)
        counts[0] += found.stated
        counts[1] += len(found.unbound)
        return marked(text, found)

    proof = replace(
        sections,
        narrative=checked(sections.narrative),
        flags=tuple(replace(one, reason=checked(one.reason)) for one in sections.flags),
        predictions=tuple(replace(one, text=checked(one.text)) for one in sections.predictions),
        customers=tuple(replace(one, text=checked(one.text)) for one in sections.customers),
        actions=tuple(replace(one, text=checked(one.text)) for one in sections.actions),
    )
    return Proof(proof, *counts)


def _measured(evidence: Evidence) -> ToolTrace:
    """The evidence as one table: what each cluster was measured at."""
    data = {"columns": [{"name": name} for name in _COLUMNS], "rows": list(_rows(evidence))}
    return ToolTrace("evidence", {}, is_error=False, seconds=0.0, data=data)


def _rows(evidence: Evidence) -> Iterator[list[Any]]:
    for cluster in evidence.clusters:
        who = [cluster.identity.name, cluster.identity.cluster_id, cluster.identity.customer]
        for one in cluster.findings:
            since = one.since.isoformat(sep=" ") if one.since else None
            figures = [one.value, one.baseline, one.threshold, one.hours_left]
            yield [*who, one.dimension, *figures, one.reason, since]
        measured = {one.dimension for one in cluster.findings}
        for dimension, value in cluster.values.items():
            if dimension not in measured:
                yield [*who, dimension, value, cluster.usual.get(dimension), None, None, None, None]
    if evidence.week is not None:
        yield from _of_the_week(evidence.week)


def _of_the_week(week: Week) -> Iterator[list[Any]]:
    """What the week says of single clusters and alerts, in the same columns: the later figure is the value."""
    for one in week.standings():
        yield [one.cluster_name, one.cluster_id, "", "score", one.now, one.before, one.change, None, None, None]
        for shift in one.shifts:
            yield [one.cluster_name, one.cluster_id, "", shift.dimension, shift.now, shift.before, *[None] * 4]
    for it in week.recurring:
        yield [it.cluster_name, it.cluster_id, "", it.dimension, it.days, it.times, *[None] * 4]
    for due in week.capacity:
        span = f"{due.soonest} {due.latest}"
        yield [
            due.cluster_name,
            due.cluster_id,
            "",
            due.dimension,
            due.value,
            due.per_week,
            due.limit,
            due.days,
            span,
            None,
        ]
    for loud in week.noise:
        counts = f"{loud.clusters} {loud.brief} {loud.restless}"
        yield [loud.name, "", "", "alerts", loud.idle, loud.share, loud.incidents, None, counts, None]


def _spoken(evidence: Evidence) -> Iterator[str]:
    """What code says of the fleet beside the measurements."""
    # without the lines on single clusters, whose figures are bound to them by the table
    yield "\n".join(line for line in evidence.render().splitlines() if not line.startswith("- "))
    yield f"{len(evidence.clusters)} {len(evidence.flagged)} {evidence.unjudged}"
    yield " ".join(map(str, evidence.by_severity().values()))
    yield from evidence.patterns
    yield from evidence.notes
    yield from (one.text for one in evidence.predictions)
    yield from (told for cluster in evidence.flagged for told in (*cluster.operations, *cluster.alerts))
