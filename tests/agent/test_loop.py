"""The loop: rounds, limits, and a history that stays valid whatever happens."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from agent.errors import ModelOverloaded, ModelRefused, ModelTooLong, ModelUnavailable
from agent.loop import NO_ANSWER, Limits, Loop
from agent.messages import Message, user_text
from agent.model import OnText, Reply, Request, Usage
from agent.progress import RoundStarted, Spent, TextDiscarded, TextPiece, ToolFinished, ToolStarted
from agent.tool_round import CANCELLED, ToolLimits
from agent.tools import ToolResult
from tests.agent.doubles import Clock, FunctionTools, Recorder, ScriptedModel, call, check_closed, double, never, say


def loop(model: ScriptedModel, tools: FunctionTools | None = None, **kwargs: Any) -> Loop:
    return Loop(model, tools or FunctionTools(double=double), system="be brief", **kwargs)


async def test_an_answer_without_tools_is_one_round() -> None:
    history = [user_text("hi")]
    turn = await loop(ScriptedModel(say("hello"))).run(history)
    assert (turn.text, turn.ending, turn.rounds, turn.tools) == ("hello", "answered", 1, ())
    assert history == [user_text("hi"), {"role": "assistant", "content": [{"type": "text", "text": "hello"}]}]


async def test_results_of_a_round_stand_in_the_next_message_in_the_order_of_the_calls() -> None:
    first_may_end = asyncio.Event()

    async def ordered(arguments: Mapping[str, Any]) -> ToolResult:
        if arguments["a"] == 1:
            await first_may_end.wait()
        else:
            first_may_end.set()
        return await double(arguments)

    model = ScriptedModel(say("one moment", call("x", a=1), call("y", a=2)), say("done"))
    history = [user_text("go")]
    turn = await loop(model, FunctionTools(double=ordered)).run(history)
    assert history[2]["content"] == [
        {"type": "tool_result", "tool_use_id": "x", "content": "twice is 2"},
        {"type": "tool_result", "tool_use_id": "y", "content": "twice is 4"},
    ]
    assert [trace.data for trace in turn.tools] == [{"value": 2}, {"value": 4}]


async def test_usage_and_rounds_are_summed_and_the_last_text_is_the_answer() -> None:
    model = ScriptedModel(say("looking", call("x", a=1)), say(call("y", a=2)), say("the answer"))
    turn = await loop(model).run([user_text("go")])
    assert (turn.text, turn.rounds, turn.usage.input_tokens, turn.usage.output_tokens) == ("the answer", 3, 30, 3)


async def test_the_prefix_of_every_request_is_the_request_before() -> None:
    model = ScriptedModel(say(call("x", a=1)), say(call("y", a=2)), say("end"))
    await loop(model).run([user_text("go")])
    for earlier, later in zip(model.requests, model.requests[1:], strict=False):
        assert list(later.messages)[: len(earlier.messages)] == list(earlier.messages)
        assert (later.tools, later.system) == (earlier.tools, earlier.system)


async def test_the_last_allowed_round_may_not_call_tools_but_still_has_them() -> None:
    model = ScriptedModel(say(call("x", a=1)), say(call("y", a=2)), say("enough"))
    turn = await loop(model, limits=Limits(rounds=3)).run([user_text("go")])
    assert [request.may_call_tools for request in model.requests] == [True, True, False]
    assert all(request.tools for request in model.requests)
    assert (turn.text, turn.ending) == ("enough", "limited")


async def test_calls_made_in_a_round_that_forbids_them_are_not_run() -> None:
    tools = FunctionTools(double=double)
    history = [user_text("go")]
    turn = await loop(ScriptedModel(say("so far: 7", call("x", a=1))), tools, limits=Limits(rounds=1)).run(history)
    assert (turn.text, tools.calls) == ("so far: 7", [])
    check_closed(history)


async def test_a_last_round_without_words_still_ends_with_an_answer() -> None:
    history = [user_text("go")]
    turn = await loop(ScriptedModel(say(call("x", a=1))), limits=Limits(rounds=1)).run(history)
    assert turn.text == NO_ANSWER
    check_closed(history)


async def test_used_up_seconds_demand_the_answer_with_time_kept_for_it() -> None:
    clock = Clock()

    async def slow(arguments: Mapping[str, Any]) -> ToolResult:
        clock.time += 200
        return await double(arguments)

    model = ScriptedModel(say(call("x", a=1)), say("in time"))
    limits = Limits(seconds=180, answer_seconds=45)
    turn = await loop(model, FunctionTools(double=slow), limits=limits, clock=clock).run([user_text("go")])
    assert [(r.may_call_tools, r.seconds_left) for r in model.requests] == [(True, 180), (False, 45)]
    assert (turn.ending, turn.seconds) == ("limited", 200)


async def test_used_up_calls_demand_the_answer() -> None:
    tools = FunctionTools(double=double)
    model = ScriptedModel(say(*(call(f"c{n}", a=n) for n in range(5))), say("that is all"))
    limits = Limits(tools=ToolLimits(calls=3))
    history = [user_text("go")]
    turn = await loop(model, tools, limits=limits).run(history)
    assert len(tools.calls) == 3
    assert [block.get("is_error", False) for block in history[2]["content"]] == [False, False, False, True, True]
    assert (turn.ending, model.requests[1].may_call_tools) == ("limited", False)


async def test_a_refusal_leaves_nothing_in_the_history() -> None:
    history = [user_text("go")]
    with pytest.raises(ModelRefused):
        await loop(ScriptedModel(say(stop="refusal"))).run(history)
    assert history == [user_text("go")]


@pytest.mark.parametrize("stop", ["refusal", "max_tokens", "model_context_window_exceeded", "end_turn"])
async def test_only_a_reply_that_stopped_to_call_tools_runs_them(stop: Any) -> None:
    tools = FunctionTools(double=double)
    history = [user_text("go")]
    model = ScriptedModel(say("half an ans", call("x", a=1), stop=stop))
    if stop == "refusal":
        with pytest.raises(ModelRefused):
            await loop(model, tools).run(history)
    else:
        turn = await loop(model, tools).run(history)
        assert turn.ending == ("answered" if stop == "end_turn" else "cut")
        check_closed(history)
    assert tools.calls == []


async def test_thinking_that_belonged_to_a_dropped_call_is_dropped_with_it() -> None:
    thinking = {"type": "thinking", "thinking": "hm", "signature": "s"}
    history = [user_text("go")]
    await loop(ScriptedModel(say(thinking, "words", call("x", a=1), stop="max_tokens"))).run(history)
    assert history[-1]["content"] == [{"type": "text", "text": "words"}]


@pytest.mark.parametrize(("stop", "fault"), [("max_tokens", ModelTooLong), ("end_turn", ModelUnavailable)])
async def test_a_reply_without_words_is_no_answer(stop: Any, fault: type[Exception]) -> None:
    history = [user_text("go")]
    with pytest.raises(fault):
        await loop(ScriptedModel(say(" ", stop=stop))).run(history)
    assert history == [user_text("go")]


async def test_blank_text_beside_a_call_does_not_enter_the_history() -> None:
    history = [user_text("go")]
    await loop(ScriptedModel(say("\n\n", call("x", a=1)), say("end"))).run(history)
    assert history[1]["content"] == [call("x", a=1)]


async def test_call_ids_that_repeat_are_made_unique() -> None:
    history = [user_text("go")]
    model = ScriptedModel(say(call("x", a=1), call("x", a=2)), say(call("x", a=3)), say("end"))
    await loop(model).run(history)
    calls = [b["id"] for m in history for b in m["content"] if b["type"] == "tool_use"]
    answered = [b["tool_use_id"] for m in history for b in m["content"] if b["type"] == "tool_result"]
    assert calls == answered == ["x", "x_2", "x_3"]
    check_closed(history)


async def test_a_model_error_in_a_later_round_leaves_a_history_that_can_go_on() -> None:
    history: list[Message] = [user_text("go")]
    model = ScriptedModel(say(call("x", a=1)), ModelOverloaded("busy"), say("back again"))
    running = loop(model)
    with pytest.raises(ModelOverloaded):
        await running.run(history)
    turn = await running.run(history)
    assert turn.text == "back again"
    check_closed(history)


async def test_cancelling_a_round_answers_every_open_call() -> None:
    recorder, started = Recorder(), asyncio.Event()

    async def stuck(arguments: Mapping[str, Any]) -> ToolResult:
        if arguments["a"] == 1:
            return await double(arguments)
        started.set()
        return await never(arguments)

    history = [user_text("go")]
    model = ScriptedModel(say(call("x", a=1), call("y", a=2)), say("never asked"))
    task = asyncio.create_task(loop(model, FunctionTools(double=stuck)).run(history, recorder))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [block["content"] for block in history[2]["content"]] == ["twice is 2", CANCELLED]
    said: Message = {"role": "assistant", "content": [{"type": "text", "text": "stopped"}]}
    check_closed([*history, said])


async def test_progress_tells_of_rounds_tools_and_text_in_order() -> None:
    recorder = Recorder()
    await loop(ScriptedModel(say("hm", call("x", a=1)), say("end"))).run([user_text("go")], recorder)
    kinds = [type(event) for event in recorder.events]
    first = [RoundStarted, TextPiece, Spent, ToolStarted, ToolFinished]
    assert kinds == [*first, RoundStarted, TextPiece, Spent]
    assert recorder.events[3] == ToolStarted("x", "double", {"a": 1})
    assert recorder.of(RoundStarted) == [RoundStarted(1, False), RoundStarted(2, False)]


async def test_what_broken_tries_took_is_told_whatever_becomes_of_the_call() -> None:
    class Wasteful(ScriptedModel):
        async def reply(self, request: Request, on_text: OnText | None = None) -> Reply:
            assert request.on_wasted is not None
            request.on_wasted("scripted-0", Usage(7, 3))
            return await super().reply(request, on_text)

    recorder = Recorder()
    await loop(Wasteful(say("end"))).run([user_text("go")], recorder)
    assert recorder.of(Spent) == [Spent("scripted-0", Usage(7, 3)), Spent("scripted-1", Usage(10, 1))]
    with pytest.raises(ModelUnavailable):
        await loop(Wasteful(ModelUnavailable("gone"))).run([user_text("go")], recorder)
    assert recorder.of(Spent)[2:] == [Spent("scripted-0", Usage(7, 3))]


async def test_a_cancelled_call_tells_what_it_took_until_then() -> None:
    asked = asyncio.Event()

    class Slow(ScriptedModel):
        async def reply(self, request: Request, on_text: OnText | None = None) -> Reply:
            asked.set()
            try:
                await asyncio.Event().wait()
            finally:
                assert request.on_wasted is not None
                request.on_wasted("scripted-1", Usage(9, 2))
            raise AssertionError("nobody sets this event")

    recorder = Recorder()
    task = asyncio.create_task(loop(Slow()).run([user_text("go")], recorder))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert recorder.of(Spent) == [Spent("scripted-1", Usage(9, 2))]


async def test_text_that_is_taken_back_is_told_of() -> None:
    class Stutters(ScriptedModel):
        async def reply(self, request: Any, on_text: Any = None) -> Any:
            await on_text("the fle")
            await on_text("")
            return await super().reply(request, on_text)

    recorder = Recorder()
    await loop(Stutters(say("the fleet is fine"))).run([user_text("go")], recorder)
    assert recorder.events[1:-1] == [TextPiece("the fle"), TextDiscarded(), TextPiece("the fleet is fine")]


async def test_a_surface_that_fails_in_the_middle_of_a_round_leaves_a_closed_history() -> None:
    class Broken(Recorder):
        async def __call__(self, event: Any) -> None:
            if isinstance(event, ToolFinished):
                raise ConnectionError("the channel is gone")

    history = [user_text("go")]
    with pytest.raises(ExceptionGroup):
        await loop(ScriptedModel(say(call("x", a=1), call("y", a=2)))).run(history, Broken())
    answered = [block["tool_use_id"] for block in history[-1]["content"]]
    assert answered == ["x", "y"]
    history.append({"role": "assistant", "content": [{"type": "text", "text": "sorry"}]})
    check_closed(history)


async def test_time_that_runs_out_while_tools_run_makes_the_next_round_the_last() -> None:
    clock = Clock()

    async def slow(arguments: Mapping[str, Any]) -> ToolResult:
        clock.time += 200
        return ToolResult("late")

    model = ScriptedModel(say(call("x", "slow", a=1)), say("what I have"))
    turn = await loop(model, FunctionTools(slow=slow), clock=clock).run([user_text("go")])
    assert [request.may_call_tools for request in model.requests] == [True, False]
    assert (turn.ending, turn.seconds) == ("limited", 200)
    assert model.requests[1].seconds_left == Limits().answer_seconds


async def test_seconds_left_are_told_to_the_model_round_by_round() -> None:
    clock = Clock()

    async def slow(arguments: Mapping[str, Any]) -> ToolResult:
        clock.time += 50
        return ToolResult("done")

    model = ScriptedModel(say(call("x", "slow", a=1)), say(call("y", "slow", a=2)), say("end"))
    await loop(model, FunctionTools(slow=slow), clock=clock).run([user_text("go")])
    assert [request.seconds_left for request in model.requests] == [180, 130, 80]


async def test_a_follow_up_never_repeats_the_id_of_an_earlier_turn() -> None:
    history = [user_text("first")]
    await loop(ScriptedModel(say(call("x", a=1)), say("one"))).run(history)
    history.append(user_text("second"))
    await loop(ScriptedModel(say(call("x", a=2), call("x_2", a=3), call("x", a=4)), say("two"))).run(history)
    ids = [block["id"] for message in history for block in message["content"] if block["type"] == "tool_use"]
    assert len(ids) == len(set(ids)) == 4
    check_closed(history)


async def test_a_model_without_any_tools_still_answers() -> None:
    model = ScriptedModel(say("hello"))
    turn = await loop(model, FunctionTools()).run([user_text("hi")])
    assert (turn.text, model.requests[0].tools) == ("hello", ())
