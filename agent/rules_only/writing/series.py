"""Answers about one measure: its course over time, who leads it, and who comes near its limit."""

from math import inf

from agent.rules_only.envelope import Row, Sheet
from agent.rules_only.measures import DEFAULT, LIMITED, Measure
from agent.rules_only.plan import identity
from agent.rules_only.writing.apologies import charted, gap, no_chart, unavailable, unresolved
from agent.rules_only.writing.figures import count, figure, moment, move, span
from agent.rules_only.writing.found import Found
from agent.rules_only.writing.levels import Level, advice, bad, basis, level_of, levels, ranked
from agent.rules_only.writing.markdown import CLUSTER, ID, MAX_ROWS, Column, listing, paragraphs, safe
from agent.rules_only.writing.patrols import forecasts

_WHOLE_DAY = 20


def course(found: Found) -> str:
    """A measure over time, of one cluster or of the fleet."""
    if found.intent.clusters and (failure := found.failed("info:0")):
        return unresolved(found.intent, failure)
    if failure := found.failed("series"):
        return unavailable(failure)
    measure = found.intent.measure or DEFAULT
    who = identity(found.outcome("info:0")) if found.intent.clusters else None
    subject = safe(who.name, 48) if who else "the fleet's active clusters"
    sheet = found.sheet("series")
    if not sheet.rows:
        window = span(found.intent.hours)
        return (
            f"**No {measure.noun} of {subject} in the {window} up to the newest metrics.** Missing data is not health."
        )
    now = next(iter(levels(found, found.sheet("vitals"))), None) if who else None
    return paragraphs(
        _course_opening(found, measure, subject, now),
        no_chart(found),
        "" if charted(found) else _course_table(measure, sheet, fleet=who is None),
        _verdict(found, now) if now is not None else "",
        paragraphs("Who leads it:", ranked(found, found.sheet("ranking"), 6)) if who is None else "",
        basis((measure,)),
    )


def _whole(sheet: Sheet) -> tuple[Row, ...]:
    """The days with nearly all their hours, when there are two of them: half a day compares badly with a whole one."""
    whole = tuple(row for row in sheet if (row.number("hours") or 0) >= _WHOLE_DAY)
    return whole if len(whole) > 1 else sheet.rows


def _course_opening(found: Found, measure: Measure, subject: str, now: Level | None) -> str:
    sheet, window = found.sheet("series"), span(found.intent.hours)
    means = [value for row in _whole(sheet) if (value := row.number("mean")) is not None]
    noun = measure.noun[0].upper() + measure.noun[1:]
    if not means:
        return f"**{noun} of {subject} has no value in the last {window}.**"
    period = "hour" if found.intent.hours <= 48 else "day"
    ends = f"mean of the first {period} → {'now' if now else f'of the last {period}'}"
    moved = f"{move(means[0], now.value if now else means[-1], measure.unit)}, {ends}"
    column = "lowest" if measure.low_is_bad else "highest"
    worst = (min if measure.low_is_bad else max)(sheet, key=lambda row: _sortable(row.number(column), measure))
    extreme = (
        f"{column} hour {figure(worst.number(column), measure.unit)}, in the period of {moment(worst.text('period'))}"
    )
    level = f"{now.judged} now; " if now else ""
    return f"**{noun} of {subject}: {level}last {window} {moved}; {extreme}.**"


def _sortable(value: float | None, measure: Measure) -> float:
    return (inf if measure.low_is_bad else -inf) if value is None else value


