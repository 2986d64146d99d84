"""What the queue does with an event: the gate's last word, then the handlers, given the turn that they work in."""

from dataclasses import dataclass, replace

import handlers
from handlers import Keeper
from handlers.deps import Deps
from handlers.surface import Event
from handlers.turn import Turn


class NoKeeper:
    """Lets everybody in and counts nothing: for a process whose surface is its own terminal."""

    async def refusal(self, event: Event) -> str | None:
        """Never one."""
        return None

    async def charge(self, event: Event, tokens: int) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class Handling:
    """Implements `bot.turns.Work`. `deps` are everybody's; each event gets them with its own turn."""

    deps: Deps
    keeper: Keeper = NoKeeper()  # noqa: RUF009 - it has no state

    async def handle(self, event: Event, turn: Turn) -> None:
        """Do what the event asks for."""
        await handlers.admitted(event, replace(self.deps, turn=turn), self.keeper)

    async def stopped(self, event: Event, turn: Turn) -> None:
        """Say that the turn was stopped."""
        await handlers.stopped(event, replace(self.deps, turn=turn))

    async def given_up(self, event: Event, turn: Turn) -> None:
        """Say that the turn was given up."""
        await handlers.given_up(event, replace(self.deps, turn=turn))
