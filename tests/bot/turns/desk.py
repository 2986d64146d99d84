"""Work for engines to do in tests: each event waits until it is let go, and what happens is written down."""

import asyncio
from collections import defaultdict
from collections.abc import Callable

from handlers.surface import Event, Question
from handlers.turn import Turn


def question(key: str, thread: str = "t1", text: str = "") -> Question:
    """A question whose key sorts as its order."""
    return Question(key=key, thread=thread, user="U1", text=text or key, order=key)


class Desk:
    """A `Work`: `log` holds +key when an event begins, -key when it ends, !key when it was stopped."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.texts: dict[str, str] = {}
        self.heard: dict[str, list[str]] = {}
        self.turns: dict[str, Turn] = {}
        self.gates: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.open = False

    def let(self, *keys: str) -> None:
        """Let these events go on, now or when they come."""
        for key in keys:
            self.gates[key].set()

    async def handle(self, event: Event, turn: Turn) -> None:
        self.log.append(f"+{event.key}")
        self.turns[event.key] = turn
        if isinstance(event, Question):
            self.texts[event.key] = event.text
        turn.steps.append(f"looked at {event.key}")
        if not self.open:
            await self.gates[event.key].wait()
        self.heard[event.key] = list(await turn.journal.heard("heard:1"))
        self.log.append(f"-{event.key}")

    async def stopped(self, event: Event, turn: Turn) -> None:
        self.log.append(f"!{event.key}")
        self.turns[event.key] = turn

    async def given_up(self, event: Event, turn: Turn) -> None:
        self.log.append(f"?{event.key}")


async def settle(done: Callable[[], bool], seconds: float = 60) -> None:
    """Let the loop run until `done`. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not done():
            await asyncio.sleep(0.002)
