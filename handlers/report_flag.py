"""One flagged cluster of a report: what is wrong, since when, in figures, what people decided, and what to press."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from agent.patrol.finding import SEVERITY_RANK
from agent.patrol.report import FlaggedCluster, FlaggedFinding, PatrolReport
from handlers import buttons
from handlers.document import Actions, Button, Divider, Fields, Menu, Part, Prose
from handlers.figures import age, figure, label, sentence, when
from handlers.findings import SNOOZES, Changes, Entry, Plan, Tracked, key_of
from handlers.locale import ENGLISH, Locale
from handlers.markdown import excerpt, line, literal

MARKS = {"Critical": "🔴", "Warning": "🟠", "Unknown": "⚪"}
_STATES = {"acknowledged": "✅", "snoozed": "💤", "known": "📌"}
_WHY = 300
"""Characters of a reason for a milder severity."""
_REASON = 1_200
"""Characters of a reason that are shown under a cluster; the thread's history has the rest."""


@dataclass(frozen=True, slots=True)
class Sight:
    """All that a page of a report is drawn from. Without `changes` the report has no memory: nothing to compare with,
    nothing to decide. `now` holds the findings as they stand at `moment`, by key. `plan` is that of a report that was
    posted before."""

    report: PatrolReport
    moment: datetime
    changes: Changes | None = None
    now: Mapping[str, Tracked] = field(default_factory=dict)
    locale: Locale = ENGLISH
    plan: Plan = ()
    known: Mapping[str, Entry] = field(init=False, repr=False)
    """The entries of the changes by finding, looked up for each figure that is drawn."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "known", self.changes.by_key() if self.changes else {})

    def entries(self, cluster: FlaggedCluster) -> tuple[Entry, ...]:
        """What became of each finding of a cluster."""
        keys = (key_of(cluster.cluster_id, one.dimension) for one in cluster.findings)
        return tuple(self.known[key] for key in keys if key in self.known)


def is_quiet(cluster: FlaggedCluster, sight: Sight) -> bool:
    """Whether all that is wrong with a cluster was kept quiet when the report was made."""
    entries = sight.entries(cluster)
    return bool(entries) and len(entries) == len(cluster.findings) and all(entry.quiet for entry in entries)


def name_of(cluster_name: str, cluster_id: str) -> str:
    """A cluster's name as Markdown; its id where it has none."""
    return literal(cluster_name) or literal(cluster_id)


def flag_parts(cluster: FlaggedCluster, sight: Sight) -> Iterator[Part]:
    """The block of one cluster."""
    yield Divider()
    yield Prose("\n\n".join(filter(None, (_head(cluster, sight), _body(cluster, sight), _states(cluster, sight)))))
    if cluster.key_metrics and not cluster.findings:
        yield Fields(tuple((label(name, sight.locale), figure(value)) for name, value in cluster.key_metrics.items()))
    yield Actions(tuple(_buttons(cluster, sight)))


def _head(cluster: FlaggedCluster, sight: Sight) -> str:
    locale = sight.locale
    facts = [f"{MARKS[cluster.severity]} **{locale.say(f'severity.{cluster.severity}')}**"]
    facts.append(f"**{name_of(cluster.cluster_name, cluster.cluster_id)}**")
    customer = literal(cluster.customer)
    facts.append(
        locale.say("flag.customer", customer=customer, tier=cluster.tier)
        if customer
        else locale.say("flag.tier", tier=cluster.tier)
    )
    if cluster.since:
        facts.append(locale.say("flag.since", when=when(cluster.since, locale)))
    entries = sight.entries(cluster)
    changes = sight.changes
    if changes is None or not entries:
        return " · ".join(facts)
    if all(entry.change == "new" for entry in entries):
        # in the first report all are
        facts.extend([f"**{locale.say('flag.new')}**"] if changes.since else ())
    else:
        oldest = min(entry.tracked.first_seen for entry in entries)
        facts.append(locale.say("flag.age", age=age(oldest, changes.at, locale)))
    return " · ".join(facts)


def _body(cluster: FlaggedCluster, sight: Sight) -> str:
    before = {entry.tracked.dimension: _before(entry) for entry in sight.entries(cluster)}
    lines = [f"- {sentence(one, sight.locale, before.get(one.dimension))}" for one in cluster.findings]
    reason = "" if lines and _by_rules(cluster) else excerpt(cluster.reason, _REASON)
    return "\n\n".join(filter(None, (lowered(cluster, sight.locale), reason, "\n".join(lines))))


