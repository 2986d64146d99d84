"""A patrol's report as documents that each fit one message: differences first, then the flagged clusters, then what is
expected and advised. What does not fit is in a file, and the first message says so. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain

from agent.patrol.finding import SEVERITY_RANK
from agent.patrol.report import SEVERITIES, URGENCIES, FlaggedCluster, LabelRecord, PatrolReport
from handlers.answers import author, counted
from handlers.buttons import short_id
from handlers.document import Actions, Divider, Document, Fields, File, Heading, Note, Part, Prose
from handlers.figures import label, when
from handlers.findings import Plan
from handlers.locale import ENGLISH, Locale
from handlers.markdown import excerpt, line, literal
from handlers.notices import translated
from handlers.report_changes import change_parts
from handlers.report_coverage import coverage_parts, healthy
from handlers.report_flag import Sight, flag_parts, is_quiet
from handlers.report_week import SHOWN, week_file, week_parts
from handlers.spreadsheet import csv_bytes, csv_name

FALLBACK = 300
"""Characters of a fall-back text; notifications show less."""
MOST_FLAGS = 8
"""Flagged clusters in one message: with four blocks each they leave room for the rest within a platform's fifty."""
WITH_WEEK = 4
"""Flagged clusters beside which both the week and the end of a report find room."""
WEIGHT = 9_000
"""Characters of one message, a button counted as _BUTTON: well within 13,200 of Slack and 30 KB of Lark."""
DRAWN = 48
"""Flagged clusters that get a block; the others stand in the file."""
_BUTTON = 60
_FLAG = 350
"""Characters of a block beside names, reason and findings; decisions may add most of them after it was posted."""
_FINDING = 220
_COLUMNS = (
    *("severity", "cluster", "cluster_id", "customer", "tier", "dimension", "value", "unit", "usual", "limit"),
    *("since_utc", "change", "state", "by", "assigned_to", "reason"),
)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which flagged clusters stand on which page, and which only in the file."""

    pages: tuple[tuple[FlaggedCluster, ...], ...]
    drawn: tuple[FlaggedCluster, ...]
    filed: tuple[FlaggedCluster, ...]


def titled(report_type: str, locale: Locale = ENGLISH) -> str:
    """A report type as people write it: `on_demand` → `On-demand patrol`."""
    return locale.say(f"report.title.{report_type}")


def report_pages(sight: Sight) -> tuple[Document, ...]:
    """The report as documents, the first for the channel, the others for its thread. How many there are and what stands
    on which does not depend on what people decided, so that a page can be drawn again in place."""
    layout = _layout(sight)
    return tuple(_page(number, layout, sight) for number in range(len(layout.pages)))


def report_page(sight: Sight, number: int) -> Document:
    """One of the `report_pages`. Raises IndexError for one that the report does not have."""
    return _page(number, _layout(sight), sight)


def plan_of(sight: Sight) -> Plan:
    """What the pages of a report show, to be remembered with them."""
    return tuple(tuple(short_id(one.cluster_id) for one in page) for page in _layout(sight).pages)


def report_document(report: PatrolReport, locale: Locale = ENGLISH) -> Document:
    """The whole report as one document without a memory, for a surface that has no messages to fill."""
    report = report.told_in(locale.language)
    sight = Sight(report, datetime.now(UTC), locale=locale)
    clusters = [part for one in _ordered(report) for part in flag_parts(one, sight)]
    heading = _heading(sight)
    return Document(
        _fallback(heading, report),
        (*_opening(heading, sight, most=None), *clusters, *_closing(sight)),
        locale.language,
    )


def shown_on(sight: Sight, cluster_id: str) -> tuple[int, ...]:
    """The pages that show something of a cluster: its block, or the lines of the first page."""
    pages = enumerate(_layout(sight).pages)
    found = [number for number, clusters in pages if any(one.cluster_id == cluster_id for one in clusters)]
    told = sight.changes is not None and any(
        entry.quiet and entry.tracked.cluster_id == cluster_id for entry in sight.changes.entries
    )
    return tuple(dict.fromkeys([*([0] if told else []), *found]))


def _ordered(report: PatrolReport) -> list[FlaggedCluster]:
    """By severity; within one as the patrol ranked them."""
    return sorted(report.flagged_clusters, key=lambda one: SEVERITY_RANK[one.severity])


def _layout(sight: Sight) -> _Layout:
    loud = [one for one in _ordered(sight.report) if not is_quiet(one, sight)]
    return _planned(sight, loud) if sight.plan else _laid_out(sight, loud)


def _planned(sight: Sight, loud: Sequence[FlaggedCluster]) -> _Layout:
    """As it was when it was posted, whatever this version would make of it."""
    known = {short_id(one.cluster_id): one for one in sight.report.flagged_clusters}
    pages = tuple(tuple(known[one] for one in page if one in known) for page in sight.plan)
    drawn = tuple(chain.from_iterable(pages))
    return _Layout(pages, drawn, tuple(one for one in loud if one not in drawn))


def _laid_out(sight: Sight, loud: Sequence[FlaggedCluster]) -> _Layout:
    drawn, filed = tuple(loud[:DRAWN]), tuple(loud[DRAWN:])
    pages: list[list[FlaggedCluster]] = [[]]
    weight = _weight(_opening("", _undecided(sight)))
    for cluster in drawn:
        heavy = _heavy(cluster)
        if len(pages[-1]) == MOST_FLAGS or weight + heavy > WEIGHT:
            pages.append([])
            weight = 0
        pages[-1].append(cluster)
        weight += heavy
    crowded = sight.report.week is not None and len(drawn) > WITH_WEEK
    if len(pages) > 1 or crowded or weight + _weight(_closing(sight)) > WEIGHT:
        pages.append([])
    return _Layout(tuple(map(tuple, pages)), drawn, filed)


def _heavy(cluster: FlaggedCluster) -> int:
    """About how long the block of a cluster is, at most and whatever was decided: drawing it to measure it would draw
    every report twice. Letters that data must not put into Markdown are written with a backslash."""
    names = 2 * (len(cluster.cluster_name) + len(cluster.customer))
    return (
        names
        + len(cluster.reason)
        + len(cluster.lowered_because)
        + _FINDING * max(1, len(cluster.findings))
        + _FLAG
        + 6 * _BUTTON
    )


def _undecided(sight: Sight) -> Sight:
    return Sight(sight.report, sight.moment, sight.changes, {}, sight.locale)


def _weight(parts: Sequence[Part]) -> int:
    total = 0
    for part in parts:
        match part:
            case Prose():
                total += len(part.markdown)
            case Heading() | Note():
                total += len(part.text)
            case Fields():
                total += sum(len(name) + len(value) for name, value in part.items)
            case Actions():
                # six at most, whatever is drawn at the moment
                total += 6 * _BUTTON
            case _:
                pass
    return total


def _page(number: int, layout: _Layout, sight: Sight) -> Document:
    heading, clusters = _heading(sight), layout.pages[number]
    parts: list[Part] = []
    if number == 0:
        parts.extend(_opening(heading, sight, layout))
    elif clusters:
        title = titled(sight.report.report_type, sight.locale)
        parts.append(Note(sight.locale.say("report.page", title=title, n=number + 1, of=len(layout.pages))))
    for cluster in clusters:
        parts.extend(flag_parts(cluster, sight))
    if number == len(layout.pages) - 1:
        parts.extend(_closing(sight))
        parts.extend(_file(layout, sight))
        parts.extend(week_file(sight))
    return Document(_fallback(heading, sight.report), tuple(parts), sight.locale.language)


def _heading(sight: Sight) -> str:
    return f"{titled(sight.report.report_type, sight.locale)}: {counts_of(sight)}"


def _fallback(heading: str, report: PatrolReport) -> str:
    return excerpt(f"{heading}. {report.fleet_narrative}", FALLBACK)


def counts_of(sight: Sight) -> str:
    """How many clusters are flagged, by severity."""
    report, locale = sight.report, sight.locale
    found = Counter(cluster.severity for cluster in report.flagged_clusters)
    named = [locale.say(f"report.count.{one}", count=found[one]) for one in SEVERITIES if found[one]]
    flagged = ", ".join(named) or healthy(report, locale)
    if not report.active_clusters or (not named and report.coverage is not None):
        return flagged
    return locale.say("report.counts", counts=flagged, clusters=report.active_clusters)


def _opening(heading: str, sight: Sight, layout: _Layout | None = None, most: int | None = SHOWN) -> tuple[Part, ...]:
    report = sight.report
    parts: list[Part] = [Heading(heading)]
    if layout is not None and len(layout.pages[0]) < len(layout.drawn) + len(layout.filed):
        parts.append(Note(_spread(layout, sight.locale)))
    if report.notice:
        parts.append(Note(translated(report.notice, sight.locale)))
    parts.extend(change_parts(sight))
    if report.fleet_narrative.strip():
        parts.append(Prose(report.fleet_narrative))
    parts.extend(week_parts(sight, most))
    return tuple(parts)


def _spread(layout: _Layout, locale: Locale) -> str:
    here, drawn, filed = len(layout.pages[0]), len(layout.drawn), len(layout.filed)
    key = "report.spread.file" if filed else "report.spread"
    return locale.say(key, here=here, all=drawn + filed, more=drawn - here, file=filed)


def _closing(sight: Sight) -> tuple[Part, ...]:
    report, locale = sight.report, sight.locale
    parts: list[Part] = []
    if report.predictions:
        parts.append(Heading(locale.say("report.predictions")))
        told = [(line(one.text), locale.say(f"confidence.{one.confidence}")) for one in report.predictions]
        listed = [f"- {locale.say('report.prediction', text=text, confidence=sure)}" for text, sure in told]
        parts.append(Prose("\n".join(listed)))
    if report.record:
        parts.append(Note(_record(report.record, locale)))
    if report.customer_summaries:
        parts.append(Heading(locale.say("report.customers")))
        parts.append(Prose("\n".join(_customers(sight))))
    if report.recommended_actions:
        parts.append(Heading(locale.say("report.actions")))
        parts.extend(_actions(sight))
    return (*parts, Divider(), *coverage_parts(report, locale), Note(_origin(report, locale)))


def _record(record: Sequence[LabelRecord], locale: Locale) -> str:
    told = (
        locale.say(
            "report.record.label",
            confidence=locale.say(f"confidence.{one.confidence}"),
            hits=one.hits,
            graded=one.graded,
            brier=f"{one.brier:.2f}",
        )
        for one in record
    )
    return locale.say("report.record", labels="; ".join(told))


def _customers(sight: Sight) -> Iterator[str]:
    for one in sight.report.customer_summaries:
        told = sight.locale.say("report.customer", customer=literal(one.customer), tier=one.tier, text=line(one.text))
        yield f"- {told}"


def _actions(sight: Sight) -> Iterator[Part]:
    for urgency in URGENCIES:
        texts = [line(action.text) for action in sight.report.recommended_actions if action.urgency == urgency]
        if texts:
            title = sight.locale.say(f"urgency.{urgency}")
            yield Prose(f"**{title}**\n\n" + "\n".join(f"- {text}" for text in texts))


def _origin(report: PatrolReport, locale: Locale) -> str:
    usage = report.usage
    told = [author(report.analyst, report.model, locale), counted("rounds", usage.rounds, locale)]
    told.append(counted("queries", usage.tool_calls + usage.queries, locale))
    if tokens := usage.input_tokens + usage.output_tokens:
        told.append(counted("tokens", tokens, locale))
    told.append(f"{usage.seconds:.0f} s")
    if report.as_of:
        told.append(locale.say("report.as_of", when=when(report.as_of, locale)))
    return " · ".join([*told, locale.say("report.id", id=line(report.report_id))])


def _file(layout: _Layout, sight: Sight) -> Iterator[Part]:
    """Every finding of every flagged cluster, when some of them have no block."""
    if layout.filed:
        count = len(sight.report.flagged_clusters)
        name = csv_name(f"report-{sight.report.report_id}")
        yield File(name, sight.locale.say("report.file.title", count=count), csv_bytes(_COLUMNS, _rows(sight)))


def _rows(sight: Sight) -> Iterator[Sequence[object]]:
    for cluster in _ordered(sight.report):
        known = {entry.tracked.dimension: entry for entry in sight.entries(cluster)}
        who = (cluster.cluster_name, cluster.cluster_id, cluster.customer, cluster.tier)
        for one in cluster.findings:
            entry = known.get(one.dimension)
            held = entry.tracked.handling if entry else None
            figures = (one.value, one.unit, one.baseline, one.threshold, one.since)
            state = (held.mode, held.name, entry.tracked.assignee_name) if held and entry else ("", "", "")
            change = entry.change if entry else ""
            yield (one.severity, *who, label(one.dimension, ENGLISH), *figures, change, *state, one.reason)
        if not cluster.findings:
            yield (cluster.severity, *who, *[""] * 5, cluster.since, *[""] * 4, cluster.reason)
