"""The HTTP entrance: what it does when the clocks disagree, and when the process stops."""

import json

import pytest
import structlog

from bot.slack.http import SKEW, TOLD_EVERY, build_http
from tests.bot.slack.conftest import NOW, Bot
from tests.fakes.slack import BOT, SECRET, SignedDoor
from tests.fakes.slack.payloads import mention


@pytest.mark.parametrize("skew", [SKEW + 1, -SKEW - 1, 7200, -7200])
async def test_a_clock_that_is_wrong_is_named_as_the_reason_once_a_minute(bot: Bot, skew: int) -> None:
    clock = [float(NOW)]
    door = SignedDoor(build_http(bot.config, bot.app, now=lambda: clock[0]), NOW - skew)
    asked = mention(bot.slack.said(f"<@{BOT}> hello"))
    with structlog.testing.capture_logs() as lines:
        assert [(await door.event(asked)).status_code for _ in range(3)] == [401, 401, 401]
        clock[0] += TOLD_EVERY if skew > 0 else -TOLD_EVERY
        assert (await door.event(asked)).status_code == 401
    await door.close()
    told = [line["clock_skew"] for line in lines if "clock" in line["event"]]
    assert told == [skew, skew + TOLD_EVERY * (1 if skew > 0 else -1)]
    assert bot.slack.posts == []


async def test_a_forged_request_is_no_reason_to_doubt_the_clock(bot: Bot) -> None:
    asked = json.dumps(mention(bot.slack.said(f"<@{BOT}> hello"))).encode()
    with structlog.testing.capture_logs() as lines:
        old = await bot.door.send(asked, secret="forged", timestamp=str(NOW - 7200))
        garbage = await bot.door.send(asked, signature="v0=é", timestamp=str(NOW - 7200))
        wrong = await bot.door.send(asked, signature="v0=00")
        binary = await bot.door.send(b"\xff\xfe", signature="v0=00", timestamp=str(NOW))
    assert [response.status_code for response in (old, garbage, wrong, binary)] == [401] * 4
    assert lines == []


async def test_once_it_is_shut_everything_is_answered_with_come_again(bot: Bot) -> None:
    shut = [False]
    door = SignedDoor(build_http(bot.config, bot.app, now=lambda: NOW, shut=lambda: shut[0]), NOW)
    post = bot.slack.said(f"<@{BOT}> hello")
    assert (await door.get("/healthz")).status_code == 200
    shut[0] = True
    refused = await door.event(mention(post))
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert (await door.get("/healthz")).status_code == 503
    shut[0] = False
    assert (await door.event(mention(post))).status_code == 200
    await bot.turns.idle()
    await door.close()
    assert len(bot.words(post.ts)) == 1
    assert SECRET not in refused.text
