"""Answers about the whole fleet: overview, worst clusters, silent clusters."""

import re
from collections.abc import Iterator, Mapping

from agent.rules_only.envelope import Row, Sheet
from agent.rules_only.measures import RECENT_HOURS
from agent.rules_only.writing.apologies import gap
from agent.rules_only.writing.figures import NO_VALUE, count, figure, moment
from agent.rules_only.writing.found import Found
from agent.rules_only.writing.levels import basis, level_of, levels
from agent.rules_only.writing.markdown import CLUSTER, CUSTOMER, ID, Column, listing, paragraphs, safe, total_of
from agent.rules_only.writing.patrols import verdict

_REASON = re.compile(r'"((?:[^"\\]|\\.)+)"?')


def overview(found: Found) -> str:
    """How the fleet is: what the last patrol flagged, counts, clusters beyond limits, silent ones, alerts, issues."""
    counts = _counts(found.sheet("summary"))
    active = sum(counts.get("clusters", {}).values())
    risk = counts.get("risk level", {})
    bad = ", ".join(f"{figure(risk[name])} {name}" for name in ("Critical", "Warning") if risk.get(name))
    told = verdict(found) or f"{bad or 'none at risk'} by the stored assessment."
    opening = f"**{count(active, 'active cluster')}. {told}**"
    return paragraphs(
        opening if counts else "**The fleet's counts could not be read.**",
        "\n".join(f"- {line}" for line in _overview_lines(found, counts)),
        _beyond_table(found, 5),
        _next(found),
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
            yield f"By {'stored ' if dimension == 'risk level' else ''}{dimension}: " + ", ".join(
                f"{safe(name, 32)} {figure(number)}" for name, number in mix.items()
            )
    if not found.failed("beyond"):
        yield f"Beyond a warning limit of the rules now: {count(total_of(found.sheet('beyond')), 'measurement')}"
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
    total = total_of(found.sheet("silent"))
    if failed := gap(found.failed("silent"), "Silent clusters"):
        return failed
    if not total:
        return f"Every active cluster sent metrics in the last {RECENT_HOURS} h"
    names = ", ".join(safe(row.text("cluster_name"), 40) for row in found.sheet("silent").rows[:3])
    return f"Silent, so their health is unknown: {count(total, 'cluster')} ({names}{', …' if total > 3 else ''})"


def worst(found: Found) -> str:
    """The clusters at risk, worst first."""
    return paragraphs(
        _worst_opening(found),
        verdict(found),
        f"- {_silent_line(found)}",
        _beyond_table(found, 8),
        _worst_table(found, found.intent.limit),
        _next(found),
    )


def _worst_opening(found: Found) -> str:
    whose = " of tier S and A" if found.intent.important else ""
    standing, beyond = found.sheet("standing"), levels(found, found.sheet("beyond"))
    if beyond:
        first = beyond[0]
        clusters = len({level.row.text("cluster_id") for level in beyond})
        more = " or more" if total_of(found.sheet("beyond")) > len(beyond) else ""
        return (
            f"**{count(clusters, 'active cluster')}{more}{whose} beyond a limit of the rules; worst:"
            f" {CLUSTER.cell(first.row)}, {first.measure.noun} {first.judged}.**"
        )
    if found.failed("beyond"):
        return "**The measures could not be judged by the rules.**"
    if standing.rows:
        return f"**{count(total_of(standing), 'active cluster')}{whose} at risk by the stored assessment.**"
    if found.failed("standing"):
        return "**The stored assessment could not be read.**"
    return f"**No active cluster{whose} is at risk by the stored assessment or the rules.**"


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
    newest = max((row.text("computed_at") for row in sheet), default="")
    title = f"Stored assessment of {moment(newest)}:" if sheet.rows else ""
    failed = gap(found.failed("standing"), "Stored assessment")
    return failed or paragraphs(title, listing(columns, sheet, limit=limit))


def _beyond_table(found: Found, limit: int) -> str:
    sheet = found.sheet("beyond")

    def told(row: Row) -> str:
        level = level_of(found, row)
        return f"{level.measure.noun} {level.judged}" if level else NO_VALUE

    table = listing((CLUSTER, ID, CUSTOMER, Column("Beyond its limit, now", told)), sheet, limit=limit)
    return paragraphs(table, basis(level.measure for level in levels(found, sheet))) if table else ""


def _next(found: Found) -> str:
    row = found.first("beyond") if found.sheet("beyond").rows else found.first("standing")
    name = safe(row.text("cluster_name"), 48)
    return f'Next: look at the worst one ("how is {name}?").' if name else ""


def silent(found: Found) -> str:
    """The active clusters that send no metrics."""
    if failed := gap(found.failed("silent"), "Silent clusters"):
        return failed
    sheet = found.sheet("silent")
    if not sheet.rows:
        return f"**{_silent_line(found)}.**"
    columns = (
        CLUSTER,
        ID,
        CUSTOMER,
        Column("Last metrics", lambda row: moment(row.text("last_hour"))),
        Column("Silent for", lambda row: figure(row.number("hours_silent"), "h")),
    )
    return paragraphs(
        f"**{count(total_of(sheet), 'active cluster')} sent no metrics in the last {RECENT_HOURS} h; their health is"
        " unknown, not good.**",
        listing(columns, sheet),
        "Next: check whether the cluster runs at all, then its exporter and the network path to the warehouse.",
    )
