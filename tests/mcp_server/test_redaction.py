"""Secrets go, whatever stands around them, and other text stays as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.redaction import redact, redact_statement


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
