"""A whole process that is stopped, killed or frozen in the midst of turns: every question is answered, and once."""

import asyncio
import signal
from collections.abc import Mapping

import httpx2
import pytest

from bot.service import PARTING
from tests.bot.faults.conftest import worked
from tests.bot.faults.process import Process, serving
from tests.bot.test_service import Line
from tests.fakes.messages_server import MessagesServer
from tests.fakes.slack import BOT, FakeSlack, Post
from tests.fakes.slack.payloads import mention

LONG = 40


async def ask(process: Process, slack: FakeSlack, client: httpx2.AsyncClient, numbers: range) -> dict[int, Post]:
    """Ask that many questions, each in a thread of its own; all are taken in."""
    asked = {number: slack.said(f"<@{BOT}> question {number}: how many clusters are there?") for number in numbers}
    line = Line(client, process.address)
    taken = await asyncio.gather(*(line.event(mention(post)) for post in asked.values()))
    assert set(taken) == {200}
    return asked


async def held(model: MessagesServer, count: int) -> None:
    """Wait until the model thinks about that many requests."""
    async with asyncio.timeout(LONG):
        while model.thinking != count:
            await asyncio.sleep(0.01)


def answers(slack: FakeSlack, asked: Mapping[int, Post]) -> dict[int, list[str]]:
    """What was answered to each question; notes that are no answers are left in."""
    return {number: [post.words.splitlines()[0] for post in slack.thread(asked[number].ts)] for number in asked}


def once(asked: Mapping[int, Post]) -> dict[int, list[str]]:
    """Each question answered, and once."""
    return {number: [f"Answer {number}."] for number in asked}


async def test_a_stop_finishes_or_parks_every_turn_and_the_next_process_goes_on(
    variables: dict[str, str], slack: FakeSlack, model: MessagesServer, client: httpx2.AsyncClient
) -> None:
    model.hold()
    async with serving(variables) as first:
        asked = await ask(first, slack, client, range(30))
        await held(model, 30)
        first.signal(signal.SIGTERM)
        late = slack.said(f"<@{BOT}> question 99: am I too late?")
        async with asyncio.timeout(2):
            while await reachable(client, first.address):
                await asyncio.sleep(0.02)
            refused = await delivered(Line(client, first.address), late)
        assert refused in (None, 503)
        # every other one gets its answer in the time that is left
        model.hold(lambda body: int(worked(str(body["messages"])) or 0) % 2 == 0)
        await slack.until(lambda: sum(bool(slack.thread(post.ts)) for post in asked.values()) == 15, PARTING)
        first.signal(signal.SIGTERM)
        assert await first.ended() == 0
        # those that had posted and not yet written it down are among them
        assert first.said("stopped before these turns were done")[0]["turns"] >= 15
    model.go_on()
    async with serving(variables) as second:
        await slack.until(lambda: all(slack.thread(post.ts) for post in asked.values()), LONG)
        assert await delivered(Line(client, second.address), late) == 200
        await slack.until(lambda: bool(slack.thread(late.ts)), LONG)
    assert answers(slack, asked | {99: late}) == once(asked | {99: late})


async def reachable(client: httpx2.AsyncClient, address: str) -> bool:
    """Whether the process takes events at all, as a load balancer asks."""
    try:
        return (await client.get(address.replace("/slack/events", "/healthz"))).status_code == 200
    except httpx2.TransportError:
        return False


async def delivered(line: Line, post: Post) -> int | None:
    """What a delivery is answered with, None when nobody is there."""
    try:
        return await line.event(mention(post))
    except httpx2.TransportError:
        return None
