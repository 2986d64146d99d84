"""What sqlglot reads but StarRocks does not: refused, so that a query that works here works there too."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from sandbox.errors import StatementError, analysis, syntax

_FOREIGN_TOKENS = {TokenType.DCOLON, TokenType.PLACEHOLDER, TokenType.COLON_EQ}
_FOREIGN_NODES = (exp.Into, exp.Lock, exp.Pivot, exp.TableSample)


def check_tokens(tokens: Sequence[Token]) -> None:
    """Raise 1064 for `::`, `?`, `{…}` that is no map, and `FROM` or `TABLE` in place of a query."""
    if tokens[0].text.upper() == "TABLE":
        raise syntax("Unexpected input 'TABLE'")
    for token in tokens:
        if token.token_type in _FOREIGN_TOKENS:
            raise syntax(f"Unexpected input '{token.text}'")
    for before, token in pairwise(tokens):
        if token.token_type is TokenType.L_BRACE and before.text.upper() not in ("MAP", ">"):
            raise syntax("Unexpected input '{'")


def check_tree(tree: exp.Expr) -> None:
    """Raise 1064 for calls without their arguments, 1235 for clauses that the sandbox does not have."""
    for node in tree.walk():
        if isinstance(node, _FOREIGN_NODES):
            raise StatementError(1235, f"{node.key.upper()} is not supported by the sandbox", "42000")
        if isinstance(node, exp.Star) and (node.args.get("replace") or node.args.get("rename")):
            raise syntax("Unexpected input after '*'")
        if isinstance(node, exp.Func | exp.TimeUnit) and node.error_messages():
            raise analysis(f"No matching function with signature: {node.key.lower()}()")
