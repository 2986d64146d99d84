"""Answers about alerts, issues and operations, of the fleet or of one cluster."""

from agent.rules_only.writing.apologies import gap, unresolved
from agent.rules_only.writing.figures import count, figure, moment, span
from agent.rules_only.writing.found import Found
from agent.rules_only.writing.markdown import CLUSTER, ID, Column, listing, paragraphs, plain, safe, total_of


def fleet(found: Found) -> str:
    """Alert conditions of the window by alert name and by cluster; or those of one cluster."""
    if found.intent.clusters:
        return _one(found)
    by_name, by_cluster = found.sheet("alerts"), found.sheet("alerts_by_cluster")
    window = span(found.intent.hours)
    if failed := gap(found.failed("alerts"), "Alerts"):
        return failed
    if not by_name.rows:
        return f"**No alert fired in the {window} up to the newest metrics.**"
    conditions = sum(row.number("conditions") or 0 for row in by_name)
    firing = sum(row.number("firing") or 0 for row in by_name)
    names = total_of(by_name)
    top = by_cluster.first
    return paragraphs(
        f"**{count(conditions, 'alert condition')} of {count(names, 'name')} in the last {window};"
        f" {figure(firing)} still firing.** A condition is one alert on one cluster, however often it repeated.",
        listing(_by_name(), by_name, limit=found.intent.limit),
        paragraphs("By cluster:", listing(_by_cluster(), by_cluster, limit=6)) if by_cluster.rows else "",
        f'Next: look at the cluster with most of them ("how is {safe(top.text("cluster_name"), 48)}?").'
        if top.text("cluster_name")
        else "",
    )


def _by_name() -> tuple[Column, ...]:
    return (
        plain("Alert", "alert_name", limit=48),
        Column("Clusters", lambda row: figure(row.number("clusters"))),
        Column("Still firing", lambda row: figure(row.number("firing"))),
        Column("First", lambda row: moment(row.text("first_seen"))),
        Column("Last", lambda row: moment(row.text("last_seen"))),
    )


def _by_cluster() -> tuple[Column, ...]:
    return (
        CLUSTER,
        ID,
        Column("Alert names", lambda row: figure(row.number("alert_names"))),
        Column("Still firing", lambda row: figure(row.number("firing"))),
        Column("Last", lambda row: moment(row.text("last_seen"))),
    )


def _one(found: Found) -> str:
    if failure := found.failed("alerts"):
        return unresolved(found.intent, failure)
    name = safe(found.subject, 48)
    sheet = found.sheet("alerts")
    if not sheet.rows:
        return f"**No alert of {name} in the last {span(found.intent.hours)}.**"
    return paragraphs(f"**{name}:** {of_cluster(found)}")


def of_cluster(found: Found, *, limit: int = 12) -> str:
    """The alert conditions of one cluster with a counting sentence."""
    sheet = found.sheet("alerts")
    window = f"in the last {span(max(found.intent.hours, 24))}"
    if not sheet.rows:
        return f"No alert {window}."
    firing = sum(row.text("state").lower() == "firing" for row in sheet)
    columns = (
        plain("Alert", "alert_name", limit=48),
        plain("State", "state", limit=24),
        Column("Incidents", lambda row: figure(row.number("incidents"))),
        Column("First firing", lambda row: moment(row.text("first_firing"))),
        Column("Last firing", lambda row: moment(row.text("last_firing"))),
    )
    shown = listing(columns, sheet, limit=limit)
    return paragraphs(f"{count(len(sheet), 'alert')} {window}, {firing} still firing:", shown)


def issues(found: Found) -> str:
    """Open issues."""
    sheet, severity = found.sheet("issues"), found.intent.severity
    if failed := gap(found.failed("issues"), "Open issues"):
        return failed
    kind = f"open {severity} issue" if severity else "open issue"
    if not sheet.rows:
        return f"**There is no {kind}.**"
    columns = (
        CLUSTER,
        ID,
        plain("Issue", "alert_name", limit=40),
        plain("Severity", "severity"),
        plain("Tier", "tier"),
        plain("Triage", "triage_status", limit=24),
        Column("Since", lambda row: moment(row.text("first_seen"))),
    )
    more = " or more" if sheet.cut else ""
    return paragraphs(
        f"**{count(len(sheet), kind)}{more}.**",
        listing(columns, sheet, limit=found.intent.limit),
        'Next: open the first one\'s cluster ("how is the first one?").',
    )


def operations(found: Found) -> str:
    """Operations of the window."""
    if found.intent.clusters and (failure := found.failed("operations")):
        return unresolved(found.intent, failure)
    if failed := gap(found.failed("operations"), "Operations"):
        return failed
    return changes(found)


def changes(found: Found, *, limit: int = 12) -> str:
    """The operations found, of the fleet or of one cluster, with a counting sentence."""
    sheet = found.sheet("operations")
    one = bool(found.intent.clusters) and found.intent.kind != "news"
    window = f"in the last {span(336 if found.intent.kind == 'status' else max(found.intent.hours, 24))}"
    whose = f" on {safe(found.subject, 48)}" if one else ""
    if not sheet.rows:
        return f"No operation{whose} {window}."
    columns = [
        Column("When", lambda row: moment(row.text("created_at", "time"))),
        plain("Operation", "type", limit=16),
        plain("State", "state", limit=16),
        *([] if one else [CLUSTER, Column("Id", lambda row: safe(row.text("cluster_id")[:8]))]),
        plain("Detail", "detail", limit=70),
    ]
    return paragraphs(
        f"**{count(total_of(sheet), 'operation')}{whose} {window}:**", listing(columns, sheet, limit=limit)
    )
