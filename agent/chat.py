"""The agent of one thread: a question in, an answer out, and a history that a failure never spoils."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from agent.acting import Acting
from agent.answer import Answer
from agent.approval import Acts, Approvals
from agent.discovery import Discovery
from agent.errors import AgentError, ModelError
from agent.journal import UNWRITTEN, Chapter, Journal, Json
from agent.loop import MAX_TOOL_ROUNDS, Limits, Loop, Turn, ignore_progress
from agent.messages import Message, question, words_of
from agent.model import Model
from agent.progress import OnProgress, TextDiscarded
from agent.prompts import Prompt, load
from agent.receipts import Grounds, marked, receipts, results_in
from agent.session import HistoryLimits, SavedTurn, SessionStore, history_for
from agent.tool_round import ToolLimits
from agent.tools import Tools

log = logging.getLogger(__name__)

BY_FLOOR = "This answer was put together by fixed rules from the same data."
LIMITED = "A limit of this turn was reached, so this is answered from what was found until then."
CUT = "The answer was cut off at the model's length limit."
# A pasted log may be this long and still leaves most of the context to the tools.
MAX_QUESTION_CHARS = 40_000


def utc_now() -> datetime:
    """The time of day, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Asked:
    message: Message
    at: datetime
    acting: Acting | None


