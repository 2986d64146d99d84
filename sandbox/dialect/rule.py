"""What a rule is: a function from one node of a StarRocks tree to the node that DuckDB needs in its place."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

Node = exp.Expr
Rule = Callable[[Node], Node]
"""Returns the node itself (perhaps changed), or another node to put in its place."""


def call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    """A call of the DuckDB function or macro `name`."""
    return exp.Anonymous(this=name, expressions=list(arguments))
