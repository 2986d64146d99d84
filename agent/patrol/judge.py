"""From a measured course to a finding: limits, the cluster's own past, and where a steady course leads."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from agent.patrol.change import began
from agent.patrol.finding import Finding, Identity, Outlook
from agent.patrol.forecast import Reach, line, reach
from agent.patrol.predictions import HORIZONS
from agent.patrol.report import Severity
from agent.patrol.returning import Return, returned
from agent.patrol.rules import Dimension, Rules, number, quantity, rough
from agent.patrol.series import (
    Track,
    lasting,
    level,
    onset,
    ratio,
    ratio_track,
    residuals,
    same_hours,
    slope,
    sums,
    total,
    usual,
    wander,
    whole_nodes,
    worst_of,
)

# The newest half day sets the pace; the whole day must not contradict it, or an evening's rise would be a trend.
_TREND_SPANS = (12, 24)
# Kendall's tau of pure noise over twelve hours stays below this nearly always.
_GOOD_FIT = 0.6
# How much of the way from well to the limit a change must have gone, where it alone is a finding.
_NEARLY = 0.9
# A course may be a little slower than the step within its span and still have left the usual by a whole step.
_ALMOST = 0.8
# In median deviations: quiet series must move little, restless ones a lot, before it counts as leaving.
_BEYOND_WANDER = 4.0
_DAY = 24


@dataclass(frozen=True, slots=True)
class Course:
    """One dimension of one cluster, ready to be judged. `baseline` is the usual value at this time of day, at its worse
    end; None without a past. `enough` tells whether enough events stand behind a share to be called a problem."""

    name: str
    rule: Dimension
    track: Track
    value: float
    baseline: float | None
    enough: bool = True
    lasted: float | None = None
    """The level that all but one of the newest hours have; None where that is not asked."""
    back: Return | None = None
    """What came and went since the last patrol; None where nothing did."""

    @property
    def sure(self) -> "Course":
        """The course at the level that has lasted: what comes and goes within an hour or two is nobody's business,
        unless it is so bad that nobody would wait."""
        rule = self.rule
        acute = rule.limits.red if rule.acute is None else rule.acute
        if self.lasted is None or rule.worse(self.value, acute) or rule.worse(self.lasted, self.value):
            return self
        return replace(self, value=self.lasted)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found on one dimension."""

    finding: Finding | None = None
    outlook: Outlook | None = None


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges dimensions as of one hour. `query_id` is the receipt of the newest values; `frontends` and `nodes` are how
    many the cluster has, 0 where that is not known."""

    rules: Rules
    as_of: datetime
    query_id: str = ""
    frontends: int = 0
    nodes: int = 0

    def of(self, identity: Identity) -> "Judge":
        """The judge of this cluster: by the limits of its type and its size."""
        nodes = identity.frontends + identity.workers
        return replace(self, rules=self.rules.of(identity.cluster_type), frontends=identity.frontends, nodes=nodes)

    def courses(self, series: Mapping[str, Track]) -> tuple[Course, ...]:
        """The dimensions that can be computed from a cluster's series, in the order of the rules."""
        made = (self._course(name, rule, series) for name, rule in self.rules.dimensions.items())
        return tuple(course for course in made if course is not None)

    def track(self, dimension: str, series: Mapping[str, Track]) -> Track:
        """The course of one dimension that is a level or a share of levels."""
        return self._sized(self.rules.dimensions[dimension], series)[1]

    def _sized(self, rule: Dimension, series: Mapping[str, Track]) -> tuple[Dimension, Track]:
        """A dimension and its course in the measure of one process or of whole nodes."""
        track = _track(rule, series)
        if rule.per and self.frontends > 1:
            return rule.model_copy(update={"unit": "per FE"}), track.mapped(1 / self.frontends)
        if rule.nodes and self.nodes:
            return rule, track.each(lambda percent: whole_nodes(percent, self.nodes))
        return rule, track

    def verdict(self, cluster_id: str, course: Course) -> Verdict:
        """What a course says; empty when all is well or too little is known."""
        # Growth of data explains a full disk but is nobody's fault; the disk has its own dimension.
        if course.rule.growth:
            return Verdict()
        if not course.enough:
            return Verdict(self._returning(cluster_id, course))
        outlook = self._outlook(cluster_id, course)
        severity, why = self._severity(course.sure, outlook)
        if severity is None:
            return Verdict(self._returning(cluster_id, course), outlook)
        return Verdict(self._finding(cluster_id, course, severity, why), outlook)

    def _returning(self, cluster_id: str, course: Course) -> Finding | None:
        """What is not there in these very hours, but was time and again since the last patrol."""
        back = course.back
        if back is None:
            return None
        then = replace(course, value=back.level, baseline=self._usual_lately(course.rule, course))
        severity, why = self._severity(then, None)
        if severity is None:
            return None
        found = self._finding(cluster_id, then, severity, why)
        span = self.rules.window.returning_hours
        reason = f"{found.reason}; comes and goes, {back.hours} of the newest {span} h"
        return replace(found, reason=reason, since=self.as_of - timedelta(hours=back.began))

    def _usual_lately(self, rule: Dimension, course: Course) -> float | None:
        """What is usual at any of the hours since the last patrol, at its worse end."""
        low = rule.direction == "down"
        lately = usual(course.track.profile, self.as_of.hour, self.rules.window.returning_hours, low=low)
        known = [value for value in (course.baseline, lately) if value is not None]
        return (min(known) if low else max(known)) if known else None

    def _back(self, course: Course) -> Course:
        """The course with what came and went."""
        base, window = self._usual_lately(course.rule, course), self.rules.window
        if base is None:
            return course
        low = course.rule.direction == "down"
        hours = course.track.recent
        return replace(course, back=returned(hours, base, window.returning_hours, window.recent_hours, low=low))

    def _course(self, name: str, rule: Dimension, series: Mapping[str, Track]) -> Course | None:
        if rule.growth:
            return _growth(name, rule, series)
        if rule.part and rule.whole and self.rules.series[rule.part].column == "increase":
            return self._share(name, rule, series)
        rule, track = self._sized(rule, series)
        count = self.rules.window.recent_hours
        value = level(track.recent, count)
        if value is None:
            return None
        return self._back(
            Course(name, rule, track, value, self._baseline(rule, track), lasted=self._lasted(rule, track))
        )

    def _lasted(self, rule: Dimension, track: Track) -> float | None:
        hours = self.rules.window.sustained_hours
        return lasting(track.recent, hours - 1, hours, low=rule.direction == "down") if rule.sustained else None

    def _baseline(self, rule: Dimension, track: Track) -> float | None:
        """What is usual at this hour of the week, or, with too few weeks to tell, at this hour of the day."""
        count, low = self.rules.window.recent_hours, rule.direction == "down"
        month = same_hours(track.month, count, low=low)
        season = same_hours(track.season, count, low=low)
        pasts = [season, month]
        if season is None:
            pasts = [
                usual(track.profile, self.as_of.hour, count, low=low),
                same_hours(track.week, count, low=low),
                month,
            ]
        known = [value for value in pasts if value is not None]
        # The worst of the pasts: what was normal at one of these times is no news now.
        return (min(known) if low else max(known)) if known else None

    def _share(self, name: str, rule: Dimension, series: Mapping[str, Track]) -> Course | None:
        """Shares of counters are sums over the window: quiet hours must not weigh as much as busy ones."""
        part, whole = series.get(rule.part or ""), series.get(rule.whole or "")
        if part is None or whole is None:
            return None
        count = self.rules.window.recent_hours
        events, volume = total(part.recent, count), total(whole.recent, count)
        # One error of three queries is a third, and says nothing.
        if volume <= 0 or volume < rule.volume or not part.recent:
            return None
        week = ratio({0: total(part.week, count)}, {0: total(whole.week, count)})
        season = ratio(sums(part.season, count), sums(whole.season, count))
        month = ratio(sums(part.month, count), sums(whole.month, count))
        track = replace(ratio_track(part, whole), week=week, season=season, month=month)
        # The share of a busy cluster is exact; its few events may still concern nobody.
        enough = events >= rule.events
        value = min(100.0, 100 * events / volume)
        course = Course(name, rule, track, value, self._baseline(rule, track), enough, self._lasted(rule, track))
        # What returns may rest just now: its events are counted over all the hours in which it came and went.
        lately = total(part.recent, self.rules.window.returning_hours)
        return self._back(course) if lately >= 2 * rule.events else course

    def _severity(self, course: Course, outlook: Outlook | None) -> tuple[Severity | None, str]:
        rule, value = course.rule, course.value
        changed = self._changed(course, rule.change)
        at_red, at_yellow = rule.worse(value, rule.limits.red), rule.worse(value, rule.limits.yellow)
        if at_red and (rule.alone == "yellow" or changed):
            return "Critical", "limit"
        # Many times the own past and bad in itself: waiting for red would be waiting for the outage.
        if rule.urgent and at_yellow and self._changed(course, rule.urgent):
            return "Critical", "change"
        lasting = rule.limits.red if rule.chronic is None else rule.chronic
        if at_red and rule.alone == "red" and rule.worse(value, lasting):
            # As bad as ever: worth a look, but nothing happened.
            return "Warning", "chronic"
        if at_yellow and (rule.alone == "yellow" or changed):
            return "Warning", "limit"
        # No limit fits clusters that differ a thousandfold; far beyond its own past is enough for these.
        if rule.strong and self._changed(course, rule.strong):
            return "Warning", "change"
        # A fall that ends short of the limit is no fault: mostly there is just more to do.
        near = rule.limits.green + _NEARLY * (rule.limits.yellow - rule.limits.green)
        if rule.drop and self._dropped(course, rule.drop) and rule.worse(value, near):
            return "Warning", "change"
        # Last, because a limit that is already passed says more than where the course leads.
        if outlook is not None and outlook.hours <= self.rules.window.horizon_hours:
            return "Warning", "trend"
        return None, ""

    def _changed(self, course: Course, factor: float) -> bool:
        """Whether the level is `factor` times the own past and far enough from it to matter. Without a past: no."""
        rule, base = course.rule, course.baseline
        # Of free memory half as much is no measure: what counts there are units, see `_dropped`.
        if base is None or rule.direction == "down":
            return False
        # All three: a factor alone flags tiny values, a step alone large ones, and neither knows what is harmless.
        return course.value >= max(rule.floor, base * factor, base + rule.step)

    def _dropped(self, course: Course, units: float) -> bool:
        return course.baseline is not None and course.baseline - course.value >= units

    def _outlook(self, cluster_id: str, course: Course) -> Outlook | None:
        """Where a steady course that has left the usual one leads. The daily rhythm is taken away first; a restarted
        process that grows back to its usual size is no trend."""
        rule = course.rule
        bad = 1.0 if rule.direction == "up" else -1.0
        if not rule.trend or course.baseline is None:
            return None
        rest = residuals(course.track.recent, course.track.profile, self.as_of.hour)
        slopes = [slope(rest, span) for span in _TREND_SPANS]
        apart = level(rest, self.rules.window.recent_hours)
        newest = slopes[0]
        if newest is None or apart is None or apart * bad < _BEYOND_WANDER * wander(rest, _DAY):
            return None
        # The level itself must have moved and stayed there, not only the last hours relative to their usual course.
        if (course.sure.value - course.baseline) * bad < rule.step:
            return None
        pace = newest.per_hour * bad
        moved = pace * _TREND_SPANS[0]
        longer = slopes[1]
        against = longer is not None and longer.per_hour * bad < 0
        if pace <= 0 or newest.fit < _GOOD_FIT or moved < rule.step * _ALMOST or against:
            return None
        ahead = self._ahead(course, rest)
        # A pace whose interval reaches down to standing still is no trend, however steep its middle.
        if ahead is None or math.isinf(ahead.latest):
            return None
        # what is there already needs no line to say when
        there = (rule.limits.red - course.value) * bad <= 0
        hours = 0.0 if there else rough(ahead.expected)
        made = Outlook(cluster_id, course.name, course.value, rule.limits.red, rule.unit, hours, newest.fit)
        down = rule.direction == "down"
        soonest, latest = min(hours, rough(ahead.soonest)), rough(ahead.latest)
        return replace(made, soonest=soonest, latest=latest, chances=ahead.chances, down=down)

    def _ahead(self, course: Course, rest: Mapping[int, float]) -> Reach | None:
        """When the limit is met, by the longer of the spans that does not contradict the newest half day."""
        short, long = (line(rest, span) for span in _TREND_SPANS)
        if short is None:
            return None
        agree = long is not None and long.low <= short.per_hour <= long.high
        return reach(
            long if long is not None and agree else short,
            course.track.profile,
            self.as_of.hour,
            course.rule.limits.red,
            down=course.rule.direction == "down",
            horizons=HORIZONS,
        )

    def _since(self, course: Course) -> datetime | None:
        """When the present run began: the change point of the course without its daily rhythm, else when it left the
        middle between the usual and the present level."""
        rule, base = course.rule, course.baseline
        if base is None:
            return None
        bad = 1.0 if rule.direction == "up" else -1.0
        rest = residuals(course.track.recent, course.track.profile, self.as_of.hour)
        changed = began({at: value * bad for at, value in rest.items()})
        if changed is not None:
            return self.as_of - timedelta(hours=changed)
        # Where a rise is half done: nearer to either end, noise would decide the hour.
        middle = (base + course.value) / 2
        low = rule.direction == "down"
        back = onset(course.track.recent, middle, low=low)
        if back is None:
            return None
        oldest = max(course.track.recent)
        # Found within the hours that are known; else it began before them, and only the days can tell.
        if back < oldest - 1:
            return self.as_of - timedelta(hours=back)
        days = {at: value for at, value in course.track.days.items() if at * 24 >= back - 24}
        day = onset(days, middle, low=low)
        return self.as_of - timedelta(hours=max(back, 24 * ((day or 0) + 1)))

    def _finding(self, cluster_id: str, course: Course, severity: Severity, why: str) -> Finding:
        rule = course.rule
        limit = rule.limits.red if severity == "Critical" and why == "limit" else rule.limits.yellow
        since = self._since(course)
        return Finding(
            cluster_id,
            course.name,
            severity,
            course.value,
            rule.unit,
            _sentence(course, why, limit, self._outlook(cluster_id, course)),
            course.baseline,
            limit,
            since,
            self.query_id,
        )


