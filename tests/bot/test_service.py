"""The whole bot: Slack's requests over HTTP in, the embedded warehouse behind it, messages in the channel out."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
import structlog
from dbos import DBOS
from pydantic import SecretStr
from slack_sdk.signature import SignatureVerifier

from bot.compose import Starwatch, opened
from bot.errors import SettingsError
from bot.service import serving
from bot.settings import Settings
from bot.slack.service import reached, slack_config
from sandbox.launch import Endpoint
from tests.fakes.slack import APP_TOKEN, BOT, BOT_TOKEN, SECRET, TEAM, FakeSlack, Post, problems
from tests.fakes.slack.payloads import command, event, form, mention, message, press

MINUTE = 60


@dataclass
class Line:
    """A signed HTTP line to the bot's own address."""

    client: httpx2.AsyncClient
    address: str

    async def send(self, body: str, content_type: str, secret: str = SECRET) -> int:
        stamp = str(int(time.time()))
        signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body) or ""
        headers = {"content-type": content_type, "x-slack-request-timestamp": stamp, "x-slack-signature": signature}
        return (await self.client.post(self.address, content=body.encode(), headers=headers)).status_code

    async def event(self, payload: dict[str, Any]) -> int:
        return await self.send(json.dumps(payload), "application/json")

    async def form(self, fields: dict[str, str]) -> int:
        return await self.send(urlencode(fields), "application/x-www-form-urlencoded")


@pytest.fixture
async def slack(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeSlack]:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with FakeSlack().running() as fake:
        yield fake


@pytest.fixture
def settings(warehouse: Endpoint, slack: FakeSlack, tmp_path: Path) -> Settings:
    return Settings(
        starrocks_host=warehouse.host,
        starrocks_port=warehouse.port,
        starrocks_user=warehouse.reader[0],
        starrocks_password=SecretStr(warehouse.reader[1]),
        writer_user=warehouse.writer[0],
        writer_password=SecretStr(warehouse.writer[1]),
        slack_bot_token=SecretStr(BOT_TOKEN),
        slack_signing_secret=SecretStr(SECRET),
        slack_api_url=slack.base_url,
        http_port=0,
        database_url=f"sqlite+aiosqlite:///{tmp_path}/own.db",
    )


def silent(text: str) -> None:
    """Progress nobody reads."""


@asynccontextmanager
async def at_work(settings: Settings) -> AsyncIterator[tuple[Line, Starwatch]]:
    async with (
        opened(settings, silent) as starwatch,
        serving(settings, await reached(slack_config(settings)), starwatch) as address,
        httpx2.AsyncClient() as client,
    ):
        yield Line(client, address), starwatch


async def test_a_mention_is_answered_in_its_thread_and_the_follow_up_from_its_memory(
    settings: Settings, slack: FakeSlack
) -> None:
    async with at_work(settings) as (line, _):
        asked = slack.said(f"<@{BOT}> which clusters are the worst right now?")
        assert await line.event(mention(asked)) == 200
        await slack.until(lambda: len(slack.thread(asked.ts)) == 1, MINUTE)
        further = slack.said("and the alerts of the first one?", thread_ts=asked.ts)
        assert await line.event(message(further)) == 200
        await slack.until(lambda: len(slack.thread(asked.ts)) == 2, MINUTE)
    first, second = slack.thread(asked.ts)
    assert {post.channel for post in slack.posts} == {asked.channel}
    worst = re.search(r"[a-z]+(?:-[a-z0-9]+)+", first.words)
    assert worst is not None
    assert "alert" in second.words.lower()
    assert all(problems(post.blocks) == [] for post in slack.posts)


async def test_the_metrics_of_the_whole_bot_are_served_while_it_is_at_work(
    settings: Settings, slack: FakeSlack
) -> None:
    with structlog.testing.capture_logs() as lines:
        async with at_work(settings.model_copy(update={"metrics": "127.0.0.1:0"})) as (line, _):
            place = next(one["place"] for one in lines if one["event"] == "metrics are served")
            asked = slack.said(f"<@{BOT}> which clusters are the worst right now?")
            assert await line.event(mention(asked)) == 200
            await slack.until(lambda: len(slack.thread(asked.ts)) == 1, MINUTE)
            while 'starwatch_turns_total{about="question",end="done"} 1.0' not in (page := await text_of(place)):
                await asyncio.sleep(0)  # the turn is over when it is written down as such, a moment after its answer
        with pytest.raises(httpx2.ConnectError):
            await text_of(place)
    assert 'starwatch_posts_total{end="posted"} 1.0' in page
    assert 'starwatch_door_calls_total{verdict="ok"}' in page
    assert "starwatch_outbox_posts 0.0" in page and "starwatch_turns_running " in page
    assert not any(word in page for word in (asked.channel, asked.ts, "worst", BOT))


