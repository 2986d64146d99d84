"""The whole bot on Lark: its requests over HTTP or the long connection in, the embedded warehouse behind it, cards in
the chat out."""

import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from bot.chat import reached, require_configured
from bot.compose import opened
from bot.errors import SettingsError
from bot.lark.loading import long_connection
from bot.lark.service import lacking, lark_config
from bot.lark.service import reached as lark_reached
from bot.service import serving
from bot.settings import Settings
from sandbox.launch import Endpoint
from tests.bot.lark.conftest import config
from tests.fakes.lark import APP, ENCRYPT_KEY, SECRET, VERIFICATION, FakeLark
from tests.fakes.lark.cards import element, pressable, problems
from tests.fakes.lark.door import signed
from tests.fakes.lark.payloads import entered, message, press
from tests.fakes.slack import BOT as SLACK_BOT
from tests.fakes.slack import BOT_TOKEN, FakeSlack
from tests.fakes.slack import SECRET as SLACK_SECRET
from tests.fakes.slack.door import signed_headers
from tests.fakes.slack.payloads import mention

long_connection()
from tests.fakes.lark.link import Link  # noqa: E402  needs Lark's client, loaded with care

MINUTE = 60


@pytest.fixture
async def company(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeLark]:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with FakeLark().running() as fake:
        yield fake


@pytest.fixture
def settings(warehouse: Endpoint, company: FakeLark, tmp_path: Path) -> Settings:
    return Settings(
        starrocks_host=warehouse.host,
        starrocks_port=warehouse.port,
        starrocks_user=warehouse.reader[0],
        starrocks_password=SecretStr(warehouse.reader[1]),
        lark_app_id=APP,
        lark_app_secret=SecretStr(SECRET),
        lark_encrypt_key=SecretStr(ENCRYPT_KEY),
        lark_verification_token=SecretStr(VERIFICATION),
        lark_domain=company.domain,
        lark_http_port=0,
        http_port=0,
        database_url=f"sqlite+aiosqlite:///{tmp_path}/own.db",
    )


def silent(text: str) -> None:
    """Progress nobody reads."""


@asynccontextmanager
async def at_work(settings: Settings) -> AsyncIterator[str]:
    async with (
        opened(settings, silent) as starwatch,
        reached(settings) as platform,
        serving(settings, platform, starwatch) as place,
    ):
        yield place


async def delivered(address: str, payload: dict[str, Any]) -> int:
    """The status of a request with a payload of Lark's."""
    body, headers = signed(payload, int(time.time()))
    async with httpx2.AsyncClient() as client:
        return (await client.post(address, content=body, headers=headers)).status_code


async def test_a_mention_is_answered_in_its_topic_and_the_follow_up_from_its_memory(
    settings: Settings, company: FakeLark
) -> None:
    async with at_work(settings) as address:
        asked = company.said("@_user_1 which clusters are the worst right now?")
        assert await delivered(address, message(asked)) == 200
        await company.until(lambda: answered(company, asked.id, 1), MINUTE)
        further = company.said("and the alerts of the first one?", root=asked.id)
        assert await delivered(address, message(further, "ev-2", mentions=False)) == 200
        await company.until(lambda: answered(company, asked.id, 2), MINUTE)
        await company.until(lambda: not company.reactions, MINUTE)
    first, second = company.replies(asked.id)
    assert re.search(r"[a-z]+(?:-[a-z0-9]+)+", company.words(first))
    assert "alert" in company.words(second).lower()
    assert all(problems(post.shows) == [] for post in company.posts)
    assert any(body.get("reaction_type") for body in company.called("reactions.create"))


async def test_a_growing_card_is_in_the_language_of_the_channel(settings: Settings, company: FakeLark) -> None:
    async with at_work(settings) as address:
        chosen = company.said("@_user_1 language 中文")
        assert await delivered(address, message(chosen)) == 200
        await company.until(lambda: answered(company, chosen.id, 1), MINUTE)
        company.calls.clear()
        asked = company.said("@_user_1 which clusters are the worst right now?")
        assert await delivered(address, message(asked, "ev-2")) == 200
        await company.until(lambda: answered(company, asked.id, 1), MINUTE)
    grown = [str(body["data"]) for body in company.called("cards.create")]
    assert grown
    assert all("停止" in card and "Stop" not in card for card in grown)


async def test_a_button_under_an_answer_shows_its_statements_to_whoever_pressed(
    settings: Settings, company: FakeLark
) -> None:
    async with at_work(settings) as address:
        asked = company.said("@_user_1 which clusters are the worst right now?")
        await delivered(address, message(asked))
        await company.until(lambda: answered(company, asked.id, 1), MINUTE)
        [answer] = company.replies(asked.id)
        button = next(one for one in pressable(answer.shows) if "sql" in str(one["behaviors"][0]["value"]["action"]))
        assert await delivered(address, press(answer, button)) == 200
        await company.until(lambda: any(post.chat == "oc_p2p_ou_anna" for post in company.posts), MINUTE)
    told = next(post for post in company.posts if post.chat == "oc_p2p_ou_anna")
    assert "SELECT" in company.words(told)


