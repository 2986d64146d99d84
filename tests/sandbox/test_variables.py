"""Session variables: checked when set, told back as they are."""

import pytest

from sandbox.errors import StatementError
from sandbox.variables import UNLIMITED_ROWS, Variables


@pytest.fixture
def variables() -> Variables:
    return Variables()


def refusal(variables: Variables, name: str, value: str | int | None) -> int:
    with pytest.raises(StatementError) as refused:
        variables.set(name, value)
    return refused.value.code


def test_the_defaults_are_those_of_starrocks(variables: Variables) -> None:
    assert variables.query_timeout == 300
    assert variables.row_limit == UNLIMITED_ROWS
    assert variables.get("time_zone") == "UTC"
    assert variables.get("autocommit") == 1


@pytest.mark.parametrize("name", ["query_timeout", "QUERY_TIMEOUT", "Query_Timeout"])
def test_names_are_case_insensitive(variables: Variables, name: str) -> None:
    variables.set(name, 5)
    assert variables.get(name) == variables.query_timeout == 5


@pytest.mark.parametrize(("word", "value"), [("on", 1), ("OFF", 0), ("true", 1), ("False", 0), ("1", 1), (0, 0)])
def test_switches_take_words_and_numbers(variables: Variables, word: str | int, value: int) -> None:
    variables.set("autocommit", word)
    assert variables.get("autocommit") == value


@pytest.mark.parametrize("seconds", [0, -1, 259201])
def test_a_timeout_out_of_range_is_refused(variables: Variables, seconds: int) -> None:
    assert refusal(variables, "query_timeout", seconds) == 1231
    assert variables.query_timeout == 300


@pytest.mark.parametrize("value", ["soon", "", "1.5"])
def test_a_number_is_a_number(variables: Variables, value: str) -> None:
    assert refusal(variables, "query_timeout", value) == 1232


@pytest.mark.parametrize("name", ["version", "version_comment", "license", "max_allowed_packet"])
def test_what_the_server_is_cannot_be_set(variables: Variables, name: str) -> None:
    assert refusal(variables, name, "x") == 1621


@pytest.mark.parametrize("zone", ["UTC", "utc", "+00:00", "Etc/UTC", "SYSTEM"])
def test_utc_is_a_time_zone(variables: Variables, zone: str) -> None:
    variables.set("time_zone", zone)
    assert variables.get("time_zone") == zone


@pytest.mark.parametrize("zone", ["US/Pacific", "+01:00", "nowhere"])
def test_no_other_time_zone_is_pretended(variables: Variables, zone: str) -> None:
    assert refusal(variables, "time_zone", zone) == 1298


def test_an_unknown_name_is_refused_with_its_neighbours(variables: Variables) -> None:
    with pytest.raises(StatementError, match="'query_timeout'") as refused:
        variables.get("query_timout")
    assert refused.value.code == 1193


def test_none_means_the_default(variables: Variables) -> None:
    variables.set("query_timeout", 5)
    variables.set("query_timeout", None)
    assert variables.query_timeout == 300


def test_reset_forgets_everything(variables: Variables) -> None:
    variables.set("query_timeout", 5)
    variables.set("sql_select_limit", 1)
    variables.reset()
    assert (variables.query_timeout, variables.row_limit) == (300, UNLIMITED_ROWS)


def test_all_variables_are_listed_sorted_and_as_text(variables: Variables) -> None:
    variables.set("query_timeout", 5)
    listed = variables.items()
    assert [name for name, _ in listed] == sorted(name for name, _ in listed)
    assert ("query_timeout", "5") in listed
