"""Answers about the whole fleet: overview, worst clusters, silent clusters, counts, the last patrol."""

import re
from collections.abc import Iterator, Mapping

from agent.rules_only.envelope import Row, Sheet
from agent.rules_only.measures import VITALS
from agent.rules_only.queries import NARRATIVE_PARTS, RECENT_HOURS
from agent.rules_only.writing.apologies import gap
from agent.rules_only.writing.figures import NO_VALUE, count, figure, freshness, moment
from agent.rules_only.writing.found import Found
from agent.rules_only.writing.markdown import CLUSTER, CUSTOMER, ID, Column, listing, paragraphs, plain, safe

_REASON = re.compile(r'"((?:[^"\\]|\\.)+)"?')


def overview(found: Found) -> str:
    """How the fleet is: counts by risk, clusters beyond limits, silent ones, alerts, issues, the worst rows."""
    counts = _counts(found.sheet("summary"))
    active = sum(counts.get("clusters", {}).values())
    levels = counts.get("risk level", {})
    bad = [f"{figure(levels[name])} {name}" for name in ("Critical", "Warning") if levels.get(name)]
    quiet = found.first("silent").number("clusters")
    parts = [", ".join(bad) or "none at risk by the stored assessment", f"{figure(quiet)} silent" if quiet else ""]
    opening = f"**{count(active, 'active cluster')}: {', '.join(part for part in parts if part)}.**"
    return paragraphs(
        opening if counts else "**The fleet's counts could not be read.**",
        "\n".join(f"- {line}" for line in _overview_lines(found, counts)),
        _worst_table(found, 5),
        _assessed(found),
        _next(found),
        freshness(found.outcome("freshness")),
    )


def _counts(summary: Sheet) -> Mapping[str, dict[str, float]]:
    """Clusters by dimension and value."""
    counts: dict[str, dict[str, float]] = {}
    for row in summary:
        if (clusters := row.number("clusters")) is not None:
            counts.setdefault(row.text("dimension"), {})[row.text("value")] = clusters
    return counts


def _overview_lines(found: Found, counts: Mapping[str, dict[str, float]]) -> Iterator[str]:
    for dimension in ("risk level", "tier", "type", "cloud"):
        if mix := counts.get(dimension):
            yield f"By {dimension}: " + ", ".join(f"{safe(name, 32)} {figure(number)}" for name, number in mix.items())
    if not found.failed("breaches"):
        total = found.first("breaches").number("clusters")
        yield f"Beyond a limit of the rules in the last {RECENT_HOURS} h: {count(total, 'cluster')}"
    yield _silent_line(found)
    firing = sum(row.number("firing") or 0 for row in found.sheet("alerts"))
    conditions = sum(row.number("conditions") or 0 for row in found.sheet("alerts"))
    yield gap(found.failed("alerts"), "Alerts") or (
        f"Alerts in the last 24 h: {count(conditions, 'condition')}, {figure(firing)} still firing"
    )
    yield gap(found.failed("issues"), "Open issues") or f"Open issues: {_issue_mix(found.sheet('issues'))}"


def _issue_mix(issues: Sheet) -> str:
    if not issues.rows:
        return "none"
    mix: dict[str, int] = {}
    for row in issues:
        severity = row.text("severity") or "no severity"
        mix[severity] = mix.get(severity, 0) + 1
    listed = ", ".join(f"{number} {safe(name)}" for name, number in sorted(mix.items()))
    return f"{len(issues)}{' or more' if issues.cut else ''} ({listed})"


def _silent_line(found: Found) -> str:
    total = found.first("silent").number("clusters")
    if failed := gap(found.failed("silent"), "Silent clusters"):
        return failed
    if not total:
        return f"Every active cluster sent metrics in the last {RECENT_HOURS} h"
    names = ", ".join(safe(row.text("cluster_name"), 40) for row in found.sheet("silent").rows[:3])
    return f"Silent, so their health is unknown: {count(total, 'cluster')} ({names}{', …' if total > 3 else ''})"


def worst(found: Found) -> str:
    """The clusters at risk, worst first."""
    whose = " of tier S and A" if found.intent.important else ""
    standing, breaches = found.sheet("standing"), found.sheet("breaches")
    total = standing.first.number("clusters")
    if standing.rows:
        leader = standing.first
        opening = (
            f"**{count(total, 'active cluster')}{whose} at risk; worst: {safe(leader.text('cluster_name'), 48)}"
            f" ({_level(leader)}).**"
        )
    elif breaches.rows:
        opening = f"**{count(breaches.first.number('clusters'), 'active cluster')} beyond a limit of the rules.**"
    else:
        opening = f"**No active cluster{whose} is at risk by the stored assessment or the rules.**"
    silent = f"- {_silent_line(found)}"
    return paragraphs(
        opening if not found.failed("standing") else "**The stored assessment could not be read.**",
        _worst_table(found, found.intent.limit),
        _assessed(found),
        _breach_table(found),
        silent,
        _next(found),
        freshness(found.outcome("freshness")),
    )


