"""The stand-in as a process: started, ready, ended; refusals are one line and exit code 2."""

import asyncio
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomysql
import pytest

import schema
from sandbox.launch import Endpoint, Options, StartError, running
from tests.sandbox.conftest import Connect, rows

ROOT = Path(__file__).parents[2]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A directory with one exported table."""
    directory = tmp_path / "export"
    directory.mkdir()
    (directory / "byoc.region_details.csv").write_text("region_id,cloud\nr1,aws\n")
    return directory


async def start(*words: str) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", *words, stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=ROOT
    )


@pytest.fixture
async def process(export: Path) -> AsyncIterator[Process]:
    """A serving process that has said that it is ready."""
    started = await start("--load", str(export), "--exit-with-stdin")
    assert started.stdout is not None
    assert (await started.stdout.readline()).startswith(b"ready mysql://reader:reader@127.0.0.1:")
    yield started
    if started.returncode is None:
        started.kill()
        await started.communicate()


async def test_the_launcher_serves_and_ends_its_process(export: Path, connect: Connect) -> None:
    said: list[str] = []
    async with running(Options(load=export), said.append) as endpoint:
        reader = await connect(endpoint.port, *endpoint.reader)
        assert await rows(reader, "SELECT region_id, cloud FROM byoc.region_details") == [("r1", "aws")]
        writer = await connect(endpoint.port, *endpoint.writer)
        assert await rows(writer, "SELECT count(*) FROM alerts.patrol_reports") == [(0,)]
    assert said == ["loaded 1 rows into byoc.region_details"]
    with pytest.raises(OSError, match=r"[Cc]onnect"):
        await asyncio.open_connection(endpoint.host, endpoint.port)


async def test_an_empty_warehouse_lets_its_administrator_create_the_tables(connect: Connect) -> None:
    async with running(Options(empty=True)) as endpoint:
        reader = await connect(endpoint.port, *endpoint.reader)
        assert await rows(reader, "SHOW DATABASES LIKE 'alerts'") == []
        admin = await connect(endpoint.port, "admin")
        for statement in schema.statements():
            await rows(admin, statement)
        assert await rows(reader, "SELECT count(*) FROM alerts.patrol_reports") == [(0,)]


async def test_only_an_empty_warehouse_has_an_administrator(warehouse: Endpoint) -> None:
    with pytest.raises(aiomysql.MySQLError, match="Access denied"):
        await aiomysql.connect(host=warehouse.host, port=warehouse.port, user="admin", password="admin")


async def test_a_file_that_does_not_fit_is_told_by_the_launcher(export: Path) -> None:
    (export / "byoc.nope.csv").write_text("a\n1\n")
    with pytest.raises(StartError, match=r"there is no table byoc[.]nope"):
        async with running(Options(load=export)):
            raise AssertionError("it must not become ready")


async def test_the_process_ends_with_its_parent(process: Process) -> None:
    assert process.stdin is not None
    process.stdin.close()
    async with asyncio.timeout(40):
        assert await process.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_process_cleanly(process: Process, number: int) -> None:
    process.send_signal(number)
    async with asyncio.timeout(40):
        _, said = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in said


async def test_a_taken_port_is_one_line_and_exit_2(export: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = await start("--load", str(export), "--port", str(taken.getsockname()[1]))
        out, said = await process.communicate()
    assert process.returncode == 2
    assert out == b""
    assert said.decode().splitlines()[-1].startswith("sandbox: cannot listen on 127.0.0.1:")
    assert b"Traceback" not in said


async def test_an_unknown_scenario_is_one_line_with_the_names_and_exit_2() -> None:
    process = await start("--scenario", "nope", "--clusters", "24", "--days", "2")
    out, said = await process.communicate()
    assert process.returncode == 2
    assert out == b""
    assert b"disk_filling" in said.splitlines()[-1]
    assert b"Traceback" not in said


async def test_told_to_stop_while_it_fills_its_tables_it_leaves_quietly() -> None:
    process = await start("--exit-with-stdin")
    assert process.stdin is not None
    process.stdin.close()
    async with asyncio.timeout(40):
        _, said = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in said


async def test_the_simulated_fleet_is_served_and_its_truth_is_not(
    warehouse: Endpoint, truth: dict[str, Any], connect: Connect
) -> None:
    reader = await connect(warehouse.port, *warehouse.reader)
    active = "SELECT count(*) FROM byoc.clusters WHERE NOT coalesce(stopped, false) AND NOT coalesce(deleted, false)"
    [(count,)] = await rows(reader, active)
    assert count == 24
    assert {fault["cluster_id"] for fault in truth["faults"]} >= set(truth["must_flag"])
    [(fresh,)] = await rows(reader, "SELECT hours_diff(now(), max(snapshot_hour)) FROM metrics.amv_hourly_snapshots_v1")
    assert fresh <= 2
    [(named,)] = await rows(reader, "SELECT count(*) FROM information_schema.tables WHERE table_name LIKE '%truth%'")
    assert named == 0


@pytest.mark.parametrize(
    "words", [["--port", "70000"], ["--clusters", "0"], ["--days", "x"], ["--nope"], ["--empty", "--load", "."]]
)
async def test_a_bad_argument_is_exit_2(words: list[str]) -> None:
    process = await start(*words)
    out, said = await process.communicate()
    assert process.returncode == 2
    assert out == b""
    assert words[0] in said.decode().splitlines()[-1]
    assert b"Traceback" not in said


def test_options_and_arguments_say_the_same(tmp_path: Path) -> None:
    options = Options(port=5, seed=1, clusters=2, days=3, scenario="none", truth_file=tmp_path / "t", load=tmp_path)
    assert options.arguments() == [
        *("--port", "5", "--seed", "1", "--clusters", "2", "--days", "3", "--scenario", "none"),
        *("--truth-file", str(tmp_path / "t"), "--load", str(tmp_path)),
    ]
    assert Options(empty=True).arguments() == [*Options().arguments(), "--empty"]
