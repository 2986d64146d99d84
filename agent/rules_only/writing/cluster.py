"""Answers about one cluster or two: identity, vitals against the rules and the own past, alerts, operations, logs."""

from collections.abc import Iterator, Mapping, Sequence

from agent.rules_only.envelope import Row, Sheet
from agent.rules_only.measures import BY_KEY, VITALS, Measure
from agent.rules_only.plan import Identity, identity
from agent.rules_only.queries import RECENT_HOURS
from agent.rules_only.writing import alerts
from agent.rules_only.writing.apologies import gap, unresolved
from agent.rules_only.writing.figures import NO_VALUE, count, figure, freshness, move, span
from agent.rules_only.writing.found import Found
from agent.rules_only.writing.markdown import listing, paragraphs, plain, safe

_NOW = -1
_TRAFFIC = (
    ("queries", "queries"),
    ("errors", "failed queries"),
    ("timeouts", "timeouts"),
    ("slow", "slow queries"),
    ("internal", "internal errors"),
    ("failed", "failed transactions"),
    ("rejected", "rejected transactions"),
)


def status(found: Found) -> str:
    """One cluster: what is beyond its limits, vitals with their week, traffic, alerts, operations, what to do."""
    if failure := found.failed("info:0"):
        return unresolved(found.intent, failure)
    who = identity(found.outcome("info:0"))
    rows = _by_day(found.sheet("vitals"), who)
    now = rows.get(_NOW)
    levels = sorted([*_errors(found), *_levels(found, now)], key=lambda entry: entry[2])
    return paragraphs(
        _opening(found, who, now, levels),
        _facts(found.sheet("info:0")),
        gap(found.failed("vitals") if who else None, "Metrics") or _vitals_table(found, rows),
        _traffic_line(found.sheet("traffic"), who),
        gap(found.failed("alerts"), "Alerts") or alerts.of_cluster(found, limit=5),
        gap(found.failed("operations"), "Operations") or alerts.changes(found, limit=5),
        _advice(found, levels),
        _beyond_rules(found),
        freshness(found.outcome("freshness")),
    )


def _by_day(vitals: Sheet, who: Identity | None) -> Mapping[int, Row]:
    """The rows of a cluster by days back; `_NOW` is the last hours."""
    mine = [row for row in vitals if who is not None and row.text("cluster_id").lower() == who.cluster_id]
    return {int(days): row for row in mine if (days := row.number("days_back")) is not None}


def _levels(found: Found, now: Row | None) -> list[tuple[Measure, float, str]]:
    """The vital measures beyond a limit of the rules, the critical ones first."""
    judged = [
        (measure, value, threshold.level(value))
        for measure in VITALS
        if now is not None
        and (threshold := found.thresholds.get(measure.key)) is not None
        and (value := now.number(measure.key)) is not None
    ]
    return sorted((entry for entry in judged if entry[2]), key=lambda entry: entry[2])


def _errors(found: Found) -> list[tuple[Measure, float, str]]:
    """The share of failed queries of the last hours, if it is beyond its limit and of enough queries to be judged."""
    measure, row = BY_KEY["error_share_pct"], found.first("recent")
    threshold, share = found.thresholds.get(measure.key), row.number("error_share_pct")
    if threshold is None or share is None:
        return []
    enough = (row.number("queries") or 0) >= threshold.volume and (row.number("errors") or 0) >= threshold.events
    return [(measure, share, level)] if enough and (level := threshold.level(share)) else []


def _opening(found: Found, who: Identity | None, now: Row | None, levels: Sequence[tuple[Measure, float, str]]) -> str:
    name = safe(found.subject, 48)
    if who is None or found.failed("vitals"):
        return f"**{name}: here is what could be read.**"
    state = found.first("info:0").text("state")
    if state in {"stopped", "deleted"}:
        return f"**{name} is {state}, so it is expected to send nothing.**"
    if now is None:
        return f"**{name} sent no vital measures in the last {RECENT_HOURS} h: its health is unknown, not good.**"
    if not levels:
        verdict = "no vital measure is beyond a limit of the rules" if found.thresholds else "here are its measures"
        return f"**{name}: {verdict} (last {RECENT_HOURS} h).**"
    worst = "; ".join(f"{measure.noun} {figure(value, measure.unit)}" for measure, value, _ in levels[:3])
    return f"**{name} is {levels[0][2]}: {worst} (last {RECENT_HOURS} h).**"


def _facts(info: Sheet) -> str:
    """What the warehouse says of the cluster, in one line."""
    row = info.first
    facts = [
        f"id {safe(row.text('cluster_id')[:8])}",
        row.text("customer_name", "account_name"),
        f"tier {row.text('tier')}" if row.text("tier") else "",
        row.text("cluster_type"),
        row.text("sr_version"),
        row.text("region"),
        row.text("cloud"),
        _nodes(row),
        f"stored risk {row.text('risk_level')}" if row.text("risk_level") else "",
        f"score {figure(row.number('overall_score'))}" if row.text("overall_score") else "",
    ]
    return " · ".join(safe(fact, 60) for fact in facts if fact)


