"""Answers from the stored patrol reports: what the last one said, what is new since the one before, its forecasts."""

from collections.abc import Mapping

from agent.rules_only.envelope import Row
from agent.rules_only.inventory import FLAGGED, NARRATIVE_PARTS
from agent.rules_only.voice import Voice
from agent.rules_only.writing.alerts import changes
from agent.rules_only.writing.apologies import missing
from agent.rules_only.writing.figures import moment
from agent.rules_only.writing.found import Found
from agent.rules_only.writing.markdown import listing, paragraphs, plain, safe

_RANK = {"Critical": 0, "Warning": 1, "Unknown": 2}


def flagged(report: Row) -> Mapping[str, str]:
    """Severity by name of the clusters that a report flagged, worst first, as many as were read."""
    named = ((report.text(f"name_{place}"), report.text(f"severity_{place}")) for place in range(FLAGGED))
    return {name: severity for name, severity in named if name}


def verdict(found: Found) -> str:
    """One sentence on what the last patrol flagged; empty without a report."""
    told = _verdict(found)
    return found.say("patrol.sentence", told=told) if told else ""


def _verdict(found: Found) -> str:
    report, voice = found.first("patrols"), found.voice
    if not report.text("created_at"):
        return ""
    severities = list(flagged(report).values())
    mix = [
        found.say("mix.value", count=severities.count(name), name=voice.own(name))
        for name in _RANK
        if name in severities
    ]
    when = moment(report.text("created_at"))
    return found.say("patrol.flagged", when=when, mix=voice.list(mix)) if mix else found.say("patrol.calm", when=when)


def forecasts(found: Found) -> str:
    """What the last patrol expects next; empty when it expects nothing."""
    report = found.first("patrols")
    lines = [f"- {safe(text, 190)}" for place in range(6) if (text := report.text(f"forecast_{place}"))]
    title = found.say("patrol.expected", when=moment(report.text("created_at")))
    return paragraphs(title, "\n".join(lines)) if lines else ""


def news(found: Found) -> str:
    """What the latest patrol flags that the one before did not, what is over, and what was done to clusters."""
    reports = found.sheet("patrols").rows
    parts: tuple[str, ...] = ()
    if len(reports) > 1:
        parts = _compared(found, reports)
    elif reports:
        parts = (found.say("news.one", verdict=_verdict(found)),)
    else:
        parts = (found.say("news.none"),)
    failed = missing(found, "patrols", "patrols")
    done = missing(found, "operations", "operations") or changes(found)
    return paragraphs(*((failed,) if failed else parts), done)


def _compared(found: Found, reports: tuple[Row, ...]) -> tuple[str, ...]:
    """The newest two reports, one against the other."""
    voice, latest, earlier = found.voice, flagged(reports[0]), flagged(reports[1])
    new = {name: voice.own(severity) for name, severity in latest.items() if name not in earlier}
    worse = {
        name: f"{voice.own(earlier[name])} → {voice.own(severity)}"
        for name, severity in latest.items()
        if name in earlier and _RANK.get(severity, 3) < _RANK.get(earlier[name], 3)
    }
    over = {name: voice.own(severity) for name, severity in earlier.items() if name not in latest}
    opening = found.say(
        "news.opening",
        new=len(new),
        worse=len(worse),
        over=len(over),
        first=moment(reports[1].text("created_at")),
        last=moment(reports[0].text("created_at")),
    )
    named = (_named(voice, key, clusters) for key, clusters in (("new", new), ("worse", worse), ("over", over)))
    return (opening, *named, _unread(voice, reports))


def _named(voice: Voice, key: str, clusters: Mapping[str, str]) -> str:
    listed = voice.list(f"{safe(name, 48)} ({safe(severity, 24)})" for name, severity in list(clusters.items())[:12])
    more = voice.say("news.more", shown=12, total=len(clusters)) if len(clusters) > 12 else ""
    return voice.say(f"news.{key}", listed=f"{listed}{more}") if clusters else ""


def _unread(voice: Voice, reports: tuple[Row, ...]) -> str:
    most = max(report.number("flagged") or 0 for report in reports)
    clusters = voice.count(most, "flagged_cluster")
    return voice.say("news.unread", shown=FLAGGED, clusters=clusters) if most > FLAGGED else ""


def last(found: Found) -> str:
    """The newest patrol report's narrative."""
    row = found.first("patrol")
    if not row.text("report_id"):
        return found.say("patrol.none")
    narrative = "".join(row.text(f"part_{number}") for number in range(NARRATIVE_PARTS))
    columns = (plain("report", "report_id"), plain("type", "report_type"), plain("model", "model"))
    return paragraphs(
        found.say("patrol.last", when=moment(row.text("created_at"))),
        safe(narrative, 1500) or found.say("patrol.wordless"),
        listing(found.voice, columns, found.sheet("patrol")),
    )
