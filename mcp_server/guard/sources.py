"""The rule on what rows come from: tables, derived tables, VALUES and UNNEST, and tables nowhere else."""

from sqlglot import exp

from mcp_server.errors import Code, Refusal
from mcp_server.grammar import GRAMMAR
from mcp_server.guard.statement import Statement

_SOURCES = (exp.Table, exp.Subquery, exp.Values, exp.Unnest, exp.Lateral)
_HOLDERS = (exp.From, exp.Join, exp.Subquery)
_TABLE_PARTS = frozenset({"this", "db", "catalog", "alias", "joins", "laterals"})


def refuse_odd_sources(statement: Statement) -> None:
    """Refuse FROM and JOIN of anything else (`t [_META_]`), tables out of place, and what a table may carry besides an
    alias: samples, partitions, versions, hints."""
    for clause in statement.of(exp.From, exp.Join):
        if not isinstance(clause.this, _SOURCES):
            raise _refusal(clause.this if isinstance(clause.this, exp.Expr) else clause)
    for table in statement.of(exp.Table):
        if not isinstance(table.parent, _HOLDERS):
            raise _refusal(table)
        if any(value for key, value in table.args.items() if key not in _TABLE_PARTS):
            raise _refusal(table)
    for lateral in statement.of(exp.Lateral):
        if not unfolds(lateral):
            raise _refusal(lateral)


def unfolds(source: exp.Expr | None) -> bool:
    """Whether a source makes rows of a value of the row beside it: UNNEST, LATERAL UNNEST, LATERAL JSON_EACH."""
    function = source.this if isinstance(source, exp.Lateral) else source
    if isinstance(source, exp.Lateral) and isinstance(function, exp.Anonymous):
        return function.name.lower() == "json_each"
    return isinstance(function, exp.Unnest)


def _refusal(node: exp.Expr) -> Refusal:
    part = GRAMMAR.shown(node)
    hint = "read database.table, a subquery, VALUES or UNNEST"
    return Refusal("source", Code.READ_ONLY, "this cannot be read from", part=part, hint=hint)
