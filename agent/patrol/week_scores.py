"""The week in scores and courses: who fell and who rose and why, and what fills up in weeks to come. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from agent.patrol.finding import Identity
from agent.patrol.forecast import Line, line, reach
from agent.patrol.judge import Judge
from agent.patrol.rules import Dimension
from agent.patrol.scorer import overall, points
from agent.patrol.series import Track
from agent.patrol.week import DAYS, Filling, FleetTrend, Rising, Shift, Standing

Daily = Mapping[str, Mapping[str, Mapping[int, float]]]
"""Cluster → series → value of the day by days back (0 = the newest 24 hours)."""

CLEARLY = 5.0
"""Points of a score from which on a cluster moved."""
_TELLING = 10.0
"""Points of one dimension from which on it counts as moved."""
_AT_LEAST = 2
_WORST = 5
_CAUSES = 2
_UNWELL = 70.0
"""A score that only a dimension beyond its yellow limit brings about."""

HORIZON = 56
"""Days that the outlook reaches ahead; nearer than two days a prediction of the patrol says more."""
_SOON = 2.0
SPAN = 28
_LEAST = 7
_PAST_TO_FUTURE = 3
# A step two weeks ago makes a slope as well; what grows still grows in the newer half.
_STILL = 0.3
# In spreads of the line: farther away the newest day is another story.
_NEAR = 4.0
_WIDEST = 3.0
"""Times as late as expected that the interval may end: one that is wider says nothing."""


@dataclass(frozen=True, slots=True)
class _Day:
    """One cluster on one day."""

    values: Mapping[str, float]
    score: float | None


class Scores:
    """The clusters' days as the rules judge them: the newest eight, 0 = the newest."""

    def __init__(self, daily: Daily, identities: Sequence[Identity], judge: Judge) -> None:
        self._judge = judge
        self._judges = {one.cluster_id: judge.of(one) for one in identities}
        self._names = {one.cluster_id: one.name for one in identities}
        self._days = {
            who: tuple(_day(daily.get(who, {}), back, judge) for back in range(DAYS + 1))
            for who, judge in self._judges.items()
        }

    def standings(self) -> list[Standing]:
        """Every cluster with a score of now, the lowest first."""
        found = [self._standing(cluster, days) for cluster, days in self._days.items()]
        return sorted((one for one in found if one is not None), key=lambda one: (one.now, one.cluster_id))

    def _standing(self, cluster: str, days: Sequence[_Day]) -> Standing | None:
        if days[0].score is None:
            return None
        before = days[DAYS].score
        return Standing(
            cluster,
            self._names[cluster],
            _tenth(days[0].score),
            None if before is None else _tenth(before),
            tuple(None if day.score is None else _tenth(day.score) for day in reversed(days)),
            tuple(self._shifts(cluster, days[DAYS].values, days[0].values, before, days[0].score)),
        )

    def _shifts(
        self, cluster: str, before: Mapping[str, float], now: Mapping[str, float], was: float | None, score: float
    ) -> Iterator[Shift]:
        """What moved the score in the direction in which it went, most first."""
        if was is None:
            return
        sign = 1.0 if score >= was else -1.0
        weighty = [name for name in now if name in before and self._rule(cluster, name).weight > 0]
        moved = sorted((-sign * self._gain(cluster, name, before[name], now[name]), name) for name in weighty)
        for gain, name in moved[:_CAUSES]:
            if -gain >= CLEARLY:
                yield Shift(name, self._rule(cluster, name).unit, _short(before[name]), _short(now[name]))

    def _gain(self, cluster: str, name: str, before: float, now: float) -> float:
        rule = self._rule(cluster, name)
        return points(rule, now) - points(rule, before)

    def _rule(self, cluster: str, name: str) -> Dimension:
        return self._judges[cluster].rules.dimensions[name]

    def rising(self) -> Iterator[Rising]:
        """The dimensions that became worse on more clusters than better, the widest first."""
        found = (self._trend(name) for name in self._judge.rules.dimensions)
        yield from sorted((one for one in found if one), key=lambda one: (one.better - one.worse, one.dimension))

    def _trend(self, name: str) -> Rising | None:
        pairs = {
            cluster: (days[DAYS].values[name], days[0].values[name])
            for cluster, days in self._days.items()
            if name in days[0].values and name in days[DAYS].values
        }
        gains = [self._gain(cluster, name, before, now) for cluster, (before, now) in pairs.items()]
        worse, better = sum(gain <= -_TELLING for gain in gains), sum(gain >= _TELLING for gain in gains)
        if worse < _AT_LEAST or worse <= better:
            return None
        before, now = (median(pair[at] for pair in pairs.values()) for at in (0, 1))
        return Rising(name, self._judge.rules.dimensions[name].unit, worse, better, _short(before), _short(now))

    def unwell(self) -> dict[str, frozenset[int]]:
        """By cluster the days back on which something was beyond its limit in the mean of the day."""
        return {
            cluster: frozenset(back for back, day in enumerate(days) if day.score is not None and day.score <= _UNWELL)
            for cluster, days in self._days.items()
        }


