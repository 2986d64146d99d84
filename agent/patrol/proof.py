"""The figures, times, ids and names in a model's report, held against the evidence and against what its tools gave."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from agent.answer import Receipts, ToolTrace
from agent.mentions import Register
from agent.moments import Known, moments, read_in
from agent.patrol.evidence import Evidence
from agent.patrol.sections import Sections
from agent.patrol.week import Week
from agent.receipts import Grounds, marked, receipts, words_in

_WHO = ("cluster_name", "cluster_id", "customer", "dimension")
_SHORT_ID = 8
_HORIZONS = (24, 48)
_FAR = 24 * 60
_COLUMNS = (*_WHO, "value", "usual", "limit", "hours_left", "said", "since")


@dataclass(frozen=True, slots=True)
class Proof:
    """The sections with a sign behind each figure, time, id and name that is in no result; `unbound` counts these among
    the `stated`."""

    sections: Sections
    stated: int = 0
    unbound: int = 0


def proven(sections: Sections, evidence: Evidence, tools: Sequence[ToolTrace]) -> Proof:
    """Check every text of the sections. A figure beside a cluster's name has to be that cluster's."""
    checker = _Checker(evidence, tools)
    checked = checker.checked
    proof = replace(
        sections,
        narrative=checked(sections.narrative),
        flags=tuple(
            replace(one, reason=checked(one.reason, one.cluster), because=checked(one.because, one.cluster))
            for one in sections.flags
        ),
        predictions=tuple(replace(one, text=checked(one.text)) for one in sections.predictions),
        customers=tuple(replace(one, text=checked(one.text)) for one in sections.customers),
        actions=tuple(replace(one, text=checked(one.text)) for one in sections.actions),
    )
    return Proof(proof, checker.stated, checker.unbound)


class _Checker:
    """Marks what is in no result, and counts on the way."""

    def __init__(self, evidence: Evidence, tools: Sequence[ToolTrace]) -> None:
        spoken = tuple(_spoken(evidence))
        read = [trace for trace in tools if not trace.is_error]
        said = [*spoken, *(one for trace in read for one in words_in(trace))]
        asked = [str(value) for trace in tools for value in trace.arguments.values()]
        self._grounds = Grounds((_measured(evidence), *tools), spoken, now=evidence.now)
        self._times = _times(evidence, [*said, *asked])
        self._register = _register(evidence, said)
        self.stated = self.unbound = 0

    def checked(self, text: str, about: str = "") -> str:
        """The text with its signs. What it says without a name is said of the cluster that it is `about`."""
        # with the name before it the line is held against that cluster's own figures
        head = f"{about[:_SHORT_ID]}: " if about and text else ""
        found = receipts(head + text, self._grounds)
        spans = [(start - len(head), end - len(head)) for start, end in found.unbound if start >= len(head)]
        times, named = list(moments(text)), list(self._register.mentions(text))
        spans += [(one.start, one.end) for one in times if not self._times.holds(one)]
        spans += [(one.start, one.end) for one in named if not self._register.holds(one)]
        self.stated += found.stated + len(times) + len(named)
        self.unbound += len(spans)
        return marked(text, Receipts((), tuple(sorted(spans))))


def _times(evidence: Evidence, texts: Sequence[str]) -> Known:
    """What the evidence and the results know as a point in time, and what they expect."""
    read = {evidence.now, evidence.as_of, *read_in(texts, evidence.as_of.year)}
    for cluster in evidence.clusters:
        read |= {at for at in (cluster.last_data, *(one.since for one in cluster.findings)) if at is not None}
    for incident in evidence.incidents:
        read |= {incident.first, incident.last}
    hours = {float(day) for day in _HORIZONS}
    for cluster in evidence.flagged:
        hours |= {one.hours_left for one in cluster.findings if one.hours_left is not None}
        hours |= {end for one in cluster.outlooks for end in (one.soonest, one.hours, one.latest)}
    near = sorted(one for one in hours if 0 <= one <= _FAR)
    return Known(frozenset(read), tuple(evidence.as_of + timedelta(hours=one) for one in near))


def _register(evidence: Evidence, said: Sequence[str]) -> Register:
    fleet = [one.identity for one in evidence.clusters]
    beside = {word for one in fleet for word in (one.account_id, one.customer, one.region, one.version, one.machine)}
    results = (*said, *evidence.query_ids, *beside, *evidence.receipts)
    return Register((one.cluster_id for one in fleet), (one.name for one in fleet), results)


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
