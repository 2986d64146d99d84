"""Levels of measures: judged by the rules, told with their course and statistic, and what to do about the bad ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.rules_only.envelope import Row, Sheet
from agent.rules_only.measures import BY_KEY, RECENT_HOURS, Measure
from agent.rules_only.thresholds import Threshold
from agent.rules_only.voice import NO_VALUE, Voice
from agent.rules_only.writing.figures import move
from agent.rules_only.writing.found import Found
from agent.rules_only.writing.markdown import CLUSTER, ID, Column, customer, listing, paragraphs


@dataclass(frozen=True, slots=True)
class Level:
    """One measure of one cluster as of now. `severity` is `Critical`, `Warning` or empty; `threshold` is that of this
    cluster's type, None where a value alone decides nothing."""

    row: Row
    measure: Measure
    value: float
    severity: str
    voice: Voice
    threshold: Threshold | None = None

    @property
    def noun(self) -> str:
        """What is measured."""
        return self.voice.own(self.measure.noun)

    @property
    def text(self) -> str:
        """The value with its unit."""
        return self.voice.figure(self.value, self.measure.unit)

    @property
    def judged(self) -> str:
        """The value and what the rules call it, if it is bad."""
        return f"{self.text} ({self.verdict})" if self.severity else self.text

    @property
    def verdict(self) -> str:
        """What the rules call it; empty while it is not bad."""
        return self.voice.own(self.severity)

    @property
    def course(self) -> str:
        """From the mean of the window's first day to the value of now."""
        return move(self.voice, self.row.number("first_day"), self.value, self.measure.unit) or NO_VALUE


def level_of(found: Found, row: Row) -> Level | None:
    """The level that a row holds, None when it has no value."""
    measure, value = BY_KEY.get(row.text("measure")), row.number("latest")
    if measure is None or value is None:
        return None
    common = found.thresholds.get(measure.key)
    threshold = common.of(row.text("cluster_type")) if common is not None else None
    severity = threshold.level(value) if threshold is not None and row.number("enough") != 0 else ""
    return Level(row, measure, value, severity, found.voice, threshold)


def levels(found: Found, rows: Iterable[Row], cluster_id: str = "") -> list[Level]:
    """The levels of a cluster (of all when none is given), the critical ones first, else in the order of the rows."""
    mine = (row for row in rows if not cluster_id or row.text("cluster_id").lower() == cluster_id)
    known = [level for row in mine if (level := level_of(found, row)) is not None]
    return sorted(known, key=lambda level: ("Critical", "Warning", "").index(level.severity))


def bad(found: list[Level]) -> list[Level]:
    """Those beyond a limit."""
    return [level for level in found if level.severity]


def ranked(found: Found, sheet: Sheet, limit: int) -> str:
    """A table of clusters by one measure."""

    def of(title: str, write: str) -> Column:
        return Column(title, lambda row: getattr(level_of(found, row), write, NO_VALUE))

    def extreme(row: Row) -> str:
        measure = BY_KEY.get(row.text("measure"))
        column = "lowest" if measure is not None and measure.low_is_bad else "highest"
        return found.voice.figure(row.number(column), measure.unit if measure is not None else "")

    who = (CLUSTER, ID, customer(found.voice))
    columns = (*who, of("now", "judged"), Column("worst_hour", extreme), of("course", "course"))
    return listing(found.voice, columns, sheet, limit=limit)


def advice(found: Found, told: Sequence[Level]) -> str:
    """What to do about up to three measures."""
    firsts = {level.measure: level for level in reversed(told)}
    measures = list(dict.fromkeys(level.measure for level in told))[:3]
    lines = [
        found.say("advice.line", noun=found.voice.own(measure.noun), advice=found.voice.own(threshold.advice))
        for measure in measures
        if (threshold := firsts[measure].threshold) and threshold.advice
    ]
    return paragraphs(found.say("advice.title"), "\n".join(lines)) if lines else ""


def basis(voice: Voice, measures: Iterable[Measure]) -> str:
    """Which statistic the values of now are."""
    nouns: dict[str, list[str]] = {}
    for measure in dict.fromkeys(measures):
        nouns.setdefault(statistic(voice, measure), []).append(voice.own(measure.noun))
    if len(nouns) == 1:
        return voice.say("basis.one", statistic=next(iter(nouns)))
    told = voice.chain(
        voice.say("basis.of", nouns=voice.list(names), statistic=statistic) for statistic, names in nouns.items()
    )
    return voice.say("basis.many", told=told) if told else ""


def statistic(voice: Voice, measure: Measure) -> str:
    """What the value of now of that measure is, in words."""
    if measure.is_share:
        return voice.say("statistic.share", hours=RECENT_HOURS)
    part = voice.say(f"statistic.{measure.part.column}")
    if measure.fallback is None:
        return voice.say("statistic.median", hours=RECENT_HOURS, part=part)
    fullest = voice.say(f"statistic.{measure.fallback.column}")
    return voice.say("statistic.fullest", hours=RECENT_HOURS, part=part, fullest=fullest)
