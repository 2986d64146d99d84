"""The door's texts read back: what was written is what is read."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.rules_only.envelope import Failure, Sheet, read
from mcp_server.errors import Code
from tests.agent.rules_only.scripted import fault, rows


def sheet(text: str) -> Sheet:
    outcome = read(text, is_error=False)
    assert isinstance(outcome, Sheet)
    return outcome


def test_rows_null_and_empty_are_told_apart_from_values() -> None:
    found = sheet(rows("name value:DOUBLE", ("a,b", 1.5), (None, None), ('say "hi"', -2.0)).text)
    assert [row.text("name") for row in found] == ["a,b", "", 'say "hi"']
    assert [row.number("value") for row in found] == [1.5, None, -2.0]


def test_no_rows_is_an_empty_sheet_with_its_columns() -> None:
    found = sheet(rows("name value:DOUBLE").text)
    assert (found.columns, len(found), found.cut) == (("name", "value"), 0, False)
    assert found.first.text("name") == ""


def test_a_note_above_the_rows_is_no_row() -> None:
    head, _, rest = rows("name", ("x",)).text.partition("\n")
    assert [row.text("name") for row in sheet(f"{head}\n-- cluster x ({'0' * 8})\n{rest}")] == ["x"]


def test_a_cell_that_looks_like_the_count_line_is_kept() -> None:
    assert [row.text("name") for row in sheet(rows("name", ("-- 3 rows",), ("b",)).text)] == ["-- 3 rows", "b"]


def test_a_result_cut_by_the_warehouse_or_by_its_length_says_so() -> None:
    assert sheet(rows("name", ("x",), truncated=True).text).cut
    assert sheet(rows("name", *[("x" * 150,)] * 200).text).cut
    assert not sheet(rows("name", ("x",)).text).cut


def test_a_long_cell_is_marked_as_cut() -> None:
    assert sheet(rows("name", ("y" * 500,)).text).first.text("name") == "y" * 200 + "…"


def test_a_repeated_call_is_read_behind_its_reminder() -> None:
    assert len(sheet("You made this very call before. Its result was:\n" + rows("name", ("x",)).text)) == 1


def test_a_failure_keeps_its_code_and_parts() -> None:
    text = fault(Code.BAD_ARGUMENT, "2 clusters match", part="prod", near=["a", "b"], hint="name one").text
    assert read(text, is_error=True) == Failure(
        "bad_argument", ("2 clusters match", "prod", "near: a, b", "try: name one")
    )


@pytest.mark.parametrize("text", ["", "\n\n", "Traceback (most recent call last)", "Cancelled by the user."])
def test_an_error_of_another_form_is_a_failure_without_its_text_as_code(text: str) -> None:
    outcome = read(text, is_error=True)
    assert isinstance(outcome, Failure) and outcome.code == "execution"


def test_a_result_without_columns_is_a_failure_and_not_nothing() -> None:
    assert isinstance(read("[Result of an earlier turn, removed to save space.]", is_error=False), Failure)


CELLS = st.one_of(
    st.none(),
    st.integers(-(10**6), 10**6),
    st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), max_size=20),
)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=8))
def test_what_the_door_writes_is_what_is_read(values: list[tuple[object, object]]) -> None:
    found = sheet(rows("a b", *values).text)
    shown = [
        tuple("" if cell is None or str(cell) in {"NULL", "null", "\\N"} else str(cell) for cell in row)
        for row in values
    ]
    assert [(row.text("a"), row.text("b")) for row in found] == shown


@given(st.text(max_size=400), st.booleans())
def test_any_text_is_read_without_an_exception_and_its_numbers_are_finite(text: str, is_error: bool) -> None:
    for body in (text, f"columns: a:DOUBLE,b:VARCHAR\na,b\n{text}"):
        outcome = read(body, is_error)
        numbers = [row.number("a") for row in outcome] if isinstance(outcome, Sheet) else []
        assert all(number is None or math.isfinite(number) for number in numbers)
