"""Any text becomes DuckDB SQL or a refusal; nothing else comes out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.dialect.statement import placeholders, split
from sandbox.dialect.translate import Effect, TableName, translate
from sandbox.errors import StatementError
from tests.sandbox.dialect.matrix import AGGREGATES, SCALARS, STATEMENTS, VALUES, WINDOWS

TEXTS = (
    *(f"SELECT {sql}" for sql, _ in SCALARS),
    *(f"SELECT {sql} FROM {VALUES}" for sql, _ in (*AGGREGATES, *WINDOWS)),
    *(sql for sql, _ in STATEMENTS),
)
WORDS = (
    *(
        "INTO OUTFILE '/tmp/x'",
        "FOR UPDATE",
        "FILES('a'='b')",
        "::INT",
        "?",
        "$1",
        "@x",
        "@@x",
        "{",
        "}",
        "[",
        "]",
        "(",
    ),
    *(
        ")",
        ",",
        ";",
        "--",
        "/*",
        "*/",
        "#",
        "'",
        '"',
        "`",
        "->",
        ":=",
        "*",
        "AS",
        "FROM",
        "INTERVAL",
        "CAST(",
        "PIVOT(",
    ),
    *("SELECT", "INSERT INTO t VALUES (1)", "DROP TABLE t", "COPY t TO 'x'", "NULL", "1e999", "\x00", "\u200b", "日"),
)


def outcome(text: str) -> str:
    """`ok`, or the number of the refusal."""
    try:
        for statement in split(text):
            translate(statement, "metrics")
    except StatementError as error:
        return str(error.code)
    return "ok"


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(TEXTS),
    st.lists(st.tuples(st.sampled_from(WORDS), st.integers(0, 200)), min_size=1, max_size=4),
)
def test_a_mangled_statement_is_translated_or_refused(text: str, insertions: list[tuple[str, int]]) -> None:
    for word, place in insertions:
        cut = place % (len(text) + 1)
        text = f"{text[:cut]} {word} {text[cut:]}"
    assert outcome(text) in ("ok", "1064", "1065", "1046", "1235", "5078")


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_translated_or_refused(text: str) -> None:
    assert outcome(text) in ("ok", "1064", "1065", "1046", "1235", "5078")


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.characters(exclude_characters="\\'\x00", exclude_categories=["Cs"]), max_size=50))
def test_a_literal_keeps_its_text(value: str) -> None:
    [statement] = split(f"SELECT '{value}' AS v")
    assert translate(statement, None).sql == f"SELECT '{value}' AS \"v\""


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 INTO OUTFILE '/tmp/x'",
        "SELECT 1 FOR UPDATE",
        "SELECT '1'::INT",
        "SELECT {'a': 1}",
        "SELECT ?",
        "SELECT * REPLACE (1 AS a) FROM t",
        "TABLE t",
        "SELECT * FROM t TABLESAMPLE (1 PERCENT)",
        "SELECT * FROM t PIVOT (count(*) FOR a IN ('x'))",
        "SELECT year()",
        "SELECT str_to_date('2026-01-01')",
        "SELECT array_slice([1], 1)",
        "SELECT week('2026-01-01', 3)",
        "SELECT json_array_length('[]')",
        "SELECT struct_pack(a := 1)",
    ],
)
def test_what_only_the_parser_knows_is_refused(sql: str) -> None:
    assert outcome(sql) in ("1064", "1235")


def test_comments_hints_and_empty_statements_fall_away() -> None:
    texts = [statement.text for statement in split("; SELECT 1 /* a;b */ ;; -- c;\n SELECT /*+ x */ 2; ")]
    assert [text.split()[0] for text in texts] == ["SELECT", "SELECT"]
    [first, second] = split("SELECT 1; SELECT /*+ SET_VAR(a=1) */ 2")
    assert translate(second, None).sql == 'SELECT 2 AS "2"'
    assert first.text == "SELECT 1"


def test_a_hash_is_no_comment() -> None:
    assert len(split("SELECT 1 # ; SELECT 2")) == 2


def test_tables_are_named_with_their_database_and_local_names_are_not() -> None:
    [statement] = split(
        "WITH a AS (SELECT * FROM t), b AS (SELECT * FROM a) "
        "SELECT * FROM b JOIN byoc.clusters c ON b.x = c.y WHERE EXISTS (SELECT 1 FROM a, u)"
    )
    translation = translate(statement, "metrics")
    assert translation.reads == {TableName("metrics", "t"), TableName("byoc", "clusters"), TableName("metrics", "u")}
    assert translation.effect is Effect.SELECT


@pytest.mark.parametrize(
    ("sql", "effect", "target", "reads"),
    [
        ("INSERT INTO a.t SELECT * FROM b.u", Effect.INSERT, "a.t", {"b.u"}),
        ("INSERT INTO t (x) VALUES (1)", Effect.INSERT, "d.t", set()),
        ("UPDATE a.t SET x = 1", Effect.UPDATE, "a.t", set()),
        ("DELETE FROM a.t WHERE x IN (SELECT y FROM b.u)", Effect.DELETE, "a.t", {"b.u"}),
        ("TRUNCATE TABLE a.t", Effect.DELETE, "a.t", set()),
        ("DROP TABLE a.t", Effect.DROP, "a.t", set()),
    ],
)
def test_a_change_names_its_target_apart_from_what_it_reads(
    sql: str, effect: Effect, target: str, reads: set[str]
) -> None:
    [statement] = split(sql)
    translation = translate(statement, "d")
    assert (translation.effect, str(translation.target)) == (effect, target)
    assert {str(name) for name in translation.reads} == reads


def test_session_values_become_parameters() -> None:
    [statement] = split("SELECT @@query_timeout, connection_id(), 'connection_id()'")
    assert translate(statement, None).parameters == {"variable_query_timeout", "function_connection_id"}


def test_only_real_placeholders_divide_a_statement() -> None:
    assert placeholders("SELECT ?, '?', `?`, ? -- ?") == ("SELECT ", ", '?', `?`, ", " -- ?")
