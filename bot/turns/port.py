"""The port between the surfaces and whatever runs turns: in this process alone, or durably over many."""

from dataclasses import dataclass
from typing import Protocol

from handlers.surface import Event, PatrolRequest, Question
from handlers.turn import Turn

MAX_WAITING = 10_000
"""Events that may wait at once; beyond it an event is refused and the platform redelivers it."""


class TurnsRefused(Exception):
    """An event was not taken in. The text is for the person who is waiting for an answer, and names no cause that an
    outsider should not see."""


class TurnsFull(TurnsRefused):
    """Too many events are waiting, or the process is stopping; the platform should deliver this one again later."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a stop met in a thread: turns that were running and messages that had not begun."""

    running: int = 0
    waiting: int = 0


class TurnEngine(Protocol):
    """Runs each event once, in the order of the messages within a thread, threads side by side."""

    async def submit(self, event: Event) -> bool:
        """Take an event in; False when it was seen before. Returns before any work is done, and once it returns the
        event is as safe as the engine is. Raises TurnsRefused, and what the engine's own database raises."""
        ...

    def ahead(self, event: Event) -> int:
        """The place of an event that was just taken in among those that wait for room in this process; 0 when it
        begins at once, or its thread is busy."""
        ...

    async def stop(self, thread: str) -> Stopped:
        """End what runs in a thread, telling the thread how far it came, and forget what waits there."""
        ...

    def wake(self, thread: str) -> None:
        """People have decided on something that a turn of the thread waits for."""
        ...

    async def edit(self, key: str, text: str) -> bool:
        """Change a question that has not begun; False when it is too late or the key is unknown."""
        ...

    async def under_way(self, key: str) -> bool:
        """Whether a message belongs to a turn that runs now, here or in another process."""
        ...

    async def heard(self, key: str) -> Question | None:
        """What was said during a turn that runs now and was heard by it; None for any other message."""
        ...

    async def withdraw(self, key: str) -> bool:
        """Take an event back: forgotten when it waits, ended when it runs; False when neither."""
        ...

    async def close(self, seconds: float) -> int:
        """Take nothing more, give running turns `seconds`, then cut them off. Returns how many were cut off."""
        ...


class Work(Protocol):
    """What an engine does with an event. None of these raises but for cancellation."""

    async def handle(self, event: Event, turn: Turn) -> None:
        """Do what the event asks for."""
        ...

    async def stopped(self, event: Event, turn: Turn) -> None:
        """Say in the thread that the turn was stopped, and what was done until then."""
        ...

    async def given_up(self, event: Event, turn: Turn) -> None:
        """Say in the thread that the turn was tried too often."""
        ...


def lane(event: Event) -> str:
    """The queue that an event waits in: its thread. A patrol waits for nothing: who asks for one that runs already is
    told so and shares its report."""
    return event.key if isinstance(event, PatrolRequest) else event.thread
