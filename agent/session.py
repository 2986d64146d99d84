"""The history of one thread as saved turns, the port to whoever keeps it, and what of it is shown to a model."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakValueDictionary

from agent.messages import Block, Message


@dataclass(frozen=True, slots=True)
class SavedTurn:
    """One finished turn: a user message first, an assistant message last. `model` wrote it, and only the same model
    takes its thinking blocks back."""

    model: str
    messages: tuple[Message, ...]


class SessionStore(Protocol):
    """Keeps sessions. A turn is appended whole or not at all."""

    async def load(self, thread: str) -> Sequence[SavedTurn]:
        """The turns of a thread, oldest first; none for an unknown thread."""
        ...

    async def append(self, thread: str, turn: SavedTurn, *, position: int | None = None) -> None:
        """Add one finished turn, in one step: at the end, or as number `position` (from 0) of the thread's turns.
        A turn that stands there already stays, so that a repeated one is saved once."""
        ...

    async def clear(self, thread: str) -> None:
        """Forget a thread."""
        ...

    def exclusive(self, thread: str) -> AbstractAsyncContextManager[None]:
        """Holds the thread, so that its turns run one after another, in the order in which they came."""
        ...


class ThreadLocks:
    """One lock per thread in use, for stores of a single process; locks of idle threads vanish."""

    def __init__(self) -> None:
        # Weak, because threads come and go for ever and nobody tells when one is over.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def hold(self, thread: str) -> AsyncIterator[None]:
        """Waits for its turn (first come, first served) and holds the thread."""
        lock = self._locks.setdefault(thread, asyncio.Lock())
        async with lock:
            yield


class MemorySessions:
    """Sessions that live as long as the process. The longest unused thread is forgotten beyond `max_threads`."""

    def __init__(self, max_threads: int = 10_000) -> None:
        self._turns: dict[str, list[SavedTurn]] = {}
        self._locks = ThreadLocks()
        self._max_threads = max_threads

    async def load(self, thread: str) -> Sequence[SavedTurn]:
        """See `SessionStore`."""
        return tuple(self._turns.get(thread, ()))

    async def append(self, thread: str, turn: SavedTurn, *, position: int | None = None) -> None:
        """See `SessionStore`."""
        # Taken out and put in again: a dict keeps the order of insertion, so its first key is the longest unused.
        turns = self._turns.pop(thread, [])
        known = position is not None and position < len(turns)
        self._turns[thread] = turns if known else [*turns, turn]
        while len(self._turns) > self._max_threads:
            del self._turns[next(iter(self._turns))]

    async def clear(self, thread: str) -> None:
        """See `SessionStore`."""
        self._turns.pop(thread, None)

    def exclusive(self, thread: str) -> AbstractAsyncContextManager[None]:
        """See `SessionStore`."""
        return self._locks.hold(thread)


@dataclass(frozen=True, slots=True)
class HistoryLimits:
    """How much of a thread a model is shown. Both cuts move in steps: a history that changed with every turn would
    never hit a prompt cache."""

    max_turns: int = 40
    drop_turns: int = 20
    full_turns: int = 6
    clear_turns: int = 6
    max_chars: int = 400_000


CLEARED = "[Result of an earlier turn, removed to save space. Call the tool again if it is needed.]"


def history_for(model: str, turns: Sequence[SavedTurn], limits: HistoryLimits | None = None) -> list[Message]:
    """The messages of a thread as `model` may see them: whole turns only, old tool results emptied but still paired,
    thinking blocks only where this model wrote them and nothing before them was changed."""
    limits = limits or HistoryLimits()
    # Whole turns, because a call whose result was left out makes the request invalid.
    first = _first_shown(turns, limits)
    kept = turns[first:]
    # In steps of clear_turns: one more emptied result per turn would break the cached prefix each time.
    emptied = max(len(kept) - limits.full_turns, 0) // limits.clear_turns * limits.clear_turns
    # Signatures of thinking belong to a model; another one answers them with an error.
    foreign = max((index for index, turn in enumerate(kept) if turn.model != model), default=-1)
    # An edit anywhere before a thinking block unties it from its conversation, so the later turns lose theirs too.
    thoughtless = len(kept) if first or emptied else foreign + 1
    messages: list[Message] = []
    for index, turn in enumerate(kept):
        for message in turn.messages:
            messages.append(_shown(message, empty=index < emptied, thoughtless=index < thoughtless))
    return messages


def _first_shown(turns: Sequence[SavedTurn], limits: HistoryLimits) -> int:
    """Index of the first turn still shown. The cuts are replayed from the thread's start, so a cut once made stays
    where it is until the next one is due. The newest turn is always shown."""
    sizes = [_chars_of_turn(turn) for turn in turns]
    first = shown = 0
    for index, size in enumerate(sizes):
        shown += size
        if index - first < limits.max_turns and shown <= limits.max_chars:
            continue
        # Down to half, not just below the cap: else the next turn would cut again.
        while first < index and (index - first > limits.max_turns - limits.drop_turns or shown > limits.max_chars // 2):
            shown -= sizes[first]
            first += 1
    return first


def _chars_of_turn(turn: SavedTurn) -> int:
    return sum(_chars(block) for message in turn.messages for block in message["content"])


def _chars(block: Block) -> int:
    return sum(len(value) if isinstance(value, str) else len(str(value)) for value in block.values())


def _shown(message: Message, *, empty: bool, thoughtless: bool) -> Message:
    content = message["content"]
    if thoughtless:
        content = without_thinking(content)
    if empty:
        content = [{**block, "content": CLEARED} if block["type"] == "tool_result" else block for block in content]
    return {"role": message["role"], "content": content}


def without_thinking(content: Sequence[Block]) -> list[Block]:
    """The blocks but those that hold a model's thinking. Never empties a message: a placeholder text stays."""
    kept = [block for block in content if block["type"] not in {"thinking", "redacted_thinking"}]
    return kept or [{"type": "text", "text": "(no visible text)"}]
