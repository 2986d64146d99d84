"""Pure views: a patrol's report in, the document that every surface can show out."""

from collections import Counter
from collections.abc import Iterator, Sequence

from agent.patrol.report import (
    REPORT_TYPES,
    SEVERITIES,
    URGENCIES,
    CustomerSummary,
    FlaggedCluster,
    Metric,
    PatrolReport,
    Prediction,
    RecommendedAction,
)
from handlers.answers import author
from handlers.buttons import INVESTIGATE, investigation
from handlers.document import Actions, Button, Divider, Document, Fields, Heading, Note, Part, Prose
from handlers.markdown import excerpt, line, literal

FALLBACK = 300
"""Characters of a fall-back text; notifications show less."""

_MARKS = {"Critical": "🔴", "Warning": "🟠", "Unknown": "⚪"}


def titled(report_type: str) -> str:
    """A report type as people write it: `on_demand` → `On-demand patrol`."""
    return f"{report_type.replace('_', '-').capitalize()} patrol"


def report_document(report: PatrolReport) -> Document:
    """A patrol's report: the counts, the narrative, a group per flagged cluster, what is expected and advised."""
    counts = _counts(report)
    heading = f"{titled(report.report_type)}: {counts}"
    parts: list[Part] = [Heading(heading)]
    if report.notice:
        parts.append(Note(report.notice))
    if report.fleet_narrative.strip():
        parts.append(Prose(report.fleet_narrative))
    for cluster in report.flagged_clusters:
        parts.extend(_flagged(report.report_id, cluster))
    parts.extend(_predictions(report.predictions))
    parts.extend(_customers(report.customer_summaries))
    parts.extend(_actions(report.recommended_actions))
    parts.extend((Divider(), Note(_report_origin(report))))
    return Document(excerpt(f"{heading}. {report.fleet_narrative}", FALLBACK), tuple(parts))


def help_document(words: str) -> Document:
    """What a patrol can be asked for, shown when `words` name none."""
    known = ", ".join(f"`{name}`" for name in REPORT_TYPES)
    asked = f"“{literal(excerpt(words, 80))}” is no report type. " if words.strip() else ""
    text = f"{asked}A patrol is one of {known}. Without a word behind the command it is an on-demand patrol."
    return Document(f"Report types: {', '.join(REPORT_TYPES)}.", (Prose(text),))


def note_document(text: str) -> Document:
    """One plain line of ours."""
    return Document(text, (Note(text),))


def _counts(report: PatrolReport) -> str:
    found = Counter(cluster.severity for cluster in report.flagged_clusters)
    named = [f"{found[severity]} {severity.lower()}" for severity in SEVERITIES if found[severity]]
    flagged = ", ".join(named) or "nothing flagged"
    return f"{flagged} of {report.active_clusters} clusters" if report.active_clusters else flagged


def _flagged(report_id: str, cluster: FlaggedCluster) -> Iterator[Part]:
    name = literal(cluster.cluster_name) or literal(cluster.cluster_id)
    facts = [f"{_MARKS[cluster.severity]} **{cluster.severity}** · **{name}**"]
    facts.append(f"{literal(cluster.customer)} (tier {cluster.tier})" if cluster.customer else f"tier {cluster.tier}")
    if cluster.since:
        facts.append(f"since {literal(cluster.since)} UTC")
    yield Divider()
    yield Prose(f"{' · '.join(facts)}\n\n{cluster.reason}")
    if cluster.key_metrics:
        yield Fields(tuple((_label(name), _figure(value)) for name, value in cluster.key_metrics.items()))
    value = investigation(report_id, cluster.cluster_id)
    yield Actions((Button("Investigate", INVESTIGATE, value, "primary" if cluster.severity == "Critical" else ""),))


def _predictions(predictions: Sequence[Prediction]) -> Iterator[Part]:
    if predictions:
        yield Heading("Next 24–48 hours")
        yield Prose("\n".join(f"- {line(p.text)} _({p.confidence.lower()} confidence)_" for p in predictions))


def _customers(summaries: Sequence[CustomerSummary]) -> Iterator[Part]:
    if summaries:
        yield Heading("Customers")
        yield Prose("\n".join(f"- **{literal(s.customer)}** (tier {s.tier}): {line(s.text)}" for s in summaries))


def _actions(actions: Sequence[RecommendedAction]) -> Iterator[Part]:
    if actions:
        yield Heading("What to do")
    for urgency in URGENCIES:
        texts = [line(action.text) for action in actions if action.urgency == urgency]
        if texts:
            yield Prose(f"**{urgency}**\n\n" + "\n".join(f"- {text}" for text in texts))


def _label(metric: str) -> str:
    """A dimension in words; the names of StarRocks' own metrics stay as they are, people search for them."""
    if metric.startswith(("starrocks_", "node_", "jvm_")):
        return line(metric)
    return line(metric.removesuffix("_pct").replace("_", " ")) + (", %" if metric.endswith("_pct") else "")


def _figure(value: Metric) -> str:
    if isinstance(value, str):
        return line(value)
    if isinstance(value, int) or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.3g}"


def _plural(count: int, noun: str, nouns: str = "") -> str:
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def _report_origin(report: PatrolReport) -> str:
    usage = report.usage
    told = [author(report.analyst, report.model), _plural(usage.rounds, "round")]
    told.append(_plural(usage.tool_calls + usage.queries, "query", "queries"))
    if tokens := usage.input_tokens + usage.output_tokens:
        told.append(_plural(tokens, "token"))
    told.append(f"{usage.seconds:.0f} s")
    if report.as_of:
        told.append(f"data as of {line(report.as_of)} UTC")
    return " · ".join([*told, f"report {line(report.report_id)}"])
