"""A whole process that is stopped, killed or frozen in the midst of turns: every question is answered, and once."""

import asyncio
import json
import re
import signal
from collections.abc import Mapping

import httpx2
import pytest

from bot.service import PARTING
from tests.bot.faults.conftest import worked
from tests.bot.faults.process import Process, serving
from tests.bot.test_service import Line
from tests.fakes.messages_server import MessagesServer
from tests.fakes.postgres import Postgres
from tests.fakes.slack import BOT, FakeSlack, Post
from tests.fakes.slack.payloads import command, mention
from tests.machine import on_this_machine

LONG = 120
"""Seconds for what is promised at no time."""
MANY = 12
"""Turns at once; more answers than this in a minute would have to wait for Slack's limits."""
CLOSED, RESUMED, ADOPTED = 1, 10, 15
"""Seconds that are promised: until nothing more is taken in, until turns go on behind a kill, until another replica
does the turns of a dead one."""


pytestmark = pytest.mark.timeout(300)  # several starts of whole processes, on whatever machine


async def ask(process: Process, slack: FakeSlack, client: httpx2.AsyncClient, numbers: range) -> dict[int, Post]:
    """Ask that many questions, each in a thread of its own; all are taken in."""
    asked = {number: slack.said(f"<@{BOT}> question {number}: how many clusters are there?") for number in numbers}
    line = Line(client, process.address)
    # of different people, since one alone may not ask that much at once
    taken = await asyncio.gather(*(line.event(mention(post, user=f"U{n}")) for n, post in asked.items()))
    assert set(taken) == {200}
    return asked


async def held(model: MessagesServer, count: int, seconds: float = LONG) -> None:
    """Wait until the model thinks about that many requests. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while model.thinking != count:
            await asyncio.sleep(0.01)


def finished(slack: FakeSlack, asked: Mapping[int, Post]) -> int:
    """How many of the questions have an answer that is written to its end."""
    return sum(bool(slack.answers(post.ts)) for post in asked.values())


def answered_once(slack: FakeSlack, asked: Mapping[int, Post]) -> bool:
    """Each question has its answer, and nothing else stands in its thread."""
    said = {number: [f"{post.text}\n{post.words}" for post in slack.thread(post.ts)] for number, post in asked.items()}
    assert {number: len(posts) for number, posts in said.items()} == dict.fromkeys(asked, 1), said
    return all(f"Answer {number}." in posts[0] for number, posts in said.items())


async def test_a_stop_finishes_or_parks_every_turn_and_neither_it_nor_a_kill_behind_it_loses_or_doubles_one(
    variables: dict[str, str], slack: FakeSlack, model: MessagesServer, client: httpx2.AsyncClient
) -> None:
    model.hold()
    async with serving(variables) as first:
        asked = await ask(first, slack, client, range(MANY))
        await held(model, MANY)
        first.signal(signal.SIGTERM)
        late = slack.said(f"<@{BOT}> question 99: am I too late?")
        async with asyncio.timeout(on_this_machine(CLOSED)):
            while await reachable(client, first.address):
                await asyncio.sleep(0.02)
        assert await delivered(Line(client, first.address), late) in (None, 503)
        # every other one gets its answer in the time that is left
        model.hold(lambda body: int(worked(str(body["messages"])) or 0) % 2 == 0)
        await slack.until(lambda: finished(slack, asked) == MANY // 2, PARTING)
        first.signal(signal.SIGTERM)
        assert await first.ended() == 0
        # those that had posted and not yet written it down are among them
        assert first.said("stopped before these turns were done")[0]["turns"] >= MANY // 2
    async with serving(variables) as second:
        await held(model, MANY // 2, on_this_machine(RESUMED))
        second.signal(signal.SIGKILL)
        await second.ended()
    await held(model, 0)
    async with serving(variables) as third:
        await held(model, MANY // 2, on_this_machine(RESUMED))
        model.go_on()
        await slack.until(lambda: finished(slack, asked) == len(asked), LONG)
        assert await delivered(Line(client, third.address), late) == 200
        await slack.until(lambda: finished(slack, {99: late}) == 1, LONG)
    assert answered_once(slack, asked | {99: late})


async def test_the_turns_of_a_frozen_and_of_a_killed_replica_are_taken_over_and_answered_once(
    variables: dict[str, str],
    postgres: Postgres,
    slack: FakeSlack,
    model: MessagesServer,
    client: httpx2.AsyncClient,
) -> None:
    shared = variables | {"STARWATCH_DATABASE_URL": postgres.database()}
    model.hold()
    async with serving(shared | {"STARWATCH_EXECUTOR_ID": "one"}) as one:
        frozen = await ask(one, slack, client, range(2))
        await held(model, 2)
        async with serving(shared | {"STARWATCH_EXECUTOR_ID": "two"}) as two:
            one.signal(signal.SIGSTOP)
            await held(model, 4, on_this_machine(ADOPTED))
            model.go_on()
            await slack.until(lambda: finished(slack, frozen) == len(frozen), LONG)
            one.signal(signal.SIGCONT)
            await one.until(lambda: len(one.said("a turn is done by another process now")) == 2)
            await patrolled_once({"C0OPS": one, "C0OTHER": two}, slack, model, client)
            model.hold()
            killed = await ask(one, slack, client, range(2, 8))
            await held(model, 6)
            one.signal(signal.SIGKILL)
            await one.ended()
            await two.until(
                lambda: len(two.said("took over the turns of a dead process")) == 2, on_this_machine(ADOPTED)
            )
            await held(model, 6, on_this_machine(ADOPTED))
            model.go_on()
            await slack.until(lambda: finished(slack, killed) == len(killed), LONG)
            two.signal(signal.SIGTERM)
            assert await two.ended() == 0
    assert answered_once(slack, frozen | killed)


async def patrolled_once(
    asked: Mapping[str, Process], slack: FakeSlack, model: MessagesServer, client: httpx2.AsyncClient
) -> None:
    """A patrol that is asked for in both processes at once is done by one, and each channel gets its report."""
    model.hold()
    for channel, process in asked.items():
        wish = command("", channel=channel, trigger_id=f"1.2.{channel}")
        assert await Line(client, process.address).form(wish) == 200
    await held(model, 1)
    await slack.until(lambda: all(said_in(slack, channel, "on-demand") for channel in asked), LONG)
    model.go_on()
    await slack.until(lambda: all(said_in(slack, channel, "data as of") for channel in asked), LONG)
    reports = {channel: reported(slack, channel) for channel in asked}
    assert len(set.union(*reports.values())) == 1, reports


def reported(slack: FakeSlack, channel: str) -> set[str]:
    """The ids of the reports that a channel's buttons lead to."""
    shown = json.dumps([post.blocks for post in slack.posts if post.channel == channel])
    return set(re.findall(r'\\"report\\":\\"([^"\\]+)', shown))


def said_in(slack: FakeSlack, channel: str, text: str) -> bool:
    """Whether a post of ours in the channel says this."""
    return any(post.channel == channel and text in post.words.lower() for post in slack.posts)


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
