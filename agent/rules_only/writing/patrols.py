"""Answers from the stored patrol reports: what the last one said, what is new since the one before, its forecasts."""

from collections.abc import Mapping

from agent.rules_only.envelope import Row
from agent.rules_only.inventory import FLAGGED, NARRATIVE_PARTS
from agent.rules_only.writing.alerts import changes
from agent.rules_only.writing.apologies import gap
from agent.rules_only.writing.figures import count, moment
from agent.rules_only.writing.found import Found
from agent.rules_only.writing.markdown import listing, paragraphs, plain, safe

_RANK = {"Critical": 0, "Warning": 1, "Unknown": 2}
NONE_STORED = "No patrol report is stored yet. Start one with `/patrol`."


def flagged(report: Row) -> Mapping[str, str]:
    """Severity by name of the clusters that a report flagged, worst first, as many as were read."""
    named = ((report.text(f"name_{place}"), report.text(f"severity_{place}")) for place in range(FLAGGED))
    return {name: severity for name, severity in named if name}


def verdict(found: Found) -> str:
    """One sentence on what the last patrol flagged; empty without a report."""
    report = found.first("patrols")
    if not report.text("created_at"):
        return ""
    severities = list(flagged(report).values())
    mix = [f"{severities.count(name)} {name}" for name in _RANK if name in severities]
    return f"Patrol of {moment(report.text('created_at'))}: {', '.join(mix) or 'no cluster'} flagged."


def forecasts(found: Found) -> str:
    """What the last patrol expects next; empty when it expects nothing."""
    report = found.first("patrols")
    lines = [f"- {safe(text, 190)}" for place in range(6) if (text := report.text(f"forecast_{place}"))]
    return (
        paragraphs(f"Expected by the patrol of {moment(report.text('created_at'))}:", "\n".join(lines)) if lines else ""
    )


def news(found: Found) -> str:
    """What the latest patrol flags that the one before did not, what is over, and what was done to clusters."""
    reports = found.sheet("patrols").rows
    parts: tuple[str, ...] = ()
    if len(reports) > 1:
        latest, earlier = flagged(reports[0]), flagged(reports[1])
        new = {name: severity for name, severity in latest.items() if name not in earlier}
        worse = {
            name: f"{earlier[name]} → {severity}"
            for name, severity in latest.items()
            if name in earlier and _RANK.get(severity, 3) < _RANK.get(earlier[name], 3)
        }
        over = {name: severity for name, severity in earlier.items() if name not in latest}
        times = f"from {moment(reports[1].text('created_at'))} to {moment(reports[0].text('created_at'))}"
        opening = f"**{len(new)} newly flagged, {len(worse)} worse, {len(over)} no longer flagged, {times}.**"
        parts = (_named("New", new), _named("Worse", worse), _named("No longer flagged", over), _unread(reports))
    else:
        known = f"only one is stored ({verdict(found)[:-1]})" if reports else "none is stored"
        opening = (
            f"**What is new cannot be told by patrol reports: it takes two, and {known}.** Start one with `/patrol`."
        )
    failed = gap(found.failed("patrols"), "Patrol reports")
    done = gap(found.failed("operations"), "Operations") or changes(found)
    return paragraphs(failed or opening, *parts, done)


def _named(title: str, clusters: Mapping[str, str]) -> str:
    listed = ", ".join(f"{safe(name, 48)} ({safe(severity, 24)})" for name, severity in list(clusters.items())[:12])
    more = f", 12 of {len(clusters)} shown" if len(clusters) > 12 else ""
    return f"- {title}: {listed}{more}" if clusters else ""


def _unread(reports: tuple[Row, ...]) -> str:
    most = max(report.number("flagged") or 0 for report in reports)
    return f"*Only the first {FLAGGED} of {count(most, 'flagged cluster')} were compared.*" if most > FLAGGED else ""


def last(found: Found) -> str:
    """The newest patrol report's narrative."""
    row = found.first("patrol")
    if not row.text("report_id"):
        return f"**{NONE_STORED}**"
    narrative = "".join(row.text(f"part_{number}") for number in range(NARRATIVE_PARTS))
    columns = (plain("Report", "report_id"), plain("Type", "report_type"), plain("Model", "model"))
    return paragraphs(
        f"**The last patrol report is of {moment(row.text('created_at'))}.**",
        safe(narrative, 1500) or "It holds no narrative.",
        listing(columns, found.sheet("patrol")),
    )