async def text_of(place: str) -> str:
    """The page of metrics."""
    async with httpx2.AsyncClient() as client:
        return (await client.get(place)).text


async def test_a_thread_is_remembered_by_the_next_process(settings: Settings, slack: FakeSlack) -> None:
    asked = slack.said(f"<@{BOT}> which clusters are the worst right now?")
    async with at_work(settings) as (line, _):
        await line.event(mention(asked))
        await slack.until(lambda: len(slack.thread(asked.ts)) == 1, MINUTE)
    async with at_work(settings) as (line, _):
        assert await line.event(mention(asked)) == 200
        further = slack.said("and the alerts of the first one?", thread_ts=asked.ts)
        await line.event(message(further))
        await slack.until(lambda: len(slack.thread(asked.ts)) == 2, MINUTE)
    assert "alert" in slack.thread(asked.ts)[1].words.lower()


async def test_a_patrol_posts_valid_blocks_names_the_faults_and_opens_an_investigation(
    settings: Settings, slack: FakeSlack, truth: dict[str, Any]
) -> None:
    async with at_work(settings) as (line, _):
        assert await line.form(command("morning")) == 200
        await slack.until(lambda: any("data as of" in post.words for post in slack.posts), MINUTE)
        buttons = [one for one in _buttons(slack) if one["action_id"] == "investigate"]
        told = {cluster: button for cluster in truth["must_flag"] for button in buttons if cluster in button["value"]}
        assert set(told) == set(truth["must_flag"])
        carrier = next(post for post in slack.posts if buttons[0] in _elements(post))
        root = carrier.thread_ts or carrier.ts
        before = len(slack.thread(root))
        assert await line.form(form(press(carrier, buttons[0]))) == 200
        await slack.until(lambda: len(slack.thread(root)) > before, MINUTE)
    assert all(problems(post.blocks) == [] for post in slack.posts)


async def test_an_acknowledged_cluster_shows_so_to_everybody_and_in_the_next_report(
    settings: Settings, slack: FakeSlack
) -> None:
    slack.members["U0ANNA"] = {"profile": {"display_name": "Anna Berg"}}
    async with at_work(settings) as (line, _):
        await line.form(command("morning"))
        await slack.until(lambda: any("data as of" in post.words for post in slack.posts), MINUTE)
        button = next(one for one in _buttons(slack) if one["action_id"].startswith("finding_acknowledge"))
        carrier = next(post for post in slack.posts if button in _elements(post))
        assert await line.form(form(press(carrier, button))) == 200
        await slack.until(lambda: "acknowledged by Anna Berg" in carrier.words, MINUTE)
        posted = len(slack.posts)
        await line.form(command("evening", trigger_id="13345.67891.abc"))
        await slack.until(lambda: any("data as of" in post.words for post in slack.posts[posted:]), MINUTE)
        first = next(post for post in slack.posts[posted:] if "Since the last report" in post.words)
        assert "Kept quiet" in first.words
        assert "acknowledged by Anna Berg" in first.words
    assert all(problems(post.blocks) == [] for post in slack.posts)


async def test_the_home_tab_shows_the_fleet_and_the_schedule_that_was_set(settings: Settings, slack: FakeSlack) -> None:
    async with at_work(settings) as (line, _):
        await line.form(command("schedule weekly mon 09:00 europe/berlin"))
        await slack.until(lambda: any("Mondays at 09:00" in post.words for post in slack.posts), MINUTE)
        opened = {"type": "app_home_opened", "user": "U0ANNA", "channel": "D0DIRECT", "tab": "home"}
        assert await line.event(event(opened, "Ev-home")) == 200
        await slack.until(lambda: "U0ANNA" in slack.homes, MINUTE)
        shown = json.dumps(slack.homes["U0ANNA"])
        assert "Next patrol: Weekly patrol" in shown
        assert "I can be wrong." in shown
        scheduled = {one["schedule_name"]: one["schedule"] for one in await DBOS.list_schedules_async()}
    slots = {"housekeeping": "17 3 * * *", f"weekly@slack:{TEAM}:C0OPS": "0 9 * * mon"}
    # the report is due half an hour after its slot, and a channel that gets reports has a sentinel
    assert scheduled == slots | {f"due-weekly@slack:{TEAM}:C0OPS": "30 9 * * mon", "sentinel": "*/15 * * * *"}


async def test_an_unknown_report_type_gets_the_list_of_types(settings: Settings, slack: FakeSlack) -> None:
    async with at_work(settings) as (line, _):
        assert await line.form(command("hourly")) == 200
        await slack.until(lambda: bool(slack.posts), MINUTE)
    assert all(word in slack.posts[0].words for word in ("hourly", "morning", "evening", "weekly", "now"))


async def test_a_request_with_a_wrong_signature_reaches_nobody(settings: Settings, slack: FakeSlack) -> None:
    async with at_work(settings) as (line, _):
        asked = slack.said(f"<@{BOT}> hello")
        assert await line.send(json.dumps(mention(asked)), "application/json", secret="forged") == 401
    assert slack.posts == []


