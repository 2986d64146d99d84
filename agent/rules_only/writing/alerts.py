"""Answers about alerts, issues and operations, of the fleet or of one cluster."""

from agent.rules_only.envelope import Row
from agent.rules_only.voice import Voice
from agent.rules_only.writing.apologies import missing, unresolved
from agent.rules_only.writing.figures import moment
from agent.rules_only.writing.found import Found
from agent.rules_only.writing.markdown import CLUSTER, ID, Column, listing, paragraphs, plain, safe, total_of


def fleet(found: Found) -> str:
    """Alert conditions of the window by alert name and by cluster; or those of one cluster."""
    if found.intent.clusters:
        return _one(found)
    by_name, by_cluster = found.sheet("alerts"), found.sheet("alerts_by_cluster")
    voice, window = found.voice, found.voice.span(found.intent.hours)
    if failed := missing(found, "alerts", "alerts"):
        return failed
    if not by_name.rows:
        return found.say("alerts.none", window=window)
    conditions = voice.count(sum(row.number("conditions") or 0 for row in by_name), "alert_condition")
    firing = voice.figure(sum(row.number("firing") or 0 for row in by_name))
    names = voice.count(total_of(by_name), "name")
    clusters = listing(voice, _by_cluster(voice), by_cluster, limit=6)
    top = safe(by_cluster.first.text("cluster_name"), 48)
    return paragraphs(
        found.say("alerts.opening", conditions=conditions, names=names, window=window, firing=firing),
        listing(voice, _by_name(voice), by_name, limit=found.intent.limit),
        paragraphs(found.say("alerts.by_cluster"), clusters) if by_cluster.rows else "",
        found.say("alerts.next", name=top) if top else "",
    )


def _number(voice: Voice, title: str, name: str) -> Column:
    return Column(title, lambda row: voice.figure(row.number(name)))


def _time(title: str, *names: str) -> Column:
    return Column(title, lambda row: moment(row.text(*names)))


def _by_name(voice: Voice) -> tuple[Column, ...]:
    return (
        plain("alert", "alert_name", limit=48),
        _number(voice, "clusters", "clusters"),
        _number(voice, "firing", "firing"),
        _time("first", "first_seen"),
        _time("last", "last_seen"),
    )


def _by_cluster(voice: Voice) -> tuple[Column, ...]:
    counted = (_number(voice, "alert_names", "alert_names"), _number(voice, "firing", "firing"))
    return (CLUSTER, ID, *counted, _time("last", "last_seen"))


def _one(found: Found) -> str:
    if failure := found.failed("alerts"):
        return unresolved(found, failure)
    name = safe(found.subject, 48)
    if not found.sheet("alerts").rows:
        return found.say("alerts.none_of", name=name, window=found.voice.span(found.intent.hours))
    return found.say("alerts.of", name=name, told=of_cluster(found))


def of_cluster(found: Found, *, limit: int = 12) -> str:
    """The alert conditions of one cluster with a counting sentence."""
    sheet, voice = found.sheet("alerts"), found.voice
    window = voice.span(max(found.intent.hours, 24))
    if not sheet.rows:
        return found.say("alerts.none_in", window=window)
    firing = sum(row.text("state").lower() == "firing" for row in sheet)
    columns = (
        plain("alert", "alert_name", limit=48),
        plain("state", "state", limit=24),
        _number(voice, "incidents", "incidents"),
        _time("first_firing", "first_firing"),
        _time("last_firing", "last_firing"),
    )
    counted = found.say("alerts.counted", alerts=voice.count(len(sheet), "alert"), window=window, firing=firing)
    return paragraphs(counted, listing(voice, columns, sheet, limit=limit))


def issues(found: Found) -> str:
    """Open issues."""
    sheet, voice = found.sheet("issues"), found.voice
    if failed := missing(found, "issues", "issues"):
        return failed
    severity = f".{found.intent.severity}" if found.intent.severity else ""
    if not sheet.rows:
        return found.say(f"issues.none{severity}")
    columns = (
        CLUSTER,
        ID,
        plain("issue", "alert_name", limit=40),
        Column("severity", lambda row: _severity(voice, row)),
        plain("tier", "tier"),
        plain("triage", "triage_status", limit=24),
        _time("since", "first_seen"),
    )
    return paragraphs(
        found.say(
            "issues.more" if sheet.cut else "issues.all", issues=voice.count(len(sheet), f"open_issue{severity}")
        ),
        listing(voice, columns, sheet, limit=found.intent.limit),
        found.say("issues.next"),
    )


def _severity(voice: Voice, row: Row) -> str:
    severity = row.text("severity")
    return voice.own(severity) if severity != voice.own(severity) else plain("severity", "severity").cell(row)


def operations(found: Found) -> str:
    """Operations of the window."""
    if found.intent.clusters and (failure := found.failed("operations")):
        return unresolved(found, failure)
    if failed := missing(found, "operations", "operations"):
        return failed
    return changes(found)


def changes(found: Found, *, limit: int = 12) -> str:
    """The operations found, of the fleet or of one cluster, with a counting sentence."""
    sheet, voice = found.sheet("operations"), found.voice
    one = bool(found.intent.clusters) and found.intent.kind != "news"
    window = voice.span(336 if found.intent.kind == "status" else max(found.intent.hours, 24))
    whose = found.say("operations.on", name=safe(found.subject, 48)) if one else ""
    if not sheet.rows:
        return found.say("operations.none", whose=whose, window=window)
    columns = [
        _time("when", "created_at", "time"),
        plain("operation", "type", limit=16),
        plain("state", "state", limit=16),
        *([] if one else [CLUSTER, Column("id", lambda row: safe(row.text("cluster_id")[:8]))]),
        plain("detail", "detail", limit=70),
    ]
    counted = voice.count(total_of(sheet), "operation")
    opening = found.say("operations.counted", operations=counted, whose=whose, window=window)
    return paragraphs(opening, listing(voice, columns, sheet, limit=limit))