def _nodes(row: Row) -> str:
    counts = [(row.number("fe_nodes"), "FE"), (row.number("be_nodes"), "BE or CN")]
    return ", ".join(f"{figure(number)} {kind}" for number, kind in counts if number)


def _vitals_table(found: Found, rows: Mapping[int, Row]) -> str:
    if not rows:
        return ""
    lines = [f"| Measure | Last {RECENT_HOURS} h | Last 7 days | By the rules |", "| --- | --- | --- | --- |"]
    for measure in VITALS:
        days = _days(rows, measure)
        now = rows[_NOW].number(measure.key) if _NOW in rows else None
        if now is None and not days:
            continue
        threshold = found.thresholds.get(measure.key)
        verdict = (threshold.level(now) or "within limits") if threshold and now is not None else NO_VALUE
        course = move(days[0][1], days[-1][1], measure.unit) if len(days) > 1 else NO_VALUE
        lines.append(f"| {measure.noun} | {figure(now, measure.unit)} | {course} | {verdict} |")
    return "\n".join(lines)


def _days(rows: Mapping[int, Row], measure: Measure) -> list[tuple[float, float]]:
    """Day means, oldest first, as (day, value)."""
    found = [(-back, rows[back].number(measure.key)) for back in sorted(rows, reverse=True) if 0 <= back <= 6]
    return [(float(day), value) for day, value in found if value is not None]


def _traffic_line(traffic: Sheet, who: Identity | None) -> str:
    row = next((row for row in traffic if who is not None and row.text("cluster_id").lower() == who.cluster_id), None)
    if row is None:
        return ""
    parts = [f"{figure(value)} {noun}" for column, noun in _TRAFFIC if (value := row.number(column)) is not None]
    share = row.number("error_share_pct")
    return f"Last 7 days: {', '.join(parts)}" + (
        f" ({figure(share, '%')} of queries failed)." if share is not None else "."
    )


def _advice(found: Found, levels: Sequence[tuple[Measure, float, str]]) -> str:
    advised = [(measure, found.thresholds[measure.key].advice) for measure, _, _ in levels[:3]]
    lines = [f"- {measure.noun}: {text}" for measure, text in advised if text]
    return paragraphs("What to do:", "\n".join(lines)) if lines else ""


def _beyond_rules(found: Found) -> str:
    if not found.intent.beyond:
        return ""
    return (
        "*A cause or a forecast needs judgement beyond fixed rules; above is the evidence: compare when the measures"
        " moved with the alerts and operations of that time.*"
    )


def compare(found: Found) -> str:
    """Two clusters side by side."""
    for role in ("info:0", "info:1"):
        if failure := found.failed(role):
            return unresolved(found.intent, failure)
    pair = [identity(found.outcome(role)) for role in ("info:0", "info:1")]
    names = [safe(who.name, 40) if who else NO_VALUE for who in pair]
    rows = [_by_day(found.sheet("vitals"), who).get(_NOW, Row({})) for who in pair]
    lines = [f"| Measure (last {RECENT_HOURS} h) | {names[0]} | {names[1]} |", "| --- | --- | --- |"]
    lines += list(_pairs(rows))
    return paragraphs(
        f"**{_difference(found, names, rows)}**",
        gap(found.failed("vitals"), "Metrics") or "\n".join(lines),
        *(
            f"{name}: {line}"
            for name, who in zip(names, pair, strict=True)
            if (line := _traffic_line(found.sheet("traffic"), who))
        ),
        *(
            f"{name}: {line}"
            for name, role in zip(names, ("info:0", "info:1"), strict=True)
            if (line := _facts(found.sheet(role)))
        ),
        _beyond_rules(found),
        freshness(found.outcome("freshness")),
    )


def _pairs(rows: Sequence[Row]) -> Iterator[str]:
    for measure in VITALS:
        values = [row.number(measure.key) for row in rows]
        if any(value is not None for value in values):
            yield f"| {measure.noun} | {figure(values[0], measure.unit)} | {figure(values[1], measure.unit)} |"


def _difference(found: Found, names: Sequence[str], rows: Sequence[Row]) -> str:
    verdicts = []
    for name, row in zip(names, rows, strict=True):
        levels = _levels(found, row)
        listed = ", ".join(f"{measure.noun} {level}" for measure, _, level in levels[:3])
        silent = all(row.number(measure.key) is None for measure in VITALS)
        verdicts.append(f"{name}: {'no recent metrics' if silent else listed or 'nothing beyond a limit of the rules'}")
    return "; ".join(verdicts) + f" (last {RECENT_HOURS} h)."


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
