"""The look back of a weekly patrol: two statements more than any patrol, what is remembered of reports, and the alerts
that the evidence was made from anyway."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, timedelta

from agent.patrol import queries
from agent.patrol.evidence import Evidence
from agent.patrol.judge import Judge
from agent.patrol.query import Rows, figure, read_all
from agent.patrol.rules import Rules
from agent.patrol.voice import ENGLISH
from agent.patrol.week import DAYS, Part, Past, PastReports, Week
from agent.patrol.week_alarms import noise, of_the_week, recurring
from agent.patrol.week_scores import SPAN, Scores, filling, fleet_trend, movers, worst
from agent.patrol.week_words import quoted, singles
from agent.patrol.week_words import week as sentences
from agent.tools import Tools

log = logging.getLogger(__name__)

# Rows of all levels that surely fit into the door's bytes.
_FITTING = 14_000
_LEAST_DAYS = 14


@dataclass(frozen=True, slots=True)
class _Read:
    """Daily levels, daily gains, and what the reports of the week flagged; None where that is not known."""

    levels: Rows
    gains: Rows
    past: Past | None


async def looked_back(tools: Tools, rules: Rules, evidence: Evidence, reports: PastReports | None) -> Evidence:
    """The evidence with its week. What cannot be read is missing from the week and never stops a report."""
    as_of = evidence.as_of
    days = max(_LEAST_DAYS, min(SPAN, _FITTING // max(1, len(evidence.clusters))))
    statements = (
        queries.daily(queries.gauges(rules), as_of, days),
        queries.daily(queries.counters(rules), as_of, DAYS + 1),
    )
    (levels, gains), past = await asyncio.gather(read_all(tools, statements), _remembered(reports, evidence))
    # A thousand clusters take seconds to judge eight times, and other turns must not wait for that.
    week = await asyncio.to_thread(_made, rules, evidence, _Read(levels, gains, past))
    used = {one.query_id: one.sql for one in (levels, gains) if one.query_id}
    return replace(
        evidence,
        week=week,
        week_lines=tuple(_lines(week, rules)),
        statements=evidence.statements + len(statements),
        receipts={**evidence.receipts, **used},
        query_ids=(*evidence.query_ids, *used),
    )


async def _remembered(reports: PastReports | None, evidence: Evidence) -> Past | None:
    if reports is None:
        return None
    try:
        return await reports.flagged_since(evidence.as_of.replace(tzinfo=UTC) - timedelta(days=DAYS))
    except Exception:  # whatever the memory is, one that cannot be read must not stop a report
        log.exception("the reports of the week could not be read")
        return None


def _made(rules: Rules, evidence: Evidence, read: _Read) -> Week:
    identities = [one.identity for one in evidence.clusters]
    judge = Judge(rules, evidence.as_of)
    daily = _daily((read.levels, read.gains))
    scores = Scores(daily, identities, judge)
    standings = scores.standings()
    fell, rose = movers(standings)
    past = read.past or Past()
    incidents = of_the_week(evidence.incidents, evidence.as_of)
    receipts = {
        "scores": tuple(one.query_id for one in (read.levels, read.gains) if one.query_id),
        "capacity": (read.levels.query_id,) if read.levels.query_id else (),
        "noise": (evidence.alerts_id,) if evidence.alerts_id else (),
    }
    return Week(
        until=evidence.as_of.isoformat(sep=" ", timespec="minutes"),
        fleet=fleet_trend(standings),
        rising=tuple(scores.rising()),
        worst=worst(standings),
        fell=fell,
        rose=rose,
        recurring=recurring(past, evidence.findings, identities, evidence.as_of),
        reports=past.reports,
        noise=noise(incidents, past, evidence.findings, scores.unwell(), evidence.as_of),
        incidents=len(incidents),
        names=len({one.name for one in incidents}),
        capacity=filling(daily, identities, judge),
        receipts={part: ids for part, ids in receipts.items() if ids},
        missing=tuple(_missing(evidence, read)),
    )


def _lines(week: Week, rules: Rules) -> Iterator[str]:
    """For a prompt, where names are quoted data. What is about single clusters begins as their lines do: its figures
    are bound to them and not to the fleet."""
    alone = list(singles(ENGLISH, rules, week, quoted))
    for sentence in sentences(ENGLISH, rules, week, quoted):
        yield f"- Week: {sentence}" if sentence in alone else sentence


def _missing(evidence: Evidence, read: _Read) -> list[Part]:
    """A part that is cut is not missing, but neither is it whole: a fleet of that size is told so."""
    parts: list[Part] = []
    if any(one.failed or one.cut for one in (read.levels, read.gains)):
        parts.append("scores")
    if read.levels.failed or read.levels.cut:
        parts.append("capacity")
    if not evidence.alerts_id:
        parts.append("noise")
    if read.past is None:
        parts.append("recurring")
    return parts


def _daily(results: Sequence[Rows]) -> dict[str, dict[str, dict[int, float]]]:
    found: dict[str, dict[str, dict[int, float]]] = {}
    for result in results:
        for row in result.rows:
            back = figure(row["bucket"])
            if back is None:
                continue
            series = found.setdefault(str(row["cluster_id"]), {})
            for name, cell in row.items():
                if name not in ("cluster_id", "bucket") and (value := figure(cell)) is not None:
                    series.setdefault(name, {})[int(back)] = value
    return found
