"""Which function calls are accepted: the names of functions.txt, checked on tokens and again on the tree.

DuckDB knows hundreds of functions that StarRocks lacks; a query that uses one must fail here as it would there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from itertools import pairwise

from sqlglot import exp
from sqlglot.parser import Parser
from sqlglot.tokenizer_core import Token, TokenType

from sandbox.errors import unknown_function

_CALLABLE = {TokenType.VAR, TokenType.IDENTIFIER}


@cache
def allowed() -> frozenset[str]:
    """The lower-case names of all accepted functions."""
    return _words("functions.txt")


@cache
def _structure() -> frozenset[str]:
    return _words("structure.txt")


def _words(file: str) -> frozenset[str]:
    lines = (files(__package__) / file).read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def check(tokens: Sequence[Token], tree: exp.Expr) -> None:
    """Raise 1064 for the first call of a function that is not accepted."""
    names = _named_lists(tree)
    for token, following in pairwise(tokens):
        if following.token_type is TokenType.L_PAREN and _calls(token) and token.text.lower() not in names:
            _accept(token.text)
    for call in tree.find_all(exp.Anonymous, exp.AnonymousAggFunc):
        _accept(call.name)


def _accept(name: str) -> None:
    if name.lower() not in allowed():
        raise unknown_function(name.lower())


def _calls(token: Token) -> bool:
    if token.token_type in _CALLABLE:
        return True
    word = token.text.lower()
    return word.isidentifier() and word not in _structure() and token.token_type not in Parser.TYPE_TOKENS


def _named_lists(tree: exp.Expr) -> frozenset[str]:
    """Names followed by a list of columns: `WITH a (x) AS`, `AS t (x)`, `INSERT INTO t (x)`."""
    aliases = [node.name for node in tree.find_all(exp.TableAlias) if node.args.get("columns")]
    targets = [node.this.name for node in tree.find_all(exp.Schema) if isinstance(node.this, exp.Table)]
    return frozenset(name.lower() for name in aliases + targets)
