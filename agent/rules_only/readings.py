"""The SELECTs that measure: readings by hour, and the level of now as the patrol takes it (agent/patrol/judge.py).

Only our own words, checked ids, whole numbers and times enter a statement."""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from agent.patrol.query import stamp
from agent.patrol.rules import Series
from agent.rules_only.inventory import ACTIVE, IMPORTANT, LIMIT, SNAPSHOTS, only, quoted
from agent.rules_only.measures import RECENT_HOURS, VITALS, Measure
from agent.rules_only.thresholds import Threshold, Thresholds

_WEEK = 168
_DAY = 24
# An increase needs an hour before it, and the one before may be missing.
_LEAD = 3
_SOURCES = {"avg": "avg_value", "max": "max_value", "min": "min_value", "increase": "growth"}
_NEEDED = "AND avg_value >= 0 AND avg_value < 1e300"


def _after(as_of: datetime, hours: int) -> str:
    return f"snapshot_hour > '{stamp(as_of - timedelta(hours=hours))}'"


def _readings(measures: Sequence[Measure], as_of: datetime, hours: int, cluster_ids: Iterable[str] = ()) -> str:
    """CTEs ending in `readings(cluster_id, snapshot_hour, measure, value, part, whole, volume, events)`."""
    series = list(dict.fromkeys(one for measure in measures for one in measure.series))
    names = {one: f"s{number}" for number, one in enumerate(series)}
    counted = any(one.column == "increase" for one in series)
    growth = (
        ", coalesce(last_value, max_value) - lag(coalesce(last_value, max_value))"
        " OVER (PARTITION BY cluster_id, metric_name ORDER BY snapshot_hour) AS growth"
    )
    columns = ", ".join(f"{_column(one)} AS {name}" for one, name in names.items())
    branches = "\n  UNION ALL\n".join(_branch(measure, names) for measure in measures)
    return f"""points AS (
  SELECT cluster_id, snapshot_hour, metric_name, avg_value, max_value, min_value{growth if counted else ""}
  FROM {SNAPSHOTS}
  WHERE {_after(as_of, hours + _LEAD)} AND snapshot_hour <= '{stamp(as_of)}'
    AND metric_name IN ({quoted(sorted({name for one in series for name in one.names}))})
    {_NEEDED}{only(cluster_ids)}),
series AS (
  SELECT cluster_id, snapshot_hour, {columns}
  FROM points WHERE {_after(as_of, hours)} GROUP BY cluster_id, snapshot_hour),
readings AS (
{branches})"""


def _column(series: Series) -> str:
    """The first of the names that the hour has. A fall of a counter is a restart and no measurement."""
    source = _SOURCES[series.column]
    known = f"{source} >= 0 AND {source} < 1e300"
    found = [f"max(CASE WHEN metric_name = '{name}' AND {known} THEN {source} END)" for name in series.names]
    return found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"


def _branch(measure: Measure, names: dict[Series, str]) -> str:
    part, whole = names[measure.part], names[measure.whole] if measure.whole else "CAST(NULL AS DOUBLE)"
    value = f"{part} * {measure.scale:g}"
    if measure.whole is not None:
        ratio = f"100 * {part} / nullif({whole}, 0)"
        value = _bounded(f"100 - {ratio}" if measure.invert else ratio)
    if measure.fallback is not None:
        # The fullest node counts where it is known.
        spare = names[measure.fallback]
        value = f"CASE WHEN {spare} IS NULL OR {value} >= {spare} THEN {value} ELSE {spare} END"
    return (
        f"  SELECT cluster_id, snapshot_hour, '{measure.key}' AS measure, {value} AS value, {part} AS part,"
        f" {whole} AS whole, {measure.volume:g} AS volume, {measure.events:g} AS events FROM series"
    )


def _bounded(share: str) -> str:
    """A share within 0..100, unknown where it is unknown (LEAST and GREATEST differ between engines there)."""
    return f"CASE WHEN {share} > 100 THEN 100 WHEN {share} < 0 THEN 0 ELSE {share} END"


def _mean(measures: Sequence[Measure], condition: str = "") -> str:
    """The mean of a group's readings, of a share the share over all of them."""

    def pick(column: str) -> str:
        return f"CASE WHEN {condition} THEN {column} END" if condition else column

    share = f"100 * sum({pick('part')}) / nullif(sum({pick('whole')}), 0)"
    return _by_kind(measures, share, f"avg({pick('value')})")


