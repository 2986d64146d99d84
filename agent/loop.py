"""The one tool-use loop, for chat, patrol and investigation: ask the model, run its tools, until it answers.

The history is only ever appended to and is valid for the Messages API after every step, whatever goes wrong."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from agent.acting import Acting
from agent.answer import ToolTrace
from agent.errors import ModelError, ModelRefused, ModelTooLong, ModelUnavailable
from agent.journal import UNWRITTEN, Journal, Json
from agent.messages import Block, Message, sound, text_of
from agent.model import Analyst, Model, Reply, Request, Usage
from agent.progress import OnProgress, Progress, RoundStarted, Spent, TextDiscarded, TextPiece
from agent.recorded import fault_of, fault_record, reply_of, reply_record
from agent.tool_round import ToolLimits, ToolRounds
from agent.tools import Tools, ToolSpec

# An operator's question takes three to six rounds; a model that needs more than this is going in circles.
MAX_TOOL_ROUNDS = 15
MEANWHILE = "While you worked, this was added in the thread; answer it too:"
NO_ANSWER = "I used up this turn without reaching an answer. Please ask for something narrower."


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps of one turn: model calls, seconds until the answer is demanded, and what its tools may do.
    `answer_seconds` are kept for that last answer even when `seconds` are used up."""

    rounds: int = MAX_TOOL_ROUNDS
    seconds: float = 180.0
    # Without this reserve the rounds could use up everything, and the turn would end with nothing to show for it.
    answer_seconds: float = 45.0
    tools: ToolLimits = field(default_factory=ToolLimits)


Ending = Literal["answered", "limited", "cut"]
"""`limited`: a limit demanded the answer; `cut`: the answer broke off at the model's length limit."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The outcome of one run of the loop; `rounds` counts model calls."""

    text: str
    ending: Ending
    analyst: Analyst
    model: str
    rounds: int
    usage: Usage
    tools: tuple[ToolTrace, ...]
    seconds: float


async def ignore_progress(event: Progress) -> None:
    """The `on_progress` of a caller that shows nothing."""


