"""What is different from the last report, and what is kept quiet: the part that people read first."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import get_args

from agent.patrol.finding import SEVERITY_RANK, TIER_RANK
from handlers.document import Note, Part, Prose
from handlers.figures import age, amount, label, named
from handlers.findings import Change, Changes, Entry
from handlers.locale import Locale
from handlers.report_flag import Sight, name_of, states

_SHOWN = 8
"""Lines of each kind of change; the counts above them are of all."""
_QUIET = 15
_ORDER: tuple[Change, ...] = ("new", "returned", "worse", "recovered", "lost", "better")
_MARKS = {"new": "🆕", "returned": "🔁", "worse": "🔺", "recovered": "🟢", "lost": "❔", "better": "🔽"}


def change_parts(sight: Sight) -> Iterator[Part]:
    """Counts of every kind of change, then each change in a line, then what is kept quiet."""
    if (changes := sight.changes) is None:
        return
    loud = [entry for entry in changes.entries if not entry.quiet]
    if changes.since is None:
        yield Note(sight.locale.say("report.first"))
    else:
        since = sight.locale.time(changes.since)
        counts = sight.locale.say("report.since_last", when=since, counts=summary(changes, sight.locale))
        yield Prose("\n".join([f"**{counts}**", "", *_lines(loud, changes, sight)]))
    quiet = [entry for entry in changes.entries if entry.quiet]
    if quiet:
        yield Prose("\n".join(_quiet(quiet, sight)))


def summary(changes: Changes, locale: Locale) -> str:
    """The counts of all kinds of change, in words."""
    found = Counter(entry.change for entry in changes.entries if not entry.quiet)
    kinds = [kind for kind in get_args(Change) if found[kind]]
    told = [locale.say(f"change.{kind}", count=found[kind]) for kind in kinds]
    return " · ".join(told) or locale.say("report.unchanged")


def _lines(loud: Sequence[Entry], changes: Changes, sight: Sight) -> Iterator[str]:
    for kind in _ORDER:
        found = _worst_first((entry for entry in loud if entry.change == kind), sight)
        yield from (f"- {_MARKS[kind]} {told(entry, changes, sight)}" for entry in found[:_SHOWN])
        if len(found) > _SHOWN:
            yield f"- {sight.locale.say('changed.more', count=len(found) - _SHOWN)}"


def told(entry: Entry, changes: Changes, sight: Sight) -> str:
    """One change in a line of Markdown."""
    one, locale = entry.tracked, sight.locale
    kind = f"{entry.change}.{entry.why}" if entry.change == "returned" else entry.change
    return locale.say(
        f"changed.{kind}",
        name=f"**{name_of(one.cluster_name, one.cluster_id)}**",
        figure=named(one.dimension, one.value, one.unit, locale),
        label=label(one.dimension, locale),
        before=amount(one.value if entry.before is None else entry.before, one.unit, locale),
        age=age(one.first_seen, changes.at, locale),
    )


def _quiet(quiet: Sequence[Entry], sight: Sight) -> Iterator[str]:
    locale = sight.locale
    yield f"**{locale.say('quiet.title', count=len(quiet))}**"
    yield ""
    for entry in _worst_first(quiet, sight)[:_QUIET]:
        # as it stands now: a press on the next report may have changed it since
        one = sight.now.get(entry.key, entry.tracked)
        state = " ".join(states(one, sight.moment, locale)) or locale.say("state.open")
        name = name_of(one.cluster_name, one.cluster_id)
        told = named(one.dimension, one.value, one.unit, locale)
        yield f"- {locale.say('quiet.line', name=name, figure=told, state=state)}"
    if len(quiet) > _QUIET:
        yield f"- {locale.say('quiet.more', count=len(quiet) - _QUIET)}"


def _worst_first(entries: Iterable[Entry], sight: Sight) -> list[Entry]:
    """By severity, and within one as the report has the clusters; then what it does not have any more."""
    places = {one.cluster_id: at for at, one in enumerate(sight.report.flagged_clusters)}

    def place(entry: Entry) -> tuple[int, int, int, datetime]:
        one = entry.tracked
        at = places.get(one.cluster_id, len(places))
        return SEVERITY_RANK[one.severity], at, TIER_RANK[one.tier], one.first_seen

    return sorted(entries, key=place)
