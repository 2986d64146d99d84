"""The whole bot on a bad network: to the warehouse, to Slack, and from Slack; judged by what stands in the thread."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from bot.settings import Settings
from sandbox.launch import Endpoint
from tests.bot.test_service import MINUTE, at_work, settings, slack
from tests.fakes.network import FAIR, Network, Weather, network
from tests.fakes.slack import BOT, FakeSlack, Post
from tests.fakes.slack.payloads import mention, message

__all__ = ["settings", "slack"]

ASKED = f"<@{BOT}> which clusters are the worst right now?"
SLICED = Weather(pieces=700)


@pytest.fixture
async def to_warehouse(warehouse: Endpoint) -> AsyncIterator[Network]:
    async with network(warehouse.host, warehouse.port) as way:
        yield way


@pytest.fixture
async def to_slack(slack: FakeSlack) -> AsyncIterator[Network]:
    address = urlsplit(slack.base_url)
    async with network(str(address.hostname), int(address.port or 0)) as way:
        yield way


@pytest.fixture
def exposed(settings: Settings, to_warehouse: Network, to_slack: Network) -> Settings:
    """Settings by which everything is reached over the bad network."""
    changed = {"starrocks_port": to_warehouse.port, "slack_api_url": f"http://127.0.0.1:{to_slack.port}/api/"}
    return settings.model_copy(update=changed)


def finished(slack: FakeSlack, asked: Post) -> list[str]:
    """What is to be read in each answer in the thread, once all are written to their end."""
    return [f"{post.text}\n{post.words}" for post in slack.answers(asked.ts)]


async def ask_once(exposed: Settings, slack: FakeSlack, to_warehouse: Network, weather: Weather) -> str:
    """What is answered when the weather to the warehouse turns after the start."""
    async with at_work(exposed) as (line, _):
        asked = slack.said(ASKED)
        to_warehouse.weather = weather
        if weather is not SLICED and weather is not FAIR:
            to_warehouse.cut()
        await line.event(mention(asked))
        await slack.until(lambda: bool(finished(slack, asked)), MINUTE)
        to_warehouse.weather = FAIR
    (words,) = finished(slack, asked)
    return words


async def test_answers_do_not_depend_on_how_the_network_slices_them(
    exposed: Settings, slack: FakeSlack, to_warehouse: Network, to_slack: Network
) -> None:
    to_slack.weather = SLICED
    sliced = await ask_once(exposed, slack, to_warehouse, SLICED)
    whole = await ask_once(exposed, slack, to_warehouse, FAIR)
    assert [line.split("·")[0] for line in sliced.splitlines()[:3]] == [
        line.split("·")[0] for line in whole.splitlines()[:3]
    ]


@pytest.mark.parametrize("weather", [Weather(down=True), Weather(answers=200)], ids=["refused", "cut"])
async def test_a_warehouse_out_of_reach_is_said_without_its_address(
    exposed: Settings, slack: FakeSlack, to_warehouse: Network, weather: Weather
) -> None:
    words = await ask_once(exposed, slack, to_warehouse, weather)
    assert "The warehouse cannot be reached" in words
    assert "Missing data says nothing about the clusters' health" in words
    assert str(to_warehouse.port) not in words


async def test_connections_that_died_while_nobody_asked_cost_no_answer(
    exposed: Settings, slack: FakeSlack, to_warehouse: Network
) -> None:
    async with at_work(exposed) as (line, _):
        before = to_warehouse.connections
        to_warehouse.cut()
        asked = slack.said(ASKED)
        await line.event(mention(asked))
        await slack.until(lambda: len(finished(slack, asked)) == 1, MINUTE)
        assert to_warehouse.connections > before
    whole = await ask_once(exposed, slack, to_warehouse, FAIR)
    assert finished(slack, asked)[0].splitlines()[0] == whole.splitlines()[0]


async def test_a_post_whose_reply_was_lost_stands_once(exposed: Settings, slack: FakeSlack, to_slack: Network) -> None:
    async with at_work(exposed) as (line, _):
        asked = slack.said(ASKED)
        await line.event(mention(asked))
        await slack.until(lambda: bool(slack.statuses), MINUTE)
        to_slack.weather = Weather(answers=0)
        to_slack.cut()
        await slack.until(lambda: len(slack.thread(asked.ts)) >= 1, MINUTE)
        to_slack.weather = FAIR
        further = slack.said("thanks, and the alerts of the first one?", thread_ts=asked.ts)
        await line.event(message(further))
        await slack.until(lambda: any("alert" in words.lower() for words in finished(slack, asked)[1:]), MINUTE)
    words = finished(slack, asked)
    assert len(words) == len(set(words)) == len(slack.answers(asked.ts)) == 2


async def test_events_that_come_four_times_and_out_of_order_are_answered_once_each(
    exposed: Settings, slack: FakeSlack
) -> None:
    threads = [slack.said(ASKED) for _ in range(4)]
    deliveries = [mention(asked) for asked in (*reversed(threads), *threads, *threads, *reversed(threads))]
    async with at_work(exposed) as (line, _):
        taken = await asyncio.gather(*(line.event(delivery) for delivery in deliveries))
        await slack.until(lambda: all(finished(slack, asked) for asked in threads), MINUTE)
    assert set(taken) == {200}
    assert [len(slack.answers(asked.ts)) for asked in threads] == [1, 1, 1, 1]
