"""The catalogues: both languages say the same things."""

import re
from pathlib import Path

import pytest

from handlers import words
from handlers.words import LANGUAGES, WORDS, language_of, placeholders, say

CODE = Path(words.__file__).parents[2]


@pytest.mark.parametrize("key", WORDS)
def test_every_text_stands_in_every_language_with_the_same_placeholders(key: str) -> None:
    texts = WORDS[key]
    assert set(texts) == set(LANGUAGES)
    assert all(text.strip() for text in texts.values())
    assert len({placeholders(text) for text in texts.values()}) == 1


def test_a_value_is_put_in_as_it_is() -> None:
    assert say("en", "apology", reference="{x} <b>").endswith("report reference {x} <b>.")


def test_a_missing_value_and_an_unknown_key_are_errors() -> None:
    with pytest.raises(KeyError):
        say("en", "apology")
    with pytest.raises(KeyError):
        say("en", "no such key")


@pytest.mark.parametrize(
    ("tag", "language"),
    [("zh-CN", "zh"), ("zh_TW", "zh"), ("zh", "zh"), ("en-GB", "en"), ("EN", "en"), ("de-DE", None), ("", None)],
)
def test_a_language_tag_names_a_language_of_ours_or_none(tag: str, language: str | None) -> None:
    assert language_of(tag) == language


def test_every_key_that_the_code_asks_for_is_there() -> None:
    folders = ("handlers", "bot")
    source = "".join(path.read_text(encoding="utf-8") for one in folders for path in (CODE / one).rglob("*.py"))
    asked = set(re.findall(r'\.say\(\s*"([a-z_.]+)"', source))
    assert asked
    assert asked <= set(WORDS)
