"""Answers about the whole fleet: overview, worst clusters, silent clusters."""

import re
from collections.abc import Iterator, Mapping

from agent.rules_only.envelope import Row, Sheet
from agent.rules_only.measures import RECENT_HOURS
from agent.rules_only.voice import NO_VALUE, Voice
from agent.rules_only.writing.apologies import missing
from agent.rules_only.writing.figures import moment
from agent.rules_only.writing.found import Found
from agent.rules_only.writing.levels import basis, level_of, levels
from agent.rules_only.writing.markdown import CLUSTER, ID, Column, customer, listing, paragraphs, safe, total_of
from agent.rules_only.writing.patrols import verdict

_REASON = re.compile(r'"((?:[^"\\]|\\.)+)"?')
_MIXES = {"risk level": "mix.risk", "tier": "mix.tier", "type": "mix.type", "cloud": "mix.cloud"}
"""Dimensions of the fleet's summary that an overview tells, and the key of their line."""


def overview(found: Found) -> str:
    """How the fleet is: what the last patrol flagged, counts, clusters beyond limits, silent ones, alerts, issues."""
    voice, counts = found.voice, _counts(found.sheet("summary"))
    active = voice.count(sum(counts.get("clusters", {}).values()), "active_cluster")
    risk = counts.get("risk level", {})
    bad = [
        found.say("mix.value", name=voice.own(name), count=voice.figure(risk[name]))
        for name in ("Critical", "Warning")
        if risk.get(name)
    ]
    stored = found.say("overview.stored", bad=voice.list(bad)) if bad else found.say("overview.none_stored")
    return paragraphs(
        found.say("overview.opening", active=active, told=verdict(found) or stored)
        if counts
        else found.say("overview.unread"),
        "\n".join(f"- {line}" for line in _overview_lines(found, counts)),
        _beyond_table(found, 5),
        _next(found),
    )


def _counts(summary: Sheet) -> Mapping[str, dict[str, float]]:
    """Clusters by dimension and value."""
    counts: dict[str, dict[str, float]] = {}
    for row in summary:
        if (clusters := row.number("clusters")) is not None:
            counts.setdefault(row.text("dimension"), {})[row.text("value")] = clusters
    return counts


def _overview_lines(found: Found, counts: Mapping[str, dict[str, float]]) -> Iterator[str]:
    voice = found.voice
    for dimension, key in _MIXES.items():
        if mix := counts.get(dimension):
            told = [f"{safe(voice.own(name), 32)} {voice.figure(number)}" for name, number in mix.items()]
            yield found.say(key, mix=voice.list(told))
    if not found.failed("beyond"):
        yield found.say("overview.beyond", count=voice.count(total_of(found.sheet("beyond")), "measurement"))
    yield _silent_line(found)
    firing = sum(row.number("firing") or 0 for row in found.sheet("alerts"))
    conditions = sum(row.number("conditions") or 0 for row in found.sheet("alerts"))
    yield missing(found, "alerts", "alerts") or found.say(
        "overview.alerts", conditions=voice.count(conditions, "condition"), firing=voice.figure(firing)
    )
    yield missing(found, "issues", "issues") or found.say(
        "overview.issues", mix=_issue_mix(found.voice, found.sheet("issues"))
    )


def _issue_mix(voice: Voice, issues: Sheet) -> str:
    if not issues.rows:
        return voice.say("issues.mix.none")
    mix: dict[str, int] = {}
    for row in issues:
        severity = row.text("severity") or voice.say("issues.mix.unrated")
        mix[severity] = mix.get(severity, 0) + 1
    listed = [voice.say("mix.value", name=safe(voice.own(name)), count=number) for name, number in sorted(mix.items())]
    key = "issues.mix.more" if issues.cut else "issues.mix.all"
    return voice.say(key, count=len(issues), mix=voice.list(listed))


def _silent_line(found: Found) -> str:
    total = total_of(found.sheet("silent"))
    if failed := missing(found, "silent", "silent"):
        return failed
    if not total:
        return found.say("silent.none", hours=RECENT_HOURS)
    names = [safe(row.text("cluster_name"), 40) for row in found.sheet("silent").rows[:3]]
    listed = found.voice.list([*names, *(["…"] if total > 3 else [])])
    return found.say("silent.line", clusters=found.voice.count(total, "cluster"), names=listed)