def _day(series: Mapping[str, Mapping[int, float]], back: int, judge: Judge) -> _Day:
    tracks = {name: Track(recent={0: days[back]}) for name, days in series.items() if back in days}
    values = {course.name: course.value for course in judge.courses(tracks)}
    return _Day(values, overall(judge.rules, values) if values else None)


def fleet_trend(standings: Sequence[Standing]) -> FleetTrend | None:
    """The fleet as the mean of the clusters that had a score a week ago too (most of them have a hundred, so a median
    would not move); None when none had."""
    known = [one for one in standings if one.before is not None]
    if not known:
        return None
    days = zip(*(one.course for one in known), strict=True)
    course = (_mean([score for score in day if score is not None]) for day in days)
    return FleetTrend(
        _tenth(fmean(one.now for one in known)),
        _tenth(fmean(one.before for one in known if one.before is not None)),
        len(known),
        sum(one.change >= CLEARLY for one in known),
        sum(one.change <= -CLEARLY for one in known),
        tuple(course),
    )


def movers(standings: Sequence[Standing]) -> tuple[tuple[Standing, ...], tuple[Standing, ...]]:
    """The clusters that clearly fell and those that clearly rose, the farthest first."""
    fell = sorted((one for one in standings if one.change <= -CLEARLY), key=lambda one: (one.change, one.cluster_id))
    rose = sorted((one for one in standings if one.change >= CLEARLY), key=lambda one: (-one.change, one.cluster_id))
    return tuple(fell), tuple(rose)


def worst(standings: Sequence[Standing]) -> tuple[Standing, ...]:
    """The few lowest ones that are not well."""
    return tuple(one for one in standings[:_WORST] if one.now <= _UNWELL)


def filling(daily: Daily, identities: Sequence[Identity], judge: Judge) -> tuple[Filling, ...]:
    """What reaches its limit within eight weeks if it goes on as in the last four: disks first, then the soonest."""
    found = [
        one
        for who in identities
        for name, rule in judge.of(who).rules.dimensions.items()
        if rule.trend
        and (one := _filling(who, name, rule, judge.track(name, _days(daily.get(who.cluster_id, {}))).days)) is not None
    ]
    return tuple(sorted(found, key=lambda one: (not one.dimension.startswith("disk"), one.days, one.cluster_id)))


def _days(series: Mapping[str, Mapping[int, float]]) -> dict[str, Track]:
    return {name: Track(days=days) for name, days in series.items()}


def _filling(who: Identity, name: str, rule: Dimension, days: Mapping[int, float]) -> Filling | None:
    bad = -1.0 if rule.direction == "down" else 1.0
    known = sum(0 <= day < SPAN for day in days)
    course = _steady(days, bad) if known >= _LEAST else None
    if course is None or course.per_hour * bad * known < rule.step or not _is_there(course, days, rule):
        return None
    limit = rule.limits.red
    ahead = reach(course, {}, 0, limit, down=rule.direction == "down", horizons=(HORIZON,))
    # Nobody can see farther ahead than some times as far as back.
    if ahead.latest > _WIDEST * ahead.expected or not _SOON < ahead.expected <= min(HORIZON, _PAST_TO_FUTURE * known):
        return None
    figures = (course.level, limit, 7 * course.per_hour)
    spans = (ahead.expected, ahead.soonest, ahead.latest)
    return Filling(who.cluster_id, who.name, name, rule.unit, *map(_short, figures), *map(_tenth, spans))


def _is_there(course: Line, days: Mapping[int, float], rule: Dimension) -> bool:
    """Whether the newest day lies on the line: what leapt up lately goes another way, and has findings of its own."""
    newest = days.get(0)
    return newest is not None and abs(newest - course.level) <= max(rule.step, _NEAR * course.spread)


def _steady(days: Mapping[int, float], bad: float) -> Line | None:
    """The line of the four weeks, or of the newer half where that tells of another pace; None where nothing grows."""
    known = sum(0 <= day < SPAN for day in days)
    long, short = line(days, SPAN if known >= SPAN // 2 else SPAN // 2), line(days, max(_LEAST, known // 2))
    if long is None or short is None:
        return None
    pace = long.per_hour * bad
    if pace <= 0 or min(long.low * bad, long.high * bad) <= 0 or short.per_hour * bad < _STILL * pace:
        return None
    return long if short.low <= long.per_hour <= short.high else short


def _mean(known: list[float]) -> float | None:
    return _tenth(fmean(known)) if known else None


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def _tenth(value: float) -> float:
    return round(value, 1)
