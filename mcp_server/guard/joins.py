"""The rule on joins: two tables meet on a condition that binds them, so no statement multiplies the fleet by itself."""

from sqlglot import exp

from mcp_server.errors import Code, Refusal
from mcp_server.grammar import GRAMMAR
from mcp_server.guard.sources import unfolds
from mcp_server.guard.statement import Statement

_COMPARISONS = (exp.EQ, exp.NullSafeEQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.Like, exp.In)


def refuse_unbound_joins(statement: Statement) -> None:
    """Refuse a join without USING, or whose ON compares no column of one side with one of the other.

    A join with UNNEST or the like, or with a subquery that has exactly one row, needs no condition.
    """
    for join in statement.of(exp.Join):
        if join.args.get("using") or _has_few_rows(join.this, join):
            continue
        condition = join.args.get("on")
        if condition is None or not _binds(condition):
            part = GRAMMAR.shown(join)
            hint = "write JOIN … ON a.key = b.key; only a subquery with one row may be cross joined"
            raise Refusal("join", Code.READ_ONLY, "the join has no condition between its sides", part=part, hint=hint)


def _binds(condition: exp.Expr) -> bool:
    if isinstance(condition, exp.Paren):
        return _binds(condition.this)
    if isinstance(condition, exp.And):
        return _binds(condition.left) or _binds(condition.right)
    if isinstance(condition, exp.Or):
        return _binds(condition.left) and _binds(condition.right)
    return isinstance(condition, _COMPARISONS) and len(_sources(condition)) > 1


def _sources(comparison: exp.Expr) -> set[str]:
    """What the comparison's columns belong to; a column without a table counts as a source of its own."""
    columns = comparison.find_all(exp.Column)
    return {column.table or f".{column.name}" for column in columns}


def _has_few_rows(source: exp.Expr | None, join: exp.Join) -> bool:
    if unfolds(source):
        return True
    if isinstance(source, exp.Subquery):
        return _is_single_row(source.this)
    if isinstance(source, exp.Table) and not source.db:
        return _is_single_row(_definition(source.name, join))
    return False


def _definition(name: str, node: exp.Expr) -> exp.Expr | None:
    parent: exp.Expr | None = node
    while parent is not None:
        clause = parent.args.get("with_")
        found = next((cte for cte in clause.expressions if cte.alias == name), None) if clause else None
        if found is not None:
            return found.this if isinstance(found.this, exp.Expr) else None
        parent = parent.parent
    return None


def _is_single_row(query: exp.Expr | None) -> bool:
    """Whether a SELECT has one row by its form: aggregates without GROUP BY, no table at all, or LIMIT 1."""
    if not isinstance(query, exp.Select) or query.args.get("group"):
        return False
    limit = query.args.get("limit")
    if isinstance(limit, exp.Limit) and isinstance(limit.expression, exp.Literal) and limit.expression.name == "1":
        return True
    if query.args.get("from_") is None:
        return True
    return all(_is_aggregate(column) for column in query.expressions)


def _is_aggregate(column: exp.Expr) -> bool:
    plain = column.unalias()
    return plain.find(exp.AggFunc) is not None and plain.find(exp.Window) is None
