"""StarRocks' errors in its own words, and the codes the door makes of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymysql.err import MySQLError, OperationalError, ProgrammingError

from mcp_server.errors import Code, ConnectionLost, DoorError
from mcp_server.faults import translated


@pytest.mark.parametrize(
    ("number", "words", "code", "part"),
    [
        (1064, "Getting analyzing error. Detail message: Column 'a' cannot be resolved.", Code.UNKNOWN_COLUMN, "a"),
        (1064, "Detail message: Column '`t`.`x`' cannot be resolved.", Code.UNKNOWN_COLUMN, "t.x"),
        (1064, "Column 'biz_id' is ambiguous.", Code.UNKNOWN_COLUMN, "biz_id"),
        (1054, "Unknown column 'q' in 'field list'", Code.UNKNOWN_COLUMN, "q"),
        (5502, "Getting analyzing error. Detail message: Unknown table 'byoc.x'.", Code.UNKNOWN_TABLE, "byoc.x"),
        (1049, "Unknown database 'nowhere'", Code.UNKNOWN_TABLE, "nowhere"),
        (1064, "Getting syntax error at line 1, column 7. Detail message: x.", Code.SYNTAX, "at line 1, column 7"),
        (5203, "Access denied; you need the SELECT privilege(s) on TABLE t for this operation.", Code.PERMISSION, ""),
        (1064, "No matching function with signature: date_trunc(varchar, int).", Code.TYPE_MISMATCH, ""),
        (1064, "No function matches the given name and argument types '+(VARCHAR)'.", Code.TYPE_MISMATCH, ""),
        (1064, "Cannot cast '2026-13-01' from VARCHAR to DATE.", Code.TYPE_MISMATCH, ""),
        (1064, "Query exceeded time limit of 30 seconds", Code.TIMEOUT, ""),
        (1317, "Query execution was interrupted", Code.TIMEOUT, ""),
        (1064, "Memory of query_pool exceed limit. Used: 12, Limit: 10.", Code.EXECUTION, ""),
        (1040, "Too many connections", Code.UNAVAILABLE, ""),
        (2003, "Can't connect to MySQL server on '10.0.0.1'", Code.UNAVAILABLE, ""),
    ],
)  # fmt: skip
def test_an_error_becomes_a_code_and_names_the_offending_part(number: int, words: str, code: Code, part: str) -> None:
    error = translated(ProgrammingError(number, words))
    assert (error.code, error.part) == (code, part)


@pytest.mark.parametrize("number", [2006, 2013])
def test_a_lost_connection_can_be_told_from_other_failures(number: int) -> None:
    assert isinstance(translated(OperationalError(number, "gone")), ConnectionLost)


@pytest.mark.parametrize(
    "words",
    [
        "Access denied for user 'reader'@'10.20.30.40' (using password: YES)",
        "Memory exceed on backend [id=10002] [host=10.20.30.40:9060]",
        "Failed to call 10.20.30.40:8060 for 'bot'@'10.20.30.40'",
    ],
)
def test_no_address_and_no_account_is_passed_on(words: str) -> None:
    text = translated(OperationalError(1064, words)).text()
    assert "10.20.30.40" not in text
    assert "reader" not in text


def test_the_text_shows_reason_part_near_names_and_what_to_try_in_this_order() -> None:
    error = DoorError(Code.UNKNOWN_TABLE, "there is no such table", part="x", near=["a", "b"], hint="look")
    assert error.text() == "UNKNOWN_TABLE: there is no such table | x | near: a, b | try: look"
    assert DoorError(Code.TIMEOUT, "killed", hint="read less").text() == "TIMEOUT: killed | try: read less"


@given(st.integers(0, 7_000), st.text(max_size=400))
def test_any_error_becomes_one_short_line(number: int, words: str) -> None:
    error = translated(MySQLError(number, words))
    assert error.code in Code
    assert len(error.text()) < 700
    assert "\n" not in error.text()
