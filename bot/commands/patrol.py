"""`starwatch patrol`: one patrol now, printed for a person or as one JSON object."""

import json
import os
from pathlib import Path

from agent.patrol.report import REPORT_TYPES, ReportType
from bot import running
from bot.compose import opened
from bot.errors import OperatorError
from bot.settings import load
from bot.terminal import Terminal, console
from handlers.report import report_document


def run(*, report_type: str, as_json: bool) -> int:
    """0 when a report was made. Raises OperatorError for an unknown report type, before anything is started."""
    if report_type not in REPORT_TYPES:
        raise OperatorError(f"report type {report_type!r} is unknown; use one of {', '.join(REPORT_TYPES)}")
    return running.run(_patrol(report_type, as_json))


async def _patrol(report_type: ReportType, as_json: bool) -> int:
    terminal = Terminal(console(), console(stream_is_error=True))

    async def on_step(text: str) -> None:
        terminal.show(text)

    async with opened(load(os.environ, Path.cwd()), terminal.show) as starwatch:
        report = await starwatch.patrols.run(report_type, "command line", on_step)
    terminal.show("")
    if as_json:
        print(json.dumps(report.to_json(), ensure_ascii=False, default=str))
    else:
        await terminal.post("", report_document(report))
    return 0
