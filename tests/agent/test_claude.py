"""Claude over the wire, against the strict fake: what is asked, what is read, and every way in which it can break."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from agent.claude import Claude, ClaudeConfig, StreamTimes, request_body
from agent.errors import (
    ModelAuthentication,
    ModelBilling,
    ModelError,
    ModelLimitReached,
    ModelOther,
    ModelOverloaded,
    ModelRateLimited,
    ModelStalled,
    ModelTooLong,
    ModelUnavailable,
)
from agent.messages import user_text
from agent.model import Reply, Request, Usage
from agent.tools import ToolSpec
from tests.agent.doubles import NUMBER, Clock
from tests.fakes.messages_server import Break, HttpFault, MessagesServer, Say, Text, Thinking, ToolUse, serving
from tests.fakes.messages_server.script import Step, signature

TOOLS = (ToolSpec("double", "twice a number", NUMBER), ToolSpec("half", "half a number", NUMBER))
ASK = Request("be brief", [user_text("hi")], TOOLS)
HELLO = Say((Text("hello there"),))


class Wire:
    """A fake, a Claude that talks to it, and the clock of its retries."""

    def __init__(self, server: MessagesServer, claude: Claude, clock: Clock) -> None:
        self.server = server
        self.claude = claude
        self.clock = clock
        self.pieces: list[str] = []

    async def ask(self, request: Request = ASK) -> Reply:
        return await self.claude.reply(request, self._on_text)

    async def _on_text(self, piece: str) -> None:
        self.pieces.append(piece)


@asynccontextmanager
async def wire(*script: Step, **config: Any) -> AsyncIterator[Wire]:
    clock = Clock()
    async with serving(MessagesServer(script)) as server:
        defaults = {"api_key": SecretStr(server.key), "base_url": server.url}
        times = StreamTimes(first_event=5.0, next_event=0.4, after_end=0.05)
        claude = Claude(
            ClaudeConfig(**(defaults | {"times": times} | config)), clock=clock, sleep=clock.sleep, jitter=lambda: 1.0
        )
        async with claude:
            yield Wire(server, claude, clock)
        assert server.refusals == [] or "api_key" in config or "model" in config


async def test_a_reply_is_read_whole_and_its_text_arrives_in_pieces() -> None:
    async with wire(Say((Text("hello there"),), input_tokens=120, cache_read=80)) as line:
        reply = await line.ask()
    assert (reply.text, reply.stop_reason, reply.model) == ("hello there", "end_turn", "claude-sonnet-5-5")
    assert line.pieces == ["hello", " ther", "e"]
    usage = reply.usage
    assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens) == (
        120,
        11,
        80,
        7,
    )


async def test_parallel_calls_and_thinking_come_back_as_they_may_be_sent_again() -> None:
    arguments = {"a": 7, "why": 'naïve "quotes" \\ and 中文'}
    say = Say((Thinking("hm, hm"), Text("let me see"), ToolUse("double", arguments), ToolUse("half")))
    async with wire(say) as line:
        reply = await line.ask()
    assert reply.stop_reason == "tool_use"
    assert reply.content == (
        {"type": "thinking", "thinking": "hm, hm", "signature": signature("claude-sonnet-5-5", "hm, hm")},
        {"type": "text", "text": "let me see"},
        {"type": "tool_use", "id": "toolu_0003", "name": "double", "input": arguments},
        {"type": "tool_use", "id": "toolu_0004", "name": "half", "input": {}},
    )


async def test_the_request_carries_three_cache_marks_and_the_key_and_nothing_that_is_refused() -> None:
    async with wire(HELLO) as line:
        await line.ask()
        body, headers = line.server.requests[0], line.server.headers[0]
    assert json.dumps(body).count("cache_control") == 3
    assert "cache_control" in body["tools"][-1]
    assert "cache_control" in body["system"][0]
    assert "cache_control" in body["messages"][-1]["content"][-1]
    assert body["stream"] is True
    assert body["tool_choice"] == {"type": "auto"}
    assert headers["authorization"] == f"Bearer {line.server.key}"


async def test_the_history_itself_is_never_marked() -> None:
    messages = [user_text("hi")]
    request_body(Request("s", messages, TOOLS), ClaudeConfig(SecretStr("k")))
    assert messages == [user_text("hi")]


async def test_the_last_round_forbids_tools_but_sends_the_same_list() -> None:
    async with wire(HELLO, HELLO) as line:
        await line.ask()
        await line.ask(Request(ASK.system, ASK.messages, TOOLS, may_call_tools=False))
        first, last = line.server.requests
    assert last["tool_choice"] == {"type": "none"}
    assert last["tools"] == first["tools"]


async def test_settings_can_leave_out_what_other_providers_do_not_take() -> None:
    async with wire(HELLO, prompt_caching=False, thinking=None, effort=None) as line:
        await line.ask(Request("s", [user_text("hi")]))
        body = line.server.requests[0]
    assert set(body) == {"model", "max_tokens", "system", "messages", "stream"}
    assert "cache_control" not in json.dumps(body)


PASSING: list[tuple[str, Step]] = [
    ("overloaded", HttpFault(529, "overloaded_error")),
    ("server fault", HttpFault(500, "api_error")),
    ("bad gateway", HttpFault(502, "api_error")),
    ("service unavailable", HttpFault(503, "api_error")),
    ("rate limit", HttpFault(429, "rate_limit_error")),
    ("ramp limit", HttpFault(429, "rate_limit_error", code="ramp_limit_exceeded")),
    ("overloaded in the stream", Break(HELLO, "error", after=5)),
    ("fault in the stream", Break(HELLO, "error", after=5, kind="api_error")),
    ("end before the first event", Break(HELLO, "eof", after=0)),
    ("end in the middle of the text", Break(HELLO, "eof", after=5)),
    ("end just before the end", Break(HELLO, "eof", after=8)),
    ("socket dropped at once", Break(HELLO, "drop", after=0)),
    ("socket dropped in the middle", Break(HELLO, "drop", after=5)),
    ("stall", Break(HELLO, "stall", after=5)),
    ("garbage", Break(HELLO, "garbage", after=5)),
    ("end inside the arguments of a call", Break(Say((ToolUse("double", {"a": 1234567}),)), "eof", after=5)),
    ("an empty reply", Say((), stop_reason="end_turn")),
    ("calls promised but none made", Say((), stop_reason="tool_use")),
    ("cut arguments called whole", Say((ToolUse("double", {"a": 1234567}),), cut_tool=True)),
]


@pytest.mark.parametrize("step", [case[1] for case in PASSING], ids=[case[0] for case in PASSING])
async def test_a_passing_fault_is_asked_again_and_the_reply_is_whole(step: Step) -> None:
    async with wire(step, HELLO) as line:
        reply = await line.ask()
    assert (reply.text, len(line.server.requests)) == ("hello there", 2)
    assert line.server.requests[0] == line.server.requests[1]
    assert line.clock.slept == [1.0]
    shown = "".join(line.pieces[len(line.pieces) - line.pieces[::-1].index("") :] if "" in line.pieces else line.pieces)
    assert shown == "hello there"


async def test_a_lasting_fault_is_given_up_after_three_tries_with_growing_waits() -> None:
    async with wire(*[HttpFault(529, "overloaded_error")] * 9) as line:
        with pytest.raises(ModelOverloaded):
            await line.ask()
    assert len(line.server.requests) == 3
    assert line.clock.slept == [1.0, 2.0]


FINAL: list[tuple[HttpFault, type[ModelError]]] = [
    (HttpFault(402, "billing_error"), ModelBilling),
    (HttpFault(400, "invalid_request_error", "Your credit balance is too low to access the API."), ModelBilling),
    (HttpFault(400, "invalid_request_error", "You have reached your specified API usage limits."), ModelBilling),
    (HttpFault(429, "rate_limit_error", code="enforced_spend_limit_reached"), ModelBilling),
    (HttpFault(429, "rate_limit_error", code="contract_spend_limit_reached"), ModelBilling),
    (HttpFault(429, "rate_limit_error", "You have reached your monthly spend limit."), ModelBilling),
    (HttpFault(401, "authentication_error"), ModelAuthentication),
    (HttpFault(403, "permission_error"), ModelAuthentication),
    (HttpFault(404, "not_found_error"), ModelOther),
    (HttpFault(413, "request_too_large"), ModelTooLong),
    (HttpFault(400, "invalid_request_error", "prompt is too long: 1000001 tokens"), ModelTooLong),
    (HttpFault(400, "invalid_request_error", "tools.0: Extra inputs are not permitted"), ModelOther),
]


@pytest.mark.parametrize(("step", "kind"), FINAL, ids=[f"{s.status} {s.code or s.message[:20]}" for s, _ in FINAL])
async def test_a_fault_that_lasts_is_not_asked_again_and_says_what_to_do(
    step: HttpFault, kind: type[ModelError]
) -> None:
    async with wire(step, HELLO) as line:
        with pytest.raises(ModelError) as caught:
            await line.ask()
    assert type(caught.value) is kind
    assert (len(line.server.requests), line.clock.slept) == (1, [])
    assert step.message not in caught.value.user_message


async def test_a_rate_limit_that_names_no_time_is_asked_again_and_then_told_with_the_spend_cap_in_mind() -> None:
    async with wire(*[HttpFault(429, "rate_limit_error")] * 3) as line:
        with pytest.raises(ModelLimitReached) as caught:
            await line.ask()
    assert len(line.clock.slept) == 2
    assert "monthly spend" in caught.value.user_message


@pytest.mark.parametrize("after", [0, 5])
async def test_silence_is_waited_for_twice_and_no_more(after: int) -> None:
    times = StreamTimes(first_event=0.2, next_event=0.2)
    async with wire(*[Break(HELLO, "stall", after=after)] * 3, times=times) as line:
        with pytest.raises(ModelStalled):
            await line.ask()
    assert len(line.server.requests) == 2


async def test_the_tokens_of_tries_that_broke_off_are_told_and_those_of_whole_replies_are_not() -> None:
    told: list[tuple[str, Usage]] = []
    request = Request(ASK.system, ASK.messages, on_wasted=lambda model, usage: told.append((model, usage)))
    said = Say((Text("x" * 400),), input_tokens=120, cache_read=80)
    async with wire(Break(said, "drop", after=20), HttpFault(529, "overloaded_error"), said) as line:
        await line.ask(request)
    ((model, usage),) = told
    assert (model, usage.input_tokens, usage.cache_read_tokens) == ("claude-sonnet-5-5", 120, 80)
    # guessed from the text that came: its own count would have come at the end
    assert 10 < usage.output_tokens <= 100


async def test_billing_told_inside_a_stream_is_billing() -> None:
    async with wire(Break(HELLO, "error", kind="billing_error"), HELLO) as line:
        with pytest.raises(ModelBilling):
            await line.ask()


@pytest.mark.parametrize(("after", "slept"), [("2", [3.0]), ("30", [31.0])])
async def test_retry_after_is_obeyed(after: str, slept: list[float]) -> None:
    async with wire(HttpFault(429, "rate_limit_error", headers={"retry-after": after}), HELLO) as line:
        assert (await line.ask()).text == "hello there"
    assert line.clock.slept == slept


@pytest.mark.parametrize(("after", "left"), [("3600", None), ("3600", 180.0), ("30", 20.0)])
async def test_a_retry_after_beyond_the_turn_fails_at_once(after: str, left: float | None) -> None:
    async with wire(HttpFault(429, "rate_limit_error", headers={"retry-after": after}), HELLO) as line:
        with pytest.raises(ModelRateLimited) as caught:
            await line.ask(Request(ASK.system, ASK.messages, TOOLS, seconds_left=left))
    assert (line.clock.slept, caught.value.retry_after) == ([], float(after))


@pytest.mark.parametrize("after", ["soon", "-5", "nan", "inf", ""])
async def test_a_senseless_retry_after_is_passed_over(after: str) -> None:
    async with wire(HttpFault(429, "rate_limit_error", headers={"retry-after": after}), HELLO) as line:
        assert (await line.ask()).text == "hello there"
    assert line.clock.slept == [1.0]


async def test_a_reply_cut_by_length_gives_no_arguments_to_run() -> None:
    say = Say((Text("so"), ToolUse("double", {"a": 1234567})), stop_reason="max_tokens", cut_tool=True)
    async with wire(say) as line:
        reply = await line.ask()
    assert reply.stop_reason == "max_tokens"
    assert reply.tool_calls[0]["input"] == {}


async def test_a_refusal_without_content_is_a_reply_that_says_so() -> None:
    async with wire(Say((), stop_reason="refusal")) as line:
        reply = await line.ask()
    assert (reply.content, reply.stop_reason) == ((), "refusal")


async def test_nobody_listening_is_unavailable() -> None:
    clock = Clock()
    async with serving(MessagesServer()) as server:
        url = server.url
    config = ClaudeConfig(SecretStr("k"), base_url=url)
    async with Claude(config, clock=clock, sleep=clock.sleep) as claude:
        with pytest.raises(ModelUnavailable):
            await claude.reply(ASK)
    assert len(clock.slept) == 2


async def test_a_wrong_key_is_told_as_such() -> None:
    async with wire(HELLO, api_key=SecretStr("sk-wrong")) as line:
        with pytest.raises(ModelAuthentication) as caught:
            await line.ask()
    assert "sk-wrong" not in f"{caught.value} {caught.value.user_message}"


async def test_an_unknown_model_is_a_matter_of_settings() -> None:
    async with wire(HELLO, model="claude-9") as line:
        with pytest.raises(ModelOther):
            await line.ask()


async def test_what_a_surface_raises_is_no_fault_of_the_model() -> None:
    async def broken(piece: str) -> None:
        raise ConnectionError("the chat platform is gone")

    async with wire(HELLO, HELLO) as line:
        with pytest.raises(ConnectionError):
            await line.claude.reply(ASK, broken)
    assert len(line.server.requests) == 1


async def test_the_client_is_usable_after_every_kind_of_break() -> None:
    breaks = [Break(HELLO, how, after=5) for how in ("stall", "drop", "eof", "error")]
    script: list[Step] = [step for each in breaks for step in (each, HELLO)]
    async with wire(*script) as line:
        replies = [await line.ask() for _ in breaks]
    assert [reply.text for reply in replies] == ["hello there"] * 4