async def test_the_same_works_over_the_long_connection(settings: Settings, company: FakeLark) -> None:
    link = Link(company)
    connected = settings.model_copy(update={"lark_encrypt_key": None})
    async with at_work(connected) as place:
        assert place == "long connection"
        asked = company.said("@_user_1 help")
        await link.deliver(message(asked))
        assert (await link.acknowledged())["code"] == 200
        await company.until(lambda: answered(company, asked.id, 1), MINUTE)
    await company.until(lambda: link.closed == 1)


async def test_slack_and_lark_are_served_by_one_process_and_each_answers_on_its_own(
    settings: Settings, company: FakeLark
) -> None:
    async with FakeSlack().running() as slack:
        slack_too = {"slack_bot_token": SecretStr(BOT_TOKEN), "slack_signing_secret": SecretStr(SLACK_SECRET)}
        both = settings.model_copy(update=slack_too | {"slack_api_url": slack.base_url})
        async with at_work(both) as place:
            at_slack, at_lark = place.split(", ")
            here, there = slack.said(f"<@{SLACK_BOT}> help"), company.said("@_user_1 help")
            body = json.dumps(mention(here)).encode()
            async with httpx2.AsyncClient() as client:
                answer = await client.post(at_slack, content=body, headers=signed_headers(body, int(time.time())))
            assert answer.status_code == 200
            assert await delivered(at_lark, message(there)) == 200
            await slack.until(lambda: len(slack.thread(here.ts)) == 1, MINUTE)
            await company.until(lambda: answered(company, there.id, 1), MINUTE)


async def test_an_app_that_lark_refuses_stops_the_start_naming_the_setting(
    settings: Settings, company: FakeLark
) -> None:
    company.secret = "another one"
    with pytest.raises(SettingsError, match="LARK_APP_SECRET: Lark refuses the app"):
        async with reached(settings):
            pass


async def test_a_lark_that_is_not_there_stops_the_start_naming_the_setting(settings: Settings) -> None:
    away = settings.model_copy(update={"lark_domain": "http://127.0.0.1:1"})
    with pytest.raises(SettingsError, match="LARK_DOMAIN: Lark cannot be used"):
        async with reached(away):
            pass


@pytest.mark.parametrize(
    ("missing", "name"),
    [
        ("lark_app_secret", "LARK_APP_SECRET"),
        ("lark_verification_token", "LARK_VERIFICATION_TOKEN"),
        ("lark_app_id", "SLACK_BOT_TOKEN"),
    ],
)
def test_what_is_missing_to_serve_is_named(settings: Settings, missing: str, name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}: is missing"):
        require_configured(settings.model_copy(update={missing: None}))


def test_lark_and_feishu_are_two_services(settings: Settings) -> None:
    origins = [lark_config(settings.model_copy(update={"lark_domain": name})).domain for name in ("lark", "feishu")]
    assert origins == ["https://open.larksuite.com", "https://open.feishu.cn"]


async def test_the_scopes_that_are_not_granted_are_named(company: FakeLark) -> None:
    company.scopes -= {"cardkit:card:write", "contact:user.base:readonly"}
    async with lark_reached(config(company)) as lark:
        needed, welcome = await lacking(lark)
    assert needed == ["cardkit:card:write"]
    assert "contact:user.base:readonly" in welcome


def answered(company: FakeLark, root: str, count: int) -> bool:
    """Whether so many answers under a message are whole: none of them grows any more."""
    found = company.replies(root)
    return len(found) == count and not any(element(post.shows, "stop") for post in found)


async def test_whoever_opens_the_chat_with_the_bot_is_welcomed_once(settings: Settings, company: FakeLark) -> None:
    async with at_work(settings) as address:
        assert await delivered(address, entered()) == 200
        await company.until(lambda: len(company.posts) == 2, MINUTE)
        assert await delivered(address, entered(event_id="ev-9")) == 200
        assert await delivered(address, message(company.said("@_user_1 help"), "ev-8")) == 200
        await company.until(lambda: len(company.posts) == 3, MINUTE)
    home, prompts, helped = company.posts
    assert {home.chat, prompts.chat} == {"oc_p2p_ou_anna"}
    assert helped.chat == "oc_ops"
    assert all(problems(post.shows) == [] for post in company.posts)


async def test_a_typed_patrol_posts_a_report_whose_buttons_work(
    settings: Settings, company: FakeLark, truth: dict[str, Any]
) -> None:
    async with at_work(settings) as address:
        asked = company.said("@_user_1 /patrol morning")
        assert await delivered(address, message(asked)) == 200
        await company.until(lambda: any("data as of" in company.words(post) for post in company.posts), MINUTE)
        report = [post for post in company.posts if post.chat == "oc_ops"]
        told = "\n".join(company.words(post) for post in report)
        assert "patrol" in told.lower()
        buttons = [(post, one) for post in report for one in pressable(post.shows)]
        carrier, button = next(pair for pair in buttons if "investigate" in str(pair[1]["behaviors"]))
        root = carrier.root or carrier.id
        before = len(company.replies(root))
        assert await delivered(address, press(carrier, button)) == 200
        await company.until(lambda: len(company.replies(root)) > before, MINUTE)
    assert all(problems(post.shows) == [] for post in company.posts if post.shows)
    assert not company.mentioned
