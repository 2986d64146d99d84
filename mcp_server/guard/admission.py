"""The guard itself: text rules, one parse, tree rules, and the regenerated text that alone may be run."""

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import lru_cache

from sqlglot import exp

from mcp_server.errors import Code, Refusal
from mcp_server.grammar import GRAMMAR
from mcp_server.guard import joins, metadata, sources, text, tree
from mcp_server.guard.limit import with_limit
from mcp_server.guard.rewrite import PARSER_FAULTS, regenerated
from mcp_server.guard.scoping import narrow
from mcp_server.guard.statement import Statement
from mcp_server.guard.tables import admitted_tables
from mcp_server.lint import NO_REMARKS, Remarks, examined
from mcp_server.principal import EVERYTHING, Scope

_THREAD_CHARS = 1_024
_REMEMBERED = 256

# The parser logs the text of statements it does not understand; texts of strangers have no place in a log.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

TEXT_RULES: tuple[Callable[[str], None], ...] = (
    text.refuse_size,
    text.refuse_control_characters,
    text.refuse_costly,
)

TREE_RULES: tuple[Callable[[Statement], None], ...] = (
    tree.refuse_unlisted_nodes,
    tree.refuse_odd_selects,
    tree.refuse_named_fields,
    tree.refuse_ambiguous_separator,
    sources.refuse_odd_sources,
    joins.refuse_unbound_joins,
)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A statement that may be run: its regenerated text, the qualified names of the tables it reads, and what reading
    it tells about its rows."""

    sql: str
    tables: tuple[str, ...]
    remarks: Remarks = field(default=NO_REMARKS, compare=False)


class Guard:
    """Admits reads of the given tables (qualified names) and refuses everything else."""

    def __init__(self, tables: Collection[str]) -> None:
        self._tables = frozenset(tables)
        # A verdict depends on nothing but its arguments, and tools send the same texts again and again.
        self._remembered = lru_cache(_REMEMBERED)(self._judged)

    def admit(self, sql: str, max_rows: int, scope: Scope = EVERYTHING) -> Admitted:
        """The text to run instead of `sql`: limited to `max_rows + 1` rows and to what the scope may see.

        Raises Refusal naming the broken rule.
        """
        return self._remembered(sql, max_rows, scope)

    async def admit_async(self, sql: str, max_rows: int, scope: Scope = EVERYTHING) -> Admitted:
        """The same without holding up the event loop: long texts are parsed in a thread."""
        if len(sql) > _THREAD_CHARS:
            return await asyncio.to_thread(self.admit, sql, max_rows, scope)
        return self.admit(sql, max_rows, scope)

    def _judged(self, sql: str, max_rows: int, scope: Scope) -> Admitted:
        for refuse in TEXT_RULES:
            refuse(sql)
        if not metadata.is_metadata(sql):
            return self._read(sql, max_rows, scope)
        plan = metadata.explained(sql)
        if plan is None:
            return Admitted(*metadata.listing(sql, self._tables, scope))
        if scope.of_rows:
            # A plan tells the sizes and value ranges of whole tables.
            raise Refusal("scope", Code.PERMISSION, "plans are closed in this channel", hint="run the SELECT itself")
        head, query = plan
        read = self._read(query, max_rows, scope)
        return Admitted(head + read.sql, read.tables)

    def _read(self, sql: str, max_rows: int, scope: Scope) -> Admitted:
        try:
            statement = tree.listed(_parsed(sql))
            for check in TREE_RULES:
                check(statement)
            tables = admitted_tables(statement, self._tables, scope)
            remarks = examined(statement.root, statement.nodes)
            if scope.of_rows:
                narrow(statement, scope)
            with_limit(statement.root, max_rows)
            return Admitted(regenerated(statement), tables, remarks)
        except RecursionError as error:
            hint = "use fewer nested parentheses and subqueries"
            raise Refusal("depth", Code.SYNTAX, "the statement is nested too deeply", hint=hint) from error


def _parsed(sql: str) -> exp.Query:
    """The one statement of the text. Raises Refusal when it does not parse or is not one."""
    try:
        parsed = GRAMMAR.parse(sql)
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
    if reason.startswith("Required keyword"):
        # The library names a class of its own here.
        reason = "something is missing"
    return Refusal("parse", Code.SYNTAX, reason, part=part, hint="write StarRocks SQL, one SELECT")
