"""The forms of SET that drivers and people send."""

import pytest

from sandbox.accounts import READER
from sandbox.dialect.statement import split
from sandbox.errors import StatementError
from sandbox.settings import apply
from sandbox.variables import Variables
from tests.sandbox.conftest import ADMIN


def after(text: str, administers: bool = False) -> Variables:
    variables = Variables()
    apply(split(text)[0], variables, ADMIN if administers else READER)
    return variables


@pytest.mark.parametrize(
    "text",
    [
        "SET query_timeout = 7",
        "set QUERY_TIMEOUT=7",
        "SET SESSION query_timeout = 7",
        "SET LOCAL query_timeout = 7",
        "SET @@query_timeout = 7",
        "SET @@session.query_timeout = 7",
        "SET `query_timeout` = 7",
        "SET query_timeout = '7'",
        'SET query_timeout = "7"',
        "SET autocommit = 1, query_timeout = 7",
        "SET query_timeout /* seconds */ = 7 -- enough",
        "SET query_timeout = 5, query_timeout = 7",
    ],
)
def test_every_form_of_assignment_is_understood(text: str) -> None:
    assert after(text).query_timeout == 7


def test_default_takes_the_default() -> None:
    assert after("SET query_timeout = 7, query_timeout = DEFAULT").query_timeout == 300


@pytest.mark.parametrize(
    "text",
    [
        "SET NAMES utf8",
        "SET NAMES 'utf8mb4' COLLATE 'utf8mb4_general_ci'",
        "SET CHARACTER SET utf8",
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "SET SESSION TRANSACTION READ ONLY",
        "SET sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE'",
        "SET character_set_results = NULL",
        "SET tx_isolation = 'READ-COMMITTED'",
        "SET tx_isolation = READ-COMMITTED",
    ],
)
def test_what_drivers_send_is_accepted(text: str) -> None:
    assert after(text).query_timeout == 300


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SET", 1064),
        ("SET query_timeout", 1064),
        ("SET query_timeout =", 1064),
        ("SET query_timeout = 1,", 1064),
        ("SET query_timeout = (SELECT 1)", 1064),
        ("SET query_timeout = 1 + 1", 1064),
        ("SET nope = 1", 1193),
        ("SET @mine = 1", 1235),
        ("SET GLOBAL query_timeout = 1", 5203),
        ("SET @@global.query_timeout = 1", 5203),
        ("SET PASSWORD FOR root = PASSWORD('x')", 5203),
        ("SET ROLE root", 5203),
        ("SET PROPERTY FOR reader 'max_user_connections' = '1'", 5203),
        ("SET CATALOG hive", 5203),
    ],
)
def test_the_rest_is_refused(text: str, code: int) -> None:
    with pytest.raises(StatementError) as refused:
        after(text)
    assert refused.value.code == code


def test_an_administrator_may_set_global_but_not_passwords() -> None:
    assert after("SET GLOBAL query_timeout = 7", administers=True).query_timeout == 7
    with pytest.raises(StatementError) as refused:
        after("SET PASSWORD = 'x'", administers=True)
    assert refused.value.code == 1235
