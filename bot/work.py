"""What the queue does with an event: the handlers, given the turn that they work in."""

from dataclasses import dataclass, replace

import handlers
from handlers.deps import Deps
from handlers.surface import Event
from handlers.turn import Turn


@dataclass(frozen=True, slots=True)
class Handling:
    """Implements `bot.turns.Work`. `deps` are everybody's; each event gets them with its own turn."""

    deps: Deps

    async def handle(self, event: Event, turn: Turn) -> None:
        """Do what the event asks for."""
        await handlers.handle(event, replace(self.deps, turn=turn))

    async def stopped(self, event: Event, turn: Turn) -> None:
        """Say that the turn was stopped."""
        await handlers.stopped(event, replace(self.deps, turn=turn))

    async def given_up(self, event: Event, turn: Turn) -> None:
        """Say that the turn was given up."""
        await handlers.given_up(event, replace(self.deps, turn=turn))
