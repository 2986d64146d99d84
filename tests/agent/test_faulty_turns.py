"""Whole turns over the wire while the provider misbehaves: no invalid request, no message lost, none doubled."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from agent.chat import BYOCAgent
from agent.claude import Claude, ClaudeConfig, StreamTimes
from agent.messages import words_of
from agent.session import MemorySessions
from agent.tools import ToolResult
from tests.agent.doubles import NOON, Clock, FunctionTools, check_closed, double
from tests.fakes.messages_server import Break, HttpFault, MessagesServer, Say, Text, Thinking, ToolUse, serving
from tests.fakes.messages_server.history import check_messages
from tests.fakes.messages_server.script import Step

ANSWER = Say((Thinking("so that is it"), Text("The answer.")))


def look(number: int) -> Say:
    """A round that thinks, speaks, and calls three tools at once, one of them wrongly."""
    good = ToolUse("double", {"a": number})
    return Say(
        (
            Thinking(f"thought {number}"),
            Text(f"looking {number}"),
            good,
            ToolUse("fail", {"a": number}),
            ToolUse("nope"),
        )
    )


async def fail(arguments: Mapping[str, Any]) -> ToolResult:
    return ToolResult("timeout: too slow", is_error=True, data={"code": "timeout"})


def midnight() -> datetime:
    return NOON


@asynccontextmanager
async def thread(script: list[Step], **kwargs: Any) -> AsyncIterator[tuple[BYOCAgent, MessagesServer, FunctionTools]]:
    clock, tools = Clock(), FunctionTools(double=double, fail=fail)
    async with serving(MessagesServer(script)) as server:
        times = StreamTimes(first_event=5.0, next_event=0.3, after_end=0.05)
        config = ClaudeConfig(SecretStr(server.key), base_url=server.url, times=times)
        async with Claude(config, clock=clock, sleep=clock.sleep, jitter=lambda: 0.5) as claude:
            store = MemorySessions()
            asked = BYOCAgent(claude, tools, store=store, thread="t", clock=clock, now=midnight, **kwargs)
            yield asked, server, tools
        assert server.refusals == []


async def test_ten_rounds_of_parallel_tools_with_a_fault_in_each_end_in_one_answer() -> None:
    faults: list[Step] = [
        HttpFault(529, "overloaded_error"),
        HttpFault(500, "api_error"),
        HttpFault(429, "rate_limit_error", headers={"retry-after": "2"}),
        Break(look(4), "eof", after=12),
        Break(look(5), "drop", after=20),
        Break(look(6), "stall", after=7),
        Break(look(7), "error", after=15),
        Break(look(8), "garbage", after=9),
        Say((), stop_reason="end_turn"),
    ]
    script = [step for number, fault in enumerate(faults, start=1) for step in (fault, look(number))] + [ANSWER]
    async with thread(script) as (asked, server, tools):
        answer = await asked.chat("what is wrong?")
    assert (answer.text, answer.rounds, answer.failed, answer.notice) == ("The answer.", 10, False, "")
    assert len(server.requests) == 19
    assert Counter(name for name, _ in tools.calls) == {"double": 9, "fail": 9, "discover_schema": 1}
    check_history(asked, questions=["what is wrong?"])
    assert len(asked.conversation_history) == 2 + 2 * 9


async def test_a_second_question_after_a_lasting_fault_goes_on_from_the_first_answer() -> None:
    bill = HttpFault(400, "invalid_request_error", "Your credit balance is too low")
    async with thread([look(1), ANSWER, look(2), bill, look(3), ANSWER]) as (asked, server, _):
        assert not (await asked.chat("first")).failed
        assert (await asked.chat("second")).failed
        assert not (await asked.chat("third")).failed
        check_history(asked, questions=["first", "third"])
        resent = server.requests[4]["messages"]
    assert [
        words_of(message) for message in resent if message["content"][0]["type"] == "text" and message["role"] == "user"
    ] == [
        "first",
        "third",
    ]


STEPS = st.one_of(
    st.builds(look, st.integers(0, 5)),
    st.just(ANSWER),
    st.builds(
        Break,
        st.builds(look, st.integers(0, 5)),
        st.sampled_from(["eof", "drop", "error", "garbage"]),
        st.integers(0, 45),
        st.sampled_from(["overloaded_error", "api_error", "billing_error", "rate_limit_error", "novel_error"]),
    ),
    st.sampled_from(
        [
            HttpFault(529, "overloaded_error"),
            HttpFault(500, "api_error"),
            HttpFault(402, "billing_error"),
            HttpFault(401, "authentication_error"),
            HttpFault(429, "rate_limit_error", headers={"retry-after": "3600"}),
            HttpFault(429, "rate_limit_error", headers={"retry-after": "1"}),
            HttpFault(418, "teapot_error"),
            Say((), stop_reason="refusal"),
            Say((Text("sorry, no"),), stop_reason="refusal"),
            Say((Text("half a"), ToolUse("double", {"a": 123456})), stop_reason="max_tokens", cut_tool=True),
            Say((ToolUse("double", {"a": 123456}),), stop_reason="max_tokens", cut_tool=True),
            Say((Text("odd"), ToolUse("double", {"a": 1})), stop_reason="end_turn"),
            Say((Text(" \n"),)),
            Say((Text("new"),), stop_reason="novel_reason"),
            Say((ToolUse("double", {"a": 1}, id="same"), ToolUse("double", {"a": 2}, id="same"))),
            Say((Text("one"), Text("two"), Thinking("late"))),
        ]
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=14))
async def test_whatever_goes_wrong_the_history_stays_valid_and_holds_each_answered_question_once(
    script: list[Step],
) -> None:
    questions, answered = ["first", "second", "third"], []
    async with thread(list(script), max_rounds=4) as (asked, server, _):
        for question in questions:
            answer = await asked.chat(question)
            assert answer.text.strip()
            assert "scripted fault" not in answer.text
            answered += [] if answer.failed else [question]
            check_history(asked, questions=answered)
        for request in server.requests:
            check_messages(request["messages"], request["model"], {})


def check_history(asked: BYOCAgent, questions: list[str]) -> None:
    """The kept history is valid, ends with an answer, and holds these questions, each once and in order."""
    history = list(asked.conversation_history)
    check_closed(history)
    said = [words_of(m) for m in history if m["role"] == "user" and m["content"][0]["type"] == "text"]
    assert said == questions