def worst(found: Found) -> str:
    """The clusters at risk, worst first."""
    return paragraphs(
        _worst_opening(found),
        verdict(found),
        f"- {_silent_line(found)}",
        _beyond_table(found, 8),
        _worst_table(found, found.intent.limit),
        _next(found),
    )


def _worst_opening(found: Found) -> str:
    whose = found.say("worst.important") if found.intent.important else ""
    standing, beyond = found.sheet("standing"), levels(found, found.sheet("beyond"))
    if beyond:
        first, clusters = beyond[0], len({level.row.text("cluster_id") for level in beyond})
        return found.say(
            "worst.beyond_more" if total_of(found.sheet("beyond")) > len(beyond) else "worst.beyond",
            clusters=found.voice.count(clusters, "active_cluster"),
            whose=whose,
            name=CLUSTER.cell(first.row),
            level=f"{first.noun} {first.judged}",
        )
    if found.failed("beyond"):
        return found.say("worst.unjudged")
    if standing.rows:
        at_risk = found.voice.count(total_of(standing), "active_cluster")
        return found.say("worst.stored", clusters=at_risk, whose=whose)
    return found.say("worst.unread") if found.failed("standing") else found.say("worst.none", whose=whose)


def _risk(voice: Voice) -> Column:
    def cell(row: Row) -> str:
        score = row.number("overall_score")
        level = safe(voice.own(row.text("risk_level"))) or voice.say("risk.none")
        return voice.say("risk.scored", level=level, score=voice.figure(score)) if score is not None else level

    return Column("risk", cell)


def reasons(row: Row) -> str:
    """The stored reasons of a risk level, read leniently: the door may have cut the list."""
    text = row.text("risk_reasons")
    listed = _REASON.findall(text) or ([text] if text not in {"", "[]"} else [])
    return safe("; ".join(listed[:3]), 110) or NO_VALUE


def _worst_table(found: Found, limit: int) -> str:
    sheet, voice = found.sheet("standing"), found.voice
    columns = (CLUSTER, ID, customer(voice), _risk(voice), Column("why", reasons))
    newest = max((row.text("computed_at") for row in sheet), default="")
    title = found.say("worst.assessment", when=moment(newest)) if sheet.rows else ""
    failed = missing(found, "standing", "stored")
    return failed or paragraphs(title, listing(voice, columns, sheet, limit=limit))


def _beyond_table(found: Found, limit: int) -> str:
    sheet, voice = found.sheet("beyond"), found.voice

    def told(row: Row) -> str:
        level = level_of(found, row)
        return f"{level.noun} {level.judged}" if level else NO_VALUE

    columns = (CLUSTER, ID, customer(voice), Column("beyond", told))
    shown = listing(voice, columns, sheet, limit=limit)
    return paragraphs(shown, basis(voice, (level.measure for level in levels(found, sheet)))) if shown else ""


def _next(found: Found) -> str:
    row = found.first("beyond") if found.sheet("beyond").rows else found.first("standing")
    name = safe(row.text("cluster_name"), 48)
    return found.say("worst.next", name=name) if name else ""


def silent(found: Found) -> str:
    """The active clusters that send no metrics."""
    if failed := missing(found, "silent", "silent"):
        return failed
    sheet, voice = found.sheet("silent"), found.voice
    if not sheet.rows:
        return found.say("silent.all", told=_silent_line(found))
    columns = (
        CLUSTER,
        ID,
        customer(voice),
        Column("last_metrics", lambda row: moment(row.text("last_hour"))),
        Column("silent_for", lambda row: voice.figure(row.number("hours_silent"), "h")),
    )
    clusters = voice.count(total_of(sheet), "active_cluster")
    return paragraphs(
        found.say("silent.opening", clusters=clusters, hours=RECENT_HOURS),
        listing(voice, columns, sheet),
        found.say("silent.next"),
    )
