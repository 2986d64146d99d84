"""Answers about one measure: its course over time, who leads it, and who comes near its limit."""

from math import inf, isinf

from agent.rules_only.envelope import Row, Sheet
from agent.rules_only.measures import DEFAULT, LIMITED, Measure
from agent.rules_only.plan import identity
from agent.rules_only.voice import Voice
from agent.rules_only.writing.apologies import charted, gap, no_chart, unavailable, unresolved
from agent.rules_only.writing.figures import moment, move
from agent.rules_only.writing.found import Found
from agent.rules_only.writing.levels import Level, advice, bad, basis, level_of, levels, ranked
from agent.rules_only.writing.markdown import CLUSTER, ID, MAX_ROWS, Column, listing, paragraphs, safe, table
from agent.rules_only.writing.patrols import forecasts

_WHOLE_DAY = 20


def course(found: Found) -> str:
    """A measure over time, of one cluster or of the fleet."""
    if found.intent.clusters and (failure := found.failed("info:0")):
        return unresolved(found, failure)
    if failure := found.failed("series"):
        return unavailable(found.voice, failure)
    measure = found.intent.measure or DEFAULT
    who = identity(found.outcome("info:0")) if found.intent.clusters else None
    subject = safe(who.name, 48) if who else found.say("course.fleet")
    sheet = found.sheet("series")
    if not sheet.rows:
        noun, window = found.voice.own(measure.noun), found.voice.span(found.intent.hours)
        return found.say("course.none", noun=noun, subject=subject, window=window)
    now = next(iter(levels(found, found.sheet("vitals"))), None) if who else None
    return paragraphs(
        _course_opening(found, measure, subject, now),
        no_chart(found),
        "" if charted(found) else _course_table(found.voice, measure, sheet, fleet=who is None),
        _verdict(found, now) if now is not None else "",
        paragraphs(found.say("course.leads"), ranked(found, found.sheet("ranking"), 6)) if who is None else "",
        basis(found.voice, (measure,)),
    )


def _whole(sheet: Sheet) -> tuple[Row, ...]:
    """The days with nearly all their hours, when there are two of them: half a day compares badly with a whole one."""
    whole = tuple(row for row in sheet if (row.number("hours") or 0) >= _WHOLE_DAY)
    return whole if len(whole) > 1 else sheet.rows


def _course_opening(found: Found, measure: Measure, subject: str, now: Level | None) -> str:
    sheet, voice, window = found.sheet("series"), found.voice, found.voice.span(found.intent.hours)
    means = [value for row in _whole(sheet) if (value := row.number("mean")) is not None]
    noun = capital(voice.own(measure.noun))
    if not means:
        return found.say("course.empty", noun=noun, subject=subject, window=window)
    ends = found.say(f"course.{'hour' if found.intent.hours <= 48 else 'day'}.{'now' if now else 'last'}")
    column = "lowest" if measure.low_is_bad else "highest"
    worst = (min if measure.low_is_bad else max)(sheet, key=lambda row: _sortable(row.number(column), measure))
    return found.say(
        "course.opening",
        noun=noun,
        subject=subject,
        level=found.say("course.level", level=now.judged) if now else "",
        window=window,
        moved=move(voice, means[0], now.value if now else means[-1], measure.unit),
        ends=ends,
        extreme=found.say(f"course.{column}", value=voice.figure(worst.number(column), measure.unit)),
        when=moment(worst.text("period")),
    )


def capital(noun: str) -> str:
    """The noun as it begins a sentence."""
    return noun[:1].upper() + noun[1:]


def _sortable(value: float | None, measure: Measure) -> float:
    return (inf if measure.low_is_bad else -inf) if value is None else value


