"""A process that dies while its answer is being written in front of the reader."""

import signal
import time
from typing import Any

import httpx2
import pytest

from tests.bot.faults.conftest import two_rounds
from tests.bot.faults.process import serving
from tests.bot.test_service import Line
from tests.fakes.messages_server import Break, MessagesServer, Say
from tests.fakes.slack import BOT, FakeSlack
from tests.fakes.slack.payloads import mention

LONG = 120

pytestmark = pytest.mark.timeout(300)  # two starts of whole processes


async def test_a_kill_in_the_middle_of_an_answer_leaves_one_whole_answer(
    variables: dict[str, str], slack: FakeSlack, model: MessagesServer, client: httpx2.AsyncClient
) -> None:
    def half(body: dict[str, Any]) -> Say | Break:
        say = two_rounds(body)
        return Break(say, "stall", after=5) if say.ends_with == "end_turn" else say

    model.decide = half
    # what was left behind is looked for among young messages, by the clock of the process
    slack.set_clock(time.time())
    asked = slack.said(f"<@{BOT}> question 7: how many clusters are there?")
    async with serving(variables) as first:
        assert await Line(client, first.address).event(mention(asked)) == 200
        await slack.until(lambda: any(post.streaming for post in slack.thread(asked.ts)), LONG)
        first.signal(signal.SIGKILL)
        await first.ended()
    assert [post.text for post in slack.thread(asked.ts) if not post.is_plan] in (["Answe"], ["Answer 7."])
    model.decide = two_rounds
    async with serving(variables):
        await slack.until(lambda: [bool(post.metadata) for post in slack.thread(asked.ts)] == [True], LONG)
    (post,) = slack.thread(asked.ts)
    assert not post.streaming
    assert "Answer 7." in post.text + post.words
    assert post.metadata["event_payload"]["part"] == "answer"
