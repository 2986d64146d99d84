"""Stand-ins that the tests of the agent share: a scripted model, tools of plain functions, a clock that is set."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from agent.errors import ModelError
from agent.messages import Block, Message
from agent.model import Analyst, OnText, Reply, Request, StopReason, Usage
from agent.progress import Progress
from agent.tools import ToolResult, ToolSpec
from tests.fakes.messages_server.history import check_messages

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NUMBER = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}

Behaviour = Callable[[Mapping[str, Any]], Awaitable[ToolResult]]


def say(*blocks: Block | str, stop: StopReason | None = None) -> Reply:
    """A reply of these blocks; a string is a text block."""
    content = tuple({"type": "text", "text": block} if isinstance(block, str) else block for block in blocks)
    calls = any(block["type"] == "tool_use" for block in content)
    return Reply(content, stop or ("tool_use" if calls else "end_turn"), "scripted-1", Usage(10, 1))


def call(call_id: str, name: str = "double", **arguments: Any) -> Block:
    return {"type": "tool_use", "id": call_id, "name": name, "input": arguments}


class ScriptedModel:
    """Plays replies and errors in order, and keeps every request; refuses a history that the API would refuse."""

    def __init__(self, *script: Reply | ModelError, name: str = "scripted", analyst: Analyst = "claude") -> None:
        self.script = list(script)
        self.requests: list[Request] = []
        self.name = name
        self.analyst: Analyst = analyst

    async def reply(self, request: Request, on_text: OnText | None = None) -> Reply:
        check_valid(request.messages)
        self.requests.append(request)
        step = self.script.pop(0)
        if isinstance(step, ModelError):
            raise step
        if on_text is not None and step.text:
            await on_text(step.text)
        return step


class FunctionTools:
    """Tools by name, each one coroutine function; all take one integer `a` unless a spec is given."""

    def __init__(self, specs: Iterable[ToolSpec] = (), **functions: Behaviour) -> None:
        self._functions = functions
        self._specs = {spec.name: spec for spec in specs}
        self.calls: list[tuple[str, Mapping[str, Any]]] = []

    async def specs(self) -> Sequence[ToolSpec]:
        names = sorted(self._functions)
        return [self._specs.get(name) or ToolSpec(name, f"{name} of a number", NUMBER) for name in names]

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        self.calls.append((name, arguments))
        if name not in self._functions:
            return ToolResult(f"unknown_tool: {name}", is_error=True)
        return await self._functions[name](arguments)


async def double(arguments: Mapping[str, Any]) -> ToolResult:
    value = 2 * arguments["a"]
    return ToolResult(f"twice is {value}", data={"value": value})


async def never(arguments: Mapping[str, Any]) -> ToolResult:
    await asyncio.Event().wait()
    raise AssertionError("nobody sets this event")


class Clock:
    """Stands still until it is moved; `sleep` moves it by what was slept and keeps a list."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


class Recorder:
    """Keeps the events of a turn."""

    def __init__(self) -> None:
        self.events: list[Progress] = []

    async def __call__(self, event: Progress) -> None:
        self.events.append(event)

    def of(self, kind: type[Progress]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def check_valid(messages: Sequence[Message]) -> None:
    """Raises where the Messages API would refuse this history as a request."""
    check_messages(list(messages), "claude-sonnet-5-5", {})


def check_closed(messages: Sequence[Message]) -> None:
    """The history is one that a next question can be added to."""
    follow_up: Message = {"role": "user", "content": [{"type": "text", "text": "and now?"}]}
    check_valid([*messages, follow_up])
    assert not messages or messages[-1]["role"] == "assistant"
