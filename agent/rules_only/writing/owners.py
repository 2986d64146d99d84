"""Answers about whose clusters there are and what they cost: counts, members of a version or customer, bills."""

from agent.rules_only.envelope import Row
from agent.rules_only.voice import NO_VALUE, Voice
from agent.rules_only.writing.apologies import gap, missing, no_chart, unresolved
from agent.rules_only.writing.found import Found
from agent.rules_only.writing.markdown import (
    CLUSTER,
    ID,
    Column,
    customer,
    listing,
    paragraphs,
    plain,
    safe,
    total_of,
)
from agent.rules_only.writing.patrols import flagged, verdict


def breakdown(found: Found) -> str:
    """Active clusters counted by one property."""
    sheet, grouping, voice = found.sheet("breakdown"), found.intent.grouping, found.voice
    if not sheet.rows:
        return found.say("breakdown.none")
    columns = (
        Column(grouping, lambda row: safe(row.text("label")) or found.say("breakdown.unrecorded")),
        Column("active_clusters", lambda row: voice.figure(row.number("clusters"))),
    )
    clusters = sum(row.number("clusters") or 0 for row in sheet)
    opening = found.say(
        "breakdown.opening",
        groups=voice.count(total_of(sheet), grouping),
        clusters=voice.count(clusters, "active_cluster"),
        leader=f"{columns[0].cell(sheet.first)} ({columns[1].cell(sheet.first)})",
    )
    return paragraphs(opening, no_chart(found), listing(voice, columns, sheet))


def members(found: Found) -> str:
    """The active clusters of a version or of a customer, and who that customer is."""
    if failed := missing(found, "members", "clusters"):
        return failed
    sheet, intent, voice = found.sheet("members"), found.intent, found.voice
    version, customers = safe(intent.version, 24), safe(intent.customer, 48)
    if not sheet.rows:
        return found.say("members.no_version" if version else "members.no_customer", name=version or customers)
    severities = flagged(found.first("patrols"))
    columns = (
        CLUSTER,
        ID,
        customer(voice),
        plain("version", "sr_version", limit=20),
        plain("region", "region", limit=40),
        Column("last_patrol", lambda row: safe(voice.own(severities.get(row.text("cluster_name"), NO_VALUE)), 12)),
    )
    clusters = voice.count(total_of(sheet), "active_cluster")
    run = "members.runs" if total_of(sheet) == 1 else "members.run"
    return paragraphs(
        found.say(run, clusters=clusters, version=version)
        if version
        else found.say("members.of", customers=_customers(voice, sheet.rows), clusters=clusters),
        listing(voice, columns, sheet, limit=intent.limit),
        verdict(found),
    )


def _customers(voice: Voice, rows: tuple[Row, ...]) -> str:
    """The customers of these clusters: name, tier, stage, use, account."""
    known = {row.text("account_id"): row for row in rows}
    told = []
    for account, row in list(known.items())[:3]:
        tier = voice.say("fact.tier", tier=row.text("tier")) if row.text("tier") else ""
        owner = voice.say("fact.account", account=account) if account else ""
        facts = [tier, row.text("stage"), row.text("use_case"), owner]
        name = safe(row.text("customer"), 48) or NO_VALUE
        told.append(f"{name} ({voice.list(safe(fact, 60) for fact in facts if fact)})")
    listed = voice.chain(told)
    return voice.say("members.others", listed=listed, more=len(known) - 3) if len(known) > 3 else listed


def cost(found: Found) -> str:
    """What was billed over whole days, by cluster or by customer."""
    if found.intent.clusters and (failure := found.failed("info:0")):
        return unresolved(found, failure)
    failure = found.failed("bills")
    if failure is not None and failure.code in {"unknown_table", "unknown_column"}:
        return found.say("cost.uncovered")
    if failure is not None:
        return gap(found.voice, failure, found.say("part.bills"))
    sheet, voice = found.sheet("bills"), found.voice
    if not sheet.rows:
        return found.say("cost.none", window=voice.span(max(found.intent.hours, 24)))
    by_customer = "customer" in sheet.columns
    columns = (
        *((plain("customer", "customer", limit=48),) if by_customer else (CLUSTER, ID)),
        Column("billed", lambda row: voice.figure(row.number("amount"), "USD")),
        Column("ccu", lambda row: voice.figure(row.number("ccu"))),
    )
    table = listing(voice, columns, sheet, limit=found.intent.limit)
    return paragraphs(_billed(found, columns[0], columns[-2], by_customer=by_customer), table)


def _billed(found: Found, who: Column, amount: Column, *, by_customer: bool) -> str:
    sheet, first = found.sheet("bills"), found.sheet("bills").first
    first_day, last_day = (safe(first.text(day)[:10]) for day in ("first_day", "last_day"))
    days = found.say("cost.days", first=first_day, last=last_day)
    if found.intent.clusters:
        return found.say("cost.of", name=CLUSTER.cell(first), amount=amount.cell(first), days=days)
    return found.say(
        "cost.opening",
        fleet=found.voice.figure(first.number("fleet"), "USD"),
        whose=found.voice.count(total_of(sheet), "customer" if by_customer else "cluster"),
        days=days,
        name=who.cell(first),
        amount=amount.cell(first),
    )
