"""`starwatch serve`: the bot in Slack, Lark or both, until SIGTERM or Ctrl-C."""

import os
from pathlib import Path

from bot import logs, running
from bot.chat import require_configured
from bot.compose import opened
from bot.garbage import collect_rarely
from bot.service import serve
from bot.settings import load


def run() -> int:
    """0 after an orderly stop. Raises OperatorError when a chat or the warehouse cannot be used as configured."""
    return running.run(_serve())


async def _serve() -> int:
    settings = load(os.environ, Path.cwd())
    logs.configure(settings.log_level)
    require_configured(settings)
    async with opened(settings, logs.progress) as starwatch:
        collect_rarely()
        await serve(settings, starwatch)
    return 0