class BYOCAgent:
    """Answers in one thread. Several agents of a thread may share a store: their turns still run one by one."""

    def __init__(
        self,
        model: Model,
        tools: Tools,
        *,
        store: SessionStore,
        thread: str,
        floor: Model | None = None,
        discovery: Discovery | None = None,
        health_rules: str = "",
        max_rounds: int = MAX_TOOL_ROUNDS,
        turn_seconds: float = Limits().seconds,
        tool_limits: ToolLimits | None = None,
        history_limits: HistoryLimits | None = None,
        notices: Callable[[], Sequence[str]] = tuple,
        acts: Acts | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._model = model
        self._floor = floor
        self._tools = tools
        self._store = store
        self._thread = thread
        self._discovery = discovery or Discovery(tools)
        self._health_rules = health_rules
        self._limits = Limits(rounds=max_rounds, seconds=turn_seconds, tools=tool_limits or ToolLimits())
        self._history_limits = history_limits or HistoryLimits()
        self._notices = notices
        self._acts = acts
        self._clock = clock
        self._now = now
        self._prompt: Prompt = load("chat")
        self._history: tuple[Message, ...] = ()

    @property
    def conversation_history(self) -> tuple[Message, ...]:
        """The thread's messages as of this agent's last turn, oldest first; empty before its first."""
        return self._history

    async def reset_conversation(self) -> None:
        """Forget the thread."""
        async with self._store.exclusive(self._thread):
            await self._store.clear(self._thread)
            self._history = ()

    async def chat(
        self,
        text: str,
        on_progress: OnProgress | None = None,
        journal: Journal = UNWRITTEN,
        overheard: str = "",
        approvals: Approvals | None = None,
    ) -> Answer:
        """Answer one message of the thread. `overheard` is JSON of what others said there before it. Nothing that
        changes something is called without `approvals`.

        A model that cannot answer is stood in for by the floor, and `notice` says why; without a floor the answer is
        `failed` and the question leaves no trace in the history. A turn is saved whole, at its end; one that is
        repeated with the `journal` of its first try takes up where that ended and is saved once. The notices of the
        agent's making, such as a tool server that is away, end up in the answer's own.
        """
        async with self._store.exclusive(self._thread):
            saved = await self._store.load(self._thread)

            async def begun() -> Json:
                return {"turns": len(saved), "asked_at": self._now().isoformat()}

            begin = await journal.step("begun", begun)
            saved = saved[: begin["turns"]]
            self._remember(saved)
            asked_at = datetime.fromisoformat(begin["asked_at"])
            asked = question(text.strip()[:MAX_QUESTION_CHARS] or "(an empty message)", asked_at, overheard)
            acting = Acting(self._acts, approvals) if self._acts and approvals else None
            begun_with = _Asked(asked, asked_at, acting)
            answer = await self._answer(saved, begun_with, on_progress or ignore_progress, journal)
            return replace(answer, notice=" ".join(filter(None, (answer.notice, *self._notices()))))

    async def _answer(
        self, saved: Sequence[SavedTurn], asked: _Asked, on_progress: OnProgress, journal: Journal
    ) -> Answer:
        started = self._clock()
        try:
            return await self._turn(self._model, saved, asked, on_progress, journal)
        except ModelError as error:
            log.warning("%s gave no answer: %s: %s", self._model.name, type(error).__name__, error)
            fault: AgentError = error
        except AgentError as error:
            log.warning("no answer: %s: %s", type(error).__name__, error)
            return self._failed(error, started)
        # Only a model's fault gets here: the floor needs the same tools, so it could not help where those are away.
        if self._floor is None:
            return self._failed(fault, started)
        # Half a sentence of the first model may be on the screen already.
        await on_progress(TextDiscarded())
        try:
            answer = await self._turn(self._floor, saved, asked, on_progress, Chapter(journal, "floor"))
        except AgentError as error:
            log.warning("the floor gave no answer either: %s: %s", type(error).__name__, error)
            # The first fault is the one that an operator can do something about; the floor's own is news only if it
            # is about tools.
            return self._failed(error if not isinstance(error, ModelError) else fault, started)
        return replace(answer, notice=f"{fault.user_message} {BY_FLOOR}", seconds=self._clock() - started)

    async def _turn(
        self, model: Model, saved: Sequence[SavedTurn], asked: _Asked, on_progress: OnProgress, journal: Journal
    ) -> Answer:
        """One run of the loop. Saved only when whole: a turn that fails or is cancelled can simply be run again."""
        # Made for the model that is asked: the floor must not be shown another one's thinking.
        earlier = history_for(model.name, saved, self._history_limits)
        history = [*earlier, asked.message]
        system = self._prompt.render(schema=await self._discovery.text(), health_rules=self._health_rules)
        turn = await Loop(model, self._tools, system=system, limits=self._limits, clock=self._clock).run(
            history, on_progress, journal, asked.acting
        )
        # What was added, not what was shown: emptied results stay whole in the store.
        done = SavedTurn(model.name, tuple(history[len(earlier) :]))
        await self._store.append(self._thread, done, position=len(saved))
        self._remember([*saved, done])
        return await _with_receipts(_answer_of(turn), earlier, asked)

    def _failed(self, error: AgentError, started: float) -> Answer:
        return Answer(
            text=error.user_message,
            analyst=self._model.analyst,
            model=self._model.name,
            rounds=0,
            seconds=self._clock() - started,
            failed=True,
        )

    def _remember(self, turns: Sequence[SavedTurn]) -> None:
        self._history = tuple(message for turn in turns for message in turn.messages)


async def _with_receipts(answer: Answer, earlier: Sequence[Message], asked: _Asked) -> Answer:
    """The answer with its figures held against what the tools gave, and a sign behind those that nothing gave."""
    grounds = Grounds(
        answer.tools, tuple(results_in(earlier)), words_of(asked.message), asked.at.astimezone(UTC).replace(tzinfo=None)
    )
    # some results are large, and other threads need not wait while they are sorted
    found = await asyncio.to_thread(receipts, answer.text, grounds)
    if answer.analyst == "rules-only":
        # Code counted and compared there; what that gave stands in no one cell, and no model had a hand in it.
        found = replace(found, unbound=())
    if found.unbound:
        log.info("%d of %d figures are in no query result", len(found.unbound), found.stated)
    return replace(answer, text=marked(answer.text, found), receipts=found)


def _answer_of(turn: Turn) -> Answer:
    return Answer(
        text=turn.text,
        analyst=turn.analyst,
        model=turn.model,
        rounds=turn.rounds,
        usage=turn.usage,
        tools=turn.tools,
        seconds=turn.seconds,
        notice={"answered": "", "limited": LIMITED, "cut": CUT}[turn.ending],
    )
