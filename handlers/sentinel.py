"""What the sentinel tells a channel: one short card for all that turned bad in one look."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.patrol.sentinel import Sighting
from handlers import buttons
from handlers.document import Actions, Button, Document, Note, Part, Prose
from handlers.locale import Locale
from handlers.markdown import excerpt, line, literal
from handlers.report_flag import MARKS, name_of

SHOWN = 5
"""Clusters of one card; who wants all of them runs a patrol."""
NO_REPORT = "sentinel"
"""In place of a report's id in a button, when no report tells of the cluster."""
_REASONS = 3
_REASON = 300


@dataclass(frozen=True, slots=True)
class Card:
    """One card: `when` in the reader's words, `reports` = the report that tells of a cluster, by id, where one does;
    `left` = how many are not investigated because the `budget` of the day is used up."""

    sightings: Sequence[Sighting]
    when: str
    reports: Mapping[str, str]
    left: int = 0
    budget: int = 0


def card(told: Card, locale: Locale) -> Document:
    """The card; names and reasons in it are untrusted."""
    count = len(told.sightings)
    counted = locale.say(f"sentinel.count.{'one' if count == 1 else 'many'}", count=count)
    title = locale.say("sentinel.title", when=told.when, count=counted)
    parts: list[Part] = [Prose(f"**{title}**")]
    for one in told.sightings[:SHOWN]:
        parts.extend(_parts(one, told.reports.get(one.cluster.identity.cluster_id), locale))
    if count > SHOWN:
        parts.append(Note(locale.say("sentinel.more", count=count - SHOWN)))
    if told.left:
        parts.append(Note(locale.say("sentinel.budget", count=told.left, budget=told.budget)))
    names = ", ".join(line(one.cluster.identity.name) for one in told.sightings[:SHOWN])
    return Document(excerpt(f"{title}: {names}", 300), tuple(parts), locale.language)


def _parts(one: Sighting, report: str | None, locale: Locale) -> Iterator[Part]:
    identity = one.cluster.identity
    who = [f"{MARKS[one.cluster.severity or 'Warning']} **{_why(one, locale)}**"]
    who.append(f"**{name_of(identity.name, identity.cluster_id)}**")
    customer = literal(identity.customer)
    known = {"customer": customer, "tier": identity.tier}
    who.append(locale.say("flag.customer", **known) if customer else locale.say("flag.tier", tier=identity.tier))
    reasons = [f"- {literal(excerpt(finding.reason, _REASON))}" for finding in one.cluster.findings[:_REASONS]]
    yield Prose("\n\n".join(filter(None, (" · ".join(who), "\n".join(reasons)))))
    asked = buttons.investigation(report or NO_REPORT, identity.cluster_id)
    row = [Button(locale.say("button.investigate"), buttons.INVESTIGATE, asked)]
    if report is not None:
        # a decision is about findings that a report told of
        value = buttons.flag(report, identity.cluster_id)
        row.append(Button(locale.say("button.acknowledge"), buttons.ACKNOWLEDGE, value))
    yield Actions(tuple(row))


def _why(one: Sighting, locale: Locale) -> str:
    was = "" if one.was is None else f"{one.was:.0f}"
    return locale.say(f"sentinel.{one.trigger}", was=was, level=f"{one.level:.0f}", tier=one.cluster.identity.tier)