def _by_kind(measures: Sequence[Measure], share: str, level: str) -> str:
    shares = [measure.key for measure in measures if measure.is_share]
    if len(shares) in {0, len(measures)}:
        return share if shares else level
    return f"CASE WHEN measure IN ({quoted(shares)}) THEN {share} ELSE {level} END"


def _levels(measures: Sequence[Measure], as_of: datetime, hours: int, cluster_ids: Iterable[str] = ()) -> str:
    """CTEs ending in `levels(cluster_id, measure, latest, enough, first_day, highest, lowest)`: `latest` is the level
    of now, `first_day` the mean of the window's first 24 h; `enough` is 0 where too few events make up a share."""
    recent = _after(as_of, RECENT_HOURS)
    part, whole = (f"sum(CASE WHEN {recent} THEN {column} END)" for column in ("part", "whole"))
    share = (
        f"CASE WHEN {whole} > 0 AND {whole} >= max(volume) AND {part} IS NOT NULL"
        f" THEN least(100.0, 100 * {part} / {whole}) END"
    )
    newest = f"place <= {RECENT_HOURS} AND {_after(as_of, 2 * RECENT_HOURS)}"
    level = f"percentile_cont(CASE WHEN {newest} THEN value END, 0.5)"
    first = f"snapshot_hour <= '{stamp(as_of - timedelta(hours=max(hours - _DAY, 1)))}'"
    return f"""{_readings(measures, as_of, hours, cluster_ids)},
placed AS (
  SELECT r.*, row_number() OVER (PARTITION BY cluster_id, measure
    ORDER BY CASE WHEN value IS NULL THEN 1 ELSE 0 END, snapshot_hour DESC) AS place
  FROM readings r),
levels AS (
  SELECT cluster_id, measure, {_by_kind(measures, share, level)} AS latest,
    {_by_kind(measures, f"CASE WHEN {part} >= max(events) THEN 1 ELSE 0 END", "1")} AS enough,
    {_mean(measures, first)} AS first_day, max(value) AS highest, min(value) AS lowest
  FROM placed GROUP BY cluster_id, measure)"""


_KIND = "upper(coalesce(a.cluster_type, ''))"
_LISTED = """SELECT a.cluster_name, a.cluster_id, a.cluster_type, a.customer, a.tier, l.measure, l.latest, l.enough,
  l.first_day, l.highest, l.lowest, count(*) OVER () AS total
FROM levels l JOIN active a ON l.cluster_id = a.cluster_id"""


def ranking(measure: Measure, as_of: datetime, hours: int, limit: int = LIMIT, *, ascending: bool = False) -> str:
    """Active clusters by the level of now: cluster_name, cluster_id, cluster_type, customer, tier, total, and the
    columns of a level: measure, latest, enough, first_day, highest, lowest."""
    order = "l.latest, a.cluster_id" if ascending else "l.latest DESC, a.cluster_id"
    return f"""WITH {ACTIVE},
{_levels((measure,), as_of, hours)}
{_LISTED} WHERE l.latest IS NOT NULL ORDER BY {order} LIMIT {int(limit)}"""


def nearest(measure: Measure, thresholds: Thresholds, as_of: datetime, hours: int, limit: int = LIMIT) -> str:
    """The active clusters that have used most of the way to the red limit of their type; columns as in `ranking`."""
    return f"""WITH {ACTIVE},
{_levels((measure,), as_of, hours)}
{_LISTED} WHERE l.latest IS NOT NULL
ORDER BY {_used(measure, thresholds.get(measure.key))} DESC, a.cluster_id LIMIT {int(limit)}"""


def _used(measure: Measure, threshold: Threshold | None) -> str:
    if threshold is None:
        return "-l.latest" if measure.low_is_bad else "l.latest"
    cases = [f"WHEN {_KIND} = '{name}' THEN {_way(measure, own)}" for name, own in threshold.types.items()]
    common = _way(measure, threshold)
    return f"CASE {' '.join(cases)} ELSE {common} END" if cases else common


def _way(measure: Measure, threshold: Threshold) -> str:
    # what no value alone decides stands behind all that one may
    if not math.isfinite(threshold.red):
        return "0.0"
    if measure.low_is_bad and measure.unit == "%":
        return f"(100 - l.latest) / {100 - threshold.red:g}"
    return f"{'-' if measure.low_is_bad else ''}l.latest / {threshold.red:g}"


