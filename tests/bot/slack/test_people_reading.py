"""Language and zone of people on Slack."""

from typing import Any

import pytest

from bot.slack.config import SlackConfig, web_client
from bot.slack.people import slack_people
from tests.fakes.slack import TEAM, FakeSlack


@pytest.mark.parametrize(
    ("told", "reads"),
    [
        ({"locale": "zh-CN", "tz": "Asia/Shanghai"}, ("zh", "Asia/Shanghai")),
        ({"locale": "en-US", "tz": "America/New_York"}, ("en", "America/New_York")),
        ({"locale": "de-DE", "tz": None}, (None, "")),
        ({}, (None, "")),
    ],
)
async def test_people_read_as_their_profile_says(
    slack: FakeSlack, config: SlackConfig, told: dict[str, Any], reads: tuple[str | None, str]
) -> None:
    slack.members["U1"] = told
    people = slack_people(web_client(config), TEAM)
    assert await people.reads("U1") == reads
    await people.of("U1")
    assert len(slack.called("users.info")) == 1
    assert slack.called("users.info")[0]["include_locale"] == "true"
