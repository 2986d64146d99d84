"""The same bot over Socket Mode."""

from dataclasses import replace

import pytest
from pydantic import SecretStr

from bot.errors import SettingsError
from bot.slack.socket import connected
from tests.bot.slack.conftest import Bot, buttons
from tests.fakes.slack import BOT, BOT_TOKEN
from tests.fakes.slack.payloads import command, mention, message, press
from tests.fakes.slack.server import Scripted


async def test_a_mention_is_acknowledged_and_answered(bot: Bot) -> None:
    post = bot.slack.said(f"<@{BOT}> how is prod-0?")
    async with connected(bot.config, bot.app):
        ack = await bot.slack.deliver("events_api", mention(post), "env-1")
        await bot.turns.idle()
    assert ack == {"envelope_id": "env-1"}
    assert "how is prod-0?" in bot.words(post.ts)[0]


async def test_a_redelivered_envelope_is_acknowledged_again_and_answered_once(bot: Bot) -> None:
    post = bot.slack.said("fleet?", channel="D0DIRECT")
    async with connected(bot.config, bot.app):
        await bot.slack.deliver("events_api", message(post), "env-1")
        await bot.slack.deliver("events_api", message(post), "env-2")
        await bot.turns.idle()
    assert len(bot.words(post.ts)) == 1


async def test_a_command_and_a_button_work_as_over_http(bot: Bot) -> None:
    async with connected(bot.config, bot.app):
        ack = await bot.slack.deliver("slash_commands", dict(command("weekly")), "env-1")
        await bot.turns.idle()
        posted = bot.slack.posts[1]
        await bot.slack.deliver("interactive", press(posted, buttons(posted.blocks)[0]), "env-2")
        await bot.turns.idle()
    assert ack["payload"]["response_type"] == "ephemeral"
    assert "0000-0" in bot.words(posted.ts)[0]


async def test_a_connection_that_slack_wants_replaced_is_made_anew(bot: Bot) -> None:
    async with connected(bot.config, bot.app):
        first = bot.slack.said(f"<@{BOT}> before")
        await bot.slack.deliver("events_api", mention(first), "env-1")
        await bot.slack.ask_to_reconnect()
        second = bot.slack.said(f"<@{BOT}> after")
        await bot.slack.deliver("events_api", mention(second), "env-2")
        await bot.turns.idle()
    assert "before" in bot.words(first.ts)[0]
    assert "after" in bot.words(second.ts)[0]
    assert len(bot.slack.called("apps.connections.open")) == 2


async def test_an_event_that_cannot_be_admitted_is_not_acknowledged(bot: Bot) -> None:
    await bot.turns.close(0)
    async with connected(bot.config, bot.app):
        refused = bot.slack.said(f"<@{BOT}> hello")
        with pytest.raises(TimeoutError):
            await bot.slack.deliver("events_api", mention(refused), "env-1", seconds=0.2)
    assert bot.slack.acks == []


async def test_an_event_that_comes_while_slack_does_not_say_who_we_are_is_left_to_be_delivered_again(bot: Bot) -> None:
    bot.slack.fail("auth.test", Scripted(500, "internal_error"))
    post = bot.slack.said(f"<@{BOT}> hello")
    refused = await bot.door.event(mention(post))
    taken = await bot.door.event(mention(post))
    await bot.turns.idle()
    assert (refused.status_code, taken.status_code) == (500, 200)
    assert len(bot.words(post.ts)) == 1


async def test_a_start_without_a_right_app_token_names_the_setting(bot: Bot) -> None:
    wrong = [(None, "is missing"), (SecretStr(BOT_TOKEN), "not_allowed_token_type"), (SecretStr("x"), "invalid_auth")]
    for token, reason in wrong:
        with pytest.raises(SettingsError, match=f"SLACK_APP_TOKEN: .*{reason}"):
            async with connected(replace(bot.config, app_token=token), bot.app):
                pytest.fail("connected without a token")


async def test_the_app_token_never_shows(bot: Bot) -> None:
    assert "xapp-" not in repr(bot.config)
    assert "xoxb-" not in repr(bot.config)
