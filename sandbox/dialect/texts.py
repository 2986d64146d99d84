"""Rules for texts, numbers, JSON and arrays, where sqlglot's translation changes the value or DuckDB differs."""

from __future__ import annotations

from sqlglot import exp

from sandbox.dialect.rule import Node, Rule, call
from sandbox.errors import unknown_function

# lambda functions: StarRocks puts the lambda first, DuckDB the list
_OF_LAMBDA = {
    "array_map": "list_transform",
    "any_match": "sr_any_match",
    "all_match": "sr_all_match",
}


def regexp_group(node: Node) -> Node:
    """The third argument of regexp_extract is the group, not a position."""
    if not isinstance(node, exp.RegexpExtract):
        return node
    group = node.args.get("group") or node.args.get("position") or exp.Literal.number(0)
    return call("regexp_extract", node.this.copy(), node.expression.copy(), group.copy())


def concat_is_null_strict(node: Node) -> Node:
    """concat takes any type, and one NULL makes all NULL."""
    if type(node) is not exp.Concat or not node.expressions:
        return node
    parts = [exp.cast(part.copy(), "text") for part in node.expressions]
    joined: exp.Expr = parts[0]
    for part in parts[1:]:
        joined = exp.DPipe(this=joined, expression=part)
    return exp.paren(joined)


def concat_ws_skips_nulls(node: Node) -> Node:
    """concat_ws leaves NULL values out."""
    if isinstance(node, exp.ConcatWs):
        return call("concat_ws", *[exp.cast(part.copy(), "text") for part in node.expressions])
    return node


def unhex_gives_text(node: Node) -> Node:
    """unhex is text, not bytes."""
    if isinstance(node, exp.Unhex):
        return call("sr_unhex", node.this.copy())
    return node


def whole_numbers(node: Node) -> Node:
    """ceil and floor give integers."""
    if isinstance(node, exp.Ceil | exp.Floor) and not node.args.get("decimals"):
        return exp.cast(call(node.key, node.this.copy()), "bigint")
    return node


def length_in_bytes(node: Node) -> Node:
    """length counts bytes, char_length characters."""
    if isinstance(node, exp.Length):
        return call("strlen" if node.args.get("binary") else "length", exp.cast(node.this.copy(), "text"))
    return node


def unreadable_casts_are_null(node: Node) -> Node:
    """CAST gives NULL where the value does not fit."""
    if type(node) is exp.Cast:
        return exp.TryCast(this=node.this.copy(), to=node.to.copy())
    return node


def lambda_last(node: Node) -> Node:
    """`array_map(x -> …, list)` and its like."""
    name = _OF_LAMBDA.get(node.name.lower()) if isinstance(node, exp.Anonymous) else None
    if name is not None and len(node.expressions) == 2:
        function, values = (part.copy() for part in node.expressions)
        return call(
            name, *((values, function) if name == "list_transform" else (call("list_transform", values, function),))
        )
    if isinstance(node, exp.ArrayFilter) and isinstance(node.this, exp.Lambda):
        return call("list_filter", node.expression.copy(), node.this.copy())
    return node


def slices_by_length(node: Node) -> Node:
    """array_slice takes an offset and a length."""
    if not isinstance(node, exp.ArraySlice):
        return node
    offset, length = node.args.get("start"), node.args.get("end")
    if offset is None or length is None:
        raise unknown_function("array_slice")
    return call("sr_array_slice", node.this.copy(), offset.copy(), length.copy())


def json_of_text(node: Node) -> Node:
    """`->` and json_query on text or JSON; what is no JSON gives NULL."""
    if isinstance(node, exp.JSONExtract):
        return call("json_query", node.this.copy(), exp.Literal.string(node.expression.sql("duckdb").strip("'")))
    if isinstance(node, exp.ParseJSON):
        return exp.TryCast(this=node.this.copy(), to=exp.DataType.build("json"))
    return node


RULES: tuple[Rule, ...] = (
    regexp_group,
    concat_is_null_strict,
    concat_ws_skips_nulls,
    unhex_gives_text,
    whole_numbers,
    length_in_bytes,
    unreadable_casts_are_null,
    lambda_last,
    slices_by_length,
    json_of_text,
)
