"""The measured courses of every active cluster: how the wide results of the warehouse become tracks to judge."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agent.patrol import queries
from agent.patrol.query import Row, Rows, figure, moment, read_all
from agent.patrol.rules import Rules
from agent.patrol.seasons import occasions
from agent.patrol.series import Track
from agent.tools import Tools

RECENT_HOURS = 48
LONG = timedelta(days=3)
_DAY = 24
# Rows of all series that surely fit into the door's bytes; its limit of rows alone would be higher.
_FITTING = 14_000
# Three days of data seldom begin on the very hour.
_SLACK = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Courses:
    """Tracks by cluster and series. `query_id` and `sql` are the receipt of the newest hours; `failed` and
    `cut` are plain words about results that are missing or incomplete."""

    tracks: Mapping[str, Mapping[str, Track]] = field(default_factory=dict)
    query_id: str = ""
    failed: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    statements: int = 0
    sql: str = ""


@dataclass(frozen=True, slots=True)
class _Plan:
    """The statements of one reading, each with what its buckets mean."""

    recent: tuple[str, ...]
    same: tuple[str, ...]
    profile: tuple[str, ...]
    days: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        return self.recent + self.same + self.profile + self.days


def _plan(rules: Rules, as_of: datetime, clusters: int, reach: timedelta) -> _Plan:
    """Spans shrink when a fleet is so large that a result would not fit, and when the data does not go back far."""
    # Two statements of a day each: one of 48 hours would not fit the door's rows in a large fleet.
    per_statement = max(1, min(_DAY, _FITTING // max(1, clusters)))
    middle, start = as_of - timedelta(hours=per_statement), as_of - timedelta(hours=2 * per_statement)
    days = max(2, min(rules.window.baseline_days, _FITTING // max(1, clusters)))
    # A fault that began within the excluded hours cannot hide in its own baseline; a short past is shared in halves.
    long = reach >= LONG - _SLACK
    excluded = timedelta(hours=rules.window.exclude_hours) if long else reach / 2
    usual = (as_of - timedelta(days=days), as_of - excluded)
    levels, gains = queries.gauges(rules), queries.counters(rules)
    return _Plan(
        recent=(queries.hourly(rules, middle, as_of), queries.hourly(rules, start, middle)),
        same=(queries.same_hours(rules, occasions(as_of), rules.window.recent_hours),),
        profile=(queries.profile(levels, *usual, pooled(clusters)), queries.profile(gains, *usual, pooled(clusters))),
        days=(queries.daily(levels, as_of, days), queries.daily(gains, as_of, days)),
    )


def pooled(clusters: int) -> int:
    """How many hours of the day share one usual value, so that the profile of so many clusters fits one result."""
    return next(width for width in (1, 2, 3, 4, 6, 8, 12, 24) if width == _DAY or _DAY // width * clusters <= _FITTING)


def hours_back(as_of: datetime, cell: object) -> int | None:
    """How many whole hours a DATETIME cell lies before `as_of`."""
    at = moment(cell)
    return None if at is None else round((as_of - at) / timedelta(hours=1))


def _whole(cell: object) -> int | None:
    """A number of hours or days; it may be negative, for hours that are still to come."""
    try:
        return int(float(cell))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None


Bucket = int | None
_Store = dict[str, dict[str, tuple[dict[int, float], ...]]]
_TRACK_PARTS = len(Track().parts)


def _fill(store: _Store, part: int, row: Row, bucket: Bucket, series: Mapping[str, object]) -> None:
    if bucket is None:
        return
    tracks = store.setdefault(str(row["cluster_id"]), {})
    for name in series:
        value = figure(row.get(name))
        if value is not None:
            tracks.setdefault(name, tuple({} for _ in range(_TRACK_PARTS)))[part][bucket] = value


def _bucket(part: int, cell: object, as_of: datetime) -> Bucket:
    return hours_back(as_of, cell) if part == _RECENT else _whole(cell)


_RECENT, _SAME, _PROFILE = 0, 1, 2
_PARTS = ("the newest hours", "the same hours of earlier weeks", "the usual day", "the daily values")
_KINDS = {queries.SHORT: 1, queries.SETTLED: 4, queries.MONTHLY: 5}
"""Which part of a track the rows of the same hours belong to."""


def _part(part: int, row: Row) -> int:
    return part if part != _SAME else _KINDS.get(_whole(row["kind"]) or queries.SHORT, _SAME)


def _collect(rules: Rules, as_of: datetime, parts: list[tuple[int, Rows]], width: int) -> Courses:
    store: _Store = {}
    for part, result in parts:
        for row in result.rows:
            bucket = _bucket(part, row["bucket"], as_of)
            # A pooled value holds for each of its hours.
            span = range(width) if part == _PROFILE and bucket is not None else range(1)
            for more in span:
                _fill(store, _part(part, row), row, None if bucket is None else bucket + more, rules.series)
    tracks = {
        cluster: {name: Track(*courses) for name, courses in by_name.items()} for cluster, by_name in store.items()
    }
    failed = tuple(dict.fromkeys(f"{_PARTS[part]} ({result.code})" for part, result in parts if result.failed))
    cut = tuple(dict.fromkeys(_PARTS[part] for part, result in parts if result.cut))
    newest = parts[0][1]
    return Courses(tracks, newest.query_id, failed, cut, len(parts), newest.sql)


async def measure(tools: Tools, rules: Rules, as_of: datetime, clusters: int, reach: timedelta = LONG) -> Courses:
    """All courses of the fleet as of the hour `as_of` (naive UTC) in seven concurrent statements. `reach` is how far
    back the data goes; anything from three days on counts as long."""
    plan = _plan(rules, as_of, clusters, reach)
    results = await read_all(tools, plan.all)
    lengths = (len(plan.recent), len(plan.same), len(plan.profile), len(plan.days))
    numbers = [part for part, length in enumerate(lengths) for _ in range(length)]
    return _collect(rules, as_of, list(zip(numbers, results, strict=True)), pooled(clusters))
