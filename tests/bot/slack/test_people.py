"""Members, guests and strangers told apart by what Slack says of them."""

from typing import Any

import pytest

from bot.admission import Role
from bot.people import KNOWN_FOR
from bot.slack.config import SlackConfig, web_client
from bot.slack.people import slack_people
from handlers.surface import SurfaceError
from tests.fakes.slack import TEAM, FakeSlack
from tests.fakes.slack.server import Scripted

WHO: list[tuple[dict[str, Any], Role]] = [
    ({}, Role.MEMBER),
    ({"is_restricted": True}, Role.GUEST),
    ({"is_ultra_restricted": True}, Role.GUEST),
    ({"is_stranger": True}, Role.STRANGER),
    ({"team_id": "T0OTHER"}, Role.STRANGER),
    ({"is_bot": True}, Role.NOBODY),
    ({"deleted": True}, Role.NOBODY),
]


@pytest.mark.parametrize(("told", "role"), WHO)
async def test_people_are_what_slack_says_they_are(
    slack: FakeSlack, config: SlackConfig, told: dict[str, Any], role: Role
) -> None:
    slack.members["U1"] = told
    assert await slack_people(web_client(config), TEAM).of("U1") is role


async def test_slack_is_asked_once_an_hour(slack: FakeSlack, config: SlackConfig) -> None:
    now = [0.0]
    people = slack_people(web_client(config), TEAM, lambda: now[0])
    assert [await people.of("U1") for _ in range(3)] == [Role.MEMBER] * 3
    assert len(slack.called("users.info")) == 1
    slack.members["U1"] = {"is_restricted": True}
    now[0] = KNOWN_FOR
    assert await people.of("U1") is Role.GUEST


async def test_an_installation_without_the_scope_goes_on_as_before(slack: FakeSlack, config: SlackConfig) -> None:
    slack.scopes.discard("users:read")
    assert await slack_people(web_client(config), TEAM).of("U1") is Role.MEMBER


async def test_a_slack_that_does_not_answer_is_a_fault_and_is_asked_again(
    slack: FakeSlack, config: SlackConfig
) -> None:
    slack.fail("users.info", Scripted(500, "internal_error"))
    people = slack_people(web_client(config), TEAM)
    with pytest.raises(SurfaceError, match="internal_error"):
        await people.of("U1")
    assert await people.of("U1") is Role.MEMBER


NAMES = [
    ({"profile": {"display_name": "Anna Berg", "real_name": "A. B."}}, "Anna Berg"),
    ({"profile": {"display_name": "", "real_name": "A. B."}, "name": "anna"}, "A. B."),
    ({"name": "anna"}, "anna"),
    ({}, ""),
]


@pytest.mark.parametrize(("told", "name"), NAMES)
async def test_people_are_called_as_they_are_shown(
    slack: FakeSlack, config: SlackConfig, told: dict[str, Any], name: str
) -> None:
    slack.members["U1"] = told
    assert await slack_people(web_client(config), TEAM).named("U1") == name
