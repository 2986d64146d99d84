"""What may be passed on to a foreign server: SQL that the guard admits, tables that may be read, plain words."""

from collections.abc import Mapping
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

import schema
from agent.foreign import ArgumentRefused, checked
from bot.neighbours import guarded
from mcp_server.guard import Guard

ADMIT = guarded(Guard(schema.TABLES))
CHECKS: Mapping[str, Any] = {"sql": "sql", "table": "table", "id": "word", "db": ("metrics", "byoc")}


async def test_only_the_guards_own_text_is_passed_on() -> None:
    passed = await checked({"sql": "select biz_id from byoc.clusters -- all", "limit": 3}, CHECKS, ADMIT)
    assert passed == {"sql": "SELECT biz_id FROM byoc.clusters LIMIT 1001", "limit": 3}


@pytest.mark.parametrize(
    "arguments",
    [
        {"sql": "DROP TABLE byoc.clusters"},
        {"sql": "SELECT 1; DROP TABLE byoc.clusters"},
        {"sql": "SELECT * FROM mysql.user"},
        {"sql": "SELECT * FROM FILES('path' = 's3://x')"},
        {"sql": 7},
        {"table": "mysql.user"},
        {"table": "clusters"},
        {"table": "byoc.clusters; DROP TABLE byoc.clusters"},
        {"table": "byoc.clusters WHERE true"},
        {"table": "byoc.`clusters`"},
        {"id": "x' OR '1'='1"},
        {"id": ""},
        {"db": "mysql"},
        {"db": ["byoc"]},
    ],
    ids=str,
)
async def test_a_bad_argument_is_refused_before_the_server_hears_of_it(arguments: dict[str, Any]) -> None:
    with pytest.raises(ArgumentRefused) as refused:
        await checked(arguments, CHECKS, ADMIT)
    assert refused.value.data["code"]


async def test_arguments_that_are_left_out_or_null_are_passed_as_they_are() -> None:
    assert await checked({"sql": None, "id": "a-b_c.1", "db": "byoc"}, CHECKS, ADMIT) == {
        "sql": None,
        "id": "a-b_c.1",
        "db": "byoc",
    }


@hypothesis.given(st.text(max_size=60))
async def test_a_text_for_a_table_or_a_word_passes_unchanged_or_not_at_all(text: str) -> None:
    for check in ("table", "word"):
        try:
            passed = await checked({"it": text}, {"it": check}, ADMIT)
        except ArgumentRefused:
            continue
        assert passed == {"it": text}
        assert not set(text) & set(" ;'\"`()\\\n")
