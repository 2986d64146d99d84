"""Answers about one measure: its course over time, who leads it, and who comes near its limit."""

from collections.abc import Iterator
from math import inf

from agent.rules_only.envelope import Row, Sheet
from agent.rules_only.measures import BY_KEY, LIMITED, LOW_IS_BAD, Measure
from agent.rules_only.plan import identity
from agent.rules_only.queries import RECENT_HOURS
from agent.rules_only.writing.apologies import gap, unavailable, unresolved
from agent.rules_only.writing.figures import count, figure, freshness, moment, move, reach, slope, span
from agent.rules_only.writing.found import Found
from agent.rules_only.writing.markdown import CLUSTER, CUSTOMER, ID, Column, listing, paragraphs, safe

_WEEK_DAYS = 7
_WHOLE_DAY = 20


def course(found: Found) -> str:
    """A measure over time, of one cluster or of the fleet."""
    if found.intent.clusters and (failure := found.failed("info:0")):
        return unresolved(found.intent, failure)
    if failure := found.failed("series"):
        return unavailable(failure)
    measure = found.intent.measure or BY_KEY["p99_latency_ms"]
    who = identity(found.outcome("info:0")) if found.intent.clusters else None
    subject = safe(who.name, 48) if who else "the fleet's active clusters"
    sheet, window = found.sheet("series"), span(found.intent.hours)
    if not sheet.rows:
        return paragraphs(
            f"**No {measure.noun} of {subject} in the {window} up to the newest metrics.** Missing data is not health.",
            freshness(found.outcome("freshness")),
        )
    return paragraphs(
        _course_opening(measure, subject, sheet, window),
        _course_table(measure, sheet, fleet=who is None),
        _verdict(found, measure, sheet) if who else "",
        paragraphs("Who leads it:", _ranked(found, measure, 6)) if who is None else "",
        freshness(found.outcome("freshness")),
    )


def _whole(sheet: Sheet) -> tuple[Row, ...]:
    """The days with nearly all their hours, when there are two of them: half a day compares badly with a whole one."""
    whole = tuple(row for row in sheet if (row.number("hours") or 0) >= _WHOLE_DAY)
    return whole if len(whole) > 1 else sheet.rows


def _course_opening(measure: Measure, subject: str, sheet: Sheet, window: str) -> str:
    means = [value for row in _whole(sheet) if (value := row.number("mean")) is not None]
    noun = measure.noun[0].upper() + measure.noun[1:]
    if not means:
        return f"**{noun} of {subject} has no value in the last {window}.**"
    moved = move(means[0], means[-1], measure.unit) if len(means) > 1 else figure(means[-1], measure.unit)
    low = measure.key in LOW_IS_BAD
    column, end = ("lowest", "lowest hour") if low else ("peak", "peak hour")
    worst = (min if low else max)(sheet, key=lambda row: _sortable(row.number(column), low=low))
    extreme = f"{end} {figure(worst.number(column), measure.unit)}, in the period of {moment(worst.text('period'))}"
    return f"**{noun} of {subject}, last {window}: {moved}; {extreme}.**"


def _sortable(value: float | None, *, low: bool) -> float:
    return (inf if low else -inf) if value is None else value


