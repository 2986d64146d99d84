"""Answers about whose clusters there are and what they cost: counts, members of a version or customer, bills."""

from agent.rules_only.envelope import Row
from agent.rules_only.writing.apologies import gap, no_chart, unresolved
from agent.rules_only.writing.figures import count, figure, span
from agent.rules_only.writing.found import Found
from agent.rules_only.writing.markdown import (
    CLUSTER,
    CUSTOMER,
    ID,
    Column,
    listing,
    paragraphs,
    plain,
    safe,
    total_of,
)
from agent.rules_only.writing.patrols import flagged, verdict


def breakdown(found: Found) -> str:
    """Active clusters counted by one property."""
    sheet, grouping = found.sheet("breakdown"), found.intent.grouping
    if not sheet.rows:
        return "**There is no active cluster in the warehouse.**"
    columns = (
        Column(grouping.capitalize(), lambda row: safe(row.text("label")) or "not recorded"),
        Column("Active clusters", lambda row: figure(row.number("clusters"))),
    )
    clusters = sum(row.number("clusters") or 0 for row in sheet)
    groups = f"{count(total_of(sheet), grouping)} over {count(clusters, 'active cluster')}"
    leader = f"{columns[0].cell(sheet.first)} ({columns[1].cell(sheet.first)})"
    return paragraphs(f"**{groups}; most are {leader}.**", no_chart(found), listing(columns, sheet))


def members(found: Found) -> str:
    """The active clusters of a version or of a customer, and who that customer is."""
    if failed := gap(found.failed("members"), "Clusters"):
        return failed
    sheet, intent = found.sheet("members"), found.intent
    asked = f"run version {safe(intent.version, 24)}" if intent.version else f"belong to {safe(intent.customer, 48)}"
    if not sheet.rows:
        way = "clusters by version" if intent.version else "clusters by customer"
        return f'**No active cluster is known to {asked}.** Ask "{way}" for the names that are known.'
    severities = flagged(found.first("patrols"))
    columns = (
        CLUSTER,
        ID,
        CUSTOMER,
        plain("Version", "sr_version", limit=20),
        plain("Region", "region", limit=40),
        Column("Last patrol", lambda row: safe(severities.get(row.text("cluster_name"), "–"), 12)),
    )
    clusters = count(total_of(sheet), "active cluster")
    return paragraphs(
        f"**{clusters} {'run' if total_of(sheet) != 1 else 'runs'} version {safe(intent.version, 24)}.**"
        if intent.version
        else f"**{_customers(sheet.rows)}: {clusters}.**",
        listing(columns, sheet, limit=intent.limit),
        verdict(found),
    )


def _customers(rows: tuple[Row, ...]) -> str:
    """The customers of these clusters: name, tier, stage, use, account."""
    known = {row.text("account_id"): row for row in rows}
    told = []
    for account, row in list(known.items())[:3]:
        tier = f"tier {row.text('tier')}" if row.text("tier") else ""
        facts = [tier, row.text("stage"), row.text("use_case"), f"account {account}" if account else ""]
        told.append(f"{safe(row.text('customer'), 48) or '–'} ({', '.join(safe(fact, 60) for fact in facts if fact)})")
    return "; ".join(told) + (f" and {len(known) - 3} more customers" if len(known) > 3 else "")


def cost(found: Found) -> str:
    """What was billed over whole days, by cluster or by customer."""
    if found.intent.clusters and (failure := found.failed("info:0")):
        return unresolved(found.intent, failure)
    failure = found.failed("bills")
    if failure is not None and failure.code in {"unknown_table", "unknown_column"}:
        return "**Cost and usage are not covered: the warehouse has no billing table that I can read.**"
    if failure is not None:
        return gap(failure, "Bills")
    sheet, window = found.sheet("bills"), span(max(found.intent.hours, 24))
    if not sheet.rows:
        return f"**No bill of the last {window} is in the warehouse, so I can say nothing about cost.**"
    by_customer = "customer" in sheet.columns
    first = sheet.first
    columns = (
        *((plain("Customer", "customer", limit=48),) if by_customer else (CLUSTER, ID)),
        Column("Billed", lambda row: figure(row.number("amount"), "USD")),
        Column("Compute credits", lambda row: figure(row.number("ccu"))),
    )
    days = f"{safe(first.text('first_day')[:10])} to {safe(first.text('last_day')[:10])}"
    if found.intent.clusters:
        opening = f"**{CLUSTER.cell(first)} was billed {columns[-2].cell(first)}, {days}.**"
    else:
        whose = "customer" if by_customer else "cluster"
        fleet = figure(first.number("fleet"), "USD")
        opening = (
            f"**{fleet} billed to {count(total_of(sheet), whose)}, {days};"
            f" most to {columns[0].cell(first)}: {columns[-2].cell(first)}.**"
        )
    return paragraphs(opening, listing(columns, sheet, limit=found.intent.limit))
