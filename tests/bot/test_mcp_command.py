"""`starwatch mcp --http` as a process: where it may listen, how it says that it is ready, and how it ends."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from mcp import Client
from pydantic import SecretStr

from bot.commands.mcp import http_config
from bot.settings import Settings
from tests.bot.conftest import Run
from tests.bot.test_commands import one_line

TOKEN = "a-token-of-sixteen-letters"


async def test_it_says_where_it_serves_and_ends_in_order(real: dict[str, str], tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "XDG_STATE_HOME": str(tmp_path), "PYTHONPATH": str(Path.cwd()), **real}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "mcp", "--http", "0"), stdout=asyncio.subprocess.PIPE, env=env, cwd=tmp_path
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            ready = (await process.stdout.readline()).decode()
            assert ready.startswith("ready http://127.0.0.1:")
            async with Client(ready.split()[1]) as client:
                result = await client.call_tool("read_query", {"sql": "SELECT count(*) AS n FROM byoc.clusters"})
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert (result.structured_content or {})["row_count"] == 1


@pytest.mark.parametrize(
    ("place", "host", "port"),
    [("8642", "127.0.0.1", 8642), ("0", "127.0.0.1", 0), ("localhost:1", "localhost", 1), ("[::1]:8642", "::1", 8642)],
)
def test_a_place_is_a_port_or_a_host_and_a_port(place: str, host: str, port: int) -> None:
    config = http_config(place, Settings(), ())
    assert (config.host, config.port, config.token) == (host, port, None)


def test_named_tokens_are_told_apart_by_their_names() -> None:
    found = http_config("1", Settings(mcp_tokens=SecretStr(f"ci:{TOKEN}:x, grafana: {TOKEN} ,")), ()).tokens()
    assert {name: token.get_secret_value() for name, token in found.items()} == {"ci": f"{TOKEN}:x", "grafana": TOKEN}


@pytest.mark.parametrize("tokens", [TOKEN, f"ci:{TOKEN},ci:{TOKEN}x", "ci:short", f":{TOKEN}", f"a:{TOKEN},b:{TOKEN}"])
def test_tokens_that_name_nobody_or_two_stop_the_start_and_are_not_shown(starwatch: Run, tokens: str) -> None:
    code, _, err = starwatch("mcp", "--http", "8642", STARWATCH_MCP_TOKENS=tokens)
    assert (code, "STARWATCH_MCP_TOKENS" in one_line(err), TOKEN in err) == (2, True, False)


@pytest.mark.parametrize("place", ["", "eight", ":8642", "127.0.0.1", "127.0.0.1:", "1:70000", "127.0.0.1:-1"])
def test_a_place_that_is_neither_is_refused(starwatch: Run, place: str) -> None:
    code, _, err = starwatch("mcp", "--http", place)
    assert code == 2
    assert "--http" in one_line(err)


def test_beyond_loopback_the_command_asks_for_a_token_and_a_name(starwatch: Run) -> None:
    code, _, err = starwatch("mcp", "--http", "0.0.0.0:8642")
    assert (code, "STARWATCH_MCP_TOKEN" in one_line(err)) == (2, True)
    code, _, err = starwatch("mcp", "--http", "0.0.0.0:8642", STARWATCH_MCP_TOKEN=TOKEN)
    assert (code, "--name" in one_line(err)) == (2, True)
    assert "sixteen" not in err