class Loop:
    """One model with one set of tools under one system prompt."""

    def __init__(
        self,
        model: Model,
        tools: Tools,
        *,
        system: str,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._tools = tools
        self._system = system
        self._limits = limits or Limits()
        self._clock = clock

    async def run(
        self,
        history: list[Message],
        on_progress: OnProgress = ignore_progress,
        journal: Journal = UNWRITTEN,
        acting: Acting | None = None,
    ) -> Turn:
        """Answer the user message that `history` ends with, appending all that is said on the way. Every model call
        and every tool call is a step of the `journal`; what people add meanwhile is read between two rounds. Without
        `acting` nothing that changes something is called.

        Raises `ModelError` and `ToolsUnavailable`; the history then ends with a user message. On cancellation a round
        of tools under way is closed first. Either way it is valid as it stands.
        """
        # Once per turn: tools that change between rounds would change the beginning of every request, and no cache
        # would hit.
        specs = tuple(await self._tools.specs())
        running = _Running(self._model, self._system, specs, self._limits, on_progress, self._clock, journal)
        rounds = ToolRounds(self._tools, specs, self._limits.tools, on_progress, self._clock, journal, acting)
        while True:
            reply, last = await running.ask(history, rounds.calls_left)
            # A stop for length or a refusal may leave half a call behind; only this reason promises whole ones.
            wanted = reply.tool_calls if reply.stop_reason == "tool_use" and not last else ()
            if not wanted:
                return running.finish(history, reply, last, rounds.traces)
            content = with_unique_ids(without_blanks(reply.content), history)
            results: list[Block] = []
            try:
                await rounds.run([block for block in content if block["type"] == "tool_use"], results)
            finally:
                # Both or neither: a call without its result would make every later request invalid.
                history.append({"role": "assistant", "content": content})
                history.append({"role": "user", "content": results})
            results.extend(await running.added())


class _Running:
    """One turn's counters and the place where its limits are tested."""

    def __init__(
        self,
        model: Model,
        system: str,
        specs: Sequence[ToolSpec],
        limits: Limits,
        on_progress: OnProgress,
        clock: Callable[[], float],
        journal: Journal,
    ) -> None:
        self._model = model
        self._system = system
        self._specs = specs
        self._limits = limits
        self._on_progress = on_progress
        self._clock = clock
        self._journal = journal
        self._started = clock()
        self._rounds = 0
        self._usage = Usage()

    async def ask(self, history: Sequence[Message], calls_left: int) -> tuple[Reply, bool]:
        """One model call, and whether it was the last allowed one."""
        left = self._limits.seconds - (self._clock() - self._started)
        last = self._rounds + 1 >= self._limits.rounds or left <= 0 or calls_left <= 0
        # Counted before the call: a model that fails has used its round as well.
        self._rounds += 1
        await self._on_progress(RoundStarted(self._rounds, last))
        seconds_left = max(left, self._limits.answer_seconds)
        # The tools stay in the request even when they may not be called: their absence would change its cached
        # beginning.
        wasted: list[Spent] = []
        request = Request(
            self._system,
            tuple(history),
            self._specs,
            may_call_tools=not last,
            seconds_left=seconds_left,
            on_wasted=lambda model, usage: wasted.append(Spent(model, usage)),
        )
        try:
            told = await self._journal.step(f"round:{self._rounds}", lambda: self._asked(request))
        finally:
            # who stops a turn, or meets a provider that breaks off, has had these tokens all the same
            for spent in wasted:
                await self._on_progress(spent)
        if "fault" in told:
            raise fault_of(told)
        reply = reply_of(told["reply"])
        self._usage += reply.usage
        await self._on_progress(Spent(reply.model, reply.usage))
        # as it was when the model was asked: the time that a repeated turn has left is another one
        return reply, not told["may_call_tools"]

    async def _asked(self, request: Request) -> Json:
        try:
            reply = await self._model.reply(request, self._on_text)
        except ModelError as fault:
            return fault_record(fault)
        return {"reply": reply_record(reply), "may_call_tools": request.may_call_tools}

    async def added(self) -> list[Block]:
        """What people said in the thread during this round, as blocks behind its results."""
        said = await self._journal.heard(f"heard:{self._rounds}")
        return [{"type": "text", "text": f"{MEANWHILE}\n{sound(text)}"} for text in said]

    async def _on_text(self, piece: str) -> None:
        await self._on_progress(TextPiece(piece) if piece else TextDiscarded())

    def finish(self, history: list[Message], reply: Reply, last: bool, traces: Sequence[ToolTrace]) -> Turn:
        """Close the turn with a reply that runs no tools."""
        # Before anything is appended: a refusal in the history tends to be repeated, so the turn leaves no trace.
        if reply.stop_reason == "refusal":
            raise ModelRefused("the model refused")
        cut = reply.stop_reason in {"max_tokens", "model_context_window_exceeded"}
        content = closing_content(reply)
        if not text_of(content).strip():
            if not last:
                # Silence before the last round is a fault that the floor can stand in for; afterwards there is no
                # time left for it.
                fault = ModelTooLong if cut else ModelUnavailable
                raise fault(f"no text in a reply that ended with {reply.stop_reason}")
            content = [{"type": "text", "text": NO_ANSWER}]
        history.append({"role": "assistant", "content": content})
        return Turn(
            text=text_of(content).strip(),
            ending="cut" if cut else "limited" if last else "answered",
            analyst=self._model.analyst,
            model=reply.model,
            rounds=self._rounds,
            usage=self._usage,
            tools=tuple(traces),
            seconds=self._clock() - self._started,
        )


def closing_content(reply: Reply) -> list[Block]:
    """The blocks of a last reply as they may stand in a history: calls that were never run are left out, and the
    thinking that belonged to them with them."""
    blocks = without_blanks(reply.content)
    if reply.tool_calls or reply.stop_reason in {"max_tokens", "model_context_window_exceeded"}:
        return [block for block in blocks if block["type"] == "text"]
    return blocks


def without_blanks(content: Sequence[Block]) -> list[Block]:
    """The blocks but blank texts: a model may write them, and the API refuses to take them back."""
    return [block for block in content if block["type"] != "text" or block["text"].strip()]


def with_unique_ids(content: Sequence[Block], history: Sequence[Message]) -> list[Block]:
    """The blocks with every call id made unique in the history: results are matched to calls by id alone."""
    used = {block["id"] for message in history for block in message["content"] if block["type"] == "tool_use"}
    blocks: list[Block] = []
    for block in content:
        if block["type"] != "tool_use":
            blocks.append(block)
            continue
        call_id, number = block["id"], 2
        # Some providers count their ids anew in every reply.
        while call_id in used:
            call_id, number = f"{block['id']}_{number}", number + 1
        used.add(call_id)
        blocks.append(block if call_id == block["id"] else {**block, "id": call_id})
    return blocks
