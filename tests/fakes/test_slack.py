"""The stand-in refuses what Slack refuses; else tests against it would prove nothing."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.fakes.slack import APP_TOKEN, BOT_TOKEN, FakeSlack, problems
from tests.fakes.slack.server import Scripted


def text(words: str = "x", kind: str = "mrkdwn") -> dict[str, Any]:
    return {"type": kind, "text": words}


def section(**more: Any) -> dict[str, Any]:
    return {"type": "section", "text": text()} | more


def button(**more: Any) -> dict[str, Any]:
    return {"type": "button", "text": text(kind="plain_text"), "action_id": "a", "value": "v"} | more


def actions(*elements: Any) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def table(*rows: list[str], kind: str = "raw_text") -> dict[str, Any]:
    return {"type": "table", "rows": [[{"type": kind, "text": cell} for cell in row] for row in rows]}


GOOD: list[list[dict[str, Any]]] = [
    [section()],
    [section(text=text("x" * 3000))],
    [{"type": "section", "fields": [text("x" * 2000)] * 10}],
    [{"type": "header", "text": text("x" * 150, "plain_text")}],
    [{"type": "context", "elements": [text("x", "plain_text")] * 10}],
    [actions(*(button(action_id=f"a{n}", style="danger") for n in range(25)))],
    [{"type": "divider"}] * 50,
    [table(*([["x"] * 20] * 100))],
]

BAD: list[Any] = [
    [],
    "blocks",
    [None],
    [{}],
    [{"type": "sectoin", "text": text()}],
    [section()] * 51,
    [section(texts="x")],
    [section(text=text(""))],
    [section(text=text("x" * 3001))],
    [section(text="x")],
    [section(text=text(kind="markdown"))],
    [section(text=text() | {"emoji": True})],
    [section(block_id="b" * 256)],
    [section(block_id="b"), section(block_id="b")],
    [{"type": "section"}],
    [{"type": "section", "fields": []}],
    [{"type": "section", "fields": [text()] * 11}],
    [{"type": "section", "fields": [text("x" * 2001)]}],
    [{"type": "header", "text": text()}],
    [{"type": "header", "text": text("x" * 151, "plain_text")}],
    [{"type": "header"}],
    [{"type": "context", "elements": []}],
    [{"type": "context", "elements": [text()] * 11}],
    [{"type": "context", "elements": [button()]}],
    [{"type": "divider", "text": text()}],
    [actions()],
    [actions(*(button(action_id=f"a{n}") for n in range(26)))],
    [actions(button(), button())],
    [actions(button(text=text()))],
    [actions(button(text=text("x" * 76, "plain_text")))],
    [actions(button(value="v" * 2001))],
    [actions(button(style="warning"))],
    [actions(button(action_id=""))],
    [actions(button(colour="red"))],
    [actions({"type": "slider"})],
    [table()],
    [table(*([["x"]] * 101))],
    [table(["x"] * 21)],
    [table(["a", "b"], ["c"])],
    [table([""])],
    [table(["x"], kind="plain_text")],
    [table(["x" * 6000]), table(["x" * 4001])],
]


@pytest.mark.parametrize("blocks", GOOD, ids=range(len(GOOD)))
def test_blocks_within_the_limits_are_taken(blocks: list[dict[str, Any]]) -> None:
    assert problems(blocks) == []


@pytest.mark.parametrize("blocks", BAD, ids=range(len(BAD)))
def test_blocks_beyond_the_limits_are_refused(blocks: object) -> None:
    assert problems(blocks)


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack().running() as fake:
        yield fake


async def call(slack: FakeSlack, method: str, token: str = BOT_TOKEN, **arguments: Any) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession() as http,
        http.post(slack.base_url + method, json=arguments, headers=headers) as response,
    ):
        answer: dict[str, Any] = await response.json()
        return answer


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"text": "x"}, "channel_not_found"),
    ({"channel": "C0NONE", "text": "x"}, "channel_not_found"),
    ({"channel": "C0OPS"}, "no_text"),
    ({"channel": "C0OPS", "text": "x", "thread_ts": "1.1"}, "thread_not_found"),
    ({"channel": "C0OPS", "text": "x" * 40_001}, "msg_too_long"),
    ({"channel": "C0OPS", "text": "x", "blocks": [{"type": "x"}]}, "invalid_blocks"),
    ({"channel": "C0OPS", "text": "x", "blocks": [section(text=text("x" * 2700))] * 5}, "msg_blocks_too_long"),
    ({"channel": "C0OPS", "text": "x", "link_names": True}, "invalid_arguments"),
    ({"channel": "C0OPS", "text": "x", "thred_ts": "1.1"}, "invalid_arguments"),
    ({"channel": "C0OPS", "text": "x", "token": ""}, "not_authed"),
    ({"channel": "C0OPS", "text": "x", "token": "xoxb-other"}, "invalid_auth"),
    ({"channel": "C0OPS", "text": "x", "token": APP_TOKEN}, "not_allowed_token_type"),
]


@pytest.mark.parametrize(("arguments", "error"), REFUSED, ids=range(len(REFUSED)))
async def test_posts_that_slack_refuses_are_refused(slack: FakeSlack, arguments: dict[str, Any], error: str) -> None:
    assert await call(slack, "chat.postMessage", **arguments) == {"ok": False, "error": error}
    assert slack.posts == []


async def test_a_reply_is_no_root_of_a_thread(slack: FakeSlack) -> None:
    root = slack.said("root")
    reply = slack.said("reply", thread_ts=root.ts)
    assert (await call(slack, "chat.postMessage", channel="C0OPS", text="x", thread_ts=root.ts))["ok"]
    refused = await call(slack, "chat.postMessage", channel="C0OPS", text="x", thread_ts=reply.ts)
    assert refused["error"] == "thread_not_found"
    elsewhere = await call(slack, "chat.postMessage", channel="C0OTHER", text="x", thread_ts=root.ts)
    assert elsewhere["error"] == "thread_not_found"


async def test_a_method_that_the_app_does_not_use_is_unknown(slack: FakeSlack) -> None:
    assert (await call(slack, "chat.meMessage"))["error"] == "unknown_method"


async def test_a_status_needs_its_scope_a_channel_and_a_thread(slack: FakeSlack) -> None:
    root = slack.said("root")
    good = {"channel_id": "C0OPS", "thread_ts": root.ts, "status": "x"}
    method = "assistant.threads.setStatus"
    assert (await call(slack, method, **good))["ok"]
    assert (await call(slack, method, **good | {"thread_ts": "1.1"}))["error"] == "invalid_thread_ts"
    assert (await call(slack, method, **good | {"channel_id": "C9"}))["error"] == "channel_not_found"
    assert (await call(slack, method, channel_id="C0OPS"))["error"] == "invalid_arguments"
    slack.scopes.discard("assistant:write")
    assert (await call(slack, method, **good))["error"] == "missing_scope"


async def test_a_connection_is_opened_with_the_app_token_and_its_address_serves_once(slack: FakeSlack) -> None:
    assert (await call(slack, "apps.connections.open"))["error"] == "not_allowed_token_type"
    address = (await call(slack, "apps.connections.open", APP_TOKEN))["url"]
    async with aiohttp.ClientSession() as http:
        async with http.ws_connect(address) as socket:
            assert (await socket.receive_json())["type"] == "hello"
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(address)


async def test_scripted_answers_come_in_order_and_end(slack: FakeSlack) -> None:
    slack.fail_after("auth.test", 1, Scripted(429, "ratelimited", {"Retry-After": "3"}))
    answers = [(await call(slack, "auth.test")).get("error") for _ in range(3)]
    assert answers == [None, "ratelimited", None]
