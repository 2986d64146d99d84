"""Secrets go, whatever stands around them, and other text stays as it is."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.redaction import redact, redact_rows, redact_rows_async, redact_statement


@pytest.mark.parametrize(
    "text",
    [
        "SELECT biz_id, token_count FROM byoc.clusters WHERE name = 'token'",
        "SELECT password_age FROM byoc.accounts",
        "SELECT model FROM alerts.patrol_reports WHERE input_tokens = 500 AND output_tokens >= 7",
        "the secret of success",
        "-----BEGIN PUBLIC NOTICE",
    ],
)
def test_words_that_only_sound_secret_stay(text: str) -> None:
    assert redact_statement(text) == text


@given(st.sampled_from(["'", '"']), st.text(alphabet="abcXYZ019 ~!#", min_size=1), st.text(max_size=30))
def test_a_value_named_as_a_secret_never_stays(quote: str, secret: str, around: str) -> None:
    whole = f"Q{secret}Q"
    assert whole not in redact_statement(f"{around} secret_key = {quote}{whole}{quote} {around}")


@pytest.mark.parametrize(
    "piece", ["-----BEGIN A-----", "eyJaaaaaaaaaaa.", "://a:", "password=", "identified by ", "\\"]
)
def test_hostile_texts_cost_little(piece: str) -> None:
    text = piece * (60_000 // len(piece))
    assert len(redact_statement(text)) <= len(text) * 3
    assert len(redact(text)) <= len(text)


def test_cells_lose_their_secrets_and_are_counted() -> None:
    rows = [
        ["prod-a", "s3://AKIAIOSFODNN7EXAMPLE is refused", 5],
        ["prod-b", "CREATE USER x IDENTIFIED BY 'hunter2'", None],
        ["prod-c", "Token expired for job 7", 1.5],
    ]
    cleaned, changed = redact_rows(["name", "detail", "n"], rows)
    assert cleaned == [
        ["prod-a", "s3://[redacted] is refused", 5],
        ["prod-b", "CREATE USER x IDENTIFIED BY [redacted]", None],
        rows[2],
    ]
    assert changed == 2
    assert rows[0][1] == "s3://AKIAIOSFODNN7EXAMPLE is refused"


@pytest.mark.parametrize("name", ["password", "admin_password", "secret_key", "Token", "aws_access_key", "apikey"])
def test_a_column_that_is_named_as_a_secret_shows_nothing(name: str) -> None:
    assert redact_rows([name], [["plain"], [""], [None], [7]]) == ([["[redacted]"], [""], [None], [7]], 1)


@pytest.mark.parametrize("name", ["input_tokens", "password_age", "tokenizer", "secretary"])
def test_a_column_that_only_sounds_secret_stays(name: str) -> None:
    assert redact_rows([name], [["plain"]]) == ([["plain"]], 0)


@given(st.lists(st.lists(st.none() | st.integers() | st.floats(allow_nan=False) | st.text(), min_size=2, max_size=2)))
def test_what_a_row_loses_is_what_its_cells_alone_would_lose(rows: list[list[object]]) -> None:
    expected = [[redact_statement(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    assert redact_rows(["a", "b"], rows)[0] == expected  # type: ignore[arg-type]  # any cells


@given(
    st.lists(
        st.tuples(st.sampled_from(["token=", "s3://u:", "Bearer ", "AKIA", "x "]), st.text("ab@ 09:'")), max_size=8
    )
)
def test_a_cell_loses_the_same_whatever_kinds_of_secrets_stand_in_it(pieces: list[tuple[str, str]]) -> None:
    cell = "".join(a + b for a, b in pieces)
    assert redact_rows(["detail"], [[cell]])[0] == [[redact_statement(cell)]]


async def test_other_work_goes_on_while_a_large_result_is_looked_through() -> None:
    rows = [["token s3://bucket/part " * 40, 1.5] for _ in range(4_000)]
    rows.append(["s3://AKIAIOSFODNN7EXAMPLE", None])
    turns = 0
    looking = asyncio.create_task(redact_rows_async(["detail", "n"], rows))  # type: ignore[arg-type]
    while not looking.done():
        turns += 1
        await asyncio.sleep(0)
    cleaned, changed = looking.result()
    # were the loop held up there would be two: one that begins the work and one that finds it done
    assert turns > 2
    assert (cleaned[:-1], cleaned[-1], changed) == (rows[:-1], ["s3://[redacted]", None], 1)


async def test_a_small_result_is_looked_through_at_once() -> None:
    looking = redact_rows_async(["password", "n"], [["hunter2", 1]])
    with pytest.raises(StopIteration) as done:
        looking.send(None)
    assert done.value.value == ([["[redacted]", 1]], 1)
