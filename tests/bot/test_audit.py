"""`starwatch audit`: what was asked of the warehouse, as an operator reads it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mcp_server.audit import Statement, entry
from mcp_server.audit_file import AuditFile
from mcp_server.principal import Caller, Principal
from tests.bot.conftest import Run

ANN = Caller(Principal("slack", "C1", "U1"), "slack:T1:C1:1.2")
BOB = Caller(Principal("slack", "C1", "U2"), "slack:T1:C1:3.4")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three calls: Ann's three hours ago, Bob's refused one and Bob's failed one of now."""
    now = datetime.now(UTC)
    ran = Statement(
        sql="SELECT\n  1 AS\x1b[31m one " + "x" * 300, verdict="ok", tables=("byoc.clusters",), rows=1, seconds=0.01
    )
    failed = Statement(sql="SELECT 2", verdict="timeout", seconds=30.0)
    calls = [
        entry(now - timedelta(hours=3), ANN, "read_query", {}, "ok", seconds=0.012, statements=[ran]),
        entry(now - timedelta(minutes=2), BOB, "drop", {"a": "b\nc"}, "bad_argument", reason="tool: there is none"),
        entry(now, BOB, "read_query", {}, "timeout", seconds=30.0, statements=[failed]),
    ]
    path = tmp_path / "kept" / "audit.jsonl"
    AuditFile(path).append([call.model_dump_json() for call in calls])
    return path


def test_calls_are_listed_oldest_first_each_with_its_statements(starwatch: Run, file: Path) -> None:
    code, out, _ = starwatch("audit", STARWATCH_AUDIT_FILE=str(file))
    first, its_sql, refused, failed, failed_sql = out.splitlines()
    assert code == 0
    assert "slack/C1/U1  read_query ok  0.01 s  slack:T1:C1:1.2" in first
    assert its_sql.startswith("    ok  1 rows  0.01 s  SELECT 1 AS[31m one xxx")
    assert its_sql.endswith("x…")
    assert refused.endswith('drop bad_argument  0.00 s  slack:T1:C1:3.4 tool: there is none {"a": "b\\nc"}')
    assert "read_query timeout  30.00 s" in failed
    assert "timeout  0 rows  30.00 s  SELECT 2" in failed_sql


@pytest.mark.parametrize(
    ("words", "users"),
    [
        (["--since", "1h"], ["U2", "U2"]),
        (["--since", "7d"], ["U1", "U2", "U2"]),
        (["--thread", "slack:T1:C1:1.2"], ["U1"]),
        (["--refused"], ["U2", "U2"]),
        (["--limit", "1"], ["U2"]),
        (["--refused", "--thread", "slack:T1:C1:1.2"], []),
    ],
)
def test_options_narrow_the_list(starwatch: Run, file: Path, words: list[str], users: list[str]) -> None:
    _, out, _ = starwatch("audit", "--json", *words, STARWATCH_AUDIT_FILE=str(file))
    found = json.loads(out)
    assert out.count("\n") == 1
    assert found["file"] == str(file)
    assert [call["user"] for call in found["entries"]] == users


def test_no_file_yet_is_no_error(starwatch: Run, tmp_path: Path) -> None:
    code, out, _ = starwatch("audit")
    assert code == 0
    assert out == f"no calls since 1d ago in {tmp_path / 'state' / 'starwatch' / 'audit.jsonl'}\n"


@pytest.mark.parametrize("age", ["yesterday", "1", "-1h", "1w", ""])
def test_an_age_that_is_none_is_refused_in_one_line(starwatch: Run, age: str) -> None:
    code, out, error = starwatch("audit", "--since", age)
    assert (code, out) == (2, "")
    assert error.count("\n") == 1
    assert "30m, 1h or 7d" in error


def test_a_file_that_cannot_be_read_is_named_in_one_line(starwatch: Run, tmp_path: Path) -> None:
    code, _, error = starwatch("audit", STARWATCH_AUDIT_FILE=str(tmp_path))
    assert code == 2
    assert error.count("\n") == 1
    assert "STARWATCH_AUDIT_FILE" in error


def test_a_question_leaves_its_reads_in_the_audit(starwatch: Run, real: dict[str, str], tmp_path: Path) -> None:
    kept = str(tmp_path / "own.jsonl")
    starwatch("ask", "how is the fleet?", **real, STARWATCH_AUDIT_FILE=kept)
    _, out, _ = starwatch("audit", "--json", STARWATCH_AUDIT_FILE=kept)
    calls = json.loads(out)["entries"]
    assert {"query_fleet_summary", "discover_schema"} <= {call["tool"] for call in calls}
    assert all(statement["query_id"] for call in calls for statement in call["statements"])
