"""The rule on size of results: every statement carries a LIMIT of at most one row more than will be shown."""

from sqlglot import exp

from mcp_server.errors import Code, Refusal
from mcp_server.grammar import GRAMMAR


def with_limit(root: exp.Query, max_rows: int) -> None:
    """Limit the statement to `max_rows + 1`: the row too many tells a cut result from a complete one.

    A smaller LIMIT of the statement's own stays. Raises Refusal when its LIMIT or OFFSET is no plain number.
    """
    offset = root.args.get("offset")
    if offset is not None:
        _number(offset)
    own = root.args.get("limit")
    if own is not None and _number(own) <= max_rows:
        return
    root.set("limit", exp.Limit(expression=exp.Literal.number(max_rows + 1)))


def _number(clause: exp.Expr) -> int:
    value = clause.expression
    if isinstance(value, exp.Literal) and not value.is_string and value.name.isdigit():
        return int(value.name)
    hint = "write LIMIT 100"
    raise Refusal(
        "limit", Code.BAD_ARGUMENT, "LIMIT and OFFSET take a plain number", part=GRAMMAR.shown(clause), hint=hint
    )
