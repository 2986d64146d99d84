"""A whole bot in a process of its own, as an operator runs it: `starwatch serve`, killed and stopped as machines do."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

START = 120.0
"""Seconds that a start may take on a busy machine."""


@dataclass
class Process:
    """A running bot; `log` is what it said so far, oldest first."""

    child: asyncio.subprocess.Process
    log: list[dict[str, Any]] = field(default_factory=list)
    _heard: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def address(self) -> str:
        """Where it takes events."""
        return str(next(line["place"] for line in self.log if line["event"] == "listening"))

    def said(self, event: str) -> list[dict[str, Any]]:
        """The lines of the log about an event."""
        return [line for line in self.log if line["event"] == event]

    async def until(self, done: Callable[[], bool], seconds: float = START) -> None:
        """Wait for the log to make `done` true. Raises TimeoutError, AssertionError when the process ends before."""
        async with asyncio.timeout(seconds), self._heard:
            await self._heard.wait_for(lambda: done() or self._ended)
        assert done(), self.log[-20:]

    async def listen(self) -> None:
        """Read the log until the process ends."""
        assert self.child.stderr is not None
        async for line in self.child.stderr:
            text = line.decode(errors="replace")
            self.log.append(json.loads(text) if text.startswith("{") else {"event": text})
            async with self._heard:
                self._heard.notify_all()
        self._ended = True
        async with self._heard:
            self._heard.notify_all()

    _ended: bool = False

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.child.send_signal(number)

    async def ended(self, seconds: float = START) -> int:
        """Its exit code, once it has one. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            return await self.child.wait()


@asynccontextmanager
async def serving(settings: Mapping[str, str]) -> AsyncIterator[Process]:
    """`starwatch serve` with these settings and no others; killed at the end of the context, if it still runs."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "XDG_STATE_HOME"}}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "serve", env=kept | dict(settings), stderr=asyncio.subprocess.PIPE
    )
    process = Process(child)
    listener = asyncio.create_task(process.listen())
    try:
        await process.until(lambda: bool(process.said("listening")))
        yield process
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()
        await listener
