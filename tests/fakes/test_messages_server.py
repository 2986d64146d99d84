"""The fake Messages API refuses what the real one refuses, and takes what it takes."""

import copy
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from tests.fakes.messages_server import Break, HttpFault, MessagesServer, Say, Text, Thinking, ToolUse, serving
from tests.fakes.messages_server.rules import KEY
from tests.fakes.messages_server.script import signature

Body = dict[str, Any]
MODEL = "claude-sonnet-5-5"
MARK = {"type": "ephemeral"}


def tool(name: str = "add", **more: Any) -> Body:
    return {"name": name, "description": "adds", "input_schema": {"type": "object", "properties": {}}} | more


def call(call_id: str = "t1") -> Body:
    return {"type": "tool_use", "id": call_id, "name": "add", "input": {"a": 1}}


def result(call_id: str = "t1", **more: Any) -> Body:
    return {"type": "tool_result", "tool_use_id": call_id, "content": "2"} | more


def text(words: str = "hello") -> Body:
    return {"type": "text", "text": words}


def thought(words: str = "hm", model: str = MODEL) -> Body:
    return {"type": "thinking", "thinking": words, "signature": signature(model, words)}


def user(*blocks: Body) -> Body:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: Body) -> Body:
    return {"role": "assistant", "content": list(blocks)}


def good() -> Body:
    """A request with a bit of everything, all of it legal."""
    return {
        "model": MODEL,
        "max_tokens": 1000,
        "stream": True,
        "system": [text("be brief") | {"cache_control": MARK}],
        "tools": [tool(), tool("take", cache_control=MARK)],
        "tool_choice": {"type": "auto"},
        "thinking": {"type": "adaptive", "display": "summarized"},
        "output_config": {"effort": "medium"},
        "messages": [
            user(text()),
            assistant(thought(), text("let me see"), call("t1"), call("t2")),
            user(result("t1"), result("t2", is_error=True)),
            assistant(text("3")),
            user(text("and now?") | {"cache_control": MARK}),
        ],
    }


def put(**fields: Any) -> Callable[[Body], None]:
    return lambda body: body.update(fields)


def without(field: str) -> Callable[[Body], None]:
    return lambda body: body.pop(field)


def history(*messages: Body) -> Callable[[Body], None]:
    return put(messages=list(messages))


def marked(*ttls: str) -> Callable[[Body], None]:
    """The marks of the request replaced by these, all on system blocks."""

    def change(body: Body) -> None:
        body["tools"] = [tool()]
        body["messages"] = [user(text())]
        body["system"] = [text() | {"cache_control": MARK | {"ttl": ttl}} for ttl in ttls]

    return change


