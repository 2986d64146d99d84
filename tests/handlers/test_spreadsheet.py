"""Rows as CSV files."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.spreadsheet import csv_bytes, csv_name


def opened(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_every_row_is_there_and_nothing_is_an_empty_cell() -> None:
    content = csv_bytes(("cluster", "p99"), [("prod-a", 1.5), ("生产", None), ('say "x",\ny', -3)])
    assert content.startswith(b"\xef\xbb\xbf")
    assert opened(content) == [["cluster", "p99"], ["prod-a", "1.5"], ["生产", ""], ['say "x",\ny', "-3"]]


@pytest.mark.parametrize(
    "text", ['=HYPERLINK("http://x")', "+1+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＠SUM(A1)"]
)
def test_a_text_that_a_spreadsheet_would_run_stays_a_text(text: str) -> None:
    assert opened(csv_bytes(("a",), [(text,)]))[1][0] == f"'{text}"


@pytest.mark.parametrize("text", ["-12.5", "+3", "-1,200", "-4%", "-1e-9"])
def test_numbers_that_come_as_text_stay_numbers(text: str) -> None:
    assert opened(csv_bytes(("a",), [(text,)]))[1] == [text]


@given(st.lists(st.lists(st.text(max_size=20), min_size=2, max_size=2), max_size=5))
def test_no_cell_begins_a_formula_and_none_is_lost(rows: list[list[str]]) -> None:
    read = opened(csv_bytes(("a", "b"), rows))[1:]
    assert len(read) == len(rows)
    for cell in (cell for row in read for cell in row):
        assert not cell.startswith(("=", "@", "\t", "\r", "\n", "＝", "＠"))


@pytest.mark.parametrize(
    ("text", "name"), [("q-0a1", "q-0a1.csv"), ("../../etc/passwd", "etc-passwd.csv"), ("生产", "rows.csv")]
)
def test_a_file_name_has_no_path_and_no_surprise(text: str, name: str) -> None:
    assert csv_name(text) == name
    assert len(csv_name("x" * 500)) <= 64
