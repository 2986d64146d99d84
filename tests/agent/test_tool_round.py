"""Tool calls of a round: checked before they run, bounded while they do, answered once each."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.loop import ignore_progress
from agent.messages import Block
from agent.tool_round import ToolLimits, ToolRounds, argument_problem
from agent.tools import ToolResult, ToolSpec
from tests.agent.doubles import NUMBER, FunctionTools, call, double, never


async def rounds(tools: FunctionTools, **limits: Any) -> ToolRounds:
    return ToolRounds(tools, await tools.specs(), ToolLimits(**limits), ignore_progress)


async def run(running: ToolRounds, *blocks: Block) -> list[Block]:
    results: list[Block] = []
    await running.run(blocks, results)
    assert [result["tool_use_id"] for result in results] == [block["id"] for block in blocks]
    return results


async def test_an_unknown_tool_is_an_error_that_names_the_known_ones() -> None:
    tools = FunctionTools(double=double, half=double)
    (result,) = await run(await rounds(tools), call("x", "drop_table", a=1))
    assert result["is_error"]
    assert "double, half" in result["content"]
    assert tools.calls == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({}, "'a' is a required property"), ({"a": "1"}, "a: '1' is not of type"), ({"a": 1, "b": 2}, "'b'")],
)
async def test_bad_arguments_are_an_error_and_the_tool_is_not_called(arguments: dict[str, Any], words: str) -> None:
    tools = FunctionTools(double=double)
    (result,) = await run(await rounds(tools), call("x", **arguments))
    assert result["is_error"]
    assert words in result["content"]
    assert "takes: a" in result["content"]
    assert tools.calls == []


async def test_huge_arguments_are_refused() -> None:
    tools = FunctionTools([ToolSpec("echo", "", {"type": "object", "properties": {"sql": {}}})], echo=double)
    (result,) = await run(await rounds(tools), call("x", "echo", sql="x" * 1_000_000))
    assert "longer than" in result["content"]
    assert tools.calls == []


async def test_a_tool_that_raises_becomes_an_error_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(arguments: Mapping[str, Any]) -> ToolResult:
        raise RuntimeError("password=hunter2")

    (first, second) = await run(
        await rounds(FunctionTools(broken=broken, double=double)), call("x", "broken", a=1), call("y", a=1)
    )
    assert first["is_error"]
    assert "hunter2" not in first["content"]
    assert "hunter2" in caplog.text
    assert second["content"] == "twice is 2"


async def test_a_tool_that_hangs_is_given_up_and_cancelled() -> None:
    (result,) = await run(await rounds(FunctionTools(never=never), seconds=0.02), call("x", "never", a=1))
    assert result["is_error"]
    assert result["content"].startswith("TIMEOUT: never gave no answer in 0.02 s")


async def test_no_more_calls_run_at_once_than_allowed() -> None:
    running, most = 0, 0

    async def counted(arguments: Mapping[str, Any]) -> ToolResult:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return await double(arguments)

    await run(await rounds(FunctionTools(double=counted), parallel=3), *(call(f"c{n}", a=n) for n in range(12)))
    assert most == 3


async def test_the_same_call_in_a_later_round_is_answered_from_memory_with_a_nudge() -> None:
    tools = FunctionTools(double=double)
    running = await rounds(tools)
    await run(running, call("x", a=1))
    (again,) = await run(running, call("y", a=1))
    assert len(tools.calls) == 1
    assert again["content"].endswith("twice is 2")
    assert "very call before" in again["content"]
    assert running.traces[1].data == {"value": 2}


async def test_the_same_call_twice_in_one_round_runs_once() -> None:
    tools = FunctionTools(double=double)
    first, second = await run(await rounds(tools), call("x", a=1), call("y", a=1))
    assert len(tools.calls) == 1
    assert first["content"] in second["content"]


@pytest.mark.parametrize(("code", "times"), [("unavailable", 2), ("timeout", 2), ("syntax", 1)])
async def test_a_call_that_failed_in_passing_may_be_made_again(code: str, times: int) -> None:
    async def failing(arguments: Mapping[str, Any]) -> ToolResult:
        return ToolResult(f"{code}: no", is_error=True, data={"code": code})

    tools = FunctionTools(double=failing)
    running = await rounds(tools)
    await run(running, call("x", a=1))
    (again,) = await run(running, call("y", a=1))
    assert again["is_error"]
    assert len(tools.calls) == times


async def test_long_results_are_cut_and_say_so() -> None:
    async def wordy(arguments: Mapping[str, Any]) -> ToolResult:
        return ToolResult("x" * 5000)

    (result,) = await run(await rounds(FunctionTools(wordy=wordy), result_chars=100), call("x", "wordy", a=1))
    assert result["content"].startswith("x" * 100 + "\n[cut: 100 of 5000")


async def test_an_empty_result_is_said_in_words() -> None:
    async def silent(arguments: Mapping[str, Any]) -> ToolResult:
        return ToolResult("  ")

    (result,) = await run(await rounds(FunctionTools(silent=silent)), call("x", "silent", a=1))
    assert result["content"] == "(the tool gave back nothing)"


async def test_invisible_and_unsendable_characters_of_a_result_do_not_reach_the_model() -> None:
    async def poisoned(arguments: Mapping[str, Any]) -> ToolResult:
        return ToolResult("prod\u200b-1\u202e\x1b[31m\ud800 is fine\n")

    (result,) = await run(await rounds(FunctionTools(poisoned=poisoned)), call("x", "poisoned", a=1))
    assert result["content"] == "prod-1[31m is fine\n"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.lists(
        st.tuples(st.sampled_from(["double", "nope", ""]), st.dictionaries(st.text(max_size=3), JSON, max_size=3)),
        max_size=6,
    )
)
async def test_whatever_is_called_each_call_gets_one_result(wanted: list[tuple[str, dict[str, Any]]]) -> None:
    blocks = [
        {"type": "tool_use", "id": f"c{n}", "name": name, "input": given} for n, (name, given) in enumerate(wanted)
    ]
    running = await rounds(FunctionTools(double=double))
    results = await run(running, *blocks)
    assert len(running.traces) == len(blocks)
    for block, result in zip(blocks, results, strict=True):
        fine = block["name"] == "double" and set(block["input"]) == {"a"} and isinstance(block["input"]["a"], int)
        assert fine or result["is_error"] or isinstance(block["input"]["a"], float)


@given(JSON)
def test_checking_arguments_never_raises(value: Any) -> None:
    spec = ToolSpec("t", "", NUMBER)
    assert isinstance(argument_problem(spec, {"a": value}), str)


def test_a_broken_schema_makes_the_tool_unusable_and_not_the_turn() -> None:
    assert "broken" in argument_problem(
        ToolSpec("t", "", {"type": "object", "properties": {"a": {"type": 7}}}), {"a": 1}
    )


@pytest.mark.parametrize("code", [[], {}, ["unavailable"], 7, None, True, "timeout "])
async def test_a_code_that_is_none_of_ours_neither_ends_the_turn_nor_lets_ask_again(code: Any) -> None:
    async def odd(arguments: Mapping[str, Any]) -> ToolResult:
        return ToolResult("no", is_error=True, data={"code": code})

    tools = FunctionTools(odd=odd)
    running = await rounds(tools)
    for call_id in ("x", "y"):
        (result,) = await run(running, call(call_id, "odd", a=1))
        assert result["is_error"]
    assert len(tools.calls) == 1


async def test_a_repeat_in_the_round_of_a_failure_hears_of_that_failure() -> None:
    async def away(arguments: Mapping[str, Any]) -> ToolResult:
        return ToolResult("unavailable: gone", is_error=True, data={"code": "unavailable"})

    tools = FunctionTools(away=away)
    first, second = await run(await rounds(tools), call("x", "away", a=1), call("y", "away", a=1))
    assert (first["is_error"], second["is_error"], len(tools.calls)) == (True, True, 1)
    assert "unavailable: gone" in second["content"]


async def test_arguments_in_another_order_are_the_same_call() -> None:
    pair = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}
    tools = FunctionTools([ToolSpec("double", "", pair)], double=double)
    await run(await rounds(tools), call("x", a=1, b=2), call("y", b=2, a=1), call("z", a=2, b=1))
    assert len(tools.calls) == 2


async def test_refused_calls_use_up_none_of_the_turns_calls() -> None:
    tools = FunctionTools(double=double)
    running = await rounds(tools, calls=2)
    await run(running, call("a", "nope", a=1), call("b", a="one"), call("c", a=1), call("d", a=1))
    assert running.calls_left == 1
    (_, refused) = await run(running, call("e", a=2), call("f", a=3))
    assert "all 2 calls of this turn are used" in refused["content"]
    assert [arguments for _, arguments in tools.calls] == [{"a": 1}, {"a": 2}]


async def test_a_result_of_exactly_the_allowed_length_is_whole() -> None:
    async def long(arguments: Mapping[str, Any]) -> ToolResult:
        return ToolResult("x" * arguments["a"])

    whole, cut = await run(await rounds(FunctionTools(long=long), result_chars=50), *(
        call(str(length), "long", a=length) for length in (50, 51)
    ))  # fmt: skip
    assert whole["content"] == "x" * 50
    assert cut["content"].startswith("x" * 50 + "\n[cut: 50 of 51")


async def test_traces_stand_in_the_order_of_the_calls_whatever_ended_first() -> None:
    gate = asyncio.Event()

    async def waits(arguments: Mapping[str, Any]) -> ToolResult:
        if arguments["a"]:
            gate.set()
        else:
            await gate.wait()
        return ToolResult(str(arguments["a"]))

    running = await rounds(FunctionTools(waits=waits))
    await run(running, call("x", "waits", a=0), call("y", "nope", a=5), call("z", "waits", a=1))
    assert [(trace.name, trace.is_error) for trace in running.traces] == [
        ("waits", False),
        ("nope", True),
        ("waits", False),
    ]
