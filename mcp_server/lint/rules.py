"""The rules: each yields what a statement probably does not mean. A new one is a function and a line in RULES."""

import re
from collections.abc import Callable, Collection, Iterator

from sqlglot import exp

from mcp_server.grammar import GRAMMAR
from mcp_server.lint.scope import Scope

TIME_COLUMNS = {
    "metrics.amv_hourly_snapshots_v1": ("snapshot_hour",),
    "metrics.metrics_hourly_view_v6": ("snapshot_hour",),
    "metrics.metrics_table": ("event_time",),
    "alerts.lark_alerts": ("created_at_utc", "created_at"),
    "byoc.cluster_log": ("log_time",),
}
"""The big tables, and the columns of which one should be bounded in every question to them."""

_ALERTS = "alerts.lark_alerts"
_UUIDS = {"cluster_id", "resource_id", "region_id", "resource_node_id"}
_SHORT_IDS = {"account_id", "org_id"}
_BIZ_ID_SHAPES = {
    "byoc.clusters": "UUID",
    "byoc.accounts": "short id",
    "byoc.organizations": "short id",
    "metrics.v_customer_key_v2": "short id",
}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_BOUNDS = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.EQ, exp.Between, exp.In)
_PRESENT = (exp.CurrentTimestamp, exp.CurrentDate, exp.Localtimestamp, exp.UtcTimestamp)
_PRESENT_NAMES = {"now", "curdate", "utc_timestamp", "current_date", "current_timestamp", "localtimestamp"}


def _ids_of_the_wrong_shape(scopes: list[Scope]) -> Iterator[str]:
    for scope in scopes:
        for node in scope.own(exp.EQ, exp.In, exp.NEQ):
            sides = [node.this, *(node.expressions if isinstance(node, exp.In) else [node.args.get("expression")])]
            columns = [side for side in sides if isinstance(side, exp.Column)]
            shapes = [(column, _shape(column, scope)) for column in columns]
            known = [(column, shape) for column, shape in shapes if shape]
            if len({shape for _, shape in known}) > 1:
                names = " and ".join(f"{GRAMMAR.shown(column)} ({shape})" for column, shape in known)
                yield f"{names} hold ids of two shapes and never match"
            for literal in (side for side in sides if isinstance(side, exp.Literal) and side.is_string):
                yield from _misshapen(literal.name, known)


def _misshapen(value: str, columns: list[tuple[exp.Column, str]]) -> Iterator[str]:
    for column, shape in columns:
        if (shape == "UUID") != bool(_UUID.fullmatch(value)):
            advice = "a whole UUID; query_cluster_info finds it" if shape == "UUID" else "a short id of 9 characters"
            yield f"{column.name} never equals '{value[:40]}': it holds {advice}"


def _shape(column: exp.Column, scope: Scope) -> str:
    if column.name in _UUIDS:
        return "UUID"
    if column.name in _SHORT_IDS:
        return "short id"
    return _BIZ_ID_SHAPES.get(scope.owner(column), "") if column.name == "biz_id" else ""


def _pacific_times(scopes: list[Scope]) -> Iterator[str]:
    for scope in scopes:
        if not scope.reads((_ALERTS,)):
            continue
        for node in scope.own(*_BOUNDS):
            columns = [column for column in node.find_all(exp.Column) if column.name == "created_at"]
            of_alerts = any(scope.owner(column) == _ALERTS for column in columns)
            if of_alerts and _names_present(node) and not node.find(exp.ConvertTimezone):
                yield "lark_alerts.created_at is US/Pacific and now() is UTC: compare created_at_utc instead"


def _names_present(node: exp.Expr) -> bool:
    if node.find(*_PRESENT):
        return True
    return any(call.name.lower() in _PRESENT_NAMES for call in node.find_all(exp.Anonymous))


def _missing_time_bounds(scopes: list[Scope]) -> Iterator[str]:
    bounded = {column.name for scope in scopes for node in scope.own(*_BOUNDS) for column in _bounded(node)}
    for scope in scopes:
        for table in scope.tables.values():
            columns = TIME_COLUMNS.get(table, ())
            if columns and not bounded.intersection(columns) and not _asks_for_newest(scope.select, columns):
                yield f"{table} is read without a bound on {columns[0]}: all its history is in these rows"


def _bounded(node: exp.Expr) -> Iterator[exp.Column]:
    """The columns that a comparison holds against something other than a column."""
    # An equality of two columns is how tables meet; `snapshot_hour > newest.hour` is a bound.
    if not (isinstance(node, exp.EQ) and isinstance(node.this, exp.Column) and isinstance(node.expression, exp.Column)):
        yield from node.find_all(exp.Column)


def _asks_for_newest(select: exp.Select, columns: Collection[str]) -> bool:
    """Whether nothing is computed but the newest or oldest time, be it for each of something."""
    asked = [column.unalias() for column in select.expressions]
    computed = [column for column in asked if not isinstance(column, exp.Column)]
    return bool(computed) and all(isinstance(one, (exp.Max, exp.Min)) and one.this.name in columns for one in computed)


def _counted_alert_rows(scopes: list[Scope]) -> Iterator[str]:
    for scope in scopes:
        if scope.reads((_ALERTS,)) and any(not isinstance(count.this, exp.Distinct) for count in scope.own(exp.Count)):
            yield "lark_alerts repeats an alert about every 15 minutes and keeps copies: its rows are not incidents"


def _ignored_nulls(scopes: list[Scope]) -> Iterator[str]:
    for scope in scopes:
        for mean in scope.own(exp.Avg):
            column = mean.this
            if isinstance(column, exp.Column) and column.table in scope.outer:
                yield f"{GRAMMAR.shown(mean)} leaves out rows for which the join found nothing"


Rule = Callable[[list[Scope]], Iterator[str]]
RULES: tuple[Rule, ...] = (
    _ids_of_the_wrong_shape,
    _pacific_times,
    _missing_time_bounds,
    _counted_alert_rows,
    _ignored_nulls,
)
