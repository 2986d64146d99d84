"""The guard itself: text rules, one parse, tree rules, and the regenerated text that alone may be run."""

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache

import sqlglot
from sqlglot import exp

from mcp_server.errors import Code, Refusal
from mcp_server.guard import joins, text, tree
from mcp_server.guard.limit import with_limit
from mcp_server.guard.rewrite import PARSER_FAULTS, regenerated
from mcp_server.guard.statement import Statement
from mcp_server.guard.tables import admitted_tables

_THREAD_CHARS = 2_048
_REMEMBERED = 256

# The parser logs the text of statements it does not understand; texts of strangers have no place in a log.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

TEXT_RULES: tuple[Callable[[str], None], ...] = (
    text.refuse_size,
    text.refuse_control_characters,
)

TREE_RULES: tuple[Callable[[Statement], None], ...] = (
    tree.refuse_unlisted_nodes,
    tree.refuse_odd_selects,
    tree.refuse_ambiguous_separator,
    joins.refuse_unbound_joins,
)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A statement that may be run: its regenerated text and the qualified names of the tables it reads."""

    sql: str
    tables: tuple[str, ...]


class Guard:
    """Admits reads of the given tables (qualified names) and refuses everything else."""

    def __init__(self, tables: Collection[str]) -> None:
        self._tables = frozenset(tables)
        # A verdict depends on nothing but its arguments, and tools send the same texts again and again.
        self._remembered = lru_cache(_REMEMBERED)(self._judged)

    def admit(self, sql: str, max_rows: int) -> Admitted:
        """The text to run instead of `sql`, limited to `max_rows + 1` rows. Raises Refusal naming the broken rule."""
        return self._remembered(sql, max_rows)

    def _judged(self, sql: str, max_rows: int) -> Admitted:
        for refuse in TEXT_RULES:
            refuse(sql)
        try:
            statement = tree.listed(_parsed(sql))
            for check in TREE_RULES:
                check(statement)
            tables = admitted_tables(statement, self._tables)
            return Admitted(regenerated(with_limit(statement.root, max_rows)), tables)
        except RecursionError as error:
            hint = "use fewer nested parentheses and subqueries"
            raise Refusal("depth", Code.SYNTAX, "the statement is nested too deeply", hint=hint) from error

    async def admit_async(self, sql: str, max_rows: int) -> Admitted:
        """The same without holding up the event loop: long texts are parsed in a thread."""
        if len(sql) > _THREAD_CHARS:
            return await asyncio.to_thread(self.admit, sql, max_rows)
        return self.admit(sql, max_rows)


def _parsed(sql: str) -> exp.Query:
    """The one statement of the text. Raises Refusal when it does not parse or is not one."""
    try:
        parsed = sqlglot.parse(sql, dialect="starrocks")
    except PARSER_FAULTS as error:
        text.refuse_bracket_hints(sql)
        raise _syntax(error) from error
    statements = [
        statement for statement in parsed if statement is not None and not isinstance(statement, exp.Semicolon)
    ]
    if len(statements) != 1:
        reason = f"the text holds {len(statements)} statements"
        raise Refusal("one_statement", Code.READ_ONLY, reason, hint="send exactly one SELECT")
    return tree.reading(statements[0])


def _syntax(error: Exception) -> Refusal:
    details = getattr(error, "errors", None) or [{}]
    first = details[0]
    where = f"line {first['line']}, column {first['col']}" if first.get("line") else ""
    part = " ".join(filter(None, (where, str(first.get("highlight") or ""))))
    reason = str(first.get("description") or "the statement does not parse")
    return Refusal("parse", Code.SYNTAX, reason, part=part, hint="write StarRocks SQL, one SELECT")
