"""One look at the whole fleet: a fixed number of statements, concurrent, and from their rows the evidence."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from agent.patrol import facts as fleet_facts
from agent.patrol import quality, queries
from agent.patrol.comparison import compared
from agent.patrol.courses import Courses, measure
from agent.patrol.coverage import Coverage
from agent.patrol.evidence import Evidence
from agent.patrol.finding import ClusterEvidence, Finding, Identity, Outlook
from agent.patrol.freshness import (
    Operation,
    gone_by_cluster,
    operations_by_cluster,
    silence,
    state,
)
from agent.patrol.grading import graded, since_stated
from agent.patrol.incidents import Incident, current, fold, storm
from agent.patrol.judge import Course, Judge
from agent.patrol.patterns import patterns, shared
from agent.patrol.predictions import Statement
from agent.patrol.query import InLine, Rows, read_all
from agent.patrol.ranking import ranked, shares
from agent.patrol.roster import Newest, newest_data, roster
from agent.patrol.rules import Rules
from agent.patrol.scorer import overall, worst
from agent.patrol.series import Track, drawn
from agent.patrol.sources import coverage
from agent.tools import Tools
from agent.untrusted import visible

_ALERT_DAYS = timedelta(days=8)
_BLIND_SHARE = 0.5
_DRAWN_HOURS = 24


@dataclass(frozen=True, slots=True)
class _Side:
    """What surrounds the measurements, by cluster id."""

    last: Mapping[str, datetime]
    gone: Mapping[str, tuple[str, ...]]
    operations: Mapping[str, tuple[Operation, ...]]
    incidents: Mapping[str, tuple[Incident, ...]]
    freshness_id: str
    alerts_id: str
    receipts: Mapping[str, str]


_READS = ("vanished metrics", "operations", "alerts", "the dictionary of metrics")


def _reads(as_of: datetime, now: datetime, rules: Rules) -> tuple[str, ...]:
    """What is read beside the measurements, in the order of _READS."""
    return (
        queries.metric_quality(as_of, rules.window.silent_hours),
        queries.operations(as_of - timedelta(days=7), now + timedelta(hours=1)),
        queries.alert_hours(as_of - _ALERT_DAYS, as_of + timedelta(hours=1)),
        queries.without_meaning(as_of - timedelta(hours=rules.window.silent_hours), as_of),
    )


async def inspect(tools: Tools, rules: Rules, now: datetime, waiting: Sequence[Statement] = ()) -> Evidence:
    """The evidence as of `now` (naive UTC); predictions that are `waiting` are graded on the way. Raises
    WarehouseUnreadable when clusters or measurements cannot be read. Never more than 20 statements: up to three for the
    roster and two for the freshness of what lacks tables or has been still for weeks, four beside them, seven for the
    courses, three for stored facts, and one to grade."""
    tools = InLine(tools)
    newest, fleet = await asyncio.gather(newest_data(tools, now, rules.window.baseline_days), roster(tools))
    as_of, reads, stored = newest.at, _reads(newest.at, now, rules), fleet_facts.statements(newest.at)
    # the light ones first: what they find is not held up by the heavy ones of a large fleet
    known, sides, looked_back, courses = await asyncio.gather(
        read_all(tools, stored),
        read_all(tools, reads),
        since_stated(tools, rules, as_of, waiting),
        measure(tools, rules, as_of, len(fleet.clusters), newest.reach),
    )
    side = _side(newest, sides)
    facts = fleet_facts.assemble(fleet, known, sides[2], as_of)
    judge = Judge(rules, as_of, courses.query_id)
    judged = (_cluster(one, courses, side, judge.of(one)) for one in fleet.clusters)
    used = shares(courses.tracks)
    placed = (replace(one, share=used.get(one.identity.cluster_id)) for one in judged)
    clusters = compared(ranked(placed, rules.ranking, as_of))
    common = shared(clusters, side.operations, as_of)
    checks = {**dict(zip(_READS, sides, strict=True)), **dict(zip(fleet_facts.PARTS, known, strict=True))}
    checks |= {"earlier predictions": looked_back} if waiting else {}
    seen = coverage(now, as_of, checks, clusters, courses)
    late = quality.behind(newest.last.values(), as_of, rules.window.silent_hours)
    asked = fleet.statements + newest.statements + len(reads) + courses.statements + len(stored) + bool(waiting)
    return Evidence(
        now,
        as_of,
        facts,
        clusters,
        patterns(clusters, common, rules),
        tuple(_notes(seen, now, as_of, clusters)),
        tuple(one for one in (*side.receipts, courses.query_id, *facts.query_ids) if one),
        statements=asked,
        receipts={**side.receipts, courses.query_id: courses.sql},
        shared=common,
        quality=quality.told(sides[0].rows, sides[3].rows, courses.tracks, fleet.clusters, late),
        graded=tuple(graded(waiting, looked_back, judge, side.operations)),
        incidents=tuple(one for known in side.incidents.values() for one in known),
        alerts_id=side.alerts_id,
        coverage=seen,
    )


def _side(newest: Newest, results: Sequence[Rows]) -> _Side:
    gone, operations, alerts, _ = results
    receipts = {result.query_id: result.sql for result in results if result.query_id}
    return _Side(
        newest.last,
        gone_by_cluster(list(quality.gone(gone.rows)), newest.last),
        operations_by_cluster(operations.rows),
        fold(alerts.rows),
        newest.query_id,
        alerts.query_id,
        {newest.query_id: newest.sql, **receipts},
    )


def _cluster(identity: Identity, courses: Courses, side: _Side, judge: Judge) -> ClusterEvidence:
    cluster, window = identity.cluster_id, judge.rules.window
    last, operations = side.last.get(cluster), side.operations.get(cluster, ())
    incidents = side.incidents.get(cluster, ())
    now_firing = tuple(dict.fromkeys(one.name for one in current(incidents, judge.as_of, window) if one.open))
    known = state(identity, last, operations, judge.as_of, window)
    values: dict[str, float] = {}
    past: dict[str, float] = {}
    findings: list[Finding] = []
    outlooks: list[Outlook] = []
    if known == "silent":
        findings.append(silence(identity, last, judge.as_of, window, side.freshness_id))
    elif known == "sending":
        tracks = courses.tracks.get(cluster, {})
        values, past, findings, outlooks = _judged(cluster, tracks, judge)
        blind = _blindness(cluster, tracks, side.gone.get(cluster, ()), judge, side.freshness_id)
        findings += [blind] if blind else []
    critical = any(finding.severity == "Critical" for finding in findings)
    stormy = storm(cluster, incidents, judge.as_of, window, side.alerts_id, critical=critical)
    findings += [stormy] if stormy else []
    score = overall(judge.rules, values) if known == "sending" else None
    return ClusterEvidence(
        identity,
        values,
        score,
        tuple(replace(one, rule=judge.rules.explain(one.dimension)) for one in sorted(findings, key=_finding_rank)),
        tuple(outlooks),
        _operations_before(operations, findings),
        now_firing,
        side.gone.get(cluster, ()) if known == "sending" else (),
        last,
        past,
        worst=worst(judge.rules, values),
    )


def _finding_rank(finding: Finding) -> tuple[int, str]:
    return (("Critical", "Warning", "Unknown").index(finding.severity), finding.dimension)


def _judged(
    cluster: str, tracks: Mapping[str, Track], judge: Judge
) -> tuple[dict[str, float], dict[str, float], list[Finding], list[Outlook]]:
    courses = judge.courses(tracks)
    verdicts = [judge.verdict(cluster, course) for course in courses]
    values = {course.name: course.value for course in courses}
    findings = [
        _drawn(verdict.finding, course, verdict.outlook)
        for course, verdict in zip(courses, verdicts, strict=True)
        if verdict.finding
    ]
    past = {course.name: course.baseline for course in courses if course.baseline is not None}
    return values, past, findings, [verdict.outlook for verdict in verdicts if verdict.outlook]


def _drawn(finding: Finding, course: Course, outlook: Outlook | None) -> Finding:
    """The finding with its course, for readers who want to see it."""
    down = course.rule.direction == "down"
    ahead = replace(finding, down=down, course=drawn(course.track.recent, _DRAWN_HOURS))
    return replace(ahead, hours_left=outlook.hours, breaking=outlook.limit) if outlook else ahead


def _blindness(
    cluster: str, tracks: Mapping[str, Track], gone: tuple[str, ...], judge: Judge, query_id: str
) -> Finding | None:
    """A cluster that sends something, but no longer most of what it is judged by, is as unknown as a silent one."""
    lost = [name for name in gone if name in judge.rules.metric_names]
    fresh = [name for name, track in tracks.items() if min(track.recent, default=99) < judge.rules.window.silent_hours]
    if not lost or len(lost) < _BLIND_SHARE * (len(lost) + len(fresh)):
        return None
    reason = f"{len(lost)} of its metrics stopped coming while others still do: {', '.join(lost[:4])}"
    return Finding(cluster, "freshness", "Unknown", float(len(lost)), "metrics", reason, 0.0, 1.0, None, query_id)


def _operations_before(operations: Sequence[Operation], findings: Sequence[Finding]) -> tuple[str, ...]:
    """What was done to the cluster within a day before its trouble began, nearest first."""
    onset = min((finding.since for finding in findings if finding.since), default=None)
    if onset is None:
        return ()
    near = [one for one in operations if timedelta(hours=-2) <= onset - one.at <= timedelta(days=1)]
    return tuple(f"{one.kind} {one.at:%m-%d %H:%M} {visible(one.detail)[:80]}".strip() for one in near[:3])


def _notes(seen: Coverage, now: datetime, as_of: datetime, clusters: Sequence[ClusterEvidence]) -> Iterator[str]:
    if seen.stale:
        age = (now - as_of) / timedelta(hours=1)
        yield f"the newest data of the whole warehouse is {age:.0f} h old; everything is judged as of then"
    if seen.failed:
        yield f"could not be read: {', '.join(seen.failed)}"
    if seen.cut:
        yield f"incomplete, the fleet is too large for one result: {', '.join(seen.cut)}"
    gone = [one for one in clusters if one.gone]
    if gone:
        sample = ", ".join(dict.fromkeys(name for one in gone for name in one.gone[:2]))[:160]
        yield f"{len(gone)} clusters stopped sending some metrics: {sample}"
