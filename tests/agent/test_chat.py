"""The agent of a thread, through its public door: questions in, answers out, and what is kept."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from agent.chat import BY_FLOOR, CUT, LIMITED, BYOCAgent
from agent.discovery import NOT_READ, Discovery
from agent.errors import (
    ModelAuthentication,
    ModelBilling,
    ModelError,
    ModelOther,
    ModelOverloaded,
    ModelRateLimited,
    ModelTooLong,
    ModelUnavailable,
    ToolsUnavailable,
)
from agent.messages import words_of
from agent.progress import TextDiscarded
from agent.session import MemorySessions
from agent.tools import ToolResult, ToolSpec
from tests.agent.doubles import (
    NOON,
    Clock,
    FunctionTools,
    Recorder,
    ScriptedModel,
    call,
    check_closed,
    double,
    never,
    say,
)

ALL_FAULTS = [
    *(ModelBilling, ModelAuthentication, ModelRateLimited, ModelUnavailable),
    *(ModelOverloaded, ModelTooLong, ModelOther),
]


async def schema(arguments: Mapping[str, Any]) -> ToolResult:
    return ToolResult("metrics.amv_hourly_snapshots_v1(snapshot_hour, …)")


def tools() -> FunctionTools:
    nothing = {"type": "object", "properties": {}}
    return FunctionTools([ToolSpec("discover_schema", "", nothing)], double=double, discover_schema=schema)


def agent(model: ScriptedModel, **kwargs: Any) -> BYOCAgent:
    defaults: dict[str, Any] = {
        "store": MemorySessions(),
        "thread": "slack:T:C:1",
        "clock": Clock(),
        "now": lambda: NOON,
    }
    return BYOCAgent(model, kwargs.pop("tools", None) or tools(), **(defaults | kwargs))


async def test_a_question_is_answered_with_the_trail_of_its_tools() -> None:
    answer = await agent(ScriptedModel(say("looking", call("x", a=21)), say("It is **42**."))).chat("what is it?")
    assert (answer.text, answer.rounds, answer.analyst, answer.model) == ("It is **42**.", 2, "claude", "scripted-1")
    assert [(t.name, t.arguments, t.is_error, t.data) for t in answer.tools] == [
        ("double", {"a": 21}, False, {"value": 42})
    ]
    assert (answer.notice, answer.failed, answer.usage.input_tokens) == ("", False, 20)


async def test_a_follow_up_is_asked_with_the_thread_before_it() -> None:
    model = ScriptedModel(say("it is fine"), say("its alerts are quiet"))
    asked = agent(model)
    await asked.chat("how is prod-1?")
    await asked.chat("and its alerts?")
    words = [words_of(m) if m["role"] == "user" else m["content"][0]["text"] for m in model.requests[1].messages]
    assert words == ["how is prod-1?", "it is fine", "and its alerts?"]
    check_closed(asked.conversation_history)
    assert len(asked.conversation_history) == 4


async def test_another_agent_on_the_same_store_knows_the_thread() -> None:
    store = MemorySessions()
    await agent(ScriptedModel(say("one")), store=store).chat("first")
    model = ScriptedModel(say("two"))
    await agent(model, store=store).chat("second")
    assert len(model.requests[0].messages) == 3


async def test_a_reset_forgets_the_thread() -> None:
    model = ScriptedModel(say("one"), say("two"))
    asked = agent(model)
    await asked.chat("first")
    await asked.reset_conversation()
    assert asked.conversation_history == ()
    await asked.chat("second")
    assert len(model.requests[1].messages) == 1


async def test_the_system_prompt_is_the_same_bytes_whenever_it_is_asked_and_tells_the_schema() -> None:
    model = ScriptedModel(say("one"), say("two"))
    asked = agent(model, health_rules="Disk above 90 % is red.", now=iter([NOON, NOON.replace(hour=20)]).__next__)
    await asked.chat("first")
    await asked.chat("second")
    first, second = (request.system for request in model.requests)
    assert first == second
    assert "amv_hourly_snapshots_v1(snapshot_hour" in first
    assert "Disk above 90 % is red." in first
    assert [m["content"][1]["text"] for m in model.requests[1].messages if m["role"] == "user"] == [
        "Asked at 2026-11-20 12:00 UTC.",
        "Asked at 2026-11-20 20:00 UTC.",
    ]


async def test_the_schema_is_asked_for_once_for_all_threads() -> None:
    shared = tools()
    discovery = Discovery(shared)
    for thread in ("a", "b"):
        await agent(ScriptedModel(say("ok")), tools=shared, discovery=discovery, thread=thread).chat("hi")
    assert shared.calls == [("discover_schema", {})]


async def test_a_schema_that_cannot_be_read_is_said_and_tried_again_next_time() -> None:
    answers = [ToolResult("unavailable: no", is_error=True), ToolResult("the schema")]

    async def flaky(arguments: Mapping[str, Any]) -> ToolResult:
        return answers.pop(0)

    model = ScriptedModel(say("one"), say("two"))
    asked = agent(model, tools=FunctionTools(discover_schema=flaky))
    await asked.chat("first")
    await asked.chat("second")
    assert NOT_READ in model.requests[0].system
    assert "the schema" in model.requests[1].system


@pytest.mark.parametrize("fault", ALL_FAULTS)
async def test_without_a_floor_a_fault_is_said_plainly_and_the_question_is_taken_back(fault: type[ModelError]) -> None:
    model = ScriptedModel(say("fine"), fault("secret detail 500"), say("back"))
    asked = agent(model)
    await asked.chat("first")
    before = asked.conversation_history
    answer = await asked.chat("second")
    assert (answer.failed, answer.text) == (True, fault.user_message)
    assert "secret detail" not in f"{answer}"
    assert asked.conversation_history == before
    assert (await asked.chat("third")).text == "back"
    assert [words_of(m) for m in model.requests[2].messages if m["role"] == "user"] == ["first", "third"]


@pytest.mark.parametrize("fault", ALL_FAULTS)
async def test_with_a_floor_the_turn_is_answered_and_the_notice_says_why(fault: type[ModelError]) -> None:
    floor = ScriptedModel(say(call("r", a=4)), say("By the rules: 8."), name="rules-only", analyst="rules-only")
    asked = agent(ScriptedModel(say(call("x", a=3)), fault("detail")), floor=floor)
    answer = await asked.chat("how much?")
    assert (answer.text, answer.analyst, answer.failed) == ("By the rules: 8.", "rules-only", False)
    assert answer.notice == f"{fault.user_message} {BY_FLOOR}"
    assert next(words_of(m) for m in asked.conversation_history if m["role"] == "user") == "how much?"
    assert len(asked.conversation_history) == 4
    check_closed(asked.conversation_history)


async def test_a_refusal_is_answered_by_the_floor_too() -> None:
    floor = ScriptedModel(say("By the rules."), analyst="rules-only")
    answer = await agent(ScriptedModel(say(stop="refusal")), floor=floor).chat("hm?")
    assert (answer.text, "declined" in answer.notice) == ("By the rules.", True)


async def test_text_of_the_failed_try_is_taken_back_before_the_floor_speaks() -> None:
    class Breaks(ScriptedModel):
        async def reply(self, request: Any, on_text: Any = None) -> Any:
            await on_text("half an ans")
            return await super().reply(request, on_text)

    recorder = Recorder()
    floor = ScriptedModel(say("whole"), analyst="rules-only")
    await agent(Breaks(ModelUnavailable("cut")), floor=floor).chat("hm?", recorder)
    assert len(recorder.of(TextDiscarded)) == 1


async def test_when_the_floor_fails_too_the_first_reason_is_told() -> None:
    floor = ScriptedModel(ModelUnavailable("x"), analyst="rules-only")
    answer = await agent(ScriptedModel(ModelBilling("402")), floor=floor).chat("hm?")
    assert (answer.failed, answer.text) == (True, ModelBilling.user_message)


async def test_tools_that_cannot_be_reached_fail_the_turn_plainly() -> None:
    class Gone(FunctionTools):
        async def specs(self) -> Any:
            raise ToolsUnavailable("starrocks: refused by 10.0.0.1")

    answer = await agent(ScriptedModel(), tools=Gone(), floor=ScriptedModel()).chat("hm?")
    assert (answer.failed, answer.text) == (True, ToolsUnavailable.user_message)


async def test_a_limited_and_a_cut_answer_carry_a_notice() -> None:
    limited = await agent(ScriptedModel(say(call("x", a=1)), say("so far")), max_rounds=2).chat("go")
    cut = await agent(ScriptedModel(say("and so o", stop="max_tokens"))).chat("go")
    assert (limited.notice, cut.notice) == (LIMITED, CUT)


async def test_questions_of_one_thread_wait_for_each_other() -> None:
    model = ScriptedModel(say("one"), say("two"), say("three"))
    store = MemorySessions()
    agents = [agent(model, store=store) for _ in range(3)]
    await asyncio.gather(*(each.chat(f"question {n}") for n, each in enumerate(agents)))
    assert [len(request.messages) for request in model.requests] == [1, 3, 5]
    saved = await store.load("slack:T:C:1")
    assert [words_of(turn.messages[0]) for turn in saved] == ["question 0", "question 1", "question 2"]


async def test_a_cancelled_question_leaves_the_thread_as_it_was() -> None:
    started = asyncio.Event()

    async def stuck(arguments: Mapping[str, Any]) -> ToolResult:
        started.set()
        return await never(arguments)

    model = ScriptedModel(say(call("x", "stuck", a=1)), say("next"))
    asked = agent(model, tools=FunctionTools(stuck=stuck))
    task = asyncio.create_task(asked.chat("first"))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asked.conversation_history == ()
    assert (await asked.chat("second")).text == "next"
    assert len(model.requests[1].messages) == 1


async def test_a_question_that_is_no_sound_text_is_still_a_sendable_request() -> None:
    model = ScriptedModel(say("Hm."))
    await agent(model).chat("how is \ud800 prod?")
    assert words_of(model.requests[0].messages[0]).encode().decode() == "how is � prod?"


@pytest.mark.parametrize("text", ["", "   ", "\n"])
async def test_an_empty_question_is_still_a_valid_request(text: str) -> None:
    assert (await agent(ScriptedModel(say("Ask me something."))).chat(text)).text == "Ask me something."


async def test_a_change_of_model_in_a_thread_drops_the_thinking_of_the_first() -> None:
    store = MemorySessions()
    thought = {"type": "thinking", "thinking": "hm", "signature": "sig"}

    class Lenient(ScriptedModel):
        async def reply(self, request: Any, on_text: Any = None) -> Any:
            self.requests.append(request)
            return self.script.pop(0)

    await agent(Lenient(say(thought, "one"), name="a"), store=store).chat("first")
    same, other = Lenient(say("two"), name="a"), Lenient(say("three"), name="b")
    await agent(same, store=store).chat("second")
    await agent(other, store=store).chat("third")
    assert thought in same.requests[0].messages[1]["content"]
    assert thought not in other.requests[0].messages[1]["content"]
