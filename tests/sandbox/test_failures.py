"""DuckDB's errors come out in StarRocks' numbers and words, without advice about DuckDB."""

import duckdb
import pytest

from sandbox.failures import translate

CASES = (
    ("SELECT nope FROM t", 1054, "Column 'nope' cannot be resolved"),
    ("SELECT t.nope FROM t", 1054, "Column 'nope' cannot be resolved"),
    ("SELECT u.a FROM t", 1054, "Column 'u.*' cannot be resolved"),
    ("SELECT a FROM t JOIN t AS u ON true", 1052, "Column 'a' is ambiguous"),
    ("SELECT a, count(*) FROM t", 1064, "'a' must be an aggregate expression or appear in GROUP BY clause"),
    ("SELECT nofn(1)", 1064, "No matching function with signature: nofn(...)"),
    ("SELECT nofn(1) OVER ()", 1064, "No matching function with signature: nofn(...)"),
    ("SELECT sum('a')", 1064, "No matching function with signature: sum(...)"),
    ("SELECT date_trunc('day', 1)", 1064, "No matching function with signature: date_trunc(...)"),
    ("SELEC", 1064, "Getting syntax error"),
    ("INSERT INTO t VALUES (NULL, 1)", 1364, "Field 't.a' is not null but doesn't have a default value"),
    ("SELECT CAST('x' AS INT)", 1064, "Could not convert"),
    ("SELECT 9223372036854775807 + CAST(1 AS BIGINT)", 1064, "Overflow"),
)


@pytest.mark.parametrize(("sql", "code", "words"), CASES, ids=[sql for sql, _, _ in CASES])
def test_an_error_has_starrocks_number_and_words(sql: str, code: int, words: str) -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t (a INT NOT NULL, b INT)")
        with pytest.raises(duckdb.Error) as failed:
            connection.execute(sql)
    error = translate(failed.value)
    assert error.code == code
    assert words in error.message
    assert "\n" not in error.message
    assert len(error.state) == 5


def test_files_out_of_reach_are_told_without_their_names() -> None:
    with duckdb.connect() as connection:
        connection.execute("SET enable_external_access = false")
        with pytest.raises(duckdb.Error) as failed:
            connection.execute("SELECT * FROM read_csv('/etc/passwd')")
    assert "passwd" not in translate(failed.value).message
