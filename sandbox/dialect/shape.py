"""Rules for the shape of a statement: table functions, the default catalogue."""

from __future__ import annotations

from sqlglot import exp

from sandbox.dialect.rule import Node, Rule
from sandbox.errors import StatementError

INFORMATION_SCHEMA = "_information_schema"
"""DuckDB has an own information_schema that cannot be replaced; ours stands beside it."""


def table_functions(node: Node) -> Node:
    """`TABLE(generate_series(1, 5))` is the function itself."""
    if isinstance(node, exp.TableFromRows):
        return exp.Table(this=node.this.copy(), alias=node.args.get("alias"))
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Anonymous) and node.this.name.upper() == "TABLE":
        node.set("this", node.this.expressions[0].copy())
    return node


def one_catalogue(node: Node) -> Node:
    """`default_catalog.db.t` is `db.t`; other catalogues do not exist."""
    if isinstance(node, exp.Table) and node.catalog:
        if node.catalog.lower() != "default_catalog":
            raise StatementError(5078, f"Unknown catalog '{node.catalog}'", "42000")
        node.set("catalog", None)
    return node


def own_information_schema(node: Node) -> Node:
    """information_schema as StarRocks has it."""
    if isinstance(node, exp.Table) and node.db.lower() == "information_schema":
        node.set("db", exp.to_identifier(INFORMATION_SCHEMA))
    return node


RULES: tuple[Rule, ...] = (table_functions, one_catalogue, own_information_schema)
