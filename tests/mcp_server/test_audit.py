"""Every call leaves one entry, whatever became of it; and no trouble with the file reaches a query."""

import asyncio
import json
import logging
import os
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client

from mcp_server.audit import AuditLog, Entry, Statement, entry, kept
from mcp_server.audit_file import AuditFile
from mcp_server.config import WarehouseConfig
from mcp_server.door import Door
from mcp_server.limits import Allowance
from mcp_server.metrics import Timer
from mcp_server.principal import META_KEY, Caller, Principal
from mcp_server.server import build_server

Configs = Callable[..., WarehouseConfig]

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ANN = Caller(Principal("slack", "C1", "U1"), "slack:T1:C1:1.2")
COUNT = "SELECT COUNT(*) AS n FROM byoc.clusters"


def numbered(number: int, **fields: Any) -> Entry:
    return entry(NOON + timedelta(seconds=number), ANN, "read_query", {}, "ok", **fields)


def written(path: Path) -> list[Entry]:
    return list(kept(AuditFile(path)))


@asynccontextmanager
async def audited(config: WarehouseConfig, path: Path, **allowance: int) -> AsyncIterator[tuple[Door, Client]]:
    """A door whose calls are Ann's and are kept in `path` once the context has ended."""
    async with (
        AuditLog(AuditFile(path)) as log,
        Door(config, audit=log, now=lambda: NOON, allowance=Allowance(**allowance)) as door,
        Client(build_server(door, ANN)) as client,
    ):
        yield door, client


async def test_a_call_is_kept_with_who_asked_what_ran_and_what_came(config: Configs, tmp_path: Path) -> None:
    path = tmp_path / "state" / "audit.jsonl"
    async with audited(config(), path) as (_, client):
        answer = await client.call_tool("read_query", {"sql": COUNT})
    (one,) = written(path)
    assert (one.time, one.surface, one.channel, one.user, one.thread) == (NOON, "slack", "C1", "U1", ANN.thread)
    assert (one.tool, one.verdict, one.reason, one.arguments) == ("read_query", "ok", "", "")
    (statement,) = one.statements
    assert statement.sql == answer.structured_content["sql"] != COUNT
    assert (statement.tables, statement.rows, statement.verdict) == (("byoc.clusters",), 1, "ok")
    assert statement.query_id == answer.structured_content["query_id"]
    assert 0 < statement.seconds <= one.seconds


@pytest.mark.parametrize(
    ("tool", "arguments", "verdict", "words"),
    [
        ("read_query", {"sql": "DROP TABLE byoc.clusters"}, "read_only", "DROP TABLE byoc.clusters"),
        ("read_query", {"sql": "SELECT nothing FROM byoc.clusters"}, "unknown_column", "nothing"),
        ("read_query", {"sql": COUNT, "max_rows": 0}, "bad_argument", "max_rows"),
        ("read_query", {"sql": 7}, "bad_argument", "arguments: an argument does not fit"),
        ("read_query", {"sql": COUNT, "colour": "red"}, "bad_argument", "unknown argument"),
        ("query_cluster_info", {"cluster": "no such thing"}, "bad_argument", "no such thing"),
        ("drop_everything", {"now": True}, "bad_argument", "there is no such tool"),
        ("x" * 5_000, {}, "bad_argument", "xxx"),
    ],
)
async def test_a_refused_call_is_kept_once_with_its_verdict_and_what_was_asked(
    config: Configs, tmp_path: Path, tool: str, arguments: dict[str, Any], verdict: str, words: str
) -> None:
    path = tmp_path / "audit.jsonl"
    async with audited(config(), path) as (_, client):
        answer = await client.call_tool(tool, arguments)
        assert answer.structured_content["code"] == verdict
    (one,) = [one for one in written(path) if one.tool]
    assert (one.verdict, one.allowed) == (verdict, False)
    assert words in one.model_dump_json()
    assert len(one.tool) <= 100


