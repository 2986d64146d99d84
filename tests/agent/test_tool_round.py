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
