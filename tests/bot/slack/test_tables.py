"""The three forms of a table on Slack, and that nothing is cut silently."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.tables import SHOWN, WIDTH, table
from handlers.document import File
from tests.fakes.slack import problems


def laid(columns: int, rows: int, cell: str = "", **more: Any) -> tuple[list[dict[str, Any]], list[File]]:
    files: list[File] = []
    body = [[cell or f"r{row}c{column}" for column in range(columns)] for row in range(rows)]
    header = [f"c{column}" for column in range(columns)]
    blocks = list(table([header, *body], more.get("caption", ""), more.get("language", "en"), files))
    return blocks, files


def text(block: dict[str, Any]) -> str:
    return str(block["text"]["text"]) if "text" in block else str(block["elements"][0]["text"])


@pytest.mark.parametrize(("columns", "rows"), [(1, 0), (20, 20), (2, 99)])
def test_what_slack_takes_is_a_table_block(columns: int, rows: int) -> None:
    ((block,), files) = laid(columns, rows)
    assert (block["type"], len(block["rows"]), files) == ("table", rows + 1, [])
    assert problems([block]) == []


def test_columns_of_figures_stand_right_and_long_words_are_wrapped() -> None:
    rows = [
        ["name", "n", "p99", "share", "id", "why"],
        ["prod-a", "1,234.5", "12 ms", "-3%", "0f3a91c2", "x" * 60],
        ["b", "–", "9 ms", "+0.5 %", "12ab", "y"],
    ]
    (block,) = table(rows, "", "en", [])
    right: dict[str, Any] = {"align": "right"}
    assert block["column_settings"] == [{}, right, right, right, {}, {"is_wrapped": True}]
    assert problems([block]) == []


@pytest.mark.parametrize(("columns", "rows"), [(2, 100), (21, 3), (1, 400)])
def test_a_narrow_table_beyond_that_is_aligned_text(columns: int, rows: int) -> None:
    cells = "1" if columns > 20 else ""
    blocks, files = laid(columns, rows, cells)
    assert files == [] and {block["type"] for block in blocks} == {"section"}
    lines = [line for block in blocks for line in text(block).strip("`\n").split("\n")]
    assert len(lines) == rows + 2, "a rule below the header"
    assert all(len(line) <= WIDTH for line in lines)


def test_figures_stand_below_each_other_whatever_the_letters() -> None:
    rows = [["name", "n"], *([["生产", "7"], ["prod-a", "12"]] * 60)]
    (block, *_) = table(rows, "", "en", [])
    assert text(block).split("\n")[1:5] == ["name    n", "------  --", "生产     7", "prod-a  12"]


def test_names_cannot_leave_the_code_they_stand_in() -> None:
    blocks, _ = laid(2, 120, "``` <!channel> &")
    assert all("```" not in text(block)[3:-3] and "<!" not in text(block) for block in blocks)


@pytest.mark.parametrize(
    ("language", "words"), [("en", "The first 50 of 412 rows; all"), ("zh", "共 412 行,此处为前 50 行")]
)
def test_a_long_and_wide_table_is_begun_and_goes_whole_into_a_file(language: str, words: str) -> None:
    (begun, note), (file,) = laid(9, 412, language=language, caption="clusters")
    assert len(begun["rows"]) == SHOWN + 1
    assert text(note).startswith(words)
    assert (file.name, file.title) == ("table-1.csv", "clusters")
    read = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert len(read) == 413 and read[-1][8] == "r411c8"


def test_what_is_cut_of_columns_and_cells_is_said() -> None:
    (begun, note), (file,) = laid(30, 5, "x" * 400)
    assert text(note).endswith("1 of 5 rows and 20 of 30 columns, long cells cut; everything is in table-1.csv.")
    assert len(begun["rows"][0]) == 20
    assert file.content.count(b"x" * 400) == 150


def test_one_cell_as_long_as_a_log_is_in_the_file_in_full() -> None:
    (begun, note), (file,) = laid(1, 1, "x" * 20_000)
    assert problems([begun, note]) == []
    assert b"x" * 20_000 in file.content


def test_where_there_is_no_place_for_a_file_the_table_goes_on() -> None:
    rows = [["cluster", "p99"], *([f"prod-analytics-{n}" * 5, str(n)] for n in range(250))]
    blocks = list(table(rows, "", "en", None))
    assert {block["type"] for block in blocks} == {"table"}
    assert all(problems([block]) == [] for block in blocks)
    assert [cell["text"] for block in blocks for _, cell in block["rows"][1:]] == [str(n) for n in range(250)]
    wide = [[f"c{n}" for n in range(30)], ["x" * 200] * 30]
    assert {block["type"] for block in table(wide, "", "en", None)} == {"section"}


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 25), st.lists(st.text(max_size=300), min_size=1, max_size=12), st.integers(0, 130))
def test_every_cell_is_shown_or_in_the_file(columns: int, cells: list[str], rows: int) -> None:
    body = [[cells[(row + column) % len(cells)] for column in range(columns)] for row in range(rows)]
    files: list[File] = []
    blocks = list(table([["h"] * columns, *body], "", "en", files))
    assert blocks and problems(blocks[:50]) == []
    if files:
        assert len(list(csv.reader(io.StringIO(files[0].content.decode("utf-8-sig"), newline="")))) == rows + 1
