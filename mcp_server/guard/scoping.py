"""Narrowing a statement to a scope of accounts, or to the past: each table becomes a derived table with those rows."""

from functools import lru_cache

from sqlglot import exp

from mcp_server.errors import Code, Refusal
from mcp_server.grammar import GRAMMAR
from mcp_server.guard import past, tenancy
from mcp_server.guard.statement import Statement
from mcp_server.principal import Scope

_MOVED = ("joins", "laterals")


def narrow(statement: Statement, scope: Scope) -> None:
    """Put `(SELECT * FROM t WHERE …) AS t` in the place of every base table, wherever it stands in the tree.

    To be called when all other rules have passed: every table then has its database, or is a name that the statement
    itself defines. Raises Refusal for tables that tell of several accounts at once.
    """
    for table in statement.of(exp.Table):
        name = f"{table.db}.{table.name}"
        if table.db and (rows := _rows(name, scope)) is not None:
            _narrow(table, rows)
    for column in statement.of(exp.Column):
        # The derived table is known by its alias alone: byoc.clusters.biz_id is clusters.biz_id now.
        column.set("db", None)
        column.set("catalog", None)
    if scope.until is not None:
        past.set_present(statement, scope.until)


def _narrow(table: exp.Table, rows: exp.Expr) -> None:
    alias = table.args.get("alias") or exp.TableAlias(this=table.this.copy())
    derived = exp.Subquery(this=rows.copy(), alias=alias)
    for key in _MOVED:
        if table.args.get(key):
            derived.set(key, table.args[key])
    table.replace(derived)


@lru_cache(512)
def _rows(name: str, scope: Scope) -> exp.Expr | None:
    """What stands in the place of a table; None for the table itself."""
    conditions: list[str] = []
    if scope.accounts is not None and name not in tenancy.SHARED:
        if name not in tenancy.OWNERSHIP:
            hint = "read tables that belong to one cluster or account"
            raise Refusal("scope", Code.PERMISSION, "this table is closed in this channel", part=name, hint=hint)
        conditions.append(tenancy.condition(name, scope.accounts))
    if scope.until is not None and name in past.MOMENTS:
        conditions.append(past.condition(name, scope.until))
    if not conditions:
        return None
    (select,) = GRAMMAR.parse(f"SELECT * FROM {name} WHERE {' AND '.join(conditions)}")
    if select is None:
        raise AssertionError(name)
    return select
