"""One statement from StarRocks to DuckDB: parse, check functions, name tables and columns, apply rules, generate."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ErrorLevel, SqlglotError

from sandbox.dialect import dates, environment, functions, grammar, limits, shape, texts
from sandbox.dialect.rule import Rule
from sandbox.dialect.statement import CACHED_CHARACTERS, Statement, parse, split
from sandbox.errors import StatementError, analysis

# Shape before values: the later rules may rely on it that tables have their final form.
RULES: tuple[Rule, ...] = (*shape.RULES, *environment.RULES, *dates.RULES, *texts.RULES, *limits.RULES)


class Effect(Enum):
    """What a statement does; named by the privilege that it needs."""

    SELECT = "SELECT"
    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    DROP = "DROP"


@dataclass(frozen=True, slots=True, order=True)
class TableName:
    """A table that a statement names."""

    database: str
    name: str

    def __str__(self) -> str:
        return f"{self.database}.{self.name}"


@dataclass(frozen=True, slots=True)
class Translation:
    """A statement for DuckDB: its text, its effect, the table it changes (if any), the tables it reads, and the names
    of the session's values that it needs as parameters."""

    sql: str
    effect: Effect
    target: TableName | None
    reads: frozenset[TableName]
    parameters: frozenset[str] = frozenset()


def translate(statement: Statement, database: str | None) -> Translation:
    """The DuckDB form of a query or a change of rows.

    Args:
        statement: one statement that begins with anything but an administrative word.
        database: the database of unqualified table names, None when the client chose none.

    Raises:
        StatementError: 1064 for what does not parse or calls an unknown function, 1046 without a database,
            1235 for kinds of statement that the stand-in does not have.
    """
    # Long texts are INSERTs with their data; they never come twice and would fill the cache with reports.
    if len(statement.text) > CACHED_CHARACTERS:
        return _translate(statement, database)
    return _translate_text(statement.text, database)


@lru_cache(maxsize=1024)
def _translate_text(text: str, database: str | None) -> Translation:
    return _translate(split(text)[0], database)


def _translate(statement: Statement, database: str | None) -> Translation:
    # On tokens first: what the parser reads into a tree no longer shows how it was written.
    grammar.check_tokens(statement.tokens)
    tree = parse(statement)
    effect = _effect(tree)
    try:
        grammar.check_tree(tree)
        functions.check(statement.tokens, tree)
        target = _target(tree, database)
        # Before the rules, which rename databases of our own: privileges are checked on the client's names.
        names = _qualify(tree, database)
        # Also before the rules: StarRocks names a column by what was written, not by what we make of it.
        _name_columns(tree)
        tree = rewrite(tree)
        # Everything quoted, because DuckDB reserves words that StarRocks leaves to columns.
        sql = tree.sql(DuckDB, identify=True, comments=False, unsupported_level=ErrorLevel.RAISE)
    except SqlglotError as error:
        raise analysis(str(error).partition("\n")[0]) from error
    except RecursionError as error:
        raise analysis("The statement is nested too deeply") from error
    parameters = frozenset(node.name for node in tree.find_all(exp.Placeholder))
    return Translation(sql, effect, target, frozenset(name for name in names if name != target), parameters)


def rewrite(tree: exp.Expr) -> exp.Expr:
    """Apply every rule to every node, leaves first; the tree is changed in place."""
    # Listed first, since the rules replace nodes; leaves first, so that a rule sees its arguments done.
    for node in reversed(list(tree.walk(bfs=True))):
        changed = _apply(node)
        if changed is node:
            continue
        if node is tree:
            tree = changed
        else:
            node.replace(changed)
    return tree


def _apply(node: exp.Expr) -> exp.Expr:
    for rule in RULES:
        node = rule(node)
    return node


def _effect(tree: exp.Expr) -> Effect:
    if isinstance(tree, exp.Query):
        return Effect.SELECT
    # OVERWRITE deletes as well, which no privilege of ours describes.
    if isinstance(tree, exp.Insert) and not tree.args.get("overwrite"):
        return Effect.INSERT
    for kind, effect in ((exp.Update, Effect.UPDATE), (exp.Delete, Effect.DELETE), (exp.TruncateTable, Effect.DELETE)):
        if isinstance(tree, kind):
            return effect
    if isinstance(tree, exp.Drop) and tree.kind in ("TABLE", "VIEW"):
        return Effect.DROP
    raise StatementError(1235, "This kind of statement is not supported by the sandbox", "42000")


def _target(tree: exp.Expr, database: str | None) -> TableName | None:
    if isinstance(tree, exp.Query):
        return None
    # INSERT, UPDATE, DELETE, TRUNCATE and DROP all name their table first
    table = tree.find(exp.Table)
    if table is None:
        return None
    return TableName(table.db or _chosen(database), table.name)


def _qualify(tree: exp.Expr, database: str | None) -> list[TableName]:
    """Write the database before every table name; returns the names that are no common table expressions."""
    names: list[TableName] = []
    for table in list(tree.find_all(exp.Table)):
        # Table functions parse as tables, too; which of them exist is for the list of functions to say.
        if not isinstance(table.this, exp.Identifier) or (not table.db and _is_local(table)):
            continue
        if not table.db:
            table.set("db", exp.to_identifier(_chosen(database)))
        names.append(TableName(table.db, table.name))
    return names


def _chosen(database: str | None) -> str:
    if not database:
        raise StatementError(1046, "No database selected", "3D000")
    return database


def _is_local(table: exp.Table) -> bool:
    name = table.name.lower()
    ancestor: exp.Expr | None = table
    inside: exp.Expr | None = None
    while ancestor is not None:
        scope = ancestor.args.get("with_")
        if scope is not None and any(part.alias.lower() == name for part in _visible(scope, inside)):
            return True
        inside = ancestor if isinstance(ancestor, exp.CTE) else inside
        ancestor = ancestor.parent
    return False


def _visible(scope: exp.Expr, inside: exp.Expr | None) -> list[exp.Expr]:
    """The table expressions that are in sight from within `inside`, one of them, or from outside of all. People name
    one after the table it filters: `WITH clusters AS (SELECT … FROM clusters)` means the table, unless it may recur."""
    parts: list[exp.Expr] = scope.expressions
    place = next((at for at, part in enumerate(parts) if part is inside), None)
    return parts if place is None else parts[: place + bool(scope.args.get("recursive"))]


def _name_columns(tree: exp.Expr) -> None:
    """Give result columns without a name the one StarRocks gives: their own text, with functions in lower case."""
    for select in tree.find_all(exp.Select):
        select.set("expressions", [_named(part) for part in select.expressions])


def _named(part: exp.Expr) -> exp.Expr:
    if isinstance(part, exp.Alias | exp.Aliases | exp.Column | exp.Star | exp.Dot) or part.is_star:
        return part
    text = part.sql("starrocks", normalize_functions="lower", comments=False, unsupported_level=ErrorLevel.IGNORE)
    return exp.alias_(part.copy(), text, quoted=True)