async def test_a_call_too_many_is_kept_too(config: Configs, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    async with audited(config(), path, per_minute=1) as (_, client):
        for _ in range(3):
            await client.call_tool("read_query", {"sql": COUNT})
    assert [one.verdict for one in written(path)] == ["ok", "rate_limited", "rate_limited"]


async def test_a_cancelled_read_and_a_timeout_are_kept_with_the_sql_as_run(config: Configs, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    slow = (
        "SELECT COUNT(*) AS endless FROM byoc.cluster_log AS a JOIN byoc.cluster_log AS b ON a.message <> b.message "
        "JOIN byoc.cluster_log AS c ON c.message <> b.message JOIN byoc.cluster_log AS d ON d.message <> c.message"
    )
    async with audited(config(timeout_seconds=0.3), path) as (_, client):
        await client.call_tool("read_query", {"sql": slow})
    async with audited(config(), path) as (door, _):
        call = asyncio.create_task(door.read(slow, caller=ANN))
        while door.metrics.snapshot().timings[Timer.WAIT].count < 1:
            await asyncio.sleep(0)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
    timed_out, cancelled = written(path)
    assert (timed_out.verdict, timed_out.statements[0].verdict) == ("timeout", "timeout")
    assert timed_out.statements[0].tables == ("byoc.cluster_log",)
    assert (cancelled.tool, cancelled.verdict, cancelled.statements[0].verdict) == ("", "cancelled", "cancelled")


async def test_entries_keep_the_order_of_the_calls_whatever_the_batches(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    async with AuditLog(AuditFile(path)) as log:
        for number in range(500):
            log.add(numbered(number))
            if number % 50 == 0:
                await asyncio.sleep(0)
    assert [one.time for one in written(path)] == [NOON + timedelta(seconds=number) for number in range(500)]


async def test_in_process_callers_are_kept_as_they_name_themselves(config: Configs, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    claim = {"surface": "slack", "channel": "C9", "user": "U9", "thread": "slack:T1:C9:7.7"}
    async with (
        AuditLog(AuditFile(path)) as log,
        Door(config(), audit=log) as door,
        Client(build_server(door)) as client,
    ):
        await client.call_tool("read_query", {"sql": COUNT}, meta={META_KEY: claim})
        await client.call_tool("read_query", {"sql": COUNT}, meta={META_KEY: {"surface": 7}})
    named, malformed = written(path)
    assert (named.surface, named.channel, named.user, named.thread) == tuple(claim.values())
    assert (malformed.surface, malformed.verdict) == ("unnamed", "bad_argument")


async def test_a_disk_that_refuses_fails_no_query_and_is_reported_once_until_it_is_back(
    config: Configs, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    full = tmp_path / "audit.jsonl"
    full.symlink_to("/dev/full")
    caplog.set_level(logging.WARNING, "mcp_server.audit")
    async with AuditLog(AuditFile(full)) as log, Door(config(), audit=log) as door:
        for _ in range(3):
            assert (await door.read(COUNT)).rows == [[7]]
        while len(caplog.records) < 1:
            await asyncio.sleep(0)
        full.unlink()
        await door.read(COUNT)
    texts = [record.getMessage() for record in caplog.records]
    assert len(texts) in {1, 2}
    assert "No space left on device" in texts[0]
    assert all("written again" in text for text in texts[1:])


async def test_more_entries_than_can_wait_are_dropped_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "mcp_server.audit")
    path = tmp_path / "audit.jsonl"
    async with AuditLog(AuditFile(path)) as log:
        for number in range(10_050):
            log.add(numbered(number))
    assert len(written(path)) == 10_000
    assert [record.getMessage() for record in caplog.records][-1] == "the audit is written again; 50 entries were lost"


def test_only_its_owner_may_read_the_file_and_a_lax_one_is_tightened(tmp_path: Path) -> None:
    path = tmp_path / "new" / "audit.jsonl"
    file = AuditFile(path)
    file.append(["one"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.chmod(0o644)
    file.append(["two"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(file.lines()) == ["one\n", "two\n"]


def test_a_full_file_is_set_aside_and_the_oldest_part_goes(tmp_path: Path) -> None:
    file = AuditFile(tmp_path / "audit.jsonl", max_bytes=100, kept=2)
    for number in range(20):
        file.append([f"{number:02d} {'x' * 30}"])
    lines = [int(line[:2]) for line in file.lines()]
    assert lines == list(range(lines[0], 20))
    assert {path.name for path in tmp_path.iterdir()} == {"audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"}
    assert all(path.stat().st_size <= 100 for path in tmp_path.iterdir())
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in tmp_path.iterdir())


APPEND = """
import sys
from pathlib import Path
from mcp_server.audit_file import AuditFile
file = AuditFile(Path(sys.argv[1]), max_bytes=20_000, kept=50)
for number in range(200):
    file.append([f"{sys.argv[2]} {number} " + "y" * 80, f"{sys.argv[2]} {number} again"])
"""


def test_several_processes_lose_and_tear_no_line_while_parts_are_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", APPEND, str(path), str(name)]) for name in range(3)]
    assert [writer.wait(30) for writer in writers] == [0, 0, 0]
    lines = list(AuditFile(path, kept=50).lines())
    assert len(lines) == 3 * 200 * 2
    for name in "012":
        numbers = [int(line.split()[1]) for line in lines if line.startswith(f"{name} ") and "again" not in line]
        assert numbers == list(range(200))


def test_a_write_that_fails_midway_leaves_no_half_line(tmp_path: Path) -> None:
    script = (
        "import resource, signal, sys\nfrom pathlib import Path\nfrom mcp_server.audit_file import AuditFile\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nresource.setrlimit(resource.RLIMIT_FSIZE, (150, 150))\n"
        "file = AuditFile(Path(sys.argv[1]))\nfile.append(['a' * 99])\n"
        "try:\n    file.append(['b' * 99])\nexcept OSError:\n    file.append(['c'])\n"
    )
    path = tmp_path / "audit.jsonl"
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert path.read_text() == "a" * 99 + "\nc\n"


@pytest.mark.parametrize(
    "sql",
    [
        """SELECT * FROM FILES("aws.s3.access_key" = "HUNTER2HUNTER2", "path" = "s3://x/")""",
        """SELECT * FROM FILES('aws.s3.secret_key'='HUNTER2HUNTER2')""",
        "CREATE USER x IDENTIFIED BY 'HUNTER2HUNTER2'",
        "SELECT http_request('https://ann:HUNTER2HUNTER2@example.com')",
        "SELECT 1 -- sk-ant-HUNTER2HUNTER2",
        "SELECT 'Bearer HUNTER2HUNTER2'",
        "SET PASSWORD = 'HUNTER2HUNTER2'",
    ],
)
async def test_a_secret_in_a_statement_is_not_kept(config: Configs, tmp_path: Path, sql: str) -> None:
    path = tmp_path / "audit.jsonl"
    async with audited(config(), path) as (_, client):
        await client.call_tool("read_query", {"sql": sql})
        await client.call_tool("read_query", {"sql": sql, "unknown": sql})
    assert len(written(path)) == 2
    assert "HUNTER2" not in path.read_text()
    assert "[redacted]" in path.read_text()


def test_a_long_statement_is_cut_after_its_secrets_are_gone(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    sql = "x" * 7_990 + " password='" + "HUNTER2" * 10 + "'" + "y" * 9_000

    async def keep() -> None:
        async with AuditLog(AuditFile(path)) as log:
            log.add(numbered(0, statements=[Statement(sql=sql, verdict="ok")]))

    asyncio.run(keep())
    (one,) = written(path)
    assert "HUNTER" not in one.statements[0].sql
    assert len(one.statements[0].sql) < 8_040


def test_what_is_no_entry_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    good = numbered(1).model_dump_json()
    path.write_bytes(b'{"time": \n' + os.urandom(50) + f"\n{good}\n[]\n\n{good[:40]}".encode())
    assert written(path) == [numbered(1)]
    assert written(tmp_path / "nothing.jsonl") == []


@given(st.text(max_size=60), st.text(max_size=60), st.dictionaries(st.text(max_size=5), st.text(max_size=20)))
def test_any_text_stays_one_line_and_is_read_back(user: str, thread: str, arguments: dict[str, str]) -> None:
    made = entry(NOON, Caller(Principal("slack", "C", user), thread), "t", arguments, "ok")
    line = made.model_dump_json()
    assert "\n" not in line
    assert Entry.model_validate_json(line) == made
    assert made.arguments == "" or json.loads(made.arguments) == arguments
