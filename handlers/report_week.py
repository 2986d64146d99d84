"""The week of a weekly report: trends, movers, what came back, capacity and noise, each list shortened with the rest in
a file. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.patrol.rules import number
from agent.patrol.week import Filling, FleetTrend, Noisy, Recurring, Rising, Standing, Week
from handlers.answers import counted
from handlers.document import File, Heading, Note, Part, Prose
from handlers.figures import amount, label, sparkline
from handlers.locale import ENGLISH, Locale
from handlers.markdown import line, literal
from handlers.report_flag import Sight, name_of
from handlers.spreadsheet import csv_bytes, csv_name

SHOWN = 5
"""Lines of each list in a message; the counts above them are of all."""
_COLUMNS = (
    *("part", "cluster_or_alert", "cluster_id", "dimension", "unit", "before", "now", "limit", "per_week"),
    *("days", "soonest", "latest", "times", "clusters", "without_consequence"),
)


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes a week for one reader; `most` lines of each list, all of them where there is no file to follow."""

    week: Week
    locale: Locale
    most: int | None

    def lists(self) -> Iterator[tuple[str, list[str]]]:
        """Each list that is not empty: its title's key and its lines, all of them."""
        week = self.week
        for key, standings in (("fell", week.fell), ("worst", self._others()), ("rose", week.rose)):
            yield f"week.{key}", [self._score(one) for one in standings]
        yield "week.recurring", [self._recurring(one) for one in week.recurring]
        yield "week.capacity", [self._filling(one) for one in week.capacity]
        yield "week.noise", [self._noisy(one) for one in week.noise]

    def _others(self) -> list[Standing]:
        """The lowest ones that are not told among those that fell."""
        told = {one.cluster_id for one in self.week.fell[: self.most]}
        return [one for one in self.week.worst if one.cluster_id not in told]

    def parts(self) -> Iterator[Part]:
        """The part of the message."""
        yield Heading(self.locale.say("week.title"))
        if self.week.fleet is not None:
            rising = [self._rising(one) for one in self.week.rising]
            yield Prose("\n".join([f"**{self._fleet(self.week.fleet)}**", "", *self._shortened(rising)]))
        for key, lines in self.lists():
            if lines:
                yield Prose("\n".join([f"**{self.locale.say(key)}**", "", *self._shortened(lines)]))
        if notes := list(self._notes()):
            yield Note("\n".join(notes))

    def _shortened(self, lines: Sequence[str]) -> Iterator[str]:
        yield from (f"- {one}" for one in lines[: self.most])
        if self.most is not None and len(lines) > self.most:
            yield f"- {self.locale.say('week.more', count=len(lines) - self.most)}"

    def _notes(self) -> Iterator[str]:
        """What there is nothing to list of, what is not known, and what it all rests on."""
        week, say = self.week, self.locale.say
        if not week.recurring and "recurring" not in week.missing:
            yield say("week.recurring.none", reports=len(week.reports))
        if not week.capacity and "capacity" not in week.missing:
            yield say("week.capacity.none")
        if not week.noise and "noise" not in week.missing:
            yield say("week.noise.none", incidents=week.incidents, names=week.names)
        if week.missing:
            yield say("week.missing", parts=", ".join(say(f"week.part.{part}") for part in week.missing))
        if week.receipts:
            told = [f"{say(f'week.part.{part}')} {', '.join(map(line, ids))}" for part, ids in week.receipts.items()]
            told += [counted("reports", len(week.reports), self.locale)] if week.recurring else []
            yield say("week.receipts", told=" · ".join(told))

    def _fleet(self, fleet: FleetTrend) -> str:
        drawn = sparkline(fleet.course)
        return self.locale.say(
            "week.fleet",
            now=number(fleet.now),
            before=number(fleet.before),
            course=f" {drawn}" if drawn else "",
            clusters=fleet.clusters,
            better=fleet.better,
            worse=fleet.worse,
        )

    def _rising(self, one: Rising) -> str:
        ends = {"before": amount(one.before, one.unit, self.locale), "now": amount(one.now, one.unit, self.locale)}
        return self.locale.say("week.rising", label=self._label(one), worse=one.worse, better=one.better, **ends)

    def _label(self, one: Rising | Recurring | Filling) -> str:
        return label(one.dimension, self.locale)

    def _score(self, one: Standing) -> str:
        name, now = f"**{name_of(one.cluster_name, one.cluster_id)}**", number(one.now)
        if one.before is None:
            return self.locale.say("week.score.only", name=name, now=now)
        told = [self.locale.say("week.score", name=name, now=now, before=number(one.before))]
        if drawn := sparkline(one.course):
            told[0] += f" {drawn}"
        for shift in one.shifts:
            ends = {
                "before": amount(shift.before, shift.unit, self.locale),
                "now": amount(shift.now, shift.unit, self.locale),
            }
            told.append(self.locale.say("week.shift", label=label(shift.dimension, self.locale), **ends))
        return " · ".join(told)

    def _recurring(self, one: Recurring) -> str:
        return self.locale.say(
            "week.recurring.line",
            name=f"**{name_of(one.cluster_name, one.cluster_id)}**",
            label=self._label(one),
            days=one.days,
            times=one.times,
            state=self.locale.say("week.recurring.now" if one.lasting else "week.recurring.over"),
        )

    def _filling(self, one: Filling) -> str:
        return self.locale.say(
            "week.capacity.line",
            name=f"**{name_of(one.cluster_name, one.cluster_id)}**",
            label=self._label(one),
            value=amount(one.value, one.unit, self.locale),
            limit=amount(one.limit, one.unit, self.locale),
            days=f"{one.days:.0f}",
            soonest=f"{one.soonest:.0f}",
            latest=f"{one.latest:.0f}",
            pace=f"{'+' if one.per_week > 0 else ''}{amount(one.per_week, one.unit, self.locale)}",
        )

    def _noisy(self, one: Noisy) -> str:
        counts = {"incidents": one.incidents, "clusters": one.clusters, "brief": one.brief, "restless": one.restless}
        return self.locale.say("week.noise.line", name=f"**{literal(one.name)}**", share=f"{one.share:.0f}%", **counts)


