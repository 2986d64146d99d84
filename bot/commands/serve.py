"""`starwatch serve`: the bot in Slack, until SIGTERM or Ctrl-C."""

import os
from pathlib import Path

from bot import logs, running
from bot.compose import opened
from bot.service import serve
from bot.settings import load
from bot.slack.service import slack_config


def run() -> int:
    """0 after an orderly stop. Raises OperatorError when Slack or the warehouse cannot be used as configured."""
    return running.run(_serve())


async def _serve() -> int:
    settings = load(os.environ, Path.cwd())
    logs.configure(settings.log_level)
    config = slack_config(settings)
    async with opened(settings, logs.progress) as starwatch:
        await serve(settings, config, starwatch)
    return 0
