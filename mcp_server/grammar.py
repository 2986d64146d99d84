"""The SQL that the guard reads and writes: StarRocks as sqlglot knows it, with MINUS and full-text predicates.

Nothing of the parser is subclassed: its compiled build, which takes a third of the time, allows that only to the
tokenizer and the dialect.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, ClassVar

from sqlglot import TokenType, exp
from sqlglot.dialects.starrocks import StarRocks
from sqlglot.errors import ErrorLevel, ParseError
from sqlglot.generator import Generator
from sqlglot.tokenizer_core import Token

# The parser takes these operators between two values, and no text of StarRocks has them: their tokens are free to
# stand for the full-text keywords, each of which then comes out as a node of the operator's class.
_FULL_TEXT: dict[str, tuple[TokenType, type[exp.Binary]]] = {
    "MATCH": (TokenType.GLOB, exp.Glob),
    "MATCH_ANY": (TokenType.OVERLAPS, exp.Overlaps),
    "MATCH_ALL": (TokenType.ADJACENT, exp.Adjacent),
}
_BORROWED = frozenset(token for token, _ in _FULL_TEXT.values())
_KINDS = {kind: word.partition("_")[2] for word, (_, kind) in _FULL_TEXT.items()}


class _Dialect(StarRocks):
    class Tokenizer(StarRocks.Tokenizer):
        """Knows the other name of EXCEPT, and none of the operators whose tokens are borrowed."""

        KEYWORDS: ClassVar = {
            **{word: token for word, token in StarRocks.Tokenizer.KEYWORDS.items() if token not in _BORROWED},
            "MINUS": TokenType.EXCEPT,
        }


def _written_match(generator: Generator, node: exp.Match) -> str:
    kind = node.text("kind")
    return generator.binary(node, f"MATCH_{kind}" if kind else "MATCH")


def _written_select(generator: Generator, node: exp.Select) -> str:
    # Without the search for forms that the guard refuses anyway (DISTINCT ON, generated arrays of dates).
    return generator.select_sql(node)


_WRITERS: dict[type[exp.Expr], Callable[[Any, Any], str]] = {exp.Match: _written_match, exp.Select: _written_select}


class Grammar:
    """Reads text into trees and writes trees as text; safe to use from several threads."""

    def __init__(self) -> None:
        self._dialect = _Dialect()
        self._writers = {**self._dialect.generator()._dispatch, **_WRITERS}

    def parse(self, sql: str) -> list[exp.Expr | None]:
        """The statements of a text. Raises one of guard.rewrite.PARSER_FAULTS when it cannot be understood."""
        tokens = self._dialect.tokenize(sql)
        _refuse_double_from(tokens)
        found = _marked(tokens)
        parsed = self._dialect.parser().parse(tokens, sql)
        return [_matched(tree) for tree in parsed] if found else parsed

    def write(self, tree: exp.Expr) -> str:
        """The text of a tree, without comments; it is used up. Raises one of guard.rewrite.PARSER_FAULTS."""
        return self._writer(ErrorLevel.RAISE).generate(tree, copy=False)

    def shown(self, part: exp.Expr) -> str:
        """The text of a part of a tree for readers of refusals and caveats; the tree stays as it is."""
        return self._writer(ErrorLevel.IGNORE).generate(part)

    def _writer(self, unsupported: ErrorLevel) -> Generator:
        writer = self._dialect.generator(comments=False, unsupported_level=unsupported)
        writer._dispatch = self._writers
        return writer


def _refuse_double_from(tokens: list[Token]) -> None:
    """Raise ParseError: the parser would take `FROM FROM t` for a query in a query, and thousands of them take long."""
    for before, token in pairwise(tokens):
        if token.token_type is TokenType.FROM and before.token_type is TokenType.FROM:
            reason = "FROM stands twice"
            raise ParseError.new(reason, description=reason, line=token.line, col=token.col)


def _marked(tokens: list[Token]) -> bool:
    """Turn MATCH, MATCH_ANY and MATCH_ALL before a string into the operators that stand for them; nowhere else are
    they keywords. Tells whether there were any."""
    found = False
    for place, token in enumerate(tokens):
        if token.token_type is TokenType.STRING and place and tokens[place - 1].token_type is TokenType.VAR:
            word = tokens[place - 1]
            operator = _FULL_TEXT.get(word.text.upper())
            if operator is not None:
                tokens[place - 1] = Token(operator[0], word.text, word.line, word.col, word.start, word.end)
                found = True
    return found


def _matched(tree: exp.Expr | None) -> exp.Expr | None:
    """The tree with full-text predicates in the place of the operators. Raises ParseError for other operands."""
    for node in list(tree.find_all(*_KINDS)) if tree is not None else ():
        words = node.args.get("expression")
        if not (isinstance(words, exp.Literal) and words.is_string) or isinstance(node.parent, exp.Escape):
            reason = "MATCH stands between a column and one string"
            raise ParseError.new(reason, description=reason)
        node.replace(exp.Match(this=node.this, expression=words, kind=_KINDS[type(node)] or None))
    return tree


GRAMMAR = Grammar()
"""One instance serves every thread: parsers and generators are made per statement."""
