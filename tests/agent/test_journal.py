"""Turns that are begun again: what was written down is not done a second time, and the outcome is the same."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from agent.chat import BYOCAgent
from agent.errors import ModelError, ModelOverloaded
from agent.journal import Chapter, Json, Work
from agent.loop import MEANWHILE, Loop
from agent.messages import Message, user_text
from agent.model import Reply
from agent.recorded import fault_of, fault_record
from agent.session import MemorySessions
from agent.tools import ToolResult
from tests.agent.doubles import NOON, FunctionTools, ScriptedModel, call, check_closed, double, say


class Died(BaseException):
    """The process is gone."""


class Kept:
    """A journal in memory; `lives` steps are written down, then the process dies before the next one."""

    def __init__(self, lives: int = 1000) -> None:
        self.lives = lives
        self.steps: dict[str, Json] = {}
        self.said: dict[str, list[str]] = {}

    async def step(self, name: str, work: Work) -> Json:
        if name not in self.steps:
            result = await work()
            if self.lives == 0:
                raise Died
            self.lives -= 1
            self.steps[name] = result
        return self.steps[name]

    async def heard(self, name: str) -> Sequence[str]:
        return self.said.get(name, ())


SCRIPT = (say("looking", call("x", a=1), call("y", a=2)), say(call("z", a=3)), say("the answer"))


@pytest.mark.parametrize("lives", range(7))
async def test_a_turn_goes_on_where_its_process_died_and_ends_the_same(lives: int) -> None:
    whole: list[Message] = [user_text("go")]
    await Loop(ScriptedModel(*SCRIPT), FunctionTools(double=double), system="s").run(whole)
    journal, tools = Kept(lives), FunctionTools(double=double)
    again: list[Message] = [user_text("go")]
    if lives < 6:
        with pytest.raises((Died, BaseExceptionGroup)):
            await Loop(ScriptedModel(*SCRIPT), tools, system="s").run([user_text("go")], journal=journal)
    written, made, journal.lives = set(journal.steps), len(tools.calls), 1000
    rest = [reply for number, reply in enumerate(SCRIPT, 1) if f"round:{number}" not in written]
    turn = await Loop(ScriptedModel(*rest), tools, system="s").run(again, journal=journal)
    assert again == whole
    assert (turn.text, turn.rounds, turn.usage.input_tokens) == ("the answer", 3, 30)
    assert len(tools.calls) - made == 3 - sum(name.startswith("tool:") for name in written)


async def test_what_was_added_meanwhile_stands_behind_the_results_of_the_round() -> None:
    journal = Kept()
    journal.said = {"heard:1": ["and the disks?", "of prod-1"]}
    model = ScriptedModel(say(call("x", a=1)), say("done"))
    history = [user_text("go")]
    await Loop(model, FunctionTools(double=double), system="s").run(history, journal=journal)
    kinds = [block["type"] for block in history[2]["content"]]
    assert kinds == ["tool_result", "text", "text"]
    assert history[2]["content"][1]["text"] == f"{MEANWHILE}\nand the disks?"
    check_closed(history)


async def test_a_fault_of_the_model_is_written_down_and_the_floor_has_steps_of_its_own() -> None:
    journal, sessions = Kept(), MemorySessions()
    faults: list[Reply | ModelError] = [ModelOverloaded("529", retry_after=2.0)]

    def agent(*script: Reply | ModelError, floor: ScriptedModel) -> BYOCAgent:
        tools = FunctionTools(double=double, discover_schema=schema)
        return BYOCAgent(ScriptedModel(*script), tools, store=sessions, thread="t", floor=floor, now=lambda: NOON)

    floor = ScriptedModel(say("by rules"), analyst="rules-only")
    first = await agent(*faults, floor=floor).chat("hi", journal=journal)
    again = await agent(floor=ScriptedModel()).chat("hi", journal=journal)
    assert (first.text, first.notice) == (again.text, again.notice)
    assert {"round:1", "floor/round:1"} <= set(journal.steps)
    (saved,) = await sessions.load("t")
    assert len(saved.messages) == 2


async def schema(arguments: Mapping[str, Any]) -> ToolResult:
    return ToolResult("tables")


async def test_a_turn_that_is_repeated_after_it_was_saved_sees_the_thread_as_it_was_and_is_saved_once() -> None:
    journal, sessions = Kept(), MemorySessions()
    tools = FunctionTools(discover_schema=schema)
    for text, script, steps in (
        ("one", [say("first")], Kept()),
        ("two", [say("second")], journal),
        ("two", [], journal),
    ):
        agent = BYOCAgent(ScriptedModel(*script), tools, store=sessions, thread="t", now=lambda: NOON)
        answer = await agent.chat(text, journal=steps)
    assert answer.text == "second"
    assert [turn.messages[-1]["content"][0]["text"] for turn in await sessions.load("t")] == ["first", "second"]


def test_faults_come_back_as_what_they_were() -> None:
    known = fault_of(fault_record(ModelOverloaded("529", retry_after=2.0)))
    assert (type(known), str(known), known.retry_after) == (ModelOverloaded, "529", 2.0)
    assert type(fault_of({"fault": "AgentError", "detail": "", "retry_after": None})) is ModelError
    assert type(fault_of({"fault": "annotations", "detail": "", "retry_after": None})) is ModelError


async def test_chapters_keep_steps_of_one_name_apart() -> None:
    journal = Kept()

    async def one() -> Json:
        return 1

    async def two() -> Json:
        return 2

    assert [await journal.step("a", one), await Chapter(journal, "floor").step("a", two)] == [1, 2]
