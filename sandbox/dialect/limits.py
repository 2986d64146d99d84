"""Rules for functions that DuckDB has as well, and that differ only at the edges: no part, no row, NULL, a fraction."""

from __future__ import annotations

from sqlglot import exp

from sandbox.dialect.rule import Node, Rule, call

_WHOLE = exp.DataType.INTEGER_TYPES
_MACROS: dict[type[exp.Expr], str] = {
    exp.Left: "strleft",
    exp.Right: "strright",
    exp.SplitPart: "sr_split_part",
    exp.ArrayContains: "sr_array_contains",
    exp.ArrayPosition: "sr_array_position",
    exp.ArrayRemove: "sr_array_remove",
    exp.ArraySort: "sr_array_sort",
}


def edges_of_their_own(node: Node) -> Node:
    """What is asked for and not there is NULL, an empty text or 0, as each function has it."""
    name = _MACROS.get(type(node))
    if name is None:
        return node
    named = (node.args.get(key) for key in node.arg_types)
    return call(name, *[part.copy() for part in named if isinstance(part, exp.Expr)])


def nothing_stands_at_zero(node: Node) -> Node:
    """substring from 0 is empty; DuckDB begins at 1."""
    if not isinstance(node, exp.Substring) or (start := node.args.get("start")) is None:
        return node
    if isinstance(start, exp.Literal) and start.name != "0":
        return node
    parts = (node.this, start, node.args.get("length"))
    return call("sr_substring", *[part.copy() for part in parts if part is not None])


def backslashes_escape(node: Node) -> Node:
    r"""`LIKE 'a\_c'` looks for an underscore without being told what escapes."""
    if not isinstance(node, exp.Like) or isinstance(node.parent, exp.Escape):
        return node
    pattern = node.expression
    if isinstance(pattern, exp.Literal) and (pattern.name.count("\\") == 0 or pattern.name.endswith("\\")):
        return node
    return exp.Escape(this=node.copy(), expression=exp.Literal.string("\\"))


def counts_are_never_null(node: Node) -> Node:
    """count_if of no rows is 0."""
    if not isinstance(node, exp.CountIf):
        return node
    return exp.Count(this=exp.Case(ifs=[exp.If(this=node.this.copy(), true=exp.Literal.number(1))]))


def fractions_are_cut_off(node: Node) -> Node:
    """A cast to a whole number cuts a fraction off; DuckDB rounds."""
    if isinstance(node, exp.Cast | exp.TryCast) and node.to.this in _WHOLE and not isinstance(node.this, exp.Literal):
        node.set("this", call("sr_whole", node.this.copy()))
    return node


RULES: tuple[Rule, ...] = (
    edges_of_their_own,
    nothing_stands_at_zero,
    backslashes_escape,
    counts_are_never_null,
    fractions_are_cut_off,
)
