"""Rules for dates: StarRocks reads strings as moments everywhere, counts whole units, and starts the week on Sunday."""

from __future__ import annotations

from sqlglot import exp

from sandbox.dialect.rule import Node, Rule, call
from sandbox.errors import analysis, unknown_function

# StarRocks counts slices from here, DuckDB from 2000-01-03: seven-day slices would begin on other days.
_ORIGIN = "0001-01-01 00:00:00"
_TAKES_MOMENT = (
    exp.DateTrunc,
    exp.TimestampTrunc,
    exp.Hour,
    exp.Minute,
    exp.Second,
    exp.Quarter,
    exp.LastDay,
    exp.Year,
    exp.Month,
    exp.Day,
    exp.DayOfYear,
    exp.WeekOfYear,
    exp.Dayname,
    exp.DateAdd,
    exp.DateSub,
    exp.TimestampAdd,
    exp.AddMonths,
    exp.TimeToStr,
)
_NOW = (exp.CurrentTimestamp, exp.Localtimestamp, exp.UtcTimestamp, exp.CurrentDatetime)


def moment(node: exp.Expr) -> exp.Expr:
    """`node` as a moment; text that is none becomes NULL."""
    return exp.TryCast(this=node.copy(), to=exp.DataType.build("timestamp"))


def _is_text(node: object) -> bool:
    return isinstance(node, exp.Literal) and node.is_string


def strings_are_moments(node: Node) -> Node:
    """A string given to a date function is a moment, not a day."""
    inner = node.this if isinstance(node, _TAKES_MOMENT) else None
    # The parser adds a cast to DATE by itself, which would lose the time of day.
    if isinstance(inner, exp.Cast) and _is_text(inner.this):
        inner = inner.this
    if inner is not None and _is_text(inner):
        node.set("this", moment(inner))
    return node


def arithmetic_on_strings(node: Node) -> Node:
    """`'2026-01-01' + INTERVAL 1 DAY`."""
    if isinstance(node, exp.Add | exp.Sub) and isinstance(node.expression, exp.Interval) and _is_text(node.this):
        node.set("this", moment(node.this))
    return node


def whole_units(node: Node) -> Node:
    """datediff counts midnights; date_diff and timestampdiff count whole units, DuckDB's date_diff counts borders."""
    if not isinstance(node, exp.DateDiff | exp.TimestampDiff):
        return node
    unit = node.args.get("unit")
    if isinstance(node, exp.DateDiff) and unit is None:
        day = exp.DataType.build("date")
        ends = [exp.cast(moment(end), day) for end in (node.expression, node.this)]
        return call("date_diff", exp.Literal.string("day"), *ends)
    name = unit.name.lower() if unit is not None else "day"
    return call("date_sub", exp.Literal.string(name), moment(node.expression), moment(node.this))


def weeks_start_on_sunday(node: Node) -> Node:
    """dayofweek is 1 on Sunday; DuckDB's is 0."""
    if not isinstance(node, exp.DayOfWeek):
        return node
    inner = node.this.this if isinstance(node.this, exp.Cast | exp.TsOrDsToDate) else node.this
    return exp.paren(exp.Add(this=call("dayofweek", moment(inner)), expression=exp.Literal.number(1)))


def weeks_of_the_year(node: Node) -> Node:
    """week(x) is mode 0 of MySQL: weeks start on Sunday, days before the first one are in week 0."""
    if not isinstance(node, exp.Week):
        return node
    if node.args.get("mode") is not None:
        raise analysis("week takes no mode in the sandbox")
    inner = node.this.this if isinstance(node.this, exp.Cast | exp.TsOrDsToDate) else node.this
    return exp.cast(call("strftime", moment(inner), exp.Literal.string("%U")), "int")


def extracts_from_text(node: Node) -> Node:
    """`EXTRACT(YEAR FROM '2026-01-01')`."""
    if isinstance(node, exp.Extract) and _is_text(node.expression):
        node.set("expression", moment(node.expression))
    return node


def slices_of_moments(node: Node) -> Node:
    """time_slice on text; slices are anchored at the year 1 and end exclusively with CEIL."""
    if not isinstance(node, exp.TimeSlice):
        return node
    unit = node.args["unit"].name.lower()
    width = call("to_" + unit + "s", exp.cast(node.expression.copy(), "int"))
    start = call("time_bucket", width, moment(node.this), exp.cast(exp.Literal.string(_ORIGIN), "timestamp"))
    kind = node.args.get("kind")
    return exp.Add(this=start, expression=width.copy()) if kind is not None and kind.name == "END" else start


def now_is_utc(node: Node) -> Node:
    """The present moment, in UTC and whole seconds."""
    if isinstance(node, _NOW) or (isinstance(node, exp.Anonymous) and node.name.lower() == "now"):
        return call("sr_now")
    return node


def seconds_since_epoch(node: Node) -> Node:
    """from_unixtime gives text."""
    if not isinstance(node, exp.UnixToTime):
        return node
    pattern = node.args.get("format")
    return call("sr_from_unixtime", node.this.copy(), *([pattern.copy()] if pattern is not None else []))


def unreadable_dates_are_null(node: Node) -> Node:
    """str_to_date gives NULL for text that does not match."""
    if not isinstance(node, exp.StrToTime | exp.StrToDate):
        return node
    pattern = node.args.get("format")
    if pattern is None:
        raise unknown_function("str_to_date")
    return call("try_strptime", node.this.copy(), pattern.copy())


def days_of_text(node: Node) -> Node:
    """date(x) and to_date(x) on text that holds a time of day."""
    if isinstance(node, exp.TsOrDsToDate):
        return call("to_date", node.this.copy())
    return node


# strings_are_moments leads: the rules below expect moments where they are given text.
RULES: tuple[Rule, ...] = (
    strings_are_moments,
    arithmetic_on_strings,
    whole_units,
    weeks_start_on_sunday,
    weeks_of_the_year,
    extracts_from_text,
    slices_of_moments,
    now_is_utc,
    seconds_since_epoch,
    unreadable_dates_are_null,
    days_of_text,
)
