"""How things stand between reports: what runs and comes next, what is open, what changed since the last shift. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.patrol.report import ReportType
from handlers.document import Document, Heading, Note, Part, Prose
from handlers.figures import age, label, moment_of, named
from handlers.findings import Deed, Mode, Tracked, worst_first
from handlers.locale import Locale
from handlers.markdown import excerpt, literal
from handlers.report import titled
from handlers.report_changes import summary
from handlers.report_flag import MARKS, Sight, name_of, states
from handlers.timetable import FOREVER, Timetable

_MODES: tuple[Mode, ...] = ("open", "acknowledged", "snoozed", "known")
_FROM_REPORTS = frozenset({"new", "returned", "worse", "recovered"})
_LINES = 30
"""Lines of one list; what is left out is counted."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Findings at one moment, for one reader."""

    moment: datetime
    locale: Locale
    found: Sequence[Tracked] = ()

    def quiet(self, one: Tracked) -> bool:
        """Whether somebody took it off the table."""
        return one.handling.quiet(self.moment)


def status_document(
    running: Sequence[ReportType], timetable: Timetable, last: Sight | None, moment: datetime, locale: Locale
) -> Document:
    """What runs, what comes next in this channel, what was last."""
    lines = [_running(running, locale), *_next(timetable, moment, locale), _last(last, locale)]
    title = locale.say("status.title")
    return Document(
        f"{title}. {lines[0]}", (Heading(title), Prose("\n".join(f"- {line}" for line in lines))), locale.language
    )


def _running(running: Sequence[ReportType], locale: Locale) -> str:
    if not running:
        return locale.say("status.idle")
    return locale.say("status.running", titles=", ".join(titled(one, locale) for one in running))


def _next(timetable: Timetable, moment: datetime, locale: Locale) -> Iterator[str]:
    if timetable.is_muted(moment) and (until := timetable.muted_until):
        forever = until >= FOREVER
        yield locale.say("status.muted.forever") if forever else locale.say("status.muted", until=locale.time(until))
    following = timetable.following(moment)
    if following is not None:
        yield locale.say("status.next", title=titled(following[0], locale), when=locale.time(following[1]))
    elif not timetable.is_muted(moment):
        yield locale.say("status.none")


def _last(last: Sight | None, locale: Locale) -> str:
    if last is None or last.changes is None:
        return locale.say("status.never")
    title, when = titled(last.report.report_type, locale), locale.time(last.changes.at)
    return locale.say("status.last", title=title, when=when, counts=summary(last.changes, locale))


def schedule_document(timetable: Timetable, locale: Locale) -> Document:
    """When reports come to a channel, and how to change it."""
    slots = [_slot(one, locale) for one in timetable.slots()]
    title = locale.say("schedule.title", zone=timetable.zone)
    who = timetable.name
    by = locale.say("schedule.by", name=literal(who)) if who else locale.say("schedule.by.settings")
    shown = "\n".join(f"- {slot}" for slot in slots) or locale.say("schedule.empty")
    parts = (Heading(title), Prose(f"{shown}\n\n_{by}_" if slots or who else shown), Prose(locale.say("schedule.how")))
    return Document(f"{title}: {'; '.join(slots) or locale.say('schedule.empty')}", parts, locale.language)


def _slot(slot: tuple[str, str, str], locale: Locale) -> str:
    return locale.say("schedule.slot", title=titled(slot[0], locale), at=_at(slot, locale))


def _at(slot: tuple[str, str, str], locale: Locale) -> str:
    _, day, at = slot
    if not day:
        return locale.say("schedule.every.day", at=at)
    return locale.say("schedule.every.week", day=locale.say(f"day.{day}"), at=at)


def open_document(standing: Standing) -> Document:
    """All findings that last, by what was decided about them."""
    locale, found = standing.locale, worst_first(standing.found)
    title = locale.say("open.title", count=len(found))
    parts: list[Part] = [Heading(title)]
    if not found:
        parts.append(Prose(locale.say("open.none")))
    for mode in _MODES:
        group = [one for one in found if _mode(one, standing) == mode]
        if group:
            parts.append(Prose(f"**{locale.say(f'open.group.{mode}')}** ({len(group)})\n\n{listed(group, standing)}"))
    return Document(title, tuple(parts), locale.language)


def _mode(one: Tracked, standing: Standing) -> Mode:
    return one.handling.mode if standing.quiet(one) else "open"


def listed(found: Sequence[Tracked], standing: Standing) -> str:
    """Findings as a list, one line each with what was decided; the first _LINES of them."""
    lines = [f"- {_line(one, standing)}" for one in found[:_LINES]]
    if len(found) > _LINES:
        lines.append(f"- {standing.locale.say('changed.more', count=len(found) - _LINES)}")
    return "\n".join(lines)


def _line(one: Tracked, standing: Standing) -> str:
    locale = standing.locale
    told = locale.say(
        "open.line",
        mark=MARKS[one.severity],
        name=name_of(one.cluster_name, one.cluster_id),
        figure=named(one.dimension, one.value, one.unit, locale),
        age=age(one.first_seen, standing.moment, locale),
    )
    return " · ".join([told, *states(one, standing.moment, locale)])


def handover_document(since: datetime, deeds: Sequence[Deed], standing: Standing) -> Document:
    """What reports found since a moment, what people did about it, and what nobody has taken yet."""
    locale = standing.locale
    title = locale.say("handover.title", since=locale.time(since))
    found = [one for one in deeds if one.act in _FROM_REPORTS]
    done = [one for one in deeds if one.act not in _FROM_REPORTS]
    parts: list[Part] = [Heading(title)]
    for key, told in (("handover.found", found), ("handover.done", done)):
        if told:
            parts.append(Prose(f"**{locale.say(key)}**\n\n{history(told, locale)}"))
    if not deeds:
        parts.append(Prose(locale.say("handover.quiet")))
    parts.extend(_left(standing))
    return Document(title, tuple(parts), locale.language)


def _left(standing: Standing) -> Iterator[Part]:
    locale = standing.locale
    left = [one for one in standing.found if not standing.quiet(one) and not one.assignee_name]
    held = [one for one in standing.found if one not in left]
    if left:
        yield Prose(f"**{locale.say('handover.left', count=len(left))}**\n\n{listed(worst_first(left), standing)}")
    elif standing.found:
        yield Note(locale.say("handover.all_taken"))
    if held:
        yield Prose(f"**{locale.say('handover.held', count=len(held))}**\n\n{listed(worst_first(held), standing)}")


def history(deeds: Sequence[Deed], locale: Locale) -> str:
    """What happened, one line each, the latest _LINES of them, oldest first."""
    lines = [f"- {_deed(one, locale)}" for one in deeds[-_LINES:]]
    if len(deeds) > _LINES:
        lines.insert(0, f"- {locale.say('changed.more', count=len(deeds) - _LINES)}")
    return "\n".join(lines)


def _deed(deed: Deed, locale: Locale) -> str:
    # the end of a snooze is kept as a moment, so that each reader sees it on their own clock
    until = moment_of(deed.note) if deed.act == "snoozed" else None
    return locale.say(
        "deed.unassigned" if deed.act == "assigned" and not deed.note else f"deed.{deed.act}",
        when=locale.time(deed.at),
        who=literal(deed.name),
        name=f"**{name_of(deed.cluster_name, deed.key)}**",
        label=label(deed.dimension, locale),
        note=locale.time(until) if until else literal(excerpt(deed.note, 200)),
    )
