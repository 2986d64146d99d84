"""Calls that change something, within a turn: put to people together, behind what only reads, and made as approved."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from agent.approval import UNKNOWN, Outcome, Proposal, Ruling, digest, unknown_outcome
from agent.chat import BYOCAgent
from agent.foreign import ArgumentRefused
from agent.session import MemorySessions
from agent.tools import Effect, ToolResult, ToolSpec
from tests.agent.doubles import NOON, FunctionTools, ScriptedModel, call, double, say

EFFECT = Effect("far", "Deletes.")
SCHEMA = {"type": "object", "properties": {"what": {"type": "string"}}, "required": ["what"]}


class Far(FunctionTools):
    """Tools of which one deletes; names in capitals are refused, those in front are made longer by the checks."""

    def __init__(self) -> None:
        super().__init__((ToolSpec("delete", "deletes", SCHEMA, EFFECT),), delete=double, double=double)
        self.deleted: list[Mapping[str, Any]] = []

    async def prepared(self, name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        if arguments["what"].isupper():
            raise ArgumentRefused("BAD_ARGUMENT: no capitals", {"code": "bad_argument"})
        return {**arguments, "checked": True}

    async def act(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        self.deleted.append(arguments)
        return unknown_outcome(name, "no answer") if arguments["what"] == "slow" else ToolResult("gone")


class People:
    """Decide as they are told to, and remember what they were asked."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome: Outcome = outcome
        self.asked: list[Sequence[Proposal]] = []

    async def ruling(self, proposals: Sequence[Proposal]) -> Ruling:
        self.asked.append(proposals)
        return Ruling(self.outcome, "Bob")

    async def once(self, proposal: Proposal, work: Callable[[], Awaitable[ToolResult]]) -> ToolResult:
        return await work()


async def results(far: Far, people: People | None, *rounds: Any) -> list[str]:
    """What the model was told in the end."""
    model = ScriptedModel(*(say(*calls) for calls in rounds), say("Done."))
    agent = BYOCAgent(model, far, store=MemorySessions(), thread="t", now=lambda: NOON, acts=far)
    answer = await agent.chat("delete it", approvals=people)
    return [trace.text for trace in answer.tools]


async def test_the_calls_of_a_round_are_asked_for_together_and_made_as_they_were_checked() -> None:
    far, people = Far(), People("approved")
    calls = (call("t1", "delete", what="a"), call("t2", "double", a=2), call("t3", "delete", what="b"))
    assert await results(far, people, calls) == ["gone", "twice is 4", "gone"]
    (asked,) = people.asked
    assert [one.call_id for one in asked] == ["t1", "t3"]
    assert (
        [one.arguments for one in asked]
        == far.deleted
        == [
            {"what": "a", "checked": True},
            {"what": "b", "checked": True},
        ]
    )
    assert ("delete", {"what": "a"}) not in far.calls


async def test_what_is_declined_is_not_asked_for_twice() -> None:
    far, people = Far(), People("declined")
    told = await results(far, people, (call("t1", "delete", what="a"),), (call("t2", "delete", what="a"),))
    assert told[0].startswith("DECLINED: Bob declined")
    assert "made this very call before" in told[1]
    assert (len(people.asked), far.deleted) == (1, [])


async def test_an_argument_that_is_refused_is_not_put_to_people() -> None:
    far, people = Far(), People("approved")
    told = await results(far, people, (call("t1", "delete", what="A"), call("t2", "delete", what="b")))
    assert told == ["BAD_ARGUMENT: no capitals", "gone"]
    assert [one.call_id for one in people.asked[0]] == ["t2"]
    far, people = Far(), People("approved")
    await results(far, people, (call("t1", "delete", what="A"),))
    assert people.asked == []


async def test_where_nobody_can_be_asked_nothing_is_done() -> None:
    far = Far()
    (told,) = await results(far, None, (call("t1", "delete", what="a"),))
    assert told.startswith("PERMISSION: nobody can be asked here")
    assert far.deleted == []


async def test_a_call_whose_outcome_is_unknown_is_not_made_again() -> None:
    far, people = Far(), People("approved")
    told = await results(far, people, (call("t1", "delete", what="slow"),), (call("t2", "delete", what="slow"),))
    assert told[0].startswith(UNKNOWN.upper())
    assert len(far.deleted) == 1


def test_the_hash_tells_every_change_of_what_would_run() -> None:
    plain = Proposal("c", "delete", {"name": "a"}, EFFECT)
    others = [
        Proposal("c2", "delete", {"name": "a"}, EFFECT),
        Proposal("c", "stop", {"name": "a"}, EFFECT),
        Proposal("c", "delete", {"name": "b"}, EFFECT),
        Proposal("c", "delete", {"name": "a"}, Effect("far", "Deletes.", destructive=False)),
    ]
    hashes = {digest([one]) for one in (plain, *others)} | {digest([plain, plain])}
    assert len(hashes) == 6
    assert digest([plain]) == digest([Proposal("c", "delete", {"name": "a"}, Effect("far", "Deletes."))])