def week_parts(sight: Sight, most: int | None = SHOWN) -> Iterator[Part]:
    """The week of a report; nothing where it has none. `most` lines of each list, all of them for None."""
    if sight.report.week is not None:
        yield from _Writer(sight.report.week, sight.locale, most).parts()


def week_file(sight: Sight) -> Iterator[Part]:
    """The whole week as a file, when the message holds only a part of a list."""
    week = sight.report.week
    if week is None:
        return
    lists = [*(lines for _, lines in _Writer(week, sight.locale, SHOWN).lists()), week.rising]
    if any(len(lines) > SHOWN for lines in lists):
        name = csv_name(f"week-{sight.report.report_id}")
        yield File(name, sight.locale.say("week.file.title"), csv_bytes(_COLUMNS, _rows(week)))


def _rows(week: Week) -> Iterator[Sequence[object]]:
    for part, standings in (("fell", week.fell), ("rose", week.rose), ("lowest", week.worst)):
        for one in standings:
            yield _row(part, one.cluster_name, one.cluster_id, "", "", {"before": one.before, "now": one.now})
            for shift in one.shifts:
                who = (one.cluster_name, one.cluster_id, shift.dimension, shift.unit)
                yield _row(f"{part}: cause", *who, {"before": shift.before, "now": shift.now})
    for it in week.rising:
        yield _row("rising", "", "", it.dimension, it.unit, {"before": it.before, "now": it.now, "clusters": it.worse})
    for again in week.recurring:
        who = (again.cluster_name, again.cluster_id, again.dimension, "")
        yield _row("recurring", *who, {"days": again.days, "times": again.times})
    for due in week.capacity:
        who = (due.cluster_name, due.cluster_id, due.dimension, due.unit)
        figures = {"now": due.value, "limit": due.limit, "per_week": due.per_week}
        yield _row("capacity", *who, figures | {"days": due.days, "soonest": due.soonest, "latest": due.latest})
    for loud in week.noise:
        figures = {"times": loud.incidents, "clusters": loud.clusters, "without_consequence": loud.idle}
        yield _row("noise", loud.name, "", "", "", figures)


def _row(
    part: str, name: str, cluster_id: str, dimension: str, unit: str, figures: Mapping[str, float | None]
) -> Sequence[object]:
    words = (part, name, cluster_id, label(dimension, ENGLISH) if dimension else "", unit)
    return (*words, *(figures.get(column) for column in _COLUMNS[len(words) :]))
