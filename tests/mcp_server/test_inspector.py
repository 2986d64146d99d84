"""The door as the MCP Inspector's command line lists and calls it, over HTTP and stdio."""

import json
from pathlib import Path
from typing import Any

import pytest

from mcp_server.door import Door
from mcp_server.http import HTTP, HttpConfig, serving
from mcp_server.server import build_server
from sandbox.launch import Endpoint
from tests.neighbours import programs

pytestmark = pytest.mark.neighbours

TOOL_FAILED = 5
COUNT = "sql=SELECT count(*) AS clusters FROM byoc.clusters"


class Inspector:
    """The Inspector's command line with a catalogue of its own, so that it writes nothing into a home folder."""

    def __init__(self, folder: Path, *target: str) -> None:
        self._env = {"MCP_CATALOG_PATH": str(folder / "catalog.json")}
        self._target = target

    async def ask(self, *words: str) -> programs.Done:
        return await programs.node(programs.INSPECTOR, "--cli", *self._target, *words, env=self._env)

    async def told(self, *words: str) -> dict[str, Any]:
        done = await self.ask(*words)
        assert done.code == 0, done.output
        answer: dict[str, Any] = json.loads(done.output[done.output.index("{") :])
        return answer


async def test_it_lists_strict_schemas_and_calls_tools_over_http(door: Door, tmp_path: Path) -> None:
    async with serving(build_server(door, HTTP), HttpConfig()) as url:
        inspector = Inspector(tmp_path, url, "--transport", "http")
        listed = await inspector.told("--method", "tools/list", "--strict")
        counted = await inspector.told("--method", "tools/call", "--tool-name", "read_query", "--tool-arg", COUNT)
        refused = await inspector.ask(
            *("--method", "tools/call", "--tool-name", "read_query", "--tool-arg", "sql=DROP TABLE byoc.clusters")
        )
    assert "read_query" in {tool["name"] for tool in listed["tools"]}
    assert counted["structuredContent"]["row_count"] == 1
    assert refused.code == TOOL_FAILED
    assert "READ_ONLY" in refused.output


async def test_it_reads_resources_and_prompts(door: Door, tmp_path: Path) -> None:
    async with serving(build_server(door, HTTP), HttpConfig()) as url:
        inspector = Inspector(tmp_path, url, "--transport", "http")
        page = await inspector.told("--method", "resources/read", "--uri", "starwatch://schema/byoc.clusters")
        prompts = await inspector.told("--method", "prompts/list")
    assert "cluster_name" in page["contents"][0]["text"]
    assert [prompt["name"] for prompt in prompts["prompts"]] == ["cluster_review"]


async def test_it_calls_tools_over_stdio(warehouse: Endpoint, tmp_path: Path) -> None:
    env = {
        "STARWATCH_STARROCKS_HOST": warehouse.host,
        "STARWATCH_STARROCKS_PORT": str(warehouse.port),
        "STARWATCH_STARROCKS_USER": warehouse.reader[0],
        "STARWATCH_STARROCKS_PASSWORD": warehouse.reader[1],
    }
    given = [word for name, value in env.items() for word in ("-e", f"{name}={value}")]
    starwatch = str(programs.VENV / "bin" / "starwatch")
    inspector = Inspector(tmp_path, starwatch, "mcp", *given)
    counted = await inspector.told("--method", "tools/call", "--tool-name", "read_query", "--tool-arg", COUNT)
    assert counted["structuredContent"]["row_count"] == 1
