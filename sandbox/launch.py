"""Starts the stand-in as a process of its own and ends it again; all that the rest of Starwatch knows of it."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sandbox.accounts import READER, WRITER, Account
from sandbox.errors import StartError
from sandbox.options import Options

__all__ = ["Endpoint", "Options", "StartError", "running"]

START_SECONDS = 120.0
_STOP_SECONDS = 5.0
_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the warehouse listens, and the user and password of its two accounts."""

    host: str
    port: int
    reader: tuple[str, str]
    writer: tuple[str, str]


@asynccontextmanager
async def running(options: Options, on_progress: Callable[[str], None] | None = None) -> AsyncIterator[Endpoint]:
    """Run the stand-in for as long as the context lasts.

    Args:
        options: what it holds and where it listens.
        on_progress: called with each line that it says while it fills its tables.

    Raises:
        StartError: it ended before it was ready, or was not ready in time; the text is its last line.
    """
    # Standard input is the leash: when this process dies, however it dies, the child reads its end and stops.
    words = [sys.executable, "-m", "sandbox", *options.arguments(), "--exit-with-stdin"]
    process = await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=_ROOT)
    # The last line is the reason when it ends early; the ones before were told as progress.
    said: deque[str] = deque(maxlen=1)
    listening = asyncio.create_task(_listen(process, said, on_progress))
    try:
        yield await _ready(process, listening, said)
    finally:
        await _end(process)
        await listening


async def _ready(process: Process, listening: asyncio.Task[None], said: deque[str]) -> Endpoint:
    if process.stdout is None:
        raise StartError("the embedded warehouse has no output")
    try:
        async with asyncio.timeout(START_SECONDS):
            line = (await process.stdout.readline()).decode().strip()
            if not line.startswith("ready "):
                await listening
    except TimeoutError as error:
        raise StartError(f"the embedded warehouse was not ready after {START_SECONDS:.0f} s") from error
    if not line.startswith("ready "):
        raise StartError(said[-1] if said else "the embedded warehouse ended before it was ready")
    place = urlsplit(line.removeprefix("ready "))
    return Endpoint(place.hostname or "", place.port or 0, _pair(READER), _pair(WRITER))


async def _listen(process: Process, said: deque[str], on_progress: Callable[[str], None] | None) -> None:
    if process.stderr is None:
        return
    async for raw in process.stderr:
        line = raw.decode(errors="replace").rstrip()
        said.append(line)
        if on_progress is not None:
            on_progress(line)


async def _end(process: Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _pair(account: Account) -> tuple[str, str]:
    return account.name, account.password.get_secret_value()
