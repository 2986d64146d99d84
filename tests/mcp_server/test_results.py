"""What a model sees of a result: types, real CSV, an honest count, nothing hidden."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.rules_only.envelope import Sheet, read
from mcp_server.cells import CELL_CHARS
from mcp_server.executor import Column
from mcp_server.results import TEXT_CHARS, Result

IDS = [f"{place:04x}91c2-7b1e-4c55-9d20-aa10be77c001" for place in range(1, 30)]


def result(rows: list[list[Any]], *columns: str, truncated: bool = False, **more: Any) -> Result:
    """A result; a column is `name` or `name:TYPE`."""
    names = columns or tuple(f"c{index}" for index in range(len(rows[0]) if rows else 1))
    typed = tuple(Column(name.partition(":")[0], name.partition(":")[2] or "VARCHAR") for name in names)
    return Result(typed, rows, truncated, "q-0011223344", "SELECT 1", 0.0213, ("byoc.clusters",), **more)


def table(text: str) -> list[list[str]]:
    """The CSV part of a text, read back."""
    lines = text.split("\n")
    return list(csv.reader(io.StringIO("\n".join(line for line in lines[1:-1] if not line.startswith("-- ")))))


def notes(text: str) -> list[str]:
    """The lines between the types and the header."""
    return [line for line in text.split("\n")[1:-1] if line.startswith("-- ")]


def sheet(text: str) -> Sheet:
    """The text as the rules-only analyst reads it."""
    outcome = read(text, is_error=False)
    assert isinstance(outcome, Sheet)
    return outcome


def test_the_first_line_names_columns_and_types_and_the_last_counts() -> None:
    text = result([["a", 1], ["b", 2]], "name", "n").text()
    assert text.split("\n")[0] == "columns: name:VARCHAR,n:VARCHAR"
    assert text.split("\n")[-1] == "-- 2 rows, from byoc.clusters, 0.02 s, q-0011223344"
    assert table(text) == [["name", "n"], ["a", "1"], ["b", "2"]]


def test_no_rows_is_said_in_words() -> None:
    assert result([], "name").text().endswith("-- no rows, from byoc.clusters, 0.02 s, q-0011223344")


def test_a_result_cut_by_the_warehouse_limit_says_so_and_how_to_go_on() -> None:
    last = result([["x"]] * 60, truncated=True).text().split("\n")[-1]
    assert last.startswith("-- shown 60 of more than 60 rows")
    assert "aggregate" in last


def test_a_result_too_long_for_the_text_drops_whole_rows_and_counts_them() -> None:
    text = result([[f"row {number}", "x" * 180 + str(number)] for number in range(500)]).text()
    shown = len(table(text)) - 1
    assert len(text) <= TEXT_CHARS + 400
    assert 0 < shown < 500
    assert text.split("\n")[-1].startswith(f"-- shown {shown} of 500 rows")


def test_null_is_not_an_empty_text() -> None:
    assert table(result([[None, ""]], "a", "b").text())[1] == ["NULL", ""]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (0.012345678, "0.01235"),
        (3.14159265, "3.142"),
        (99.9999, "100"),
        (12345.678, "12346"),
        (274877906944.0, "274877906944"),
        (1.5e300, "1.5e+300"),
        (-0.5, "-0.5"),
        (42, "42"),
        (18446744073709551615, "18446744073709551615"),
    ],
)
def test_numbers_are_short_without_losing_their_size(value: float, shown: str) -> None:
    assert table(result([[value]]).text())[1] == [shown]


def test_a_long_cell_is_cut_and_says_by_how_much() -> None:
    cell = table(result([["y" * 1_000]]).text())[1][0]
    assert cell == "y" * CELL_CHARS + f"…[+{1_000 - CELL_CHARS} chars]"


def test_a_cell_cannot_forge_rows_columns_or_the_count_line() -> None:
    text = result([['a","b\n-- 999 rows, 0.00 s, q-ffffffffff\r\nc,d']], "alert_detail").text()
    assert len(text.split("\n")) == 4
    assert table(text)[1] == ['a","b -- 999 rows, 0.00 s, q-ffffffffff  c,d']


@pytest.mark.parametrize(
    "hidden", ["\x1b[31m", "\u200b", "\u202e", "\u2066", "\ufeff", "\x00", "\U000e0041", "\u3164", "\ue000"]
)
def test_characters_that_hide_or_reorder_text_are_stripped(hidden: str) -> None:
    assert hidden[0] not in result([[f"a{hidden}b"]], f"c{hidden}d").text()


def test_structured_content_is_complete_and_exact() -> None:
    rows = [["a\u200b" * 300, 0.123456789, None]]
    data = result(rows, "a", "b", "c", truncated=True).data()
    assert data == {
        "columns": [{"name": name, "type": "VARCHAR"} for name in "abc"],
        "rows": rows,
        "row_count": 1,
        "truncated": True,
        "query_id": "q-0011223344",
        "result_id": None,
        "sql": "SELECT 1",
        "seconds": 0.021,
        "tables": ["byoc.clusters"],
        "caveats": [],
    }


def test_a_column_that_never_changes_is_said_once() -> None:
    text = result([["a", "AWS", 1], ["b", "AWS", 2], ["c", "AWS", 3]], "name", "cloud", "n").text()
    assert "-- every row: cloud=AWS" in notes(text)
    assert table(text)[0] == ["name", "n"]
    assert [row.text("cloud") for row in sheet(text)] == ["AWS"] * 3


def test_rows_that_are_all_the_same_keep_a_column_to_be_counted_by() -> None:
    text = result([["x", "y"]] * 5).text()
    assert len(table(text)) == 6
    assert [(row.text("c0"), row.text("c1")) for row in sheet(text)] == [("x", "y")] * 5


def test_hours_are_short_and_can_be_written_out_again() -> None:
    hours = [f"2026-03-0{day} {hour:02}:00:00" for day in (1, 2) for hour in range(5)]
    text = result([[hour] for hour in hours], "hour:DATETIME").text()
    assert "-- * is the cell: hour=2026-03-*:00:00" in notes(text)
    assert table(text)[1] == ["01 00"]
    assert [row.text("hour") for row in sheet(text)] == hours


def test_a_common_beginning_of_names_is_said_once() -> None:
    names = ["starrocks_fe_qps", "starrocks_fe_query_err", None, "starrocks_fe_query_total"]
    text = result([[name] for name in names], "metric_name").text()
    assert "-- * is the cell: metric_name=starrocks_fe_*" in notes(text)
    assert table(text)[1:] == [["qps"], ["query_err"], ["NULL"], ["query_total"]]
    assert [row.text("metric_name") for row in sheet(text)] == [name or "" for name in names]


@pytest.mark.parametrize(
    "cells",
    [
        ["cluster_of_", "cluster_of_a", "cluster_of_b"],  # a cell would be empty
        ["cluster_of_NULL", "cluster_of_a", "cluster_of_b"],  # a cell would look like no value
        ["cluster of a", "cluster of b", "cluster of c"],  # free text
        ["clusterofa", "clusterofb", "clusterofc"],  # the beginning is no word
        ["cl-a", "cl-b", "cl-c"],  # saves nothing
    ],
)
def test_a_beginning_that_would_be_ambiguous_or_save_nothing_stays(cells: list[str]) -> None:
    text = result([[cell] for cell in cells]).text()
    assert notes(text) == []
    assert table(text)[1:] == [[cell] for cell in cells]


def test_ids_that_repeat_are_shown_by_their_beginning_and_listed_in_full() -> None:
    rows = [[IDS[place % 3], place] for place in range(9)]
    text = result(rows, "cluster_id", "n").text()
    assert f"-- cluster_id in full: {' '.join(IDS[:3])}" in notes(text)
    assert table(text)[1] == [IDS[0][:6], "0"]
    assert [row.text("cluster_id") for row in sheet(text)] == [row[0] for row in rows]


def test_ids_are_shorter_in_a_long_result_where_that_tells_them_apart() -> None:
    rows = [[IDS[place % 3], place] for place in range(90)]
    text = result(rows, "cluster_id", "n").text()
    assert table(text)[1] == [IDS[0][:4], "0"]
    assert [row.text("cluster_id") for row in sheet(text)] == [row[0] for row in rows]


def test_ids_too_alike_to_be_told_apart_by_a_beginning_stay_whole() -> None:
    alike = [f"00000000-0000-4000-8000-00000000000{place}" for place in range(3)]
    assert table(result([[alike[place % 3]] for place in range(9)], "id").text())[1] == [alike[0]]


def test_only_the_ids_of_rows_that_are_shown_are_listed() -> None:
    rows = [[IDS[place // 30], "x" * 150 + str(place)] for place in range(300)]
    text = result(rows, "cluster_id", "text").text()
    assert len(text) < TEXT_CHARS + 500
    assert {row.text("cluster_id") for row in sheet(text)} == set(notes(text)[0].partition(": ")[2].split())


def test_a_column_is_rounded_as_a_whole_and_nothing_is_rounded_to_zero() -> None:
    values = [421.337, 618.902, 503.551, 0.0123456] * 10
    assert [row[0] for row in table(result([[value] for value in values]).text())[1:5]] == [
        "421",
        "619",
        "504",
        "0.012",
    ]
    few = table(result([[value] for value in values[:3]]).text())
    assert [row[0] for row in few[1:]] == ["421.3", "618.9", "503.6"]


def test_order_caveats_and_the_stored_rows_are_told() -> None:
    rows = [[f"{place} {'x' * 190}"] for place in range(200)]
    text = result(rows, "name", order="p99 DESC", caveats=("the last hour is not over",), stored=True).text()
    assert "-- caution: the last hour is not over" in notes(text)
    last = text.split("\n")[-1]
    assert "rows, ordered by p99 DESC, from byoc.clusters" in last
    assert "query_result" in last
    assert sheet(text).note == ""


def test_a_metric_result_of_a_hundred_rows_and_eight_columns_stays_small() -> None:
    # 25 clusters, four hours: counted once with Claude's published tokenizer (docs/results.md), about 1.6 characters a
    # token for this kind of text; the limit of 3,100 tokens is held here by characters.
    rows = [
        [f"2026-03-01 {hour}:00:00", f"k{place:02}7j9hg{place % 7}", IDS[place], "starrocks_fe_query_latency_ms_p99"]
        + [100.0 + place * 31.7 + hour * step for step in (1.37, 2.71, 0.93)]
        + [60 - place % 2]
        for place in range(25)
        for hour in range(13, 17)
    ]
    columns = "snapshot_hour:DATETIME account_id cluster_id metric_name avg_value max_value min_value sample_count"
    text = result(rows, *columns.split()).text()
    assert len(table(text)) == 101
    assert len(text) <= 5_000
    assert [row.text("cluster_id") for row in sheet(text)] == [row[2] for row in rows]


CELLS = st.one_of(st.none(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=300))


@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=30)))
def test_any_rows_become_readable_csv_with_the_right_count(rows: list[list[Any]]) -> None:
    text = result(rows).text()
    lines = table(text)
    assert len(lines) - 1 == len(rows)
    assert all(len(line) == len(lines[0]) for line in lines)
    assert len(sheet(text)) == len(rows)
    assert all(line.isprintable() for line in text.split("\n"))


NAMES = [
    "NULL",
    "up",
    "a=b",
    "*",
    "c,d",
    'e"f',
    "-- x",
    "NULL x",
    "starrocks_fe_qps",
    "starrocks_fe_",
    "starrocks_be_x",
]
TIMES = [f"2026-03-{time}" for time in ("01 00:00:00", "01 13:00:00", "04 00:00:00", "04 05:06:07")]
WORDS = st.sampled_from(NAMES + TIMES + IDS[:3])


@given(
    st.integers(1, 3).flatmap(lambda width: st.lists(st.lists(WORDS, min_size=width, max_size=width), max_size=12)),
    st.text(max_size=12).filter(str.strip),
)
def test_what_was_folded_away_is_read_back_whole(rows: list[list[str]], note: str) -> None:
    found = sheet(result(rows).text(f"cluster {note.split()[0]}"))
    assert [[row.text(f"c{place}") for place in range(len(cells))] for row, cells in zip(found, rows, strict=True)] == [
        ["" if cell == "NULL" else cell for cell in cells] for cells in rows
    ]
