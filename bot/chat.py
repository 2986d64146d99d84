"""Which chat platforms the settings name, and the way to them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from bot.errors import SettingsError
from bot.lark import service as lark
from bot.platforms import Platform, Several
from bot.settings import Settings
from bot.slack import service as slack


def require_configured(settings: Settings) -> None:
    """Raises SettingsError naming what is missing to serve Slack, Lark or both."""
    if settings.slack_bot_token is None and settings.lark_app_id is None:
        raise SettingsError(
            "SLACK_BOT_TOKEN: is missing, and LARK_APP_ID too; one of them is needed (docs/slack.md, docs/lark.md)"
        )
    if settings.lark_app_id is not None:
        lark.lark_config(settings)
    if settings.slack_bot_token is not None:
        slack.slack_config(settings)


@asynccontextmanager
async def reached(settings: Settings) -> AsyncIterator[Platform]:
    """The platforms that the settings name, as one. Raises SettingsError when one of them refuses us or cannot be
    reached."""
    require_configured(settings)
    found: dict[str, Platform] = {}
    async with AsyncExitStack() as stack:
        if settings.slack_bot_token is not None:
            found["slack"] = await slack.reached(slack.slack_config(settings))
        if settings.lark_app_id is not None:
            company = await stack.enter_async_context(lark.reached(lark.lark_config(settings)))
            found["lark"] = company
        yield next(iter(found.values())) if len(found) == 1 else Several(found)