def _sentence(course: Course, why: str, limit: float, outlook: Outlook | None) -> str:
    rule = course.rule
    text = f"{rule.label} {quantity(course.value, rule.unit)}"
    if course.baseline is not None:
        text += f", usually {quantity(course.baseline, rule.unit)} at this hour"
    if why == "limit":
        text += f"; limit {quantity(limit, rule.unit)}"
    if why == "chronic":
        text += f"; beyond {quantity(rule.limits.red, rule.unit)} for as long as the data reaches back"
    if outlook is not None and outlook.hours > 0:
        text += f"; at this pace {quantity(outlook.limit, rule.unit)} in {quantity(outlook.hours, 'h')}"
        text += f" ({number(outlook.soonest)}–{number(outlook.latest)} h)"
    return text


def _track(rule: Dimension, series: Mapping[str, Track]) -> Track:
    empty = Track()
    if rule.value:
        return series.get(rule.value, empty).mapped(rule.scale)
    part, whole = series.get(rule.part or "", empty), series.get(rule.whole or "", empty)
    track = ratio_track(part, whole, invert=rule.invert)
    # The fullest node counts where it is known; a platform that only sends the ready-made percentage is read too.
    spare = series.get(rule.fallback or "")
    return track if spare is None else worst_of(track, spare)


def _growth(name: str, rule: Dimension, series: Mapping[str, Track]) -> Course | None:
    days = series.get(rule.value or "", Track()).days
    if not days.get(7) or 0 not in days:
        return None
    return Course(name, rule, Track(), max(0.0, 100 * (days[0] / days[7] - 1)), None)
