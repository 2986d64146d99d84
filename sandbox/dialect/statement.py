"""A text cut into statements, each a list of tokens. Comments and hints are gone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from sandbox.errors import StatementError, syntax

STARROCKS = sqlglot.Dialect.get_or_raise("starrocks")
CACHED_CHARACTERS = 8 << 10
"""Longer texts are not kept: they do not come twice, and would fill the memory."""

_CLASS = re.compile(r" for <class '[^']*'>")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its own text, and its tokens (never empty)."""

    text: str
    tokens: tuple[Token, ...]

    @property
    def keyword(self) -> str:
        """The first word, upper case."""
        return self.tokens[0].text.upper()

    def word(self, index: int) -> str:
        """The word at `index`, upper case; empty after the end and for quoted names and strings."""
        # A quoted SELECT is a name: words that steer us are bare ones only.
        if index >= len(self.tokens) or self.tokens[index].token_type in (TokenType.STRING, TokenType.IDENTIFIER):
            return ""
        return self.tokens[index].text.upper()

    def after(self, index: int) -> Statement:
        """The statement without its first `index` words.

        Raises:
            StatementError: 1064 when nothing is left.
        """
        rest = self.tokens[index:]
        if not rest:
            raise syntax("Unexpected end of the statement")
        # Token places count from the start of the whole text, of which this statement may be the third.
        start = rest[0].start - self.tokens[0].start
        return Statement(self.text[start:], rest)

    def after_or_end(self, index: int) -> Statement | None:
        """The statement without its first `index` words; None when nothing is left."""
        return self.after(index) if index < len(self.tokens) else None


def split(text: str) -> tuple[Statement, ...]:
    """The statements of a text, in order, without the empty ones.

    Raises:
        StatementError: 1064 for text that has no tokens, such as an open quote.
    """
    return _split_short(text) if len(text) <= CACHED_CHARACTERS else _split(text)


@lru_cache(maxsize=1024)
def _split_short(text: str) -> tuple[Statement, ...]:
    return _split(text)


def _split(text: str) -> tuple[Statement, ...]:
    tokens = tokenize(text)
    statements: list[Statement] = []
    current: list[Token] = []
    for token in tokens:
        if token.token_type is not TokenType.SEMICOLON:
            current.append(token)
        elif current:
            statements.append(_statement(text, current))
            current = []
    if current:
        statements.append(_statement(text, current))
    return tuple(statements)


def tokenize(text: str) -> list[Token]:
    """The tokens of a text; raises 1064 where StarRocks' lexer has none."""
    try:
        return STARROCKS.tokenize(text)
    except SqlglotError as error:
        raise syntax(_first_line(error)) from error


def parse(statement: Statement) -> exp.Expr:
    """The syntax tree of a statement.

    Raises:
        StatementError: 1064 for what the grammar does not know, and for nesting beyond Python's stack.
    """
    try:
        trees = STARROCKS.parser().parse(list(statement.tokens), statement.text)
    except SqlglotError as error:
        raise syntax(_first_line(error)) from error
    except RecursionError as error:
        raise syntax("The statement is nested too deeply") from error
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        # the parser trips over some malformed calls instead of refusing them
        raise syntax("Unexpected input") from error
    if len(trees) != 1 or trees[0] is None:
        raise StatementError(1065, "Query was empty", "42000")
    tree: exp.Expr = trees[0]
    return tree


def placeholders(text: str) -> tuple[str, ...]:
    """The parts of a text around its `?` parameters."""
    cuts = [token.start for token in tokenize(text) if token.token_type is TokenType.PLACEHOLDER]
    starts = [0, *(cut + 1 for cut in cuts)]
    return tuple(text[start:end] for start, end in zip(starts, [*cuts, len(text)], strict=True))


def _statement(text: str, tokens: Sequence[Token]) -> Statement:
    return Statement(text[tokens[0].start : tokens[-1].end + 1], _without_hints(tokens))


def _without_hints(tokens: Sequence[Token]) -> tuple[Token, ...]:
    """Drop `/*+ … */` and the `[broadcast]` of a join: hints to the planner have no say in the result."""
    kept: list[Token] = []
    index = 0
    while index < len(tokens):
        # Tools send them with every query, and refusing would make those tools useless here.
        if tokens[index].token_type is TokenType.HINT:
            index += 1
            continue
        kept.append(tokens[index])
        hinted = (
            tokens[index].token_type is TokenType.JOIN
            and index + 3 < len(tokens)
            and tokens[index + 1].token_type is TokenType.L_BRACKET
            and tokens[index + 3].token_type is TokenType.R_BRACKET
        )
        index += 4 if hinted else 1
    return tuple(kept)


def _first_line(error: Exception) -> str:
    # the parser underlines the offending text with terminal codes on further lines, and names its own classes
    return _CLASS.sub("", str(error).splitlines()[0]).rstrip(".") if str(error) else "Unexpected input"