def _course_table(voice: Voice, measure: Measure, sheet: Sheet, *, fleet: bool) -> str:
    """At most 12 rows, spread evenly, the newest always among them."""
    kept = Sheet(sheet.columns, sheet.rows[::-1][:: -(-len(sheet) // MAX_ROWS)][::-1])
    columns = [
        Column("from", lambda row: moment(row.text("period"))),
        Column("mean", lambda row: voice.figure(row.number("mean"), measure.unit)),
        Column("lowest_hour", lambda row: voice.figure(row.number("lowest"), measure.unit)),
        Column("highest_hour", lambda row: voice.figure(row.number("highest"), measure.unit)),
    ]
    if fleet:
        columns.append(Column("clusters", lambda row: voice.figure(row.number("clusters"))))
    left_out = voice.say("shown.periods", shown=len(kept), total=len(sheet)) if len(kept) < len(sheet) else ""
    return paragraphs(listing(voice, columns, kept), left_out)


def _verdict(found: Found, now: Level) -> str:
    threshold = now.threshold
    if threshold is None or isinf(threshold.red):
        return ""
    warning, red = (found.voice.figure(limit, now.measure.unit) for limit in (threshold.warning, threshold.red))
    verdict = now.verdict or found.say("verdict.within")
    if not (now.severity and threshold.advice):
        return found.say("verdict.rules", warning=warning, red=red, verdict=verdict)
    advised = found.voice.own(threshold.advice)
    return found.say("verdict.advised", warning=warning, red=red, verdict=verdict, advice=advised)


def ranking(found: Found) -> str:
    """The active clusters by a measure."""
    if failure := found.failed("ranking"):
        return unavailable(found.voice, failure)
    measure, sheet = found.intent.measure or DEFAULT, found.sheet("ranking")
    window, noun = found.voice.span(max(found.intent.hours, 48)), found.voice.own(measure.noun)
    first = level_of(found, sheet.first)
    if first is None:
        return found.say("ranking.none", noun=noun, window=window)
    end = "lowest" if found.intent.ascending or measure.low_is_bad else "highest"
    return paragraphs(
        found.say(f"ranking.{end}", name=CLUSTER.cell(first.row), noun=noun, value=first.text),
        no_chart(found),
        ranked(found, sheet, found.intent.limit),
        found.say("ranking.window", window=window),
        basis(found.voice, (measure,)),
    )


def limits(found: Found) -> str:
    """The clusters nearest to the red limit of a measure that has one."""
    measures = [measure for measure in LIMITED if f"limit:{measure.key}" in found.outcomes]
    sheets = {measure: found.sheet(f"limit:{measure.key}") for measure in measures}
    near = [(share, level) for sheet in sheets.values() for level in levels(found, sheet) if (share := _used(level))]
    near.sort(key=lambda entry: -entry[0])
    voice = found.voice
    gaps = [gap(voice, found.failed(f"limit:{one.key}"), capital(voice.own(one.noun))) for one in measures]
    if not near:
        return paragraphs(found.say("limits.unread" if any(gaps) else "limits.none"), *gaps)
    beyond, nearest = bad([level for _, level in near]), near[0][1]
    shown = [level for _, level in near[: min(found.intent.limit, MAX_ROWS)]]
    clusters = max(sheet.first.number("total") or 0 for sheet in sheets.values())
    return paragraphs(
        found.say(
            "limits.opening",
            beyond=voice.count(len(beyond), "measurement"),
            name=CLUSTER.cell(nearest.row),
            level=f"{nearest.noun} {nearest.text}",
        ),
        _near_table(found, shown),
        found.say("limits.shown", shown=len(shown), clusters=voice.count(clusters, "cluster")),
        basis(voice, (level.measure for level in shown)),
        forecasts(found),
        advice(found, beyond),
        *gaps,
    )


def _near_table(found: Found, near: list[Level]) -> str:
    def red(level: Level) -> str:
        return found.voice.figure(_red(level), level.measure.unit)

    lines = [
        (CLUSTER.cell(level.row), ID.cell(level.row), level.noun, level.judged, red(level), level.course)
        for level in near
    ]
    return table(found.voice, ("cluster", "id", "measure", "now", "critical_at", "near_course"), lines)


def _used(level: Level) -> float:
    """How much of the way to the red limit is used; a percentage of its scale where the rules give no limit."""
    red = _red(level)
    if level.measure.unit != "%":
        return level.value / red if red else 0.0
    red = 100.0 if red is None else red
    return (100 - level.value) / (100 - red) if level.measure.low_is_bad and red < 100 else level.value / red


def _red(level: Level) -> float | None:
    threshold = level.threshold
    return None if threshold is None or isinf(threshold.red) else threshold.red
