"""What a model writes, while it is still being written."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.streamed import Sanitizer, harmless

HOSTILE = [
    ("<!channel> <@U0ANNA> <#C1>", "&lt;!channel&gt; &lt;@U0ANNA&gt; &lt;#C1&gt;"),
    ("<https://evil.com|grafana>", "&lt;https[:]//evil(.)com|grafana&gt;"),
    ("see [docs](https://evil.com/a.b)", "see [docs] (https[:]//evil(.)com/a.b)"),
    ("[a][b] and [b]: evil.com", "[a] [b] and [b] : evil.com"),
    ("![x](//evil.com)", "![x] (//evil.com)"),
    ("www.evil.com WWW.evil.com", "www(.)evil.com WWW(.)evil.com"),
    ("slack://open ftp://a.b", "slack[:]//open ftp[:]//a(.)b"),
    ("&#60;!here&#62;", "&amp;#60;!here&amp;#62;"),
    ("a\u202eb\u200b", "ab"),
]


@pytest.mark.parametrize(("said", "shown"), HOSTILE)
def test_mentions_and_links_are_taken_apart(said: str, shown: str) -> None:
    assert harmless(said) == shown


PLAIN = [
    "> a quote\n> of two lines\nand a_b.c: 3 % at 12:30",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "`metrics.amv_hourly`: 中文 [1] (see below) & more",
    "```sql\nSELECT 1\n```",
]


@pytest.mark.parametrize("said", PLAIN)
def test_ordinary_markdown_stays_as_it_is(said: str) -> None:
    assert harmless(said) == said


ALPHABET = st.text(st.sampled_from("<>@!#U:/.w]([)&;| \nahtps#0C"), max_size=60)
LINKS = st.sampled_from(["<!channel>", "<@U1>", "https://e.com", "](https://e.com)", "www.e.com", "[a]: x", "&#60;"])
SAID = st.lists(st.one_of(ALPHABET, LINKS, st.text(max_size=10)), max_size=8).map("".join)


@given(SAID)
def test_a_text_cut_at_any_point_is_shown_as_the_whole_is(said: str) -> None:
    whole = harmless(said)
    for point in range(len(said) + 1):
        sanitizer = Sanitizer()
        assert sanitizer.feed(said[:point]) + sanitizer.feed(said[point:]) + sanitizer.rest() == whole


@given(SAID)
def test_letter_by_letter_is_no_different(said: str) -> None:
    sanitizer = Sanitizer()
    assert "".join(map(sanitizer.feed, said)) + sanitizer.rest() == harmless(said)


@given(SAID)
def test_nothing_that_is_shown_mentions_anybody_or_leads_anywhere(said: str) -> None:
    shown = harmless(said)
    assert "<" not in shown
    assert "://" not in shown
    assert not re.search(r"\][(\[]|&#|www\.", shown, re.IGNORECASE)


@given(SAID)
def test_what_ends_a_token_of_slacks_stands_only_where_it_quotes(said: str) -> None:
    for line in harmless(said).split("\n"):
        assert ">" not in line.lstrip(" \t>")


@given(SAID)
def test_little_waits(said: str) -> None:
    sanitizer = Sanitizer()
    sanitizer.feed(said)
    assert len(sanitizer.rest()) <= 12
