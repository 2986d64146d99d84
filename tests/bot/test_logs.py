"""Log lines: one JSON object each on stderr, without secrets."""

import json
import logging

import pytest
import structlog

from bot.logs import configure
from mcp_server.redaction import redact


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-1234567890-abcdefghij",
        "xapp-1-A012345-6789-abcdef",
        "sk-ant-api03-abcdefghijk",
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "reader:hunter2",
    ],
)
def test_secrets_are_blotted_out(secret: str) -> None:
    text = f"connect mysql://{secret}@sr1:9030 failed" if ":" in secret else f"token {secret} refused"
    assert secret not in redact(text)
    assert "[redacted]" in redact(text)


def test_a_private_key_is_blotted_out_over_its_lines() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAA\n-----END RSA PRIVATE KEY-----"
    assert redact(f"loaded {key} from disk") == "loaded [redacted] from disk"


@pytest.mark.parametrize("text", ["plain words", "https://host:8443/path", "12:30:00", "user@example.com"])
def test_ordinary_text_stays(text: str) -> None:
    assert redact(text) == text


def test_a_line_is_one_json_object_with_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info", watched=False)
    structlog.get_logger("door").info("query\nrun", sql="SELECT 1", token="xoxb-1234567890-abcdefghij")
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    entry = json.loads(line)
    assert (entry["event"], entry["sql"], entry["level"]) == ("query\nrun", "SELECT 1", "info")
    assert entry["token"] == "[redacted]"


def test_library_loggers_come_out_the_same_way_and_redacted(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info", watched=False)
    logging.getLogger("some.library").warning("using %s", "xoxb-1234567890-abcdefghij")
    assert json.loads(capsys.readouterr().err)["event"] == "using [redacted]"


def test_a_traceback_is_kept_without_its_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info", watched=False)
    try:
        raise ValueError("bad key sk-ant-api03-abcdefghijk")
    except ValueError:
        structlog.get_logger("x").exception("could not think")
    entry = json.loads(capsys.readouterr().err)
    assert "ValueError" in entry["exception"]
    assert "abcdefghijk" not in entry["exception"]


def test_less_than_the_level_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    configure("warning", watched=False)
    structlog.get_logger("x").info("quiet")
    logging.getLogger("y").info("quiet")
    assert capsys.readouterr().err == ""
