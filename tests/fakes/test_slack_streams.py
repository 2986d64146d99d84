"""The stand-in refuses what Slack refuses of streams, sessions, files, views and redrawing."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack import BOT_TOKEN, TEAM, FakeSlack


class Caller:
    """Calls with the right token and gives back the error, empty when Slack took it."""

    def __init__(self, slack: FakeSlack) -> None:
        self.slack = slack
        self.root = slack.said("hello")
        self._client = AsyncWebClient(token=BOT_TOKEN, base_url=slack.base_url)
        self.last: dict[str, Any] = {}

    async def __call__(self, method: str, **arguments: Any) -> str:
        try:
            self.last = (await self._client.api_call(method, json=arguments)).data  # type: ignore[assignment]
        except SlackApiError as error:
            return str(error.response["error"])
        return ""

    async def start(self, text: str = "x", **other: Any) -> str:
        to = {"channel": "C0OPS", "thread_ts": self.root.ts, "recipient_team_id": TEAM, "recipient_user_id": "U1"}
        return await self("chat.startStream", **(to | {"markdown_text": text} | other))

    @property
    def stream(self) -> dict[str, str]:
        return {"channel": "C0OPS", "ts": self.last["ts"]}


@pytest.fixture
async def call(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Caller]:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with FakeSlack().running() as slack:
        yield Caller(slack)


async def test_a_stream_needs_its_reader_and_a_thread(call: Caller) -> None:
    assert await call.start(recipient_team_id="") == "missing_recipient_team_id"
    assert await call.start(recipient_user_id="") == "missing_recipient_user_id"
    assert await call.start(thread_ts="1.1") == "thread_not_found"
    assert await call.start(channel="C9") == "channel_not_found"
    assert await call.start("x" * 12_001) == "msg_too_long"
    assert await call.start(chunks=[]) == "invalid_arguments"


async def test_a_stream_holds_12000_characters_in_all(call: Caller) -> None:
    assert await call.start("x" * 11_000) == ""
    assert await call("chat.appendStream", **call.stream, markdown_text="y" * 1_001) == "msg_too_long"


async def test_an_ended_stream_takes_nothing_more(call: Caller) -> None:
    await call.start()
    stream = call.stream
    assert await call("chat.stopStream", **stream) == ""
    for method in ("chat.appendStream", "chat.stopStream"):
        assert await call(method, **stream, markdown_text="y") == "message_not_in_streaming_state"
    assert await call("chat.appendStream", channel="C0OPS", ts="9.9", markdown_text="y") == "message_not_found"


async def test_a_message_that_is_streamed_can_be_neither_redrawn_nor_deleted(call: Caller) -> None:
    await call.start()
    stream = call.stream
    assert await call("chat.update", **stream, text="x") == "streaming_state_conflict"
    assert await call("chat.delete", **stream) == "streaming_state_conflict"
    call.slack.end_streams()
    assert await call("chat.update", **stream, text="x") == ""
    assert await call("chat.delete", **stream) == ""
    assert await call("chat.delete", **stream) == "message_not_found"


async def test_the_blocks_below_a_stream_are_held_to_their_limits(call: Caller) -> None:
    await call.start()
    long = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}}
    assert await call("chat.stopStream", **call.stream, blocks=[long]) == "invalid_blocks"


async def test_messages_of_people_are_not_ours_to_redraw(call: Caller) -> None:
    assert await call("chat.update", channel="C0OPS", ts=call.root.ts, text="x") == "message_not_found"


async def test_a_session_has_four_states_and_a_thread(call: Caller) -> None:
    method, place = "agents.sessions.setStatus", {"channel_id": "C0OPS", "thread_ts": call.root.ts}
    assert await call(method, **place, status="thinking") == "invalid_arguments"
    assert await call(method, channel_id="C0OPS", thread_ts="9.9", status="active") == "thread_not_found"
    assert await call(method, **place, status="processing") == ""


async def test_four_first_questions_at_most(call: Caller) -> None:
    prompts = [{"title": "t", "message": "m"}] * 5
    method = "assistant.threads.setSuggestedPrompts"
    assert await call(method, channel_id="D0DIRECT", prompts=prompts) == "invalid_arguments"
    assert await call(method, channel_id="D0DIRECT", prompts=prompts[:4]) == ""


async def test_a_file_is_shared_only_when_all_of_it_arrived(call: Caller) -> None:
    assert await call("files.getUploadURLExternal", filename="a.csv", length=0) == "invalid_arguments"
    assert await call("files.getUploadURLExternal", filename="a.csv", length=3) == ""
    files = json.dumps([{"id": call.last["file_id"], "title": "a"}])
    assert await call("files.completeUploadExternal", files=files, channel_id="C0OPS") == "file_not_found"


VIEWS = [
    ({}, "not a view"),
    ({"type": "modal", "blocks": []}, "no title"),
    ({"type": "modal", "title": {"type": "plain_text", "text": "x" * 25}}, "long title"),
    ({"type": "home", "blocks": [{"type": "divider"}] * 101}, "too many blocks"),
    ({"type": "home", "blocks": [{"type": "divider"}], "title": {}}, "unknown key"),
]


@pytest.mark.parametrize(("view", "why"), VIEWS, ids=[why for _, why in VIEWS])
async def test_a_view_beyond_its_limits_is_refused(call: Caller, view: dict[str, Any], why: str) -> None:
    assert await call("views.publish", user_id="U1", view=view) == "invalid_arguments"


async def test_a_trigger_opens_one_dialog(call: Caller) -> None:
    title = {"type": "plain_text", "text": "t"}
    view = {"type": "modal", "title": title, "blocks": [{"type": "divider"}]}
    assert await call("views.open", trigger_id="13345.67890.def", view=view) == ""
    assert await call("views.open", trigger_id="13345.67890.def", view=view) == "expired_trigger_id"
