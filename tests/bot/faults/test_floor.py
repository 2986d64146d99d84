"""A patrol of the whole bot whose model is of no use: the report comes all the same, from evidence, and says so."""

from typing import Any

import pytest

from bot.settings import Settings
from sandbox.launch import Endpoint
from tests.bot.test_service import MINUTE, at_work
from tests.fakes.messages_server import HttpFault, MessagesServer, Say, Text
from tests.fakes.slack import FakeSlack
from tests.fakes.slack.payloads import command

DOWN = HttpFault(500, "api_error", "10.0.0.7 is on fire")
BROKE = HttpFault(400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API.")
REFUSING = Say((Text("I will not."),), stop_reason="refusal")
MALFORMED = Say((Text("The fleet looks fine to me, 42 clusters, cheers."),))


@pytest.mark.parametrize(
    ("step", "word"),
    [(DOWN, "Claude"), (BROKE, "credit"), (REFUSING, "declined"), (MALFORMED, "agreed form")],
    ids=["down", "over budget", "refusing", "malformed"],
)
async def test_a_patrol_is_posted_from_evidence_alone_and_labelled(
    settings: Settings,
    slack: FakeSlack,
    model: MessagesServer,
    warehouse: Endpoint,
    truth: dict[str, Any],
    step: Say | HttpFault,
    word: str,
) -> None:
    model.decide = lambda body: step
    async with at_work(settings) as (line, _):
        assert await line.form(command("morning")) == 200
        await slack.until(lambda: any("data as of" in post.words for post in slack.posts), MINUTE)
    told = "\n".join(post.words for post in slack.posts)
    assert model.requests, "the model was asked"
    assert word in told and "rules only, no model" in told
    assert "on fire" not in told and "cheers" not in told
    names = {button["value"] for post in slack.posts for button in _buttons(post)}
    assert all(any(cluster in value for value in names) for cluster in truth["must_flag"])


def _buttons(post: Any) -> list[dict[str, Any]]:
    rows = [block for block in post.blocks if block["type"] == "actions"]
    return [one for row in rows for one in row["elements"] if one["action_id"] == "investigate"]