def _course_table(measure: Measure, sheet: Sheet, *, fleet: bool) -> str:
    """At most 12 rows, spread evenly, the newest always among them."""
    step = -(-len(sheet) // 12)
    kept = Sheet(sheet.columns, sheet.rows[::-1][::step][::-1])
    columns = [
        Column("From", lambda row: moment(row.text("period"))),
        Column("Mean", lambda row: figure(row.number("mean"), measure.unit)),
        Column("Lowest hour", lambda row: figure(row.number("lowest"), measure.unit)),
        Column("Highest hour", lambda row: figure(row.number("peak"), measure.unit)),
    ]
    if fleet:
        columns.append(Column("Clusters", lambda row: figure(row.number("clusters"))))
    return listing(columns, kept, total=len(sheet))


def _verdict(found: Found, measure: Measure, sheet: Sheet) -> str:
    threshold = found.thresholds.get(measure.key)
    value = sheet.rows[-1].number("mean")
    if threshold is None or value is None:
        return ""
    limits = f"Warning {figure(threshold.warning, measure.unit)}, Critical {figure(threshold.red, measure.unit)}"
    level = threshold.level(value)
    points = [(float(day), mean) for day, row in enumerate(_whole(sheet)) if (mean := row.number("mean")) is not None]
    per_day = slope(points) if found.intent.hours > 48 else None
    ahead = reach(measure, value, per_day, threshold.red, falling=threshold.falling)
    text = f"By the rules ({limits}) this is {level or 'within limits'}" + (f"; {ahead}" if ahead else "") + "."
    return f"{text} What to do: {threshold.advice}." if level and threshold.advice else text


def _ranked(found: Found, measure: Measure, limit: int) -> str:
    sheet = found.sheet("ranking")
    columns = (
        CLUSTER,
        ID,
        CUSTOMER,
        Column(f"Last {RECENT_HOURS} h", lambda row: _judged(found, measure, row)),
        Column("Worst hour", lambda row: figure(row.number("peak"), measure.unit)),
        Column("First → last day", lambda row: move(row.number("first_day"), row.number("last_day"), measure.unit)),
    )
    return listing(columns, sheet, limit=limit, total=sheet.first.number("clusters"))


def _judged(found: Found, measure: Measure, row: Row) -> str:
    value, threshold = row.number("latest"), found.thresholds.get(measure.key)
    level = threshold.level(value) if threshold is not None and value is not None else ""
    return figure(value, measure.unit) + (f" ({level})" if level else "")


def ranking(found: Found) -> str:
    """The active clusters by a measure."""
    if failure := found.failed("ranking"):
        return unavailable(failure)
    measure = found.intent.measure or BY_KEY["p99_latency_ms"]
    sheet = found.sheet("ranking")
    window = span(max(found.intent.hours, 48))
    if not sheet.rows:
        return paragraphs(
            f"**No active cluster sent {measure.noun} in the last {window}.** Missing data is not health.",
            freshness(found.outcome("freshness")),
        )
    first = sheet.first
    end = "lowest" if found.intent.ascending or measure.key in LOW_IS_BAD else "highest"
    opening = (
        f"**{safe(first.text('cluster_name'), 48)} has the {end} {measure.noun}:"
        f" {figure(first.number('latest'), measure.unit)} in the last {RECENT_HOURS} h.**"
    )
    return paragraphs(
        opening,
        _ranked(found, measure, found.intent.limit),
        f"Worst hour and course are of the last {window}.",
        freshness(found.outcome("freshness")),
    )


def limits(found: Found) -> str:
    """The clusters nearest to the red limit of a measure that has one, with the days left on their present course."""
    measures = [measure for measure in LIMITED if f"limit:{measure.key}" in found.outcomes]
    near: list[tuple[float, Measure, Row]] = []
    for measure in measures:
        near += [
            (share, measure, row)
            for row in found.sheet(f"limit:{measure.key}")
            if (share := _share(found, measure, row))
        ]
    near.sort(key=lambda entry: -entry[0])
    gaps = [gap(found.failed(f"limit:{measure.key}"), measure.noun.capitalize()) for measure in measures]
    if not near:
        return paragraphs("**Nothing to rank: no cluster sent the measures with a limit.**", *gaps)
    share, measure, row = near[0]
    beyond = sum(_beyond_warning(found, measure, row) for _, measure, row in near)
    opening = (
        f"**{count(beyond, 'measurement')} beyond a warning limit; nearest to its limit:"
        f" {safe(row.text('cluster_name'), 48)}, {measure.noun} {figure(row.number('latest'), measure.unit)}.**"
    )
    shown = min(found.intent.limit, 12, len(near))
    ranked = max(found.first(f"limit:{measure.key}").number("clusters") or 0 for measure in measures)
    lines = ["| Cluster | Id | Measure | Last 3 h | Critical at | Course |", "| --- | --- | --- | --- | --- | --- |"]
    lines += list(_near_lines(found, near[:shown]))
    return paragraphs(
        opening,
        "\n".join(lines),
        f"The nearest {shown} of {count(ranked, 'cluster')} by each measure; the course runs from the first of 8 days.",
        _advice(found, near),
        *gaps,
        freshness(found.outcome("freshness")),
    )


def _near_lines(found: Found, near: list[tuple[float, Measure, Row]]) -> Iterator[str]:
    for _, measure, row in near:
        first, last = row.number("first_day"), row.number("last_day")
        latest, threshold = row.number("latest") or 0.0, found.thresholds.get(measure.key)
        per_day = (last - first) / _WEEK_DAYS if first is not None and last is not None else None
        ahead = reach(measure, latest, per_day, threshold.red, falling=threshold.falling) if threshold else ""
        words = "; ".join(part for part in (move(first, last, measure.unit), ahead) if part)
        red = figure(threshold.red, measure.unit) if threshold else "–"
        cells = (CLUSTER.cell(row), ID.cell(row), measure.noun, _judged(found, measure, row), red, words)
        yield "| " + " | ".join(cells) + " |"


def _share(found: Found, measure: Measure, row: Row) -> float:
    """How much of the way to the red limit is used; a percentage of its scale where the rules give no limit."""
    value, threshold = row.number("latest"), found.thresholds.get(measure.key)
    if value is None:
        return 0.0
    if measure.unit == "%":
        used = 100 - value if measure.key == "memory_available_pct" else value
        red = threshold.red if threshold else 100.0
        return used / (100 - red if threshold and threshold.falling else red)
    return value / threshold.red if threshold else 0.0


def _beyond_warning(found: Found, measure: Measure, row: Row) -> bool:
    value, threshold = row.number("latest"), found.thresholds.get(measure.key)
    return value is not None and threshold is not None and bool(threshold.level(value))


def _advice(found: Found, near: list[tuple[float, Measure, Row]]) -> str:
    keys = dict.fromkeys(measure.key for _, measure, row in near if _beyond_warning(found, measure, row))
    lines = [
        f"- {BY_KEY[key].noun}: {threshold.advice}"
        for key in keys
        if (threshold := found.thresholds.get(key)) is not None and threshold.advice
    ]
    return paragraphs("What to do:", "\n".join(lines)) if lines else ""
