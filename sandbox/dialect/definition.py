"""CREATE DATABASE, TABLE and VIEW: StarRocks' clauses about keys and storage read by hand, columns by the parser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.tokenizer_core import Token, TokenType

from sandbox.catalogue import ColumnInfo
from sandbox.dialect.statement import Statement, parse
from sandbox.dialect.translate import rewrite, translate
from sandbox.errors import StatementError, syntax


@dataclass(frozen=True, slots=True)
class Definition:
    """Something to create: `sql` is for DuckDB, `columns` of a view have comments but no types yet."""

    kind: str
    database: str
    name: str
    sql: str
    model: str = ""
    columns: tuple[ColumnInfo, ...] = ()
    comment: str = ""
    if_not_exists: bool = False


def read(statement: Statement, database: str | None) -> Definition:
    """The definition in a CREATE statement.

    Raises:
        StatementError: 1064 for unreadable text, 1046 without a database, 1235 for other kinds of objects.
    """
    index = 1
    if (statement.word(1), statement.word(2)) == ("OR", "REPLACE"):
        index = 3
    kind = statement.word(index)
    if kind not in ("DATABASE", "SCHEMA", "TABLE", "VIEW"):
        raise StatementError(1235, f"CREATE {kind} is not supported by the sandbox", "42000")
    index += 1
    if_not_exists = statement.word(index) == "IF"
    index += 3 if if_not_exists else 0
    names, index = _name(statement.tokens, index)
    if kind in ("DATABASE", "SCHEMA"):
        sql = f"CREATE SCHEMA IF NOT EXISTS {_quoted(names[-1])}"
        return Definition("DATABASE", names[-1], "", sql, if_not_exists=if_not_exists)
    home = names[-2] if len(names) > 1 else database
    if not home:
        raise StatementError(1046, "No database selected", "3D000")
    make = _table if kind == "TABLE" else _view
    return make(statement, index, home, names[-1], if_not_exists)


def _table(statement: Statement, start: int, database: str, name: str, if_not_exists: bool) -> Definition:
    # Cut by hand, because the clauses behind the columns (DISTRIBUTED BY, PROPERTIES) are beyond the parser.
    end = _closing(statement.tokens, start)
    head = Statement(statement.text, statement.tokens[: end + 1])
    tail = statement.tokens[end + 1 :]
    tree = parse(head)
    if not isinstance(tree, exp.Create) or not isinstance(tree.this, exp.Schema):
        raise syntax("A table needs a list of columns")
    model, keys = _keys(tail)
    definitions = [part for part in tree.this.expressions if isinstance(part, exp.ColumnDef)]
    columns = tuple(_column(part, keys) for part in definitions)
    lines = [_duck_column(part) for part in definitions]
    # The other models keep duplicates in what is read here; only this one promises a row per key.
    if model == "PRIMARY_KEYS":
        lines.append(f"PRIMARY KEY ({', '.join(map(_quoted, keys))})")
    sql = f"CREATE TABLE {_quoted(database)}.{_quoted(name)} ({', '.join(lines)})"
    return Definition("TABLE", database, name, sql, model, columns, _comment(tail), if_not_exists)


def _view(statement: Statement, start: int, database: str, name: str, if_not_exists: bool) -> Definition:
    tokens = statement.tokens
    columns: tuple[ColumnInfo, ...] = ()
    after = start
    if start < len(tokens) and tokens[start].token_type is TokenType.L_PAREN:
        after = _closing(tokens, start) + 1
        columns = tuple(_view_column(part) for part in _by_comma(tokens[start + 1 : after - 1]))
    body = next((i for i in range(after, len(tokens)) if tokens[i].token_type is TokenType.ALIAS), None)
    if body is None:
        raise syntax("A view needs AS and a query")
    query = translate(statement.after(body + 1), database)
    # Without a list the columns keep the names that translate gave them, which are StarRocks' own.
    names = f" ({', '.join(_quoted(column.name) for column in columns)})" if columns else ""
    # Replaced, as the schema files may be run again over a warehouse that has an older form of a view.
    sql = f"CREATE OR REPLACE VIEW {_quoted(database)}.{_quoted(name)}{names} AS {query.sql}"
    return Definition("VIEW", database, name, sql, "VIEW", columns, _comment(tokens[after:body]), if_not_exists)


def _column(part: exp.ColumnDef, keys: Sequence[str]) -> ColumnInfo:
    kinds = [constraint.kind for constraint in part.constraints]
    not_null = any(isinstance(kind, exp.NotNullColumnConstraint) and not kind.args.get("allow_null") for kind in kinds)
    comment = next((kind.this.name for kind in kinds if isinstance(kind, exp.CommentColumnConstraint)), "")
    default = next((kind.this for kind in kinds if isinstance(kind, exp.DefaultColumnConstraint)), None)
    shown = default.name if isinstance(default, exp.Literal) else default.sql("starrocks") if default else None
    type_text = part.kind.sql("starrocks").lower() if part.kind is not None else ""
    return ColumnInfo(part.name, type_text, not not_null, shown, comment, part.name in keys)


def _duck_column(part: exp.ColumnDef) -> str:
    if part.kind is None:
        raise syntax(f"The column {part.name} has no type")
    text = f"{_quoted(part.name)} {part.kind.sql(DuckDB)}"
    for constraint in part.constraints:
        kind = constraint.kind
        if isinstance(kind, exp.NotNullColumnConstraint) and not kind.args.get("allow_null"):
            text += " NOT NULL"
        if isinstance(kind, exp.DefaultColumnConstraint):
            text += f" DEFAULT {rewrite(kind.this.copy()).sql(DuckDB)}"
    return text


def _view_column(tokens: Sequence[Token]) -> ColumnInfo:
    comment = tokens[-1].text if tokens[-1].token_type is TokenType.STRING else ""
    return ColumnInfo(tokens[0].text, "", comment=comment)


def _keys(tail: Sequence[Token]) -> tuple[str, tuple[str, ...]]:
    models = {"PRIMARY": "PRIMARY_KEYS", "DUPLICATE": "DUP_KEYS", "UNIQUE": "UNQ_KEYS", "AGGREGATE": "AGG_KEYS"}
    for index, token in enumerate(tail):
        # the tokenizer reads PRIMARY KEY as one token
        word = token.text.upper().partition(" ")[0]
        opening = index + (1 if " " in token.text else 2)
        if word in models and opening < len(tail) and tail[opening].token_type is TokenType.L_PAREN:
            inner = tail[opening + 1 : _closing(tail, opening)]
            return models[word], tuple(part[0].text for part in _by_comma(inner))
    return "DUP_KEYS", ()


def _comment(tail: Sequence[Token]) -> str:
    depth = 0
    for index, token in enumerate(tail[:-1]):
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(token.token_type, 0)
        if depth == 0 and token.text.upper() == "COMMENT" and tail[index + 1].token_type is TokenType.STRING:
            return str(tail[index + 1].text)
    return ""


def _name(tokens: Sequence[Token], index: int) -> tuple[list[str], int]:
    names: list[str] = []
    while index < len(tokens):
        names.append(tokens[index].text)
        index += 1
        if index >= len(tokens) or tokens[index].token_type is not TokenType.DOT:
            return names, index
        index += 1
    raise syntax("A name is missing")


def _closing(tokens: Sequence[Token], opening: int) -> int:
    depth = 0
    for index in range(opening, len(tokens)):
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(tokens[index].token_type, 0)
        if depth == 0:
            return index
    raise syntax("A parenthesis is not closed")


def _by_comma(tokens: Sequence[Token]) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    for token in tokens:
        if token.token_type is TokenType.COMMA:
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
