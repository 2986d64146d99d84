"""Answers about one cluster or two: identity, vitals against the rules and the own past, alerts, operations, logs."""

from datetime import datetime, timedelta

from agent.rules_only.envelope import Sheet
from agent.rules_only.measures import RECENT_HOURS, VITALS
from agent.rules_only.plan import Identity, identity
from agent.rules_only.readings import TRAFFIC
from agent.rules_only.writing import alerts
from agent.rules_only.writing.apologies import gap, unresolved
from agent.rules_only.writing.figures import NO_VALUE, count, figure, span
from agent.rules_only.writing.found import Found
from agent.rules_only.writing.levels import Level, advice, bad, basis, levels
from agent.rules_only.writing.markdown import listing, paragraphs, plain, safe


def status(found: Found) -> str:
    """One cluster: what is beyond its limits, vitals with their week, traffic, alerts, operations, what to do."""
    if failure := found.failed("info:0"):
        return unresolved(found.intent, failure)
    who = identity(found.outcome("info:0"))
    known = levels(found, found.sheet("vitals"), who.cluster_id if who else "")
    return paragraphs(
        _opening(found, known),
        _facts(found.sheet("info:0")),
        gap(found.failed("vitals") if who else None, "Metrics") or _table(found, known),
        _traffic(found.sheet("traffic"), who),
        gap(found.failed("alerts"), "Alerts") or alerts.of_cluster(found, limit=5),
        gap(found.failed("operations"), "Operations") or alerts.changes(found, limit=5),
        advice(found, bad(known)),
    )


def _opening(found: Found, known: list[Level]) -> str:
    name = safe(found.subject, 48)
    state = found.first("info:0").text("state")
    if state in {"stopped", "deleted"}:
        return f"**{name} is {state}, so it is expected to send nothing.**"
    if found.failed("vitals"):
        return f"**{name}: here is what could be read.**"
    if not known or _is_silent(found):
        return f"**{name} sent no vital measures in the last {RECENT_HOURS} h: its health is unknown, not good.**"
    if not bad(known):
        verdict = "no vital measure is beyond a limit of the rules" if found.thresholds else "here are its measures"
        return f"**{name}: {verdict}.**"
    worst = "; ".join(f"{level.measure.noun} {level.text}" for level in bad(known)[:3])
    return f"**{name} is {known[0].severity}: {worst}.**"


def _is_silent(found: Found) -> bool:
    try:
        last = datetime.fromisoformat(found.first("info:0").text("newest_metrics_hour")[:19])
        return datetime.fromisoformat(found.first("freshness").text("newest_hour")[:19]) - last >= timedelta(
            hours=RECENT_HOURS
        )
    except (ValueError, TypeError):
        return False


def _facts(info: Sheet) -> str:
    """What the warehouse says of the cluster, in one line."""
    row = info.first
    nodes = [f"{figure(number)} {kind}" for kind in ("FE", "BE") if (number := row.number(f"{kind.lower()}_nodes"))]
    facts = [
        f"id {row.text('cluster_id')[:8]}",
        row.text("customer_name", "account_name"),
        f"tier {row.text('tier')}" if row.text("tier") else "",
        *(row.text(column) for column in ("cluster_type", "sr_version", "region", "cloud")),
        ", ".join(nodes),
        f"stored risk {row.text('risk_level')}" if row.text("risk_level") else "",
        f"stored score {figure(row.number('overall_score'))}" if row.text("overall_score") else "",
    ]
    return " · ".join(safe(fact, 60) for fact in facts if fact)


def _table(found: Found, known: list[Level]) -> str:
    if not known:
        return ""
    lines = ["| Measure | Now | First day of 7 → now | By the rules |", "| --- | --- | --- | --- |"]
    for level in known:
        verdict = level.severity or ("within limits" if level.measure.key in found.thresholds else NO_VALUE)
        lines.append(f"| {level.measure.noun} | {level.text} | {level.course} | {verdict} |")
    return paragraphs("\n".join(lines), basis(level.measure for level in known))


def _traffic(traffic: Sheet, who: Identity | None) -> str:
    gained = {
        row.text("metric_name"): row.number("gained")
        for row in traffic
        if who is not None and row.text("cluster_id").lower() == who.cluster_id
    }
    parts = [f"{figure(value)} {noun}" for noun, name in TRAFFIC.items() if (value := gained.get(name)) is not None]
    return f"Last 7 days: {', '.join(parts)}." if parts else ""


def compare(found: Found) -> str:
    """Two clusters side by side."""
    roles = ("info:0", "info:1")
    for role in roles:
        if failure := found.failed(role):
            return unresolved(found.intent, failure)
    pair = [identity(found.outcome(role)) for role in roles]
    names = [safe(who.name, 40) if who else NO_VALUE for who in pair]
    known = [levels(found, found.sheet("vitals"), who.cluster_id if who else "-") for who in pair]
    verdicts = (f"{name}: {_verdict(one)}" for name, one in zip(names, known, strict=True))
    traffic = (_traffic(found.sheet("traffic"), who) for who in pair)
    facts = (_facts(found.sheet(role)) for role in roles)
    return paragraphs(
        f"**{'; '.join(verdicts)}.**",
        gap(found.failed("vitals"), "Metrics") or _side_by_side(names, known),
        *(
            f"{name}: {line}"
            for name, line in (*zip(names, traffic, strict=True), *zip(names, facts, strict=True))
            if line
        ),
    )


def _verdict(known: list[Level]) -> str:
    listed = ", ".join(f"{level.measure.noun} {level.severity}" for level in bad(known)[:3])
    return listed or ("nothing beyond a limit of the rules" if known else "no recent metrics")


def _side_by_side(names: list[str], known: list[list[Level]]) -> str:
    texts = [{level.measure: level.text for level in one} for one in known]
    both = [measure for measure in VITALS if any(measure in one for one in texts)]
    lines = [f"| Measure now | {names[0]} | {names[1]} |", "| --- | --- | --- |"]
    lines += [f"| {measure.noun} | {' | '.join(one.get(measure, NO_VALUE) for one in texts)} |" for measure in both]
    return paragraphs("\n".join(lines), basis(both))


def logs(found: Found) -> str:
    """Log lines of one cluster."""
    if failure := found.failed("logs"):
        return unresolved(found.intent, failure)
    sheet, intent = found.sheet("logs"), found.intent
    about = f' with "{safe(intent.pattern, 60)}"' if intent.pattern else ""
    where = f"{safe(found.subject, 48)}, last {span(intent.hours)}"
    if not sheet.rows:
        return f"**No log line{about} is kept for {where}.**"
    columns = (
        plain("Time (UTC)", "log_time", limit=20),
        plain("Node", "node", limit=20),
        plain("Level", "level", limit=8),
        plain("Message", "message", limit=160),
    )
    more = " or more" if sheet.cut else ""
    return paragraphs(f"**{count(len(sheet), 'log line')}{more}{about} of {where}.**", listing(columns, sheet))