ASKED, ANSWERED = user(text()), assistant(call("t1"))
MALFORMED: list[tuple[str, Callable[[Body], None], int, str]] = [
    ("unknown field", put(novelty=1), 400, "novelty: Extra inputs are not permitted"),
    ("temperature", put(temperature=1.0), 400, "temperature"),
    ("top_p", put(top_p=0.9), 400, "top_p"),
    ("beta field without its header", put(context_management={"edits": []}), 400, "context_management"),
    ("message threads without their header", put(thread={"id": "x"}), 400, "thread: Extra inputs"),
    ("no model", without("model"), 400, "model: Field required"),
    ("unknown model", put(model="claude-9"), 404, "model: claude-9"),
    ("no max_tokens", without("max_tokens"), 400, "max_tokens: Field required"),
    ("max_tokens above the cap", put(max_tokens=200_000), 400, "maximum allowed number of output tokens"),
    ("max_tokens as text", put(max_tokens="9"), 400, "valid integer"),
    ("negative max_tokens", put(max_tokens=-1), 400, "greater than or equal to 0"),
    ("no messages", without("messages"), 400, "messages: Field required"),
    ("empty messages", history(), 400, "at least one message"),
    ("messages not a list", put(messages={}), 400, "at least one message"),
    ("first message from the assistant", history(assistant(text()), user(text())), 400, "first message"),
    ("prefill", history(user(text()), assistant(text())), 400, "prefill"),
    ("unknown role", history({"role": "tool", "content": "x"}), 400, "role"),
    ("extra key on a message", history(ASKED | {"name": "bob"}), 400, "Extra inputs"),
    ("empty content", history(ASKED, assistant(), user(text())), 400, "non-empty content"),
    ("content of no kind", history({"role": "user", "content": 7}), 400, "valid list"),
    ("empty text", history(user(text(""))), 400, "non-empty"),
    ("blank text", history(user(text(" \n "))), 400, "non-whitespace"),
    ("empty string content", history({"role": "user", "content": ""}), 400, "non-empty"),
    ("unknown block", history(user({"type": "tool_output"})), 400, "does not match any of the expected tags"),
    ("extra key on a block", history(user(text() | {"citations": None})), 400, "Extra inputs"),
    ("missing key of a block", history(user({"type": "text"})), 400, "Field required"),
    ("unanswered call", history(ASKED, ANSWERED, user(text("well?"))), 400, "without `tool_result`"),
    (
        "half answered parallel calls",
        history(ASKED, assistant(call("t1"), call("t2")), user(result("t1"))),
        400,
        "`tool_use` ids were found without `tool_result` blocks",
    ),
    (
        "a result that comes a message late",
        history(ASKED, ANSWERED, user(text("wait")), assistant(text("ok")), user(result("t1"))),
        400,
        "without `tool_result`",
    ),
    ("text before results", history(ASKED, ANSWERED, user(text("so:"), result("t1"))), 400, "must come before"),
    ("result of an unknown call", history(ASKED, ANSWERED, user(result("t1"), result("t9"))), 400, "unexpected"),
    ("result without any call", history(user(result("t1"))), 400, "unexpected `tool_use_id`"),
    ("two results of one call", history(ASKED, ANSWERED, user(result("t1"), result("t1"))), 400, "single result"),
    ("one id for two calls", history(ASKED, assistant(call("t1"), call("t1")), user(result("t1"))), 400, "unique"),
    (
        "an id used again later",
        history(ASKED, ANSWERED, user(result("t1")), assistant(call("t1")), user(result("t1"))),
        400,
        "unique",
    ),
    ("call from the user", history(user(call("t1"))), 400, "not allowed in user messages"),
    ("result from the assistant", history(ASKED, assistant(result("t1")), user(text())), 400, "not allowed"),
    ("input that is no object", history(ASKED, assistant(call() | {"input": "{}"}), user(result())), 400, "dictionary"),
    ("result content of no kind", history(ASKED, ANSWERED, user(result(content=7))), 400, "valid string or list"),
    ("is_error as text", history(ASKED, ANSWERED, user(result(is_error="yes"))), 400, "valid boolean"),
    ("edited thinking", history(ASKED, assistant(thought() | {"thinking": "HM"}, text()), ASKED), 400, "`signature`"),
    ("another model's thinking", history(ASKED, assistant(thought(model="other"), text()), ASKED), 400, "signature"),
    ("thinking from the user", history(user(thought())), 400, "not allowed in user messages"),
    ("marked thinking", history(ASKED, assistant(thought() | {"cache_control": MARK}), ASKED), 400, "Extra inputs"),
    ("tools in the history alone", lambda b: (b.pop("tools"), b.pop("tool_choice")), 400, "tools: Field required"),
    ("tool name with a dot", put(tools=[tool("a.b")]), 400, "String should match pattern"),
    ("one name for two tools", put(tools=[tool(), tool()]), 400, "must be unique"),
    ("a raw MCP tool", put(tools=[tool(annotations={"readOnlyHint": True})]), 400, "Extra inputs"),
    ("MCP's name of the schema", put(tools=[{"name": "a", "inputSchema": {"type": "object"}}]), 400, "inputSchema"),
    ("schema that is no object", put(tools=[tool(input_schema={"type": "string"})]), 400, "'object'"),
    ("anyOf at the top", put(tools=[tool(input_schema={"type": "object", "anyOf": []})]), 400, "anyOf"),
    ("strict and open", put(tools=[tool(strict=True)]), 400, "additionalProperties"),
    ("choice without tools", lambda b: (b.pop("tools"), history(ASKED)(b)), 400, "while providing `tools`"),
    ("forced choice", put(tool_choice={"type": "any"}), 400, "not supported for this model"),
    ("unknown choice", put(tool_choice={"type": "maybe"}), 400, "unknown type"),
    ("thinking of the old kind", put(thinking={"type": "enabled", "budget_tokens": 2000}), 400, "not supported"),
    ("unknown effort", put(output_config={"effort": "huge"}), 400, "effort"),
    ("five cache marks", marked("5m", "5m", "5m", "5m", "5m"), 400, "Found 5"),
    ("a long mark after a short one", marked("5m", "1h"), 400, "must not come after"),
    ("unknown time to live", marked("2h"), 400, "ttl"),
    ("empty system block", put(system=[text(" ")]), 400, "system"),
]


