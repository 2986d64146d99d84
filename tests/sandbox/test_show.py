"""Listings without a server: what each account sees, and how patterns choose rows."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.accounts import READER, WRITER, Account
from sandbox.catalogue import Catalogue, ColumnInfo, TableInfo
from sandbox.dialect.statement import split
from sandbox.errors import StatementError
from sandbox.listing import Listing
from sandbox.processes import Process, Processes
from sandbox.show import View, describe, show
from sandbox.variables import Variables
from tests.sandbox.conftest import ADMIN


def view(account: Account = READER, database: str | None = "alerts") -> View:
    catalogue, processes = Catalogue(), Processes()
    for name in ("alerts", "byoc"):
        catalogue.add_database(name)
    columns = (ColumnInfo("id", "varchar(64)", False, None, "the id", True), ColumnInfo("n", "int", default="0"))
    for database_, table in (("alerts", "patrol_reports"), ("alerts", "issues"), ("byoc", "clusters")):
        catalogue.add(TableInfo(database_, table, "PRIMARY_KEYS", columns, "", f"CREATE TABLE {table}"))
    for number, user in ((1, "reader"), (2, "writer")):
        at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        processes.add(Process(number, user, "127.0.0.1:1", _nothing, _nothing, connected_at=at))
    return View(catalogue, processes, Variables(), account, database)


def _nothing() -> None:
    return None


def names(text: str, account: Account = READER, database: str | None = "alerts") -> list[str | None]:
    return [row[0] for row in show(split(text)[0], view(account, database)).rows]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("SHOW TABLES", ["issues", "patrol_reports"]),
        ("SHOW TABLES LIKE 'pat%'", ["patrol_reports"]),
        ("SHOW TABLES LIKE '_ssues'", ["issues"]),
        ("SHOW TABLES LIKE 'PATROL%'", ["patrol_reports"]),
        ("SHOW TABLES LIKE 'i.*'", []),
        ("SHOW TABLES FROM byoc", ["clusters"]),
        ("SHOW TABLES IN `byoc` LIKE 'c%'", ["clusters"]),
        ("SHOW FULL TABLES FROM byoc", ["clusters"]),
        ("SHOW COLUMNS FROM issues", ["id", "n"]),
        ("SHOW FIELDS FROM byoc.clusters LIKE 'n'", ["n"]),
        ("SHOW COLUMNS FROM clusters FROM byoc", ["id", "n"]),
        ("SHOW FULL COLUMNS FROM `clusters` IN `byoc` LIKE 'i_'", ["id"]),
        ("SHOW FIELDS FROM issues FROM alerts WHERE Field = 'n'", ["n"]),
        ("SHOW FULL COLUMNS FROM default_catalog.byoc.clusters", ["id", "n"]),
        ("SHOW SESSION VARIABLES LIKE 'query_timeout'", ["query_timeout"]),
        ("SHOW GLOBAL VARIABLES WHERE variable_name LIKE 'query_time%'", ["query_timeout"]),
        ("SHOW CREATE TABLE issues", ["issues"]),
        ("SHOW SCHEMAS", ["alerts", "byoc"]),
        ("SHOW PROCESSLIST", ["1"]),
        ("SHOW DATA", ["issues", "patrol_reports", "Total"]),
    ],
)
def test_a_listing_has_the_rows_that_were_asked_for(text: str, wanted: list[str]) -> None:
    assert names(text) == wanted


def test_the_writer_sees_only_its_own_tables() -> None:
    assert names("SHOW TABLES", WRITER) == ["patrol_reports"]
    assert names("SHOW TABLES FROM byoc", WRITER) == []
    assert names("SHOW DATABASES", WRITER) == ["alerts"]
    assert names("SHOW PROCESSLIST", WRITER) == ["2"]
    for text in ("SHOW COLUMNS FROM issues", "SHOW CREATE TABLE byoc.clusters"):
        with pytest.raises(StatementError) as refused:
            names(text, WRITER)
        assert refused.value.code == 5203


def test_an_administrator_sees_all_sessions_and_databases() -> None:
    assert names("SHOW PROCESSLIST", ADMIN) == ["1", "2"]
    assert "information_schema" in names("SHOW DATABASES", ADMIN)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SHOW TABLES FROM nope", 1049),
        ("SHOW COLUMNS", 1064),
        ("SHOW COLUMNS FROM", 1064),
        ("SHOW COLUMNS FROM nope", 5502),
        ("SHOW CREATE TABLE", 1064),
        ("SHOW VARIABLES WHERE Value > 1 AND Variable_name = 'x'", 1235),
        ("SHOW PROC '/backends'", 1235),
        ("SHOW", 1235),
    ],
)
def test_a_listing_that_cannot_be_is_refused(text: str, code: int) -> None:
    with pytest.raises(StatementError) as refused:
        names(text)
    assert refused.value.code == code


def test_without_a_database_unqualified_names_are_refused() -> None:
    with pytest.raises(StatementError, match="No database selected"):
        names("SHOW TABLES", database=None)
    with pytest.raises(StatementError, match="No database selected"):
        describe(split("DESC issues")[0], view(database=None))
    assert describe(split("DESC byoc.clusters")[0], view(database=None)).rows[1] == (
        "n",
        "int",
        "YES",
        "false",
        "0",
        "",
    )


def test_a_long_statement_is_cut_unless_the_full_list_is_asked_for() -> None:
    seen = view()
    seen.processes.find(1, None).busy_with("SELECT '" + "x" * 200 + "'")
    [short] = show(split("SHOW PROCESSLIST")[0], seen).rows
    [full] = show(split("SHOW FULL PROCESSLIST")[0], seen).rows
    assert (len(short[8] or ""), len(full[8] or "")) == (100, 209)
    assert (full[4], full[5], full[7]) == ("Query", "2026-01-01 00:00:00", "RUNNING")


def test_a_pattern_takes_every_other_character_for_itself() -> None:
    listing = Listing(("Name",), (("a.b",), ("axb",), ("a(b",), (None,)))
    assert listing.like("a.b").rows == (("a.b",),)
    assert listing.like("a(b").rows == (("a(b",),)
    assert listing.like("a_b").rows == (("a.b",), ("axb",), ("a(b",))
    assert listing.like(None) is listing


ESCAPED = [(r"a\_b", ["a_b"]), (r"a\%", ["a%"]), ("a_b", ["a_b", "axb"]), ("%%", ["a_b", "axb", "a%"])]


@pytest.mark.parametrize(("pattern", "wanted"), ESCAPED)
def test_a_backslash_makes_a_wildcard_a_letter_as_drivers_write_it(pattern: str, wanted: list[str]) -> None:
    listing = Listing(("Name",), (("a_b",), ("axb",), ("a%",)))
    assert [row[0] for row in listing.like(pattern).rows] == wanted


def alike(pattern: str, text: str) -> bool:
    """LIKE by its definition, letter by letter."""
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(alike(pattern[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in ("_", text[0]) and alike(pattern[1:], text[1:])


@given(st.text("ab_%", max_size=7), st.text("ab.", max_size=7))
def test_a_pattern_matches_what_sql_says_it_matches(pattern: str, text: str) -> None:
    assert bool(Listing(("Name",), ((text,),)).like(pattern).rows) is alike(pattern, text)


def test_a_hostile_pattern_holds_nobody_up() -> None:
    # tried place by place it would outlast us all
    listing = Listing(("Name",), (("a" * 2_000,),))
    assert listing.like("%a" * 60 + "%b").rows == ()
