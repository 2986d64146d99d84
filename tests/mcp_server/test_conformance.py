"""The door over HTTP as the MCP project's own conformance suite sees it."""

from pathlib import Path

import pytest
import yaml

from mcp_server.door import Door
from mcp_server.http import HTTP, HttpConfig, serving
from mcp_server.server import build_server
from tests.neighbours import programs

pytestmark = pytest.mark.neighbours

REVISION = "2026-07-28"


async def test_all_scenarios_pass_but_those_that_need_a_fixture(door: Door, tmp_path: Path) -> None:
    async with serving(build_server(door, HTTP), HttpConfig()) as url:
        done = await programs.node(
            programs.CONFORMANCE,
            *("server", "--url", url, "--requirements", REVISION),
            *("--expected-failures", programs.BASELINE, "--output-dir", tmp_path),
        )
    assert done.code == 0, done.output[-4_000:]


async def test_the_suite_would_notice_a_scenario_that_fails(door: Door, tmp_path: Path) -> None:
    listed = yaml.safe_load(programs.BASELINE.read_text())["server"]
    without = tmp_path / "baseline.yml"
    without.write_text(yaml.safe_dump({"server": [entry for entry in listed if entry != "tools-call-image"]}))
    async with serving(build_server(door, HTTP), HttpConfig()) as url:
        done = await programs.node(
            programs.CONFORMANCE,
            *("server", "--url", url, "--scenario", "tools-call-image", "--spec-version", REVISION),
            *("--expected-failures", without, "--output-dir", tmp_path),
        )
    assert done.code == 1, done.output[-4_000:]
