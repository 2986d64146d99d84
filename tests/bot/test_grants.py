"""What --print-grants prints: the least that works, in StarRocks' own forms, safe to read and to run."""

import re

import pytest
import sqlglot
from sqlglot import exp

import schema
from bot import privileges
from bot.grants import READER_PLACEHOLDER, WRITER_PLACEHOLDER, Names, Step, script, steps
from bot.privileges import Grant

IDENTITY = r"'[\w-]+'@'[^']+'"
OPTION = r"'[\w.]+' = '[\w%]+'"
# The documented forms of the statements that no parser at hand reads.
FORMS = {
    "CREATE USER": rf"CREATE USER IF NOT EXISTS {IDENTITY} IDENTIFIED BY '<(READER|WRITER) PASSWORD>'",
    "ALTER USER": rf"ALTER USER '[\w-]+' SET PROPERTIES \({OPTION}(, {OPTION})*\)",
    "GRANT SELECT": rf"GRANT SELECT ON ALL (TABLES|VIEWS) IN DATABASE \w+ TO USER {IDENTITY}",
    "GRANT INSERT": rf"GRANT INSERT ON TABLE \w+\.\w+ TO USER {IDENTITY}",
    "CREATE RESOURCE": r"CREATE RESOURCE GROUP [\w-]+\s+TO \(user = '[\w-]+', query_type IN \('select'\)\)\s+"
    rf"WITH \(\s+{OPTION}(,\s+{OPTION})*\s+\)",
    "ADMIN SET": r'ADMIN SET FRONTEND CONFIG \("\w+" = "\w+"\)',
    "ADD SQLBLACKLIST": r'ADD SQLBLACKLIST "[^"]+"',
}


def granted(user: str) -> list[Grant]:
    """What a user has after the script ran."""
    lines = [step.sql for step in steps(Names()) if step.sql.startswith("GRANT") and f"'{user}'@" in step.sql]
    grants = [privileges.parsed(line, "default") for line in lines]
    assert None not in grants
    return [grant for grant in grants if grant]


def optional_text(step: Step) -> str:
    return "".join(f"-- {line}\n" for line in f"{step.sql};".splitlines())


@pytest.mark.parametrize("step", steps(Names()), ids=lambda step: step.sql[:40])
def test_each_statement_has_its_documented_form_and_a_reason(step: Step) -> None:
    form = FORMS[" ".join(step.sql.split()[:2])]
    assert re.fullmatch(form, step.sql)
    assert step.why.endswith(".")


@pytest.mark.parametrize("step", steps(Names()), ids=lambda step: step.sql[:40])
def test_no_statement_is_two_in_the_eyes_of_the_parser(step: Step) -> None:
    (tree,) = sqlglot.parse(step.sql, read="starrocks")
    assert isinstance(tree, exp.Command)


def test_the_reader_can_read_every_table_and_view_and_nothing_else() -> None:
    grants = granted("starwatch")
    assert privileges.unmet(grants, "SELECT", schema.TABLES) == ()
    assert privileges.surplus(grants, privileges.READER) == ()


def test_the_writer_can_insert_into_its_four_tables_and_nothing_else() -> None:
    grants = granted("starwatch_writer")
    assert privileges.unmet(grants, "INSERT", schema.WRITTEN) == ()
    assert {name for grant in grants for name in grant.objects} == set(schema.WRITTEN)
    assert {privilege for grant in grants for privilege in grant.privileges} == {"INSERT"}


def test_what_concerns_other_users_of_the_server_is_printed_as_a_comment() -> None:
    text = script(Names())
    optional = [step for step in steps(Names()) if step.optional]
    assert len(optional) == 3
    for step in optional:
        assert optional_text(step) in text
    live = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    assert not re.search(r"ADMIN|SQLBLACKLIST|GLOBAL|SYSTEM|OPERATE", live)


def test_the_text_runs_as_exactly_the_statements_that_are_not_optional() -> None:
    live = "\n".join(line for line in script(Names()).splitlines() if not line.startswith("--"))
    run = [statement.strip() for statement in live.split(";\n") if statement.strip()]
    assert [statement.removesuffix(";") for statement in run] == [s.sql for s in steps(Names()) if not s.optional]


def test_no_comment_holds_a_quote_that_a_client_could_take_for_the_start_of_a_text() -> None:
    comments = [line for line in script(Names()).splitlines() if line.startswith("-- ")]
    optional = {line for step in steps(Names()) if step.optional for line in optional_text(step).splitlines()}
    assert not [line for line in comments if line not in optional and set("'\"`;") & set(line)]


def test_no_password_is_printed_and_each_user_gets_its_own() -> None:
    secrets = re.findall(r"IDENTIFIED BY '([^']*)'", script(Names()))
    assert secrets == [READER_PLACEHOLDER, WRITER_PLACEHOLDER]


def test_the_resource_group_bounds_the_reader_alone() -> None:
    (group,) = [step.sql for step in steps(Names(reader="eyes")) if step.sql.startswith("CREATE RESOURCE GROUP")]
    assert re.findall(r"user = '([^']+)'", group) == ["eyes"]
    limits = dict(re.findall(r"'(\w+)' = '([^']+)'", group))
    assert set(limits) == {
        *("cpu_weight", "mem_limit", "concurrency_limit"),
        *("big_query_cpu_second_limit", "big_query_scan_rows_limit", "big_query_mem_limit"),
    }
    assert all(int(limit.rstrip("%")) > 0 for limit in limits.values())
