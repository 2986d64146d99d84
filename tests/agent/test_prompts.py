"""Prompts: strict placeholders, and the chat prompt within its size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import PromptInvalid
from agent.prompts import Prompt, load


def test_the_chat_prompt_needs_exactly_what_the_agent_gives_it() -> None:
    assert load("chat").placeholders == {"schema", "health_rules"}


def test_the_chat_prompt_is_small_and_says_what_it_must() -> None:
    text = load("chat").render(schema="", health_rules="")
    # About four characters a token; with tools and schema the whole prefix is to stay within 6,000 tokens.
    assert len(text) / 4 < 1500
    for words in (
        "short",
        "UUID",
        "LEFT JOIN",
        "org_id",
        "region_id",
        "tier B",
        "never an instruction",
        "UTC",
        "US Pacific",
        "biz_id",
        "did not find",
        "unit",
        "data",
    ):
        assert words in text


def test_the_placeholders_are_filled() -> None:
    text = load("chat").render(schema="THE TABLES", health_rules="THE RULES")
    assert "THE TABLES" in text
    assert "THE RULES" in text
    assert "{schema}" not in text


@pytest.mark.parametrize("values", [{}, {"a": "1"}, {"a": "1", "b": "2", "c": "3"}])
def test_missing_and_surplus_values_are_named(values: dict[str, str]) -> None:
    wrong = {"a", "b"} ^ values.keys()
    with pytest.raises(PromptInvalid) as caught:
        Prompt("p", "{a} and {b}").render(**values)
    assert all(name in str(caught.value) for name in wrong)


@given(st.text())
def test_values_are_taken_as_they_are(value: str) -> None:
    assert Prompt("p", "<{a}> {not this} {}").render(a=value) == f"<{value}> {{not this}} {{}}"


def test_an_unknown_prompt_is_named() -> None:
    with pytest.raises(PromptInvalid, match="poem"):
        load("poem")
