"""SHOW GRANTS, read line by line: what is known is judged, what is not known is never taken for harmless."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import schema
from bot.privileges import READER, WRITER, Grant, parsed, roles, surplus, unmet

U = "TO USER 'u'@'%'"


def grant(line: str, catalog: str | None = "default") -> Grant:
    found = parsed(line, catalog)
    assert found is not None, line
    return found


@pytest.mark.parametrize(
    ("line", "privileges", "kind", "objects"),
    [
        (f"GRANT SELECT ON TABLE byoc.clusters {U}", {"SELECT"}, "TABLE", ("byoc.clusters",)),
        (f"GRANT SELECT, INSERT ON TABLE a.b, c.d {U}", {"SELECT", "INSERT"}, "TABLE", ("a.b", "c.d")),
        ("GRANT SELECT ON TABLE db.* TO USER `u`@`%`;", {"SELECT"}, "TABLE", ("db.*",)),
        (f"GRANT SELECT ON ALL TABLES IN DATABASE metrics {U}", {"SELECT"}, "TABLE", ("metrics.*",)),
        (f"GRANT SELECT ON ALL TABLES IN ALL DATABASES {U}", {"SELECT"}, "TABLE", ("*.*",)),
        (f"GRANT SELECT ON ALL VIEWS IN DATABASE a, b {U} ;", {"SELECT"}, "VIEW", ("a.*", "b.*")),
        (f"GRANT REFRESH ON MATERIALIZED VIEW a.b {U}", {"REFRESH"}, "MATERIALIZED VIEW", ("a.b",)),
        (f"GRANT CREATE_TABLE, DROP ON DATABASE db1 {U}", {"CREATE TABLE", "DROP"}, "DATABASE", ("db1",)),
        (f"GRANT OPERATE ON SYSTEM {U}", {"OPERATE"}, "SYSTEM", ("*",)),
        (f"GRANT USAGE ON ALL GLOBAL FUNCTIONS {U}", {"USAGE"}, "GLOBAL FUNCTION", ("*",)),
        ("GRANT SELECT ON *.* TO ROLE r", {"SELECT"}, "TABLE", ("*.*",)),
        ("GRANT INGEST ON db.t TO 'u'@'%'", {"INSERT"}, "TABLE", ("db.t",)),
        ("grant 'root', 'testrole' to 'root'@'%'", set(), "ROLE", ("root", "testrole")),
        ("GRANT role_g, public TO `u`@`%`;", set(), "ROLE", ("role_g", "public")),
    ],
)
def test_every_form_of_a_grant_is_read(line: str, privileges: set[str], kind: str, objects: tuple[str, ...]) -> None:
    found = grant(line)
    assert (found.privileges, found.kind, found.objects) == (privileges, kind, objects)
    assert not found.passed_on


@pytest.mark.parametrize("line", ["", "REVOKE SELECT ON TABLE a.b FROM u", "GRANT", "GRANT SELECT ON TABLE a.b"])
def test_a_line_of_no_known_form_is_no_grant(line: str) -> None:
    assert parsed(line, None) is None


@pytest.mark.parametrize(
    "line",
    [
        f"GRANT SELECT ON ALL TABLES IN DATABASE byoc {U}",
        f"GRANT SELECT ON VIEW metrics.v_customer_key_v2 {U}",
        f"GRANT SELECT ON TABLE information_schema.tables {U}",
        f"GRANT USAGE ON CATALOG default_catalog {U}",
    ],
)
def test_what_the_reader_needs_is_not_too_much(line: str) -> None:
    assert surplus([grant(line)], READER) == ()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f"GRANT SELECT, INSERT ON TABLE alerts.issues {U}", "has INSERT on alerts.issues"),
        (f"GRANT ALL ON TABLE byoc.clusters {U}", "has ALL on byoc.clusters"),
        (f"GRANT EXPORT ON TABLE byoc.clusters {U}", "has EXPORT on byoc.clusters"),
        (f"GRANT SELECT ON ALL TABLES IN ALL DATABASES {U}", "has SELECT on every database"),
        (f"GRANT SELECT ON TABLE payroll.wages {U}", "has SELECT on payroll.wages"),
        (f"GRANT SELECT ON TABLE metrics {U}", "has SELECT on metrics"),
        (f"GRANT DELETE ON VIEW byoc.x {U}", "has DELETE on byoc.x"),
        (f"GRANT OPERATE, NODE ON SYSTEM {U}", "has NODE, OPERATE on the whole system"),
        (f"GRANT FILE ON SYSTEM {U}", "has FILE on the whole system"),
        (f"GRANT DROP ON DATABASE byoc {U}", "has DROP on DATABASE byoc"),
        (f"GRANT IMPERSONATE ON USER 'root'@'%' {U}", "has IMPERSONATE on USER root@%"),
        (f"GRANT USAGE ON GLOBAL FUNCTION f(string) {U}", "has USAGE on GLOBAL FUNCTION f(string)"),
        (f"GRANT CREATE_DATABASE ON CATALOG default_catalog {U}", "has CREATE DATABASE on CATALOG default_catalog"),
        (f"GRANT PONDER ON ORACLE delphi {U}", "has PONDER on ORACLE delphi"),
    ],
)
def test_whatever_goes_beyond_reading_three_databases_is_told(line: str, told: str) -> None:
    assert surplus([grant(line)], READER) == (told,)


def test_an_external_catalog_and_the_right_to_grant_on_are_told() -> None:
    assert surplus([grant(f"GRANT USAGE ON CATALOG hive {U}", "hive")], READER) == (
        "may use the external catalog hive",
    )
    line = f"GRANT SELECT ON TABLE byoc.clusters {U} WITH GRANT OPTION"
    assert surplus([grant(line)], READER) == ("may grant on SELECT (TABLE byoc.clusters)",)


def test_the_writer_may_read_back_its_tables_but_no_others() -> None:
    own = grant(f"GRANT SELECT, INSERT ON TABLE {', '.join(schema.WRITTEN)} {U}")
    assert surplus([own], WRITER) == ()
    assert surplus([grant(f"GRANT SELECT ON ALL TABLES IN DATABASE alerts {U}")], WRITER) == ("has SELECT on alerts.*",)


def test_all_tables_does_not_cover_the_views() -> None:
    grants = [grant(f"GRANT SELECT ON ALL TABLES IN DATABASE {', '.join(schema.DATABASES)} {U}")]
    assert set(unmet(grants, "SELECT", schema.TABLES)) == set(schema.views())
    assert unmet([*grants, grant(f"GRANT ALL ON ALL VIEWS IN ALL DATABASES {U}")], "SELECT", schema.TABLES) == ()


def test_a_grant_in_an_external_catalog_covers_nothing_of_ours() -> None:
    elsewhere = grant(f"GRANT SELECT ON ALL TABLES IN DATABASE byoc {U}", "hive")
    assert unmet([elsewhere], "SELECT", ["byoc.clusters"]) == ("byoc.clusters",)


def test_roles_are_listed_once_and_in_order() -> None:
    lines = ["GRANT public, ops TO 'u'@'%'", f"GRANT SELECT ON TABLE a.b {U}", "GRANT ops TO 'u'@'%'"]
    assert roles(map(grant, lines)) == ("public", "ops")


WORDS = st.sampled_from(
    ["SELECT", "INSERT", "ON", "TABLE", "TO", "USER", "ALL", "IN", "byoc.clusters", "*.*", ",", "'"]
)


@given(st.one_of(st.text(max_size=80), st.lists(WORDS, max_size=12).map(" ".join)), st.none() | st.text(max_size=10))
def test_any_line_is_read_or_refused_and_more_than_select_is_never_passed_over(text: str, catalog: str | None) -> None:
    found = parsed(f"GRANT {text}", catalog)
    if found is not None and found.kind != "ROLE":
        harmless = found.kind == "CATALOG" and found.privileges == {"USAGE"}
        known = found.objects and all(
            name.partition(".")[0] in {*schema.DATABASES, "information_schema"} for name in found.objects
        )
        assert surplus([found], READER) or harmless or (found.privileges <= {"SELECT"} and known)