def judged(thresholds: Thresholds) -> tuple[Measure, ...]:
    """The vital measures that the rules judge by their value alone."""
    return tuple(measure for measure in VITALS if measure.key in thresholds)


def beyond(thresholds: Thresholds, as_of: datetime, limit: int = LIMIT, *, important: bool = False) -> str:
    """The vital measures of active clusters beyond their warning limit, worst first; columns as in `ranking`."""
    measures = judged(thresholds)
    warned = " OR ".join(_past(measure, thresholds, red=False) for measure in measures)
    red = " OR ".join(_past(measure, thresholds, red=True) for measure in measures)
    tiers = IMPORTANT if important else ""
    return f"""WITH {ACTIVE},
{_levels(measures, as_of, 2 * RECENT_HOURS)}
{_LISTED} WHERE l.enough = 1 AND ({warned}){tiers}
ORDER BY CASE WHEN {red} THEN 0 ELSE 1 END, a.tier DESC, a.cluster_id, l.measure LIMIT {int(limit)}"""


def _past(measure: Measure, thresholds: Thresholds, *, red: bool) -> str:
    common = thresholds[measure.key]
    cases = [f"{_KIND} = '{name}' AND {_reached(own, red=red)}" for name, own in common.types.items()]
    others = f"{_KIND} NOT IN ({quoted(common.types)}) AND " if common.types else ""
    cases.append(f"{others}{_reached(common, red=red)}")
    return f"(l.measure = '{measure.key}' AND ({' OR '.join(cases)}))"


def _reached(threshold: Threshold, *, red: bool) -> str:
    limit = threshold.red if red else threshold.warning
    return f"l.latest {'<=' if threshold.falling else '>='} {limit:g}" if math.isfinite(limit) else "1 = 0"


def vitals(cluster_ids: Iterable[str], as_of: datetime, measures: Sequence[Measure] = VITALS) -> str:
    """The levels of these clusters with their last week: cluster_id, cluster_type and the columns of a level."""
    return f"""WITH {_levels(measures, as_of, _WEEK, cluster_ids)}
SELECT l.*, c.cluster_type FROM levels l LEFT JOIN byoc.clusters c ON l.cluster_id = c.biz_id
ORDER BY l.cluster_id, l.measure LIMIT 100"""


def course(measure: Measure, as_of: datetime, hours: int, cluster_ids: Iterable[str] = ()) -> str:
    """The measure over time, oldest first: period, mean, highest, lowest, clusters, hours (with data). The periods are
    hours up to two days, days beyond."""
    period = "snapshot_hour" if hours <= 2 * _DAY else "date_trunc('day', snapshot_hour)"
    return f"""WITH {ACTIVE},
{_readings((measure,), as_of, hours, cluster_ids)}
SELECT {period} AS period, {_mean((measure,))} AS mean, max(value) AS highest, min(value) AS lowest,
  count(DISTINCT r.cluster_id) AS clusters, count(DISTINCT snapshot_hour) AS hours
FROM readings r JOIN active a ON r.cluster_id = a.cluster_id WHERE value IS NOT NULL
GROUP BY {period} ORDER BY period LIMIT 60"""


TRAFFIC = {
    "queries": "starrocks_fe_query_total",
    "failed queries": "starrocks_fe_query_err",
    "timeouts": "starrocks_fe_query_timeout",
    "slow queries": "starrocks_fe_slow_query",
    "internal errors": "starrocks_fe_query_internal_err",
    "failed transactions": "starrocks_fe_txn_failed",
    "rejected transactions": "starrocks_fe_txn_reject",
}
"""The counters told of a cluster, by what people call them."""


def traffic(cluster_ids: Iterable[str], as_of: datetime) -> str:
    """What the counters of these clusters gained in the last week: cluster_id, metric_name, gained."""
    counters = tuple(Measure(name, name, "", Series(names=(name,), column="increase")) for name in TRAFFIC.values())
    return f"""WITH {_readings(counters, as_of, _WEEK, cluster_ids)}
SELECT cluster_id, measure AS metric_name, sum(value) AS gained FROM readings
WHERE value IS NOT NULL GROUP BY cluster_id, measure ORDER BY cluster_id, measure LIMIT 50"""