def lowered(cluster: FlaggedCluster, locale: Locale) -> str:
    """Both severities and the reason, where the report has a milder one than the evidence."""
    if not cluster.lowered_because or not cluster.findings:
        return ""
    measured = min((one.severity for one in cluster.findings), key=SEVERITY_RANK.__getitem__)
    return locale.say(
        "flag.lowered",
        severity=locale.say(f"severity.{cluster.severity}"),
        measured=locale.say(f"severity.{measured}"),
        why=excerpt(cluster.lowered_because, _WHY),
    )


def _before(entry: Entry) -> float | None:
    """The figure of the last report, where it says something."""
    return entry.before if entry.change in ("worse", "better", "returned") else None


def _by_rules(cluster: FlaggedCluster) -> bool:
    """Whether the reason only repeats the figures in words, which the lines below it do in the reader's language."""
    return line("; ".join(finding.reason for finding in cluster.findings)).startswith(line(cluster.reason))


def _states(cluster: FlaggedCluster, sight: Sight) -> str:
    """What was decided about the findings, each decision once."""
    told: dict[str, list[FlaggedFinding]] = {}
    for finding in cluster.findings:
        tracked = sight.now.get(key_of(cluster.cluster_id, finding.dimension))
        for state in states(tracked, sight.moment, sight.locale) if tracked else ():
            told.setdefault(state, []).append(finding)
    return "\n".join(f"{state}{_which(found, cluster, sight)}  " for state, found in told.items())


def _which(found: Sequence[FlaggedFinding], cluster: FlaggedCluster, sight: Sight) -> str:
    if len(found) == len(cluster.findings):
        return ""
    return f" ({', '.join(label(one.dimension, sight.locale) for one in found)})"


def states(tracked: Tracked, moment: datetime, locale: Locale) -> Iterator[str]:
    """What was decided about a finding and is in force at a moment, as lines of Markdown."""
    held = tracked.handling
    if tracked.closed_at is not None:
        yield f"🟢 _{locale.say('state.recovered', when=locale.time(tracked.closed_at))}_"
        return
    if held.mode != "open" and held.quiet(moment):
        values = {
            "name": literal(held.name),
            "when": locale.time(held.at) if held.at else "",
            "until": locale.time(held.until) if held.until else "",
            "note": literal(held.note),
        }
        yield f"{_STATES[held.mode]} _{locale.say(f'state.{held.mode}', **values)}_"
    if tracked.assignee_name:
        yield f"👤 _{locale.say('state.assigned', name=literal(tracked.assignee_name))}_"


def _buttons(cluster: FlaggedCluster, sight: Sight) -> Iterator[Button | Menu]:
    locale = sight.locale
    asked = buttons.investigation(sight.report.report_id, cluster.cluster_id)
    critical = cluster.severity == "Critical"
    yield Button(locale.say("button.investigate"), buttons.INVESTIGATE, asked, "primary" if critical else "")
    if sight.changes is not None:
        flagged = buttons.flag(sight.report.report_id, cluster.cluster_id)
        yield Button(locale.say("button.sql"), buttons.FLAG_SQL, flagged)
    lasting = [
        one
        for finding in cluster.findings
        if (one := sight.now.get(key_of(cluster.cluster_id, finding.dimension))) and one.closed_at is None
    ]
    if sight.changes is None or not lasting:
        return
    value = buttons.flag(sight.report.report_id, cluster.cluster_id)
    if all(one.handling.quiet(sight.moment) for one in lasting):
        yield Button(locale.say("button.reopen"), buttons.REOPEN, value)
    else:
        yield Button(locale.say("button.acknowledge"), buttons.ACKNOWLEDGE, value)
        spans = tuple((locale.say(f"snooze.{span}"), buttons.snooze(span, value)) for span in SNOOZES)
        yield Menu(locale.say("button.snooze"), buttons.SNOOZE, spans)
    yield Button(locale.say("button.assign"), buttons.ASSIGN, value)
    yield Button(locale.say("button.known"), buttons.KNOWN, value)
