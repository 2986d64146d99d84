"""Charts as PNG, each drawn by a process of its own that can be killed when it hangs."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import structlog

from bot.charts.fonts import Fonts
from bot.charts.vega import specification
from handlers.document import Chart

log = structlog.get_logger()

SECONDS = 20.0
AT_ONCE = 2
"""Pictures drawn side by side; each takes a core for half a second and about 90 MB."""
LARGEST = 8 * 1024 * 1024
_MAGIC = b"\x89PNG\r\n\x1a\n"
_KEPT = ("PATH", "PYTHONPATH", "HOME", "LANG", "SYSTEMROOT")
"""What of the environment the process gets: where programs and fonts lie, and no key."""
_ROOT = Path(__file__).parents[2]
_WORKER = (sys.executable, "-m", "bot.charts.worker")


class NoPicture(Exception):
    """No picture could be made in time; the chart is to be shown in another form."""


class Painter:
    """Draws charts in the letters that `fonts` has. `command` reads a specification on stdin and writes a PNG; it gets
    `seconds`."""

    def __init__(
        self, *, seconds: float = SECONDS, command: Sequence[str] = _WORKER, fonts: Fonts | None = None
    ) -> None:
        self._seconds = seconds
        self._fonts = fonts or Fonts()
        self._command = tuple(command)
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def png(self, chart: Chart) -> bytes:
        """The picture, about 1,500 pixels wide. Raises NoPicture."""
        if not self._fonts.can_write(_texts(chart)):
            raise NoPicture("there is no font here for its words")
        spec = json.dumps(specification(chart), allow_nan=False).encode()
        # pictures come in bursts (a report, a busy channel) and each takes a whole core
        async with self._slots:
            code, picture, words = await self._run(spec)
        if code != 0 or not picture.startswith(_MAGIC) or len(picture) > LARGEST:
            log.error("a chart could not be drawn", code=code, size=len(picture), why=words.decode(errors="replace"))
            raise NoPicture(f"exit code {code}")
        return picture

    async def _run(self, spec: bytes) -> tuple[int, bytes, bytes]:
        """Exit code, stdout and the end of stderr of one run, which never outlives this call."""
        pipe = asyncio.subprocess.PIPE
        environment = {name: value for name in _KEPT if (value := os.environ.get(name))}
        process = await asyncio.create_subprocess_exec(
            *self._command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, cwd=_ROOT
        )
        try:
            async with asyncio.timeout(self._seconds):
                out, err = await process.communicate(spec)
        except TimeoutError:
            log.error("a chart took too long to draw", seconds=self._seconds)
            raise NoPicture("it took too long") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode or 0, out, err[-500:]


def _texts(chart: Chart) -> str:
    return " ".join((chart.title, chart.unit, *chart.categories, *(one.name for one in chart.series)))
