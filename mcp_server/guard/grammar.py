"""The SQL that the guard reads and writes: StarRocks as sqlglot knows it, with MINUS and full-text predicates."""

from typing import ClassVar

from sqlglot import TokenType, exp
from sqlglot.dialects.starrocks import StarRocks
from sqlglot.generators.starrocks import StarRocksGenerator
from sqlglot.parsers.starrocks import StarRocksParser

_KINDS = frozenset({"MATCH", "MATCH_ANY", "MATCH_ALL"})


class FullTextMatch(exp.Expression, exp.Binary, exp.Predicate):
    """`column MATCH 'words'`; `kind` is the keyword."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "expression": True, "kind": True}


class GuardGrammar(StarRocks):
    """StarRocks with MATCH, MATCH_ANY and MATCH_ALL between a value and a string; nowhere else are they keywords."""

    class Tokenizer(StarRocks.Tokenizer):
        """Knows the other name of EXCEPT."""

        KEYWORDS: ClassVar = {**StarRocks.Tokenizer.KEYWORDS, "MINUS": TokenType.EXCEPT}

    class Parser(StarRocksParser):
        """Reads the predicates where other ranges (BETWEEN, LIKE, IN) stand."""

        def _parse_range(self, this: exp.Expr | None = None, parse_is: bool = False) -> exp.Expr | None:
            left = super()._parse_range(this, parse_is=parse_is)
            word, words = self._curr, self._next
            if left is None or not word or not words or words.token_type is not TokenType.STRING:
                return left
            kind = word.text.upper()
            if kind not in _KINDS or word.token_type is TokenType.STRING:
                return left
            self._advance()
            return self.expression(FullTextMatch(this=left, expression=self._parse_string(), kind=kind))

    class Generator(StarRocksGenerator):
        """Writes the predicates as they were read, and a SELECT without a search for forms that the guard refuses
        anyway (DISTINCT ON, generated arrays of dates): the search takes a fifth of the time."""

        TRANSFORMS: ClassVar = {
            **StarRocksGenerator.TRANSFORMS,
            FullTextMatch: lambda self, node: self.binary(node, node.args["kind"]),
            exp.Select: lambda self, node: self.select_sql(node),
        }


GRAMMAR = GuardGrammar()
"""One instance serves every thread: parsers and generators are made per statement."""
