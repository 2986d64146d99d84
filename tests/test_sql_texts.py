"""Every SQL text that Starwatch sends or prints, held against a second parser that shares nothing with the guard's.

sqlfluff judges grammar alone. It does not see: tables, columns, functions, types and numbers of arguments that do not
exist; privileges; limits of the planner; a trailing comma in a select list. docs/starrocks.md says so to operators.
"""

import re
from functools import cache

import pytest
from sqlfluff.core import FluffConfig, Linter

import schema
from agent.patrol import facts
from mcp_server.errors import Code, Refusal
from mcp_server.guard import Guard
from mcp_server.principal import EVERYTHING, Scope
from tests.sql_texts import Text, all_texts, builders, distinct, sources, statements_in

LINTER = Linter(config=FluffConfig(overrides={"dialect": "starrocks", "templater": "raw"}))
# Statements of administration that its dialect lacks; tests/bot/test_grants.py holds those we print to their forms.
BLIND = (
    (re.compile(r"GRANT .+ ON (ALL|TABLE) "), "the object's kind after ON"),
    (re.compile(r"CREATE RESOURCE GROUP "), "resource groups"),
    (re.compile(r"SHOW (RESOURCE GROUPS|SQLBLACKLIST|FRONTENDS|BACKENDS|COMPUTE NODES)$"), "listings of the cluster"),
    (re.compile(r"SHOW (GRANTS FOR ROLE|PARTITIONS FROM|PROC) "), "listings of one object"),
    (re.compile(r"ALTER USER .+ SET PROPERTIES"), "user properties"),
    (re.compile(r"ADMIN (SET|SHOW) FRONTEND CONFIG|ADD SQLBLACKLIST"), "FE administration"),
    (re.compile(r"CREATE VIEW IF NOT EXISTS"), "the column list of a view"),
)
VIEW = re.compile(r"CREATE VIEW IF NOT EXISTS (?P<name>[\w.]+).*?\bAS\s+(?P<body>(?:SELECT|WITH)\b.*)", re.DOTALL)


@cache
def complaints(sql: str) -> tuple[str, ...]:
    """What the second parser says against a statement."""
    return tuple(violation.desc() for violation in LINTER.parse_string(sql).violations)


def is_blind(sql: str) -> bool:
    return any(pattern.match(sql) for pattern, _ in BLIND)


SHARED_CHANNEL = Scope(None, None, frozenset({"aorpc2fr3"}))
PLACES = (
    "schema",
    "mcp_server/queries/",
    "mcp_server/",
    "agent/patrol/",
    "agent/rules_only/",
    "agent/investigation/",
    "agent/",
    "bot/",
)


@pytest.fixture(scope="module")
def texts() -> tuple[Text, ...]:
    """All statements, found once."""
    return all_texts()


def place_of(text: Text) -> str:
    return next(place for place in PLACES if text.origin.startswith(place))


@pytest.mark.parametrize("place", PLACES)
def test_the_second_parser_accepts_every_statement(texts: tuple[Text, ...], place: str) -> None:
    readable = [text for text in distinct(texts) if place_of(text) == place and not is_blind(text.sql)]
    assert {text: said for text in readable if (said := complaints(text.sql))} == {}


def test_what_the_second_parser_is_said_to_be_blind_for_it_does_refuse(texts: tuple[Text, ...]) -> None:
    unreadable = [text for text in distinct(texts) if is_blind(text.sql)]
    assert [text for text in unreadable if not complaints(text.sql)] == [], "it reads these now: take them from BLIND"
    assert [why for pattern, why in BLIND if not any(pattern.match(text.sql) for text in unreadable)] == []


@pytest.mark.parametrize("name", schema.views())
def test_the_query_of_each_view_is_parsed_on_its_own(name: str) -> None:
    (found,) = [match for match in map(VIEW.match, schema.statements()) if match and match["name"] == name]
    assert complaints(found["body"]) == ()


@pytest.mark.parametrize(
    ("place", "scope"), [("agent/patrol/queries", EVERYTHING), ("mcp_server/queries/", SHARED_CHANNEL)]
)
def test_the_texts_that_the_guard_makes_of_ours_are_accepted_too(
    texts: tuple[Text, ...], place: str, scope: Scope
) -> None:
    guard = Guard({*schema.TABLES, "information_schema.tables", "information_schema.columns"})
    ours = [text.sql for text in texts if text.origin.startswith(place)]
    made = [sql for text in ours if (sql := admitted(guard, text, scope))]
    assert len(made) > 5
    assert {sql: said for sql in made if (said := complaints(sql))} == {}


def admitted(guard: Guard, sql: str, scope: Scope) -> str:
    """What the guard makes of a statement; empty when the scope is closed to it."""
    try:
        return guard.admit(sql, 500, scope).sql
    except Refusal as refusal:
        assert (refusal.code, scope) == (Code.PERMISSION, SHARED_CHANNEL), sql
        return ""


@pytest.mark.parametrize(
    "broken",
    [
        *("SELECT FROM t", "SELECT a b c FROM t", "SELECT a FROM t WHERE", "SELECT (a FROM t", "SELEC a FROM t"),
        *("SELECT a FROM t GROUP a", "SELECT a FROM t ORDER BY", "SELECT CASE WHEN a THEN b FROM t"),
        *("SELECT 'open FROM t", "CREATE TABLE t (a INT", "INSERT INTO t (a VALUES (1)", "SELECT a FROM t JOIN"),
    ],
)
def test_the_second_parser_can_refuse(broken: str) -> None:
    assert complaints(broken)


def test_every_file_that_holds_sql_gives_its_statements(texts: tuple[Text, ...]) -> None:
    holding = {path.as_posix() for path in sources() if statements_in(path)}
    given = {text.origin.partition(":")[0] for text in texts}
    assert holding <= given
    assert {"agent/patrol/queries.py", "bot/writer.py", "mcp_server/catalog.py", "mcp_server/executor.py"} <= holding


def test_builders_are_found_by_what_they_return() -> None:
    assert set(builders(facts)) == {"statements"}
