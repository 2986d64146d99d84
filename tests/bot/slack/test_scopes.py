"""Leave that the app was given, and leave that it lacks."""

import pytest

from bot.slack.config import SlackConfig, web_client
from bot.slack.scopes import SCOPES, missing
from handlers.surface import SurfaceError
from tests.bot.slack.test_manifest import manifest
from tests.fakes.slack import FakeSlack
from tests.fakes.slack.server import Scripted


def test_the_manifest_asks_for_these_scopes_and_no_other() -> None:
    assert manifest()["oauth_config"]["scopes"]["bot"] == sorted(SCOPES)


async def test_nothing_is_missing_when_all_is_granted(slack: FakeSlack, config: SlackConfig) -> None:
    assert await missing(web_client(config)) == []


@pytest.mark.parametrize("scope", SCOPES)
async def test_what_is_missing_is_named_with_what_goes_wrong(slack: FakeSlack, config: SlackConfig, scope: str) -> None:
    slack.scopes.discard(scope)
    assert await missing(web_client(config)) == [f"{scope}: {SCOPES[scope]}"]


async def test_a_slack_that_does_not_say_is_not_suspected(slack: FakeSlack, config: SlackConfig) -> None:
    slack.scopes.clear()
    assert await missing(web_client(config)) == ()


async def test_a_refused_token_is_an_error(slack: FakeSlack, config: SlackConfig) -> None:
    slack.fail("auth.test", Scripted(200, "invalid_auth"))
    with pytest.raises(SurfaceError, match="invalid_auth"):
        await missing(web_client(config))
