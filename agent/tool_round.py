"""The tool calls of one turn: checked, run side by side, remembered, and each answered exactly once."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import SchemaError, best_match  # type: ignore[import-untyped]

from agent.acting import Acting
from agent.answer import ToolTrace
from agent.approval import Proposal, unknown_outcome
from agent.journal import UNWRITTEN, Journal, Json
from agent.messages import Block
from agent.progress import OnProgress, ToolFinished, ToolStarted
from agent.recorded import outcome_of, outcome_record
from agent.tools import ToolResult, Tools, ToolSpec, failed
from agent.untrusted import visible

log = logging.getLogger(__name__)

CANCELLED = "Cancelled by the user."
# Arguments are checked, kept and traced; a model that repeats itself without end must not fill memory with them.
MAX_ARGUMENT_CHARS = 32_000
MAX_TRACE_CHARS = 64_000
"""Characters of a result without rows that are kept for its figures; a model is shown less."""
# Everything else is an answer about the data and would be the same a second time.
PASSING_FAULTS = frozenset({"unavailable", "timeout"})


@dataclass(frozen=True, slots=True)
class ToolLimits:
    """Caps on the tools of one turn: calls in all, calls at once, seconds per call, characters per result."""

    calls: int = 40
    parallel: int = 8
    seconds: float = 60.0
    result_chars: int = 16_000


@dataclass(frozen=True, slots=True)
class _Call:
    call_id: str
    name: str
    arguments: Mapping[str, Any]
    key: str


_Outcome = tuple[ToolResult, float]
_Deed = Callable[[], Awaitable[ToolResult]]


class ToolRounds:
    """Runs the calls of each round of one turn. `traces` grows in the order of the calls."""

    def __init__(
        self,
        tools: Tools,
        specs: Sequence[ToolSpec],
        limits: ToolLimits,
        on_progress: OnProgress,
        clock: Callable[[], float] = time.monotonic,
        journal: Journal = UNWRITTEN,
        acting: Acting | None = None,
    ) -> None:
        self._tools = tools
        self._acting = acting
        self._specs = {spec.name: spec for spec in specs}
        self._limits = limits
        self._on_progress = on_progress
        self._clock = clock
        self._journal = journal
        self._slots = asyncio.Semaphore(limits.parallel)
        self._memory: dict[str, ToolResult] = {}
        self.traces: list[ToolTrace] = []
        self.calls_made = 0

    @property
    def calls_left(self) -> int:
        """How many more calls this turn may make."""
        return self._limits.calls - self.calls_made

    async def run(self, blocks: Sequence[Block], results: list[Block]) -> None:
        """Fill `results` with one `tool_result` per `tool_use` block, in order.

        When this task is cancelled `results` is filled too: finished calls keep what they gave, the others say that
        they were cancelled. So the history that holds both stays valid.
        """
        # Read before anything runs, so that each call has its result even when the first one is cancelled at once.
        calls = [_call(block) for block in blocks]
        outcomes: dict[str, _Outcome] = {}
        try:
            await self._run_all(calls, outcomes)
        finally:
            for call in calls:
                result, seconds = outcomes.get(call.call_id, (ToolResult(CANCELLED, is_error=True), 0.0))
                results.append(_result_block(call.call_id, result, self._limits.result_chars))
                self.traces.append(_trace(call, result, seconds))

    async def _run_all(self, calls: Sequence[_Call], outcomes: dict[str, _Outcome]) -> None:
        fresh: dict[str, _Call] = {}
        repeats: list[_Call] = []
        for call in calls:
            # Before the checks: a repeated call costs nothing, so it needs no allowance, and hears what it did the
            # first time.
            if call.key in self._memory or call.key in fresh:
                repeats.append(call)
            elif problem := self._problem(call):
                outcomes[call.call_id] = (problem, 0.0)
            else:
                # Here and not when it ends: calls that run side by side must not share the last allowance.
                self.calls_made += 1
                fresh[call.key] = call
        acts = [call for call in fresh.values() if self._specs[call.name].effect is not None]
        async with asyncio.TaskGroup() as group:
            for call in fresh.values():
                if call not in acts:
                    group.create_task(self._run_one(call, outcomes))
        # last, so that a turn that waits for people has all that it can have without them
        await self._act(acts, outcomes)
        for call in repeats:
            known = self._memory.get(call.key) or outcomes[fresh[call.key].call_id][0]
            outcomes[call.call_id] = (_reminder(known), 0.0)

    async def _act(self, calls: Sequence[_Call], outcomes: dict[str, _Outcome]) -> None:
        """Calls that change something: one by one, once people have approved all of them."""
        proposals: dict[str, Proposal] = {}
        for call in calls:
            found = await self._proposal(call)
            if isinstance(found, Proposal):
                proposals[call.call_id] = found
            else:
                self._refuse(call, found, outcomes)
        if not proposals or self._acting is None:
            return
        refused = await self._acting.refused(tuple(proposals.values()))
        for call in (one for one in calls if one.call_id in proposals):
            if refused is not None:
                self._refuse(call, refused, outcomes)
            else:
                await self._run_one(call, outcomes, partial(self._acting.do, proposals[call.call_id]))

    async def _proposal(self, call: _Call) -> Proposal | ToolResult:
        effect = self._specs[call.name].effect
        if self._acting is None or effect is None:
            return failed("permission", f"nobody can be asked here to approve {call.name}", "say so, do without it")
        return await self._acting.proposal(call.call_id, call.name, call.arguments, effect)

    def _refuse(self, call: _Call, result: ToolResult, outcomes: dict[str, _Outcome]) -> None:
        outcomes[call.call_id] = (result, 0.0)
        self._memory[call.key] = result

    def _problem(self, call: _Call) -> ToolResult | None:
        spec = self._specs.get(call.name)
        if spec is None:
            names = ", ".join(sorted(self._specs)) or "none"
            return failed("unknown_tool", f"there is no tool {call.name[:80]!r}", f"one of these: {names}")
        # Before the schema, whose patterns could take long on a huge text.
        if len(call.key) > MAX_ARGUMENT_CHARS:
            return failed("bad_argument", f"the arguments are longer than {MAX_ARGUMENT_CHARS} characters")
        if problem := argument_problem(spec, call.arguments):
            return failed("bad_argument", problem)
        if self.calls_left <= 0:
            return failed("call_limit", f"all {self._limits.calls} calls of this turn are used", "answer now")
        return None

    async def _run_one(self, call: _Call, outcomes: dict[str, _Outcome], deed: _Deed | None = None) -> None:
        # The step begins before a slot is waited for: the steps of a round begin in the order of its calls.
        result, seconds = outcome_of(
            await self._journal.step(f"tool:{call.call_id}", lambda: self._timed(call, outcomes, deed))
        )
        outcomes[call.call_id] = (result, seconds)
        # What failed in passing may be asked again. The code is compared as text: a server may send anything there.
        if str((result.data or {}).get("code")) not in PASSING_FAULTS:
            self._memory[call.key] = result

    async def _timed(self, call: _Call, outcomes: dict[str, _Outcome], deed: _Deed | None) -> Json:
        async with self._slots:
            await self._on_progress(ToolStarted(call.call_id, call.name, call.arguments))
            started = self._clock()
            result = await self._guarded(call, deed)
            seconds = self._clock() - started
            # Before the progress is told: should the surface fail, the history still has what the tool gave.
            outcomes[call.call_id] = (result, seconds)
            await self._on_progress(ToolFinished(call.call_id, call.name, result.is_error, seconds))
        return outcome_record(result, seconds)

    async def _guarded(self, call: _Call, deed: _Deed | None) -> ToolResult:
        try:
            async with asyncio.timeout(self._limits.seconds):
                return await (deed() if deed else self._tools.call(call.name, call.arguments))
        except TimeoutError:
            if deed:
                return unknown_outcome(call.name, f"no answer in {self._limits.seconds:g} s")
            return failed("timeout", f"{call.name} gave no answer in {self._limits.seconds:g} s", "ask for less")
        except (
            Exception
        ):  # a tool of whatever server must not end the turn; the model hears of it, the log has the rest
            log.exception("tool %s broke its promise not to raise", call.name)
            return failed("execution", f"{call.name} failed", "another tool, or answer without it")


def argument_problem(spec: ToolSpec, arguments: Mapping[str, Any]) -> str:
    """What is wrong with the arguments of a call, in words for the model; empty when nothing is.

    Arguments that the schema does not name are refused even where it would let them pass: servers drop them silently,
    and the model would believe that they did something.
    """
    # A schema that says otherwise is believed; only its silence is read as no.
    schema = {"additionalProperties": False, **spec.input_schema}
    validator = _validator(json.dumps(schema))
    if validator is None:
        return f"the schema of {spec.name} is broken; do not use this tool"
    error = best_match(validator.iter_errors(dict(arguments)))
    if error is None:
        return ""
    place = ".".join(str(part) for part in error.absolute_path) or "arguments"
    return f"{place}: {error.message[:300]} | {spec.name} takes: {', '.join(schema.get('properties', {})) or 'nothing'}"


@lru_cache(maxsize=512)
def _validator(schema: str) -> Draft202012Validator | None:
    """Checking a schema takes longer than using it, and every turn brings the same ones."""
    parsed = json.loads(schema)
    try:
        Draft202012Validator.check_schema(parsed)
    except SchemaError:
        return None
    return Draft202012Validator(parsed)


def _call(block: Block) -> _Call:
    arguments = block["input"]
    key = f"{block['name']} {json.dumps(arguments, sort_keys=True, ensure_ascii=False)}"
    return _Call(block["id"], block["name"], arguments, key)


def _trace(call: _Call, result: ToolResult, seconds: float) -> ToolTrace:
    # a table's text is its rows once more
    text = "" if "rows" in (result.data or {}) else result.text[:MAX_TRACE_CHARS]
    return ToolTrace(call.name, call.arguments, result.is_error, seconds, result.data, text)


def _reminder(known: ToolResult) -> ToolResult:
    text = f"You made this very call before in this turn; asking again changes nothing. Its result was:\n{known.text}"
    return ToolResult(text, known.is_error, known.data)


def _result_block(call_id: str, result: ToolResult, max_chars: int) -> Block:
    # Invisible characters could hide instructions from people and not from the model; the door strips them as well,
    # but other servers may not.
    text = visible(result.text)
    text = text if text.strip() else "(the tool gave back nothing)"
    if len(text) > max_chars:
        note = f"[cut: {max_chars} of {len(text)} characters shown; aggregate or filter to see the rest]"
        text = f"{text[:max_chars]}\n{note}"
    block: Block = {"type": "tool_result", "tool_use_id": call_id, "content": text}
    return {**block, "is_error": True} if result.is_error else block
