"""Answers and reports while Slack limits, fails, loses replies, takes the token away or has lost the thread."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from pydantic import SecretStr

from bot.pace import Pace
from bot.patience import PatientSurface
from bot.slack.api import BUDGETS, OTHERWISE
from bot.slack.config import SlackConfig, web_client
from bot.slack.surface import SlackSurface
from bot.slack.writing import Times
from bot.store import Store, open_store
from bot.store.outbox import Outbox
from bot.turns import LocalTurns
from bot.work import Handling
from handlers.deps import Deps
from handlers.flight import Flights
from handlers.surface import PatrolRequest, Question
from tests.bot.store.conftest import Clock
from tests.fakes.slack import BOT_TOKEN, TEAM, FakeSlack
from tests.fakes.slack.server import Scripted
from tests.fakes.thinking import Agents, Patrols

POST, STREAM = "chat.postMessage", "chat.startStream"
NOW = 1_766_000_000
DOWN = [Scripted(503, html=True)] * 100


@dataclass
class Bot:
    """The turns of a bot whose surface is patient, on a fake workspace; only its own sleeping moves its clock."""

    slack: FakeSlack
    store: Store
    clock: Clock
    surface: PatientSurface
    outbox: Outbox
    agents: Agents
    turns: LocalTurns
    time: "Time"

    def asked(self, text: str = "fleet?", thread_ts: str = "") -> Question:
        post = self.slack.said(text, thread_ts=thread_ts)
        key = f"slack:{TEAM}:C0OPS:{post.ts}"
        return Question(key, f"slack:{TEAM}:C0OPS:{thread_ts or post.ts}", "U0ANNA", text, post.ts)

    async def ask(self, question: Question) -> None:
        await self.turns.submit(question)
        await self.turns.idle()

    def said(self, question: Question) -> list[str]:
        return [post.words for post in self.slack.thread(question.thread.rpartition(":")[2])]

    def fails(self, *answers: Scripted) -> None:
        """The next tries to say something go wrong, in whatever way they are made."""
        for method in (POST, STREAM, "chat.update"):
            self.slack.fail(method, *answers)

    def back(self) -> None:
        """Slack is well again."""
        self.slack.recover()


class Time:
    def __init__(self, clock: Clock) -> None:
        self.seconds = 0.0
        self._clock = clock

    def now(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self._clock.forward(seconds=seconds)
        await asyncio.sleep(0)


@pytest.fixture
async def bot(own_database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bot]:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    clock = Clock()
    async with FakeSlack().running() as slack, open_store(own_database, clock) as store:
        time = Time(clock)
        config = SlackConfig(bot_token=SecretStr(BOT_TOKEN), api_url=slack.base_url)
        pace = Pace(BUDGETS, OTHERWISE, clock=time.now, sleep=time.sleep)
        times = Times(time.now, time.sleep)
        client = web_client(config, time.sleep)
        platform = SlackSurface(client, pace=pace, times=times, now=lambda: NOW)
        outbox = Outbox(store.database, clock)

        async def gone(thread: str) -> None:
            await turns.stop(thread)

        surface = PatientSurface(platform, outbox, gone=gone, clock=time.now, sleep=time.sleep)
        agents, patrols = Agents(), Patrols()
        turns = LocalTurns(Handling(Deps(surface, agents, patrols, store, Flights(), lambda: "ref-1")))
        yield Bot(slack, store, clock, surface, outbox, agents, turns, time)
        await turns.close(1)


@pytest.mark.parametrize(
    "faults",
    [
        [Scripted(503, html=True)] * 3,
        [Scripted(429, "ratelimited", {"Retry-After": "30"})],
        [Scripted(429, "ratelimited", {"Retry-After": "120"})],
        [Scripted(200, "internal_error"), Scripted(500, html=True)],
    ],
    ids=["503", "429 for 30 s", "429 for longer than is waited at once", "two kinds"],
)
async def test_an_answer_arrives_once_behind_whatever_passes(bot: Bot, faults: list[Scripted]) -> None:
    question = bot.asked()
    bot.fails(*faults)
    await bot.ask(question)
    (answer,) = bot.said(question)
    assert answer.startswith("You said: fleet?")
    assert bot.time.seconds < 300
    assert (await bot.outbox.waiting()).count == 0


async def test_slack_away_for_an_hour_delays_the_answers_and_loses_none(bot: Bot) -> None:
    first, second = bot.asked("fleet?"), bot.asked("disks?")
    bot.fails(*DOWN)
    await bot.ask(first)
    await bot.ask(second)
    assert bot.said(first) == bot.said(second) == []
    assert (await bot.outbox.waiting()).count == 2
    # who asks again in a thread finds what was said there in front of the new answer
    bot.back()
    again = bot.asked("and now?", first.key.rpartition(":")[2])
    await bot.ask(again)
    assert bot.said(first) == []
    await bot.time.sleep(3600)
    await bot.surface.deliver()
    assert [text.partition("\n")[0] for text in bot.said(first)] == [
        "You said: fleet?",
        "You said: fleet?; and now?",
    ]
    assert len(bot.said(second)) == 1
    await bot.surface.deliver()
    assert len(bot.slack.posts) == 3


async def test_a_report_that_could_not_be_posted_comes_later_and_its_thread_knows_it(bot: Bot) -> None:
    bot.fails(*DOWN)
    await bot.turns.submit(PatrolRequest("p1", f"slack:{TEAM}:C0OPS", "U0ANNA", "morning"))
    await bot.turns.idle()
    assert bot.slack.posts == []
    bot.back()
    await bot.time.sleep(60)
    await bot.surface.deliver()
    (started, *report) = (post for post in bot.slack.posts if not post.thread_ts)
    assert len(report) == 1
    thread = f"slack:{TEAM}:C0OPS:{report[0].ts}"
    assert started.ts != report[0].ts
    assert await bot.store.knows(thread)
    assert len(await bot.store.load(thread)) == 1


async def test_a_revoked_token_stops_all_posting_and_what_was_to_be_said_is_said_when_it_is_good_again(
    bot: Bot,
) -> None:
    bot.fails(*[Scripted(200, "token_revoked")] * 100)
    questions = [bot.asked(f"question {n}") for n in range(3)]
    for question in questions:
        await bot.ask(question)
    assert len(bot.slack.called(POST)) <= 1
    waiting = await bot.outbox.waiting()
    assert waiting.count == 3
    assert "install the app again" in waiting.why
    bot.back()
    await bot.time.sleep(60)
    assert await bot.surface.deliver() == 3
    assert [len(bot.said(question)) for question in questions] == [1, 1, 1]


@pytest.mark.parametrize("code", ["thread_not_found", "message_not_found", "channel_not_found", "is_archived"])
async def test_what_waits_in_a_thread_that_is_gone_is_not_done(bot: Bot, code: str) -> None:
    question = bot.asked()
    bot.agents.hold.clear()
    await bot.turns.submit(question)
    behind = bot.asked("and the disks?", question.key.rpartition(":")[2])
    await bot.turns.submit(behind)
    bot.fails(*[Scripted(200, code)] * 100)
    bot.agents.hold.set()
    await bot.turns.idle()
    assert bot.agents.threads[question.thread] == ["fleet?"]
    assert bot.slack.posts == []
    assert (await bot.outbox.waiting()).count == 0


@pytest.mark.parametrize("code", ["invalid_blocks", "msg_blocks_too_long", "msg_too_long"])
async def test_a_form_that_slack_refuses_costs_the_form_and_not_the_words(bot: Bot, code: str) -> None:
    question = bot.asked()
    bot.slack.fail(POST, Scripted(200, code))
    await bot.ask(question)
    assert "You said: fleet?" in "\n".join(bot.said(question))
