"""Statements that ask about tables instead of reading rows: the allowed forms of SHOW and DESC, and the head of an
EXPLAIN. Each is recognized whole and written anew from its parts; nothing of the text itself is run."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from mcp_server.errors import Code, Refusal
from mcp_server.guard.tables import open_table
from mcp_server.principal import Scope

_SPACE = re.compile(r"\s+")
_END = re.compile(r"[\s;]*$")
_NAME = r"(?:`?default_catalog`?\.)?`?(?P<db>\w+)`?\.`?(?P<table>\w+)`?"
_DATABASE = r"(?:`?default_catalog`?\.)?`?(?P<db>\w+)`?"
_LIKE = r"(?: LIKE '(?P<like>[^'\\]{1,64})')?"
_HEAD = re.compile(r"\s*(?:SHOW|DESC|DESCRIBE|EXPLAIN)\b", re.IGNORECASE)
_EXPLAIN = re.compile(
    r"\s*(?:EXPLAIN|DESC|DESCRIBE)\s+(?:(?P<level>LOGICAL|VERBOSE|COSTS)\s+)?(?=SELECT\b|WITH\b|\()", re.IGNORECASE
)

FORMS = (
    "SHOW DATABASES, SHOW TABLES FROM db, SHOW COLUMNS FROM db.table, SHOW CREATE TABLE db.table, "
    "SHOW INDEX FROM db.table, SHOW PARTITIONS FROM db.table, SHOW TABLE STATUS FROM db, "
    "DESC db.table, EXPLAIN SELECT …"
)
"""The allowed forms, for refusals."""


@dataclass(frozen=True, slots=True)
class _Form:
    """`writes` has {db}, {table} and {kind} for the parts; `rows` tells that it shows more than structure."""

    reads: re.Pattern[str]
    writes: str
    rows: bool = False


def _form(reads: str, writes: str, *, rows: bool = False) -> _Form:
    return _Form(re.compile(reads, re.IGNORECASE), writes, rows)


_FORMS = (
    _form(rf"(?:DESC|DESCRIBE) {_NAME}", "DESC {db}.{table}"),
    _form(rf"SHOW (?:DATABASES|SCHEMAS){_LIKE}", "SHOW DATABASES"),
    _form(rf"SHOW (?P<kind>FULL )?TABLES (?:FROM|IN) {_DATABASE}{_LIKE}", "SHOW {kind}TABLES FROM {db}"),
    _form(
        rf"SHOW (?P<kind>FULL )?(?:COLUMNS|FIELDS) (?:FROM|IN) {_NAME}{_LIKE}", "SHOW {kind}COLUMNS FROM {db}.{table}"
    ),
    _form(rf"SHOW CREATE (?P<kind>TABLE|VIEW) {_NAME}", "SHOW CREATE {kind} {db}.{table}"),
    _form(rf"SHOW (?:INDEX|INDEXES|KEYS) (?:FROM|IN) {_NAME}", "SHOW INDEX FROM {db}.{table}"),
    _form(rf"SHOW PARTITIONS FROM {_NAME}", "SHOW PARTITIONS FROM {db}.{table}", rows=True),
    _form(rf"SHOW TABLE STATUS (?:FROM|IN) {_DATABASE}{_LIKE}", "SHOW TABLE STATUS FROM {db}", rows=True),
)


def is_metadata(sql: str) -> bool:
    """Whether a text begins like one of these statements."""
    return _HEAD.match(sql) is not None


def explained(sql: str) -> tuple[str, str] | None:
    """The head of an EXPLAIN of a query as it is to be written, and the query's own text; None for any other text."""
    head = _EXPLAIN.match(sql)
    if head is None:
        return None
    level = f" {head['level'].upper()}" if head["level"] else ""
    return f"EXPLAIN{level} ", sql[head.end() :]


def listing(sql: str, tables: Collection[str], scope: Scope) -> tuple[str, tuple[str, ...]]:
    """The text to run for a SHOW or DESC and the tables it names. Raises Refusal for any form that is not listed."""
    text = _SPACE.sub(" ", _END.sub("", sql)).strip()
    for form in _FORMS:
        found = form.reads.fullmatch(text)
        if found:
            return _written(form, found.groupdict(), tables, scope)
    raise Refusal("metadata", Code.READ_ONLY, "this form is not allowed", part=text[:80], hint=FORMS)


def _written(
    form: _Form, parts: dict[str, str | None], tables: Collection[str], scope: Scope
) -> tuple[str, tuple[str, ...]]:
    if form.rows and scope.of_rows:
        raise Refusal("scope", Code.PERMISSION, "this tells of all accounts; it is closed in this channel")
    database, table = parts.get("db") or "", parts.get("table") or ""
    named = open_table(f"{database}.{table}", tables, scope) if table else ""
    if not table:
        _require_open(database, tables, scope)
    kind = (parts.get("kind") or "").upper()
    like = f" LIKE '{parts['like']}'" if parts.get("like") else ""
    return form.writes.format(db=database, table=table, kind=kind) + like, (named,) if named else ()


def _require_open(database: str, tables: Collection[str], scope: Scope) -> None:
    if scope.databases is not None or scope.tables is not None:
        hint = "look at discover_schema; DESC db.table describes a table"
        raise Refusal("scope", Code.PERMISSION, "lists of tables are closed in this channel", hint=hint)
    known = sorted({name.partition(".")[0] for name in tables})
    if database and database not in known:
        hint = f"the databases are {', '.join(known)}"
        raise Refusal("table", Code.PERMISSION, "this database is closed", part=database, hint=hint)