def _level(row: Row) -> str:
    score = row.number("overall_score")
    level = safe(row.text("risk_level")) or "no stored risk level"
    return level + (f", score {figure(score)}" if score is not None else "")


def reasons(row: Row) -> str:
    """The stored reasons of a risk level, read leniently: the door may have cut the list."""
    text = row.text("risk_reasons")
    listed = _REASON.findall(text) or ([text] if text not in {"", "[]"} else [])
    return safe("; ".join(listed[:3]), 110) or NO_VALUE


def _worst_table(found: Found, limit: int) -> str:
    sheet = found.sheet("standing")
    columns = (CLUSTER, ID, CUSTOMER, Column("Risk and score", _level), Column("Why", reasons))
    return listing(columns, sheet, limit=limit, total=sheet.first.number("clusters")) if sheet.rows else ""


def _assessed(found: Found) -> str:
    newest = max((row.text("computed_at") for row in found.sheet("standing")), default="")
    return f"*Stored assessment of {moment(newest)}.*" if newest else ""


def _breach_table(found: Found) -> str:
    sheet = found.sheet("breaches")
    if not sheet.rows:
        return ""
    columns = (CLUSTER, ID, CUSTOMER, Column("Beyond its limit", lambda row: _beyond(row, found)))
    title = f"By the rules, last {RECENT_HOURS} h:"
    return paragraphs(title, listing(columns, sheet, limit=8, total=sheet.first.number("clusters")))


def _beyond(row: Row, found: Found) -> str:
    parts = []
    for measure in VITALS:
        value, threshold = row.number(measure.key), found.thresholds.get(measure.key)
        if value is not None and threshold is not None and (level := threshold.level(value)):
            parts.append(f"{measure.noun} {figure(value, measure.unit)} ({level})")
    return "; ".join(parts) or NO_VALUE


def _next(found: Found) -> str:
    row = found.first("standing") if found.sheet("standing").rows else found.first("breaches")
    name = safe(row.text("cluster_name"), 48)
    return f'Next: look at the worst one ("how is {name}?").' if name else ""


def silent(found: Found) -> str:
    """The active clusters that send no metrics."""
    sheet = found.sheet("silent")
    total = sheet.first.number("clusters")
    if not sheet.rows:
        opening = f"**Every active cluster sent metrics in the last {RECENT_HOURS} h.**"
        return paragraphs(opening, freshness(found.outcome("freshness")))
    columns = (
        CLUSTER,
        ID,
        CUSTOMER,
        Column("Last metrics", lambda row: moment(row.text("last_hour"))),
        Column("Silent for", lambda row: figure(row.number("hours_silent"), "h")),
    )
    return paragraphs(
        f"**{count(total, 'active cluster')} sent no metrics in the last {RECENT_HOURS} h; their health is unknown,"
        " not good.**",
        listing(columns, sheet, total=total),
        "Next: check whether the cluster runs at all, then its exporter and the network path to the warehouse.",
        freshness(found.outcome("freshness")),
    )


def breakdown(found: Found) -> str:
    """Active clusters counted by one property."""
    sheet, grouping = found.sheet("breakdown"), found.intent.grouping
    total = sum(row.number("clusters") or 0 for row in sheet)
    groups = sheet.first.number("total")
    if not sheet.rows:
        return "**There is no active cluster in the warehouse.**"
    columns = (
        Column(grouping.capitalize(), lambda row: safe(row.text("label")) or "not recorded"),
        Column("Active clusters", lambda row: figure(row.number("clusters"))),
    )
    leader = safe(sheet.first.text("label")) or "not recorded"
    opening = f"**{count(groups, grouping)} over {count(total, 'active cluster')}; most are {leader}"
    return paragraphs(f"{opening} ({figure(sheet.first.number('clusters'))}).**", listing(columns, sheet, total=groups))


def patrol(found: Found) -> str:
    """The newest patrol report's narrative."""
    row = found.first("patrol")
    if not row.text("report_id"):
        return "**No patrol report is stored yet.** Start one with `/patrol`."
    narrative = "".join(row.cells.get(f"part_{number}", "") for number in range(NARRATIVE_PARTS))
    columns = (plain("Report", "report_id"), plain("Type", "report_type"), plain("Model", "model"))
    return paragraphs(
        f"**The last patrol report is of {moment(row.text('created_at'))}.**",
        safe(narrative.replace("NULL", ""), 1500) or "It holds no narrative.",
        listing(columns, found.sheet("patrol")),
    )
