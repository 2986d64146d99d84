"""Hourly values that are averaged or added up as they are stored: wrong for counters, often wrong for gauges."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from mcp_server.lint.scope import Scope

_SNAPSHOTS = ("metrics.amv_hourly_snapshots_v1", "metrics.metrics_hourly_view_v6")
_VALUES = {"avg_value", "max_value", "min_value", "last_value"}


@dataclass(frozen=True, slots=True)
class RawAggregate:
    """A metric whose hourly values are averaged or added up; `over_hours` says that hours are added together."""

    metric: str
    function: str
    over_hours: bool

    def caveat(self, kind: str) -> str:
        """What is wrong with it for a metric of this kind (gauge, counter, …), or nothing."""
        if kind == "counter":
            return f"{self.metric} is a counter: not {self.function} but the sum of positive differences of last_value"
        if kind == "gauge" and self.over_hours:
            return f"{self.metric} is a gauge: a SUM over hours grows with their number; use AVG or MAX"
        return ""


def raw_aggregates(scope: Scope) -> Iterator[RawAggregate]:
    """SUM and AVG of hourly values as stored; a difference, a ratio of sums and a window function are not raw."""
    if not scope.reads(_SNAPSHOTS):
        return
    everywhere = _metrics(scope.select.args.get("where"))
    hourly = _is_by_hour(scope.select)
    for call in scope.own(exp.Sum, exp.Avg):
        names = {column.name for column in call.find_all(exp.Column)}
        if names & _VALUES and not call.find(exp.Window, exp.Sub) and not call.find_ancestor(exp.Div):
            for metric in sorted(_metrics(call) or everywhere):
                yield RawAggregate(metric, call.key.upper(), isinstance(call, exp.Sum) and not hourly)


def _metrics(node: exp.Expr | None) -> set[str]:
    """The metric names that the node compares `metric_name` with."""
    comparisons = node.find_all(exp.EQ, exp.In) if node is not None else ()
    named = (one for one in comparisons if isinstance(one.this, exp.Column) and one.this.name == "metric_name")
    return {literal.name for one in named for literal in one.find_all(exp.Literal) if literal.is_string}


def _is_by_hour(select: exp.Select) -> bool:
    """Whether every hour stays a row of its own, or only one is read."""
    group = select.args.get("group")
    keys = [_meant(key, select) for key in group.expressions] if group is not None else []
    where = select.args.get("where")
    only = [node.this for node in where.find_all(exp.EQ)] if where is not None else []
    return any(isinstance(key, exp.Column) and key.name == "snapshot_hour" for key in keys + only)


def _meant(key: exp.Expr, select: exp.Select) -> exp.Expr:
    """The expression behind a grouping key that is a position or an alias."""
    if isinstance(key, exp.Literal) and key.name.isdigit() and 0 < int(key.name) <= len(select.expressions):
        chosen: exp.Expr = select.expressions[int(key.name) - 1]
        return chosen.unalias()
    aliased = (column.this for column in select.expressions if isinstance(column, exp.Alias) and not _owned(key))
    return next((this for this in aliased if this.parent.alias == key.name), key)


def _owned(key: exp.Expr) -> bool:
    return isinstance(key, exp.Column) and bool(key.table)
