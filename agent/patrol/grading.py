"""Looks back at what earlier patrols foretold: the hours since then, and what became of each statement."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from agent.patrol import queries
from agent.patrol.courses import hours_back
from agent.patrol.freshness import Operation
from agent.patrol.judge import Judge
from agent.patrol.predictions import Statement, grade
from agent.patrol.query import MAX_ROWS, Rows, figure, read
from agent.patrol.rules import Rules
from agent.patrol.series import Track
from agent.tools import Tools

# Whoever did not patrol for a week grades the rest as void.
_REACH = timedelta(days=7)


async def since_stated(tools: Tools, rules: Rules, as_of: datetime, waiting: Sequence[Statement]) -> Rows:
    """The hours that decide about the waiting statements, in one statement of SQL; none when nothing waits."""
    wanted = [one for one in waiting if one.dimension in rules.dimensions]
    if not wanted:
        return Rows()
    since = max(min(one.made for one in wanted), as_of - _REACH)
    hours = max(1, round((as_of - since) / timedelta(hours=1)))
    # The oldest first: what does not fit into one result waits for the next patrol.
    clusters = list(dict.fromkeys(one.cluster_id for one in sorted(wanted, key=lambda one: one.made)))
    names = {name for one in wanted for name in rules.dimensions[one.dimension].series}
    chosen = {name: rules.series[name] for name in sorted(names)}
    return await read(tools, queries.hourly_of(chosen, clusters[: max(1, MAX_ROWS // hours)], since, as_of))


def graded(
    waiting: Sequence[Statement], rows: Rows, judge: Judge, operations: Mapping[str, tuple[Operation, ...]]
) -> Iterator[Statement]:
    """The statements that can be told about now. A failed or incomplete result grades nothing."""
    if rows.failed:
        return
    courses = _courses(rows, judge)
    for one in waiting:
        # Away from the rules means away from the limits too; nobody can say any more what was meant.
        if one.dimension not in judge.rules.dimensions or (one.cluster_id not in courses and rows.cut):
            continue
        track = judge.track(one.dimension, courses.get(one.cluster_id, {}))
        acted = any(one.made < done.at <= one.due for done in operations.get(one.cluster_id, ()))
        told = grade(one, track.recent, judge.as_of, acted=acted)
        if told.state != "open":
            yield told


def _courses(rows: Rows, judge: Judge) -> dict[str, dict[str, Track]]:
    found: dict[str, dict[str, dict[int, float]]] = {}
    for row in rows.rows:
        back = hours_back(judge.as_of, row["bucket"])
        for name in judge.rules.series:
            value = figure(row.get(name))
            if back is not None and value is not None:
                found.setdefault(str(row["cluster_id"]), {}).setdefault(name, {})[back] = value
    return {
        cluster: {name: Track(recent=hours) for name, hours in by_name.items()} for cluster, by_name in found.items()
    }
