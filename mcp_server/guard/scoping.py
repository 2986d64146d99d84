"""Narrowing a statement to a scope of accounts: each table becomes a derived table with the rows of these accounts."""

from functools import lru_cache

from sqlglot import exp

from mcp_server.errors import Code, Refusal
from mcp_server.grammar import GRAMMAR
from mcp_server.guard import tenancy
from mcp_server.guard.statement import Statement

_MOVED = ("joins", "laterals")


def narrow(statement: Statement, accounts: frozenset[str]) -> None:
    """Put `(SELECT * FROM t WHERE …) AS t` in the place of every base table, wherever it stands in the tree.

    To be called when all other rules have passed: every table then has its database, or is a name that the statement
    itself defines. Raises Refusal for tables that tell of several accounts at once.
    """
    for table in statement.of(exp.Table):
        name = f"{table.db}.{table.name}"
        if table.db and name not in tenancy.SHARED:
            _narrow(table, name, accounts)
    for column in statement.of(exp.Column):
        # The derived table is known by its alias alone: byoc.clusters.biz_id is clusters.biz_id now.
        column.set("db", None)
        column.set("catalog", None)


def _narrow(table: exp.Table, name: str, accounts: frozenset[str]) -> None:
    if name not in tenancy.OWNERSHIP:
        hint = "read tables that belong to one cluster or account"
        raise Refusal("scope", Code.PERMISSION, "this table is closed in this channel", part=name, hint=hint)
    alias = table.args.get("alias") or exp.TableAlias(this=table.this.copy())
    derived = exp.Subquery(this=_rows(name, accounts).copy(), alias=alias)
    for key in _MOVED:
        if table.args.get(key):
            derived.set(key, table.args[key])
    table.replace(derived)


@lru_cache(512)
def _rows(name: str, accounts: frozenset[str]) -> exp.Expr:
    (select,) = GRAMMAR.parse(f"SELECT * FROM {name} WHERE {tenancy.condition(name, accounts)}")
    if select is None:
        raise AssertionError(name)
    return select
