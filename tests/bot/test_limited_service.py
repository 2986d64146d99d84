"""The whole bot at its limits: what the settings allow is kept to over HTTP, and what Slack does not take is kept."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.settings import Settings
from handlers.locale import ENGLISH
from sandbox.launch import Endpoint
from tests.bot.test_service import MINUTE, at_work, slack
from tests.fakes.slack import BOT, BOT_TOKEN, SECRET, FakeSlack
from tests.fakes.slack.payloads import mention, message
from tests.fakes.slack.server import Scripted

__all__ = ["slack"]


@pytest.fixture
def settings(warehouse: Endpoint, slack: FakeSlack, tmp_path: Path) -> Settings:
    return Settings(
        starrocks_host=warehouse.host,
        starrocks_port=warehouse.port,
        starrocks_user=warehouse.reader[0],
        starrocks_password=SecretStr(warehouse.reader[1]),
        slack_bot_token=SecretStr(BOT_TOKEN),
        slack_signing_secret=SecretStr(SECRET),
        slack_api_url=slack.base_url,
        http_port=0,
        user_turns_per_day=1,
        database_url=f"sqlite+aiosqlite:///{tmp_path}/own.db",
    )


async def test_the_turn_behind_the_last_one_of_the_day_is_refused_in_words(
    settings: Settings, slack: FakeSlack
) -> None:
    async with at_work(settings) as (line, starwatch):
        asked = slack.said(f"<@{BOT}> how many clusters are there?")
        await line.event(mention(asked))
        await slack.until(lambda: len(slack.answers(asked.ts)) == 1, MINUTE)
        further = slack.said("and how many are stopped?", thread_ts=asked.ts)
        await line.event(message(further))
        await slack.until(lambda: len(slack.answers(asked.ts)) == 2, MINUTE)
        assert {usage.turns for usage in (await starwatch.store.usage.today("user")).values()} == {1}
    assert ENGLISH.say("refused.user") in slack.thread(asked.ts)[1].words


async def test_an_answer_that_slack_would_not_take_is_posted_by_the_next_process(
    settings: Settings, slack: FakeSlack
) -> None:
    revoked = [Scripted(200, "token_revoked")] * 50
    async with at_work(settings) as (line, _):
        for method in ("chat.postMessage", "chat.startStream", "chat.update"):
            slack.fail(method, *revoked)
        asked = slack.said(f"<@{BOT}> how many clusters are there?")
        await line.event(mention(asked))
        await slack.until(lambda: bool(slack.called("chat.postMessage")), MINUTE)
    assert slack.thread(asked.ts) == []
    slack.recover()
    async with at_work(settings):
        await slack.until(lambda: len(slack.answers(asked.ts)) == 1, MINUTE)
    assert "clusters" in slack.thread(asked.ts)[0].words