async def test_the_same_works_over_socket_mode(settings: Settings, slack: FakeSlack) -> None:
    by_socket = settings.model_copy(update={"slack_app_token": SecretStr(APP_TOKEN)})
    async with (
        opened(by_socket, silent) as starwatch,
        serving(by_socket, await reached(slack_config(by_socket)), starwatch) as place,
    ):
        assert place == "socket mode"
        asked = slack.said(f"<@{BOT}> help")
        await slack.deliver("events_api", mention(asked), "E1", seconds=MINUTE)
        await slack.until(lambda: len(slack.thread(asked.ts)) == 1, MINUTE)


async def test_a_refused_token_stops_the_start_naming_the_setting(settings: Settings) -> None:
    wrong = settings.model_copy(update={"slack_bot_token": SecretStr("xoxb-wrong")})
    with pytest.raises(SettingsError, match="SLACK_BOT_TOKEN: Slack refuses it"):
        await reached(slack_config(wrong))


async def test_a_slack_that_is_not_there_stops_the_start_naming_the_setting(settings: Settings) -> None:
    away = settings.model_copy(update={"slack_api_url": "http://127.0.0.1:1/api/"})
    with pytest.raises(SettingsError, match="SLACK_API_URL: Slack cannot be reached"):
        await reached(slack_config(away))


async def test_a_taken_port_stops_the_start_naming_the_setting(settings: Settings, slack: FakeSlack) -> None:
    taken = settings.model_copy(update={"http_port": int(slack.base_url.split(":")[2].split("/")[0])})
    with pytest.raises(SettingsError, match="STARWATCH_HTTP_PORT: cannot listen"):
        async with at_work(taken):
            pass


async def test_an_answer_is_drawn_and_its_buttons_give_its_sql_its_rows_and_take_a_verdict(
    settings: Settings, slack: FakeSlack
) -> None:
    async with at_work(settings) as (line, starwatch):
        asked = slack.said(f"<@{BOT}> chart of clusters by version")
        assert await line.event(mention(asked)) == 200
        await slack.until(lambda: any(_elements(post) for post in slack.thread(asked.ts)), MINUTE)
        answer = next(post for post in slack.thread(asked.ts) if _elements(post))
        assert [block["title"] for block in answer.blocks if block["type"] == "data_visualization"]
        sql, csv, _, bad = _elements(answer)
        await line.form(form(press(answer, sql, "1766000099.1")))
        await slack.until(lambda: len(slack.called("views.open")) == 1, MINUTE)
        assert "SELECT" in str(slack.called("views.open")[0]["view"])
        await line.form(form(press(answer, csv, "1766000099.2")))
        await slack.until(lambda: bool(slack.files), MINUTE)
        (content,) = slack.files.values()
        assert content.decode("utf-8-sig").splitlines()[0] == "label,clusters,total"
        await line.form(form(press(answer, bad, "1766000099.3")))
        await slack.until(lambda: len(slack.called("views.open")) == 2, MINUTE)
        (judged,) = await starwatch.store.answers.judgements(5)
        assert (judged.verdict, judged.answer.question) == ("bad", "chart of clusters by version")
        view = slack.called("views.open")[1]["view"] | {"id": "V1", "hash": "h1"}
        entered = {"reason": {"reason": {"type": "plain_text_input", "value": "the wrong clusters"}}}
        asked_by = {"team": {"id": TEAM}, "user": {"id": asked.user, "team_id": TEAM}}
        sent = {"type": "view_submission", "view": view | {"state": {"values": entered}}, **asked_by}
        await line.form(form(sent))
        await slack.until(lambda: bool(slack.called("chat.postEphemeral")), MINUTE)
        (judged,) = await starwatch.store.answers.judgements(5)
        assert (judged.user, judged.reason) == (asked.user, "the wrong clusters")
    assert all(problems(post.blocks) == [] for post in slack.posts if post.blocks)


async def test_a_chart_beyond_slacks_own_is_uploaded_as_a_picture(settings: Settings, slack: FakeSlack) -> None:
    async with at_work(settings) as (line, _):
        asked = slack.said(f"<@{BOT}> plot p99 of the fleet over 24 hours")
        await line.event(mention(asked))
        await slack.until(lambda: bool(slack.files), MINUTE)
        ((name, content),) = slack.files.items()
    assert name.endswith(".png") and content.startswith(b"\x89PNG")
    assert any("line chart, 24 points" in post.words for post in slack.thread(asked.ts))


def _buttons(slack: FakeSlack) -> list[dict[str, Any]]:
    return [element for post in slack.posts for element in _elements(post)]


def _elements(post: Post) -> list[dict[str, Any]]:
    return [element for block in post.blocks if block["type"] == "actions" for element in block["elements"]]
