"""How the results of a look become its coverage. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from agent.patrol.courses import Courses
from agent.patrol.coverage import Coverage, Source, SourceName
from agent.patrol.finding import ClusterEvidence
from agent.patrol.freshness import STALE_AFTER
from agent.patrol.query import Rows, moment

_DATED: Mapping[str, tuple[SourceName, str]] = {
    "operations": ("operations", "created_at"),
    "alerts": ("alerts", "last_at"),
    "risk levels": ("risks", "computed_at"),
    "health classes": ("scores", "computed_at"),
    "open issues": ("issues", "newest"),
}
"""Check → the source that it reads, and the column that tells when a row was made."""


def coverage(
    now: datetime,
    as_of: datetime,
    checks: Mapping[str, Rows],
    clusters: Sequence[ClusterEvidence],
    courses: Courses,
) -> Coverage:
    """What could be seen at `now` (naive UTC) of data whose newest judged hour is `as_of`. `checks` are the results
    beside the measurements, by what they hold."""
    failed = [name for name, result in checks.items() if result.failed]
    silent = sum(map(_is_silent, clusters))
    judged = sum(one.score is not None and not _is_silent(one) for one in clusters)
    dated = [_source(*_DATED[name], result, now) for name, result in checks.items() if name in _DATED]
    return Coverage(
        at=_minute(now),
        sources=(Source("metrics", _minute(as_of)), *dated),
        clusters=len(clusters),
        judged=judged,
        silent=silent,
        waiting=len(clusters) - judged - silent,
        partial=sum(bool(one.gone) for one in clusters),
        failed=(*failed, *courses.failed),
        cut=(*(name for name, result in checks.items() if result.cut), *courses.cut),
        stale=now - as_of > STALE_AFTER,
    )


def _is_silent(cluster: ClusterEvidence) -> bool:
    return any(one.dimension == "freshness" for one in cluster.findings)


def _source(name: SourceName, column: str, result: Rows, now: datetime) -> Source:
    times = (moment(row.get(column)) for row in result.rows)
    # a clock that goes ahead makes no source fresher than now
    newest = max((min(at, now) for at in times if at is not None), default=None)
    return Source(name, _minute(newest) if newest else "", result.failed, result.cut)


def _minute(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="minutes")
