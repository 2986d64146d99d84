"""Data in Markdown: on one line, without markup of its own."""

from hypothesis import given
from hypothesis import strategies as st

from handlers.markdown import excerpt, literal


@given(st.text(), st.integers(1, 50))
def test_an_excerpt_fits_on_one_line(text: str, limit: int) -> None:
    found = excerpt(text, limit)
    assert len(found) <= limit
    assert "\n" not in found


@given(st.text())
def test_a_literal_holds_no_unescaped_punctuation(text: str) -> None:
    rest = literal(text)
    while rest:
        step = 2 if rest[0] == "\\" else 1
        assert step == 2 or rest[0].isalnum() or not rest[0].isascii() or rest[0] == " "
        rest = rest[step:]