@pytest.mark.parametrize(("change", "status", "words"), [case[1:] for case in MALFORMED], ids=[c[0] for c in MALFORMED])
async def test_a_malformed_request_is_refused(change: Callable[[Body], None], status: int, words: str) -> None:
    body = copy.deepcopy(good())
    change(body)
    async with serving(MessagesServer([Say((Text("hi"),))])) as server:
        got, sent = await post(server, body)
        assert (got, server.requests) == (status, [])
        assert words in json.loads(sent)["error"]["message"]


LEGAL: list[tuple[str, Callable[[Body], None]]] = [
    ("as it is", lambda body: None),
    ("cache pre-warming", put(max_tokens=0)),
    ("string content", history({"role": "user", "content": "hi"})),
    ("turns of one role in a row", history(user(text()), user(text("more")))),
    (
        "results over two messages",
        history(ASKED, assistant(call("a"), call("b")), user(result("a")), user(result("b"))),
    ),
    ("no tool may be called", put(tool_choice={"type": "none"})),
    ("four cache marks, long ones first", marked("1h", "1h", "5m", "5m")),
    ("the older API version's bare minimum", lambda body: [body.pop(k) for k in ("thinking", "output_config")]),
]


@pytest.mark.parametrize("change", [case[1] for case in LEGAL], ids=[case[0] for case in LEGAL])
async def test_a_legal_request_is_answered(change: Callable[[Body], Any]) -> None:
    body = copy.deepcopy(good())
    change(body)
    async with serving(MessagesServer([Say((Text("hi"),))])) as server:
        status, sent = await post(server, body)
    assert status == 200
    assert sent.endswith('data: {"type": "message_stop"}\n\n')


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"x-api-key": "wrong"}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"x-api-key": KEY}, 400),
        ({"x-api-key": KEY, "anthropic-version": "2020-01-01"}, 400),
        ({"x-api-key": KEY, "anthropic-version": "2023-06-01"}, 200),
        ({"authorization": f"Bearer {KEY}", "anthropic-version": "2026-10-21"}, 200),
    ],
)
async def test_headers_are_checked(headers: dict[str, str], status: int) -> None:
    async with serving(MessagesServer([Say((Text("hi"),))])) as server:
        assert (await post(server, good(), headers))[0] == status


async def test_a_body_that_is_no_json_is_refused() -> None:
    async with serving(MessagesServer()) as server, aiohttp.ClientSession() as session:
        headers = {"x-api-key": KEY, "anthropic-version": "2026-10-21"}
        async with session.post(f"{server.url}/v1/messages", data=b"{oops", headers=headers) as response:
            assert response.status == 400


async def test_thinking_dropped_in_the_middle_of_a_round_is_refused() -> None:
    async with serving(MessagesServer([Say((Thinking("hm"), ToolUse("add", {"a": 1})))])) as server:
        await post(server, good())
        ask = copy.deepcopy(good())
        history(ASKED, assistant(call("toolu_0002")), user(result("toolu_0002")))(ask)
        status, sent = await post(server, ask)
    assert status == 400
    assert "cannot be modified" in sent


async def test_tokens_are_counted_and_the_counter_is_as_strict() -> None:
    body = good()
    del body["max_tokens"], body["stream"]
    async with serving(MessagesServer()) as server:
        status, sent = await post(server, body, path="/v1/messages/count_tokens")
        assert status == 200
        assert json.loads(sent)["input_tokens"] > 100
        assert (await post(server, good(), path="/v1/messages/count_tokens"))[0] == 400


async def test_scripted_faults_carry_status_code_and_headers() -> None:
    fault = HttpFault(429, "rate_limit_error", code="enforced_spend_limit_reached", headers={"retry-after": "7"})
    async with serving(MessagesServer([fault])) as server:
        status, sent = await post(server, good())
    assert status == 429
    assert json.loads(sent)["error"]["details"] == {"error_code": "enforced_spend_limit_reached"}


async def test_a_stream_that_ends_early_lacks_its_last_event() -> None:
    async with serving(MessagesServer([Break(Say((Text("hello world"),)), "eof", after=4)])) as server:
        status, sent = await post(server, good())
    assert status == 200
    assert sent.count("event: ") == 4
    assert "message_stop" not in sent


async def post(
    server: MessagesServer, body: Body, headers: dict[str, str] | None = None, path: str = "/v1/messages"
) -> tuple[int, str]:
    """Status and text of one request."""
    headers = {"x-api-key": KEY, "anthropic-version": "2026-10-21"} if headers is None else headers
    async with aiohttp.ClientSession() as session, session.post(server.url + path, json=body, headers=headers) as got:
        return got.status, await got.text()
