"""SET: assignments of session variables, read from the statement's text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot.tokenizer_core import Token, TokenType

from sandbox.accounts import Account
from sandbox.dialect.statement import Statement
from sandbox.errors import StatementError, syntax
from sandbox.variables import Variables

_ASSIGNMENT = re.compile(
    r"(?:@@)?(?:(?P<scope>session|local|global)(?:\s+|\.))?(?:@@)?`?(?P<name>[A-Za-z_]\w*)`?\s*:?=\s*(?P<value>.+)",
    re.IGNORECASE | re.DOTALL,
)
_NUMBER = re.compile(r"-?\d+")
_WORD = re.compile(r"[A-Za-z_][\w-]*")


def apply(statement: Statement, variables: Variables, account: Account) -> None:
    """Carry out a SET statement.

    Raises:
        StatementError: 1064 unreadable, 1193 and 1231 and 1232 from the variables, 5203 for SET GLOBAL and for
            anything that is no session variable.
    """
    if statement.word(1) == "NAMES":
        variables.set("character_set_client", statement.after(2).tokens[0].text)
        return
    # Drivers send these on connecting and give up when they are refused; nothing here depends on them.
    if statement.word(1) in ("CHARACTER", "CHARSET", "TRANSACTION") or statement.word(2) == "TRANSACTION":
        return
    if statement.word(1) in ("PASSWORD", "ROLE", "DEFAULT", "CATALOG", "PROPERTY"):
        account.require_administrator("OPERATE")
        raise StatementError(1235, f"SET {statement.word(1)} is not supported by the sandbox", "42000")
    for part in _assignments(statement):
        _assign(part, variables, account)


def _assign(text: str, variables: Variables, account: Account) -> None:
    if text.startswith("@") and not text.startswith("@@"):
        raise StatementError(1235, "User variables are not supported by the sandbox", "42000")
    found = _ASSIGNMENT.fullmatch(text)
    if found is None:
        raise syntax(f"Unexpected input '{text[:80]}' in SET")
    if (found["scope"] or "").lower() == "global":
        account.require_administrator("OPERATE")
    variables.set(found["name"], _value(found["value"].strip()))


def _value(text: str) -> str | int | None:
    if text.upper() == "DEFAULT":
        return None
    if _NUMBER.fullmatch(text):
        return int(text)
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    if _WORD.fullmatch(text):
        return text
    raise syntax(f"Unexpected value '{text[:80]}' in SET")


def _assignments(statement: Statement) -> list[str]:
    origin = statement.tokens[0].start
    pieces: list[list[Token]] = [[]]
    for token in statement.tokens[1:]:
        if token.token_type is TokenType.COMMA:
            pieces.append([])
        else:
            pieces[-1].append(token)
    if not all(pieces):
        raise syntax("Unexpected end of SET")
    return [_slice(statement.text, piece, origin) for piece in pieces]


def _slice(text: str, tokens: Sequence[Token], origin: int) -> str:
    """The tokens as written; what stands between two of them (blanks, comments) becomes one blank."""
    written = ""
    end = tokens[0].start
    for token in tokens:
        written += " " if token.start > end else ""
        written += text[token.start - origin : token.end + 1 - origin]
        end = token.end + 1
    return written