def _course_table(measure: Measure, sheet: Sheet, *, fleet: bool) -> str:
    """At most 12 rows, spread evenly, the newest always among them."""
    kept = Sheet(sheet.columns, sheet.rows[::-1][:: -(-len(sheet) // MAX_ROWS)][::-1])
    columns = [
        Column("From", lambda row: moment(row.text("period"))),
        Column("Mean", lambda row: figure(row.number("mean"), measure.unit)),
        Column("Lowest hour", lambda row: figure(row.number("lowest"), measure.unit)),
        Column("Highest hour", lambda row: figure(row.number("highest"), measure.unit)),
    ]
    if fleet:
        columns.append(Column("Clusters", lambda row: figure(row.number("clusters"))))
    left_out = f"\n\n{len(kept)} of {len(sheet)} periods shown." if len(kept) < len(sheet) else ""
    return listing(columns, kept) + left_out


def _verdict(found: Found, now: Level) -> str:
    threshold = found.thresholds.get(now.measure.key)
    if threshold is None:
        return ""
    warning, red = (figure(limit, now.measure.unit) for limit in (threshold.warning, threshold.red))
    text = f"By the rules (Warning {warning}, Critical {red}) this is {now.severity or 'within limits'}."
    return f"{text} What to do: {threshold.advice}." if now.severity and threshold.advice else text


def ranking(found: Found) -> str:
    """The active clusters by a measure."""
    if failure := found.failed("ranking"):
        return unavailable(failure)
    measure, sheet = found.intent.measure or DEFAULT, found.sheet("ranking")
    window = span(max(found.intent.hours, 48))
    first = level_of(found, sheet.first)
    if first is None:
        return f"**No active cluster sent {measure.noun} in the last {window}.** Missing data is not health."
    end = "lowest" if found.intent.ascending or measure.low_is_bad else "highest"
    return paragraphs(
        f"**{CLUSTER.cell(first.row)} has the {end} {measure.noun}: {first.text} now.**",
        no_chart(found),
        ranked(found, sheet, found.intent.limit),
        f"Worst hour and first day (its mean) are of the last {window}.",
        basis((measure,)),
    )


def limits(found: Found) -> str:
    """The clusters nearest to the red limit of a measure that has one."""
    measures = [measure for measure in LIMITED if f"limit:{measure.key}" in found.outcomes]
    sheets = {measure: found.sheet(f"limit:{measure.key}") for measure in measures}
    near = [
        (share, level) for sheet in sheets.values() for level in levels(found, sheet) if (share := _used(found, level))
    ]
    near.sort(key=lambda entry: -entry[0])
    gaps = [gap(found.failed(f"limit:{measure.key}"), measure.noun.capitalize()) for measure in measures]
    if not near:
        reason = "the measures could not be read" if any(gaps) else "no cluster sent the measures with a limit"
        return paragraphs(f"**Nothing to rank: {reason}.**", *gaps)
    beyond, nearest = bad([level for _, level in near]), near[0][1]
    shown = [level for _, level in near[: min(found.intent.limit, MAX_ROWS)]]
    clusters = max(sheet.first.number("total") or 0 for sheet in sheets.values())
    return paragraphs(
        f"**{count(len(beyond), 'measurement')} beyond a warning limit; nearest to its limit:"
        f" {CLUSTER.cell(nearest.row)}, {nearest.measure.noun} {nearest.text} now.**",
        _near_table(found, shown),
        f"The nearest {len(shown)} of {count(clusters, 'cluster')} by each measure; the course runs from the mean of"
        " the first of 8 days to now.",
        basis(level.measure for level in shown),
        forecasts(found),
        advice(found, beyond),
        *gaps,
    )


def _near_table(found: Found, near: list[Level]) -> str:
    lines = ["| Cluster | Id | Measure | Now | Critical at | Course |", "| --- | --- | --- | --- | --- | --- |"]
    for level in near:
        threshold = found.thresholds.get(level.measure.key)
        red = figure(threshold.red if threshold else None, level.measure.unit)
        cells = (CLUSTER.cell(level.row), ID.cell(level.row), level.measure.noun, level.judged, red, level.course)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _used(found: Found, level: Level) -> float:
    """How much of the way to the red limit is used; a percentage of its scale where the rules give no limit."""
    threshold = found.thresholds.get(level.measure.key)
    if level.measure.unit != "%":
        return level.value / threshold.red if threshold else 0.0
    red = threshold.red if threshold else 100.0
    return (100 - level.value) / (100 - red) if level.measure.low_is_bad and red < 100 else level.value / red
