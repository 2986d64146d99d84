"""Regenerating a statement: small repairs to the tree where the parser's own rendering would change its meaning."""

from sqlglot import exp
from sqlglot.errors import SqlglotError

from mcp_server.errors import Code, Refusal
from mcp_server.grammar import GRAMMAR
from mcp_server.guard.statement import Statement

# Calls with too few or odd arguments make the library stumble over its own code; to the guard that is a refusal.
PARSER_FAULTS = (SqlglotError, AttributeError, IndexError, KeyError, TypeError, ValueError, NotImplementedError)
"""What the parser and the generator raise on texts that they do not understand."""

_INTERVALS: tuple[type[exp.Expr], ...] = (
    exp.Interval,
    exp.DateAdd,
    exp.DateSub,
    exp.TimestampAdd,
    exp.TimestampSub,
)


def regenerated(statement: Statement) -> str:
    """The statement as StarRocks text, without comments. The tree is used up by it: repaired in place and not copied.

    Raises Refusal when a part of it cannot be rendered.
    """
    try:
        _repair(statement)
        return GRAMMAR.write(statement.root)
    except PARSER_FAULTS as error:
        hint = "write it in another way; ORDER BY … NULLS FIRST needs a column name, not a position"
        raise Refusal("rendering", Code.SYNTAX, "this form cannot be rendered", part=str(error), hint=hint) from error


def _repair(statement: Statement) -> None:
    # StarRocks compares these units letter by letter; the parser turns them into upper case.
    for cut in statement.of(exp.TimestampTrunc, exp.DateTrunc):
        cut.replace(exp.Anonymous(this="DATE_TRUNC", expressions=[_lower_unit(cut), cut.this]))
    for difference in statement.of(exp.DateDiff):
        if difference.args.get("unit"):
            parts = [_lower_unit(difference), difference.this, difference.expression]
            difference.replace(exp.Anonymous(this="DATE_DIFF", expressions=parts))
    for node in statement.of(*_INTERVALS):
        _unquote_amount(node)


def _lower_unit(node: exp.Expr) -> exp.Literal:
    return exp.Literal.string(node.text("unit").lower())


def _unquote_amount(node: exp.Expr) -> None:
    """Turn `INTERVAL '1' DAY`, which the parser makes of `INTERVAL 1 DAY`, back into a number."""
    amount = node.args.get("this" if isinstance(node, exp.Interval) else "expression")
    if isinstance(amount, exp.Literal) and amount.is_string and amount.name.isdigit():
        amount.replace(exp.Literal.number(amount.name))
