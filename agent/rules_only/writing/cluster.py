"""Answers about one cluster or two: identity, vitals against the rules and the own past, alerts, operations, logs."""

from datetime import datetime, timedelta

from agent.rules_only.envelope import Sheet
from agent.rules_only.measures import RECENT_HOURS, VITALS
from agent.rules_only.plan import Identity, identity
from agent.rules_only.readings import TRAFFIC
from agent.rules_only.voice import NO_VALUE, Voice
from agent.rules_only.writing import alerts
from agent.rules_only.writing.apologies import missing, unresolved
from agent.rules_only.writing.found import Found
from agent.rules_only.writing.levels import Level, advice, bad, basis, levels
from agent.rules_only.writing.markdown import listing, paragraphs, plain, safe, table


def status(found: Found) -> str:
    """One cluster: what is beyond its limits, vitals with their week, traffic, alerts, operations, what to do."""
    if failure := found.failed("info:0"):
        return unresolved(found, failure)
    who = identity(found.outcome("info:0"))
    known = levels(found, found.sheet("vitals"), who.cluster_id if who else "")
    return paragraphs(
        _opening(found, known),
        _facts(found.voice, found.sheet("info:0")),
        (missing(found, "vitals", "metrics") if who else "") or _table(found, known),
        _traffic(found.voice, found.sheet("traffic"), who),
        missing(found, "alerts", "alerts") or alerts.of_cluster(found, limit=5),
        missing(found, "operations", "operations") or alerts.changes(found, limit=5),
        advice(found, bad(known)),
    )


def _opening(found: Found, known: list[Level]) -> str:
    name = safe(found.subject, 48)
    state = found.first("info:0").text("state")
    if state in {"stopped", "deleted"}:
        return found.say("status.off", name=name, state=found.voice.own(state))
    if found.failed("vitals"):
        return found.say("status.partly", name=name)
    if not known or _is_silent(found):
        return found.say("status.silent", name=name, hours=RECENT_HOURS)
    if not bad(known):
        return found.say("status.fine" if found.thresholds else "status.unjudged", name=name)
    worst = found.voice.chain(f"{level.noun} {level.text}" for level in bad(known)[:3])
    return found.say("status.bad", name=name, severity=known[0].verdict, worst=worst)


def _is_silent(found: Found) -> bool:
    try:
        last = datetime.fromisoformat(found.first("info:0").text("newest_metrics_hour")[:19])
        return datetime.fromisoformat(found.first("freshness").text("newest_hour")[:19]) - last >= timedelta(
            hours=RECENT_HOURS
        )
    except (ValueError, TypeError):
        return False


def _facts(voice: Voice, info: Sheet) -> str:
    """What the warehouse says of the cluster, in one line."""
    row, risk = info.first, info.first.text("risk_level")
    counted = ((kind, row.number(f"{kind.lower()}_nodes")) for kind in ("FE", "BE"))
    nodes = [f"{voice.figure(number)} {kind}" for kind, number in counted if number]
    facts = [
        voice.say("fact.id", id=row.text("cluster_id")[:8]),
        row.text("customer_name", "account_name"),
        voice.say("fact.tier", tier=row.text("tier")) if row.text("tier") else "",
        *(row.text(column) for column in ("cluster_type", "sr_version", "region", "cloud")),
        voice.list(nodes),
        voice.say("fact.risk", risk=voice.own(risk)) if risk else "",
        voice.say("fact.score", score=voice.figure(row.number("overall_score"))) if row.text("overall_score") else "",
    ]
    return " · ".join(safe(fact, 60) for fact in facts if fact)


def _table(found: Found, known: list[Level]) -> str:
    if not known:
        return ""
    within = found.say("verdict.within")
    lines = [
        (
            level.noun,
            level.text,
            level.course,
            level.verdict or (within if level.measure.key in found.thresholds else NO_VALUE),
        )
        for level in known
    ]
    text = table(found.voice, ("measure", "now", "week", "rules"), lines)
    return paragraphs(text, basis(found.voice, (level.measure for level in known)))


def _traffic(voice: Voice, traffic: Sheet, who: Identity | None) -> str:
    gained = {
        row.text("metric_name"): row.number("gained")
        for row in traffic
        if who is not None and row.text("cluster_id").lower() == who.cluster_id
    }
    parts = [
        voice.say("traffic.part", value=voice.figure(value), noun=voice.own(noun))
        for noun, name in TRAFFIC.items()
        if (value := gained.get(name)) is not None
    ]
    return voice.say("traffic", parts=voice.list(parts)) if parts else ""


def compare(found: Found) -> str:
    """Two clusters side by side."""
    roles = ("info:0", "info:1")
    for role in roles:
        if failure := found.failed(role):
            return unresolved(found, failure)
    pair = [identity(found.outcome(role)) for role in roles]
    names = [safe(who.name, 40) if who else NO_VALUE for who in pair]
    known = [levels(found, found.sheet("vitals"), who.cluster_id if who else "-") for who in pair]
    verdicts = [_named(found, name, _verdict(found, one)) for name, one in zip(names, known, strict=True)]
    traffic = (_traffic(found.voice, found.sheet("traffic"), who) for who in pair)
    facts = (_facts(found.voice, found.sheet(role)) for role in roles)
    return paragraphs(
        found.say("compare.opening", verdicts=found.voice.chain(verdicts)),
        missing(found, "vitals", "metrics") or _side_by_side(found.voice, names, known),
        *(
            _named(found, name, line)
            for name, line in (*zip(names, traffic, strict=True), *zip(names, facts, strict=True))
            if line
        ),
    )


def _named(found: Found, name: str, told: str) -> str:
    return found.say("compare.named", name=name, told=told)


def _verdict(found: Found, known: list[Level]) -> str:
    listed = found.voice.list(f"{level.noun} {level.verdict}" for level in bad(known)[:3])
    return listed or found.say("compare.fine" if known else "compare.silent")


def _side_by_side(voice: Voice, names: list[str], known: list[list[Level]]) -> str:
    texts = [{level.measure: level.text for level in one} for one in known]
    both = [measure for measure in VITALS if any(measure in one for one in texts)]
    now = voice.say("compare.now")
    lines = [f"| {now} | {names[0]} | {names[1]} |", "| --- | --- | --- |"]
    cells = ((voice.own(measure.noun), *(one.get(measure, NO_VALUE) for one in texts)) for measure in both)
    lines += [f"| {' | '.join(line)} |" for line in cells]
    return paragraphs("\n".join(lines), basis(voice, both))


def logs(found: Found) -> str:
    """Log lines of one cluster."""
    if failure := found.failed("logs"):
        return unresolved(found, failure)
    sheet, intent, voice = found.sheet("logs"), found.intent, found.voice
    about = found.say("logs.about", pattern=safe(intent.pattern, 60)) if intent.pattern else ""
    where = found.say("logs.where", name=safe(found.subject, 48), window=voice.span(intent.hours))
    if not sheet.rows:
        return found.say("logs.none", about=about, where=where)
    columns = (
        plain("time", "log_time", limit=20),
        plain("node", "node", limit=20),
        plain("level", "level", limit=8),
        plain("message", "message", limit=160),
    )
    opening = found.say(
        "logs.more" if sheet.cut else "logs.all", lines=voice.count(len(sheet), "log_line"), about=about, where=where
    )
    return paragraphs(opening, listing(voice, columns, sheet))
