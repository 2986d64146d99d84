"""What the queue does with an event: the gate's last word, then the handlers, given the turn that they work in."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import structlog
from structlog.contextvars import bound_contextvars

import handlers
from agent.progress import Spent
from bot.admission import place_of
from bot.meters import Meters
from bot.store import StoreFault
from handlers.deps import Deps
from handlers.purse import Leave
from handlers.surface import Event, Investigate, PatrolRequest, Question
from handlers.turn import Turn

log = structlog.get_logger()

_ABOUT: Mapping[type[Any], str] = {Question: "question", PatrolRequest: "patrol", Investigate: "investigation"}
"""What turns are about, in the metrics."""


class Keeper(handlers.Keeper, Protocol):
    """Who says whether a turn may begin and with what last words it ends, and hears what it used."""

    async def charge(self, event: Event, spent: Sequence[Spent]) -> None:
        """Note what the turn used, once per event. Raises nothing."""
        ...

    async def silent(self, event: Event) -> bool:
        """Whether a turn that was cut off needs no last words."""
        ...


class NoKeeper:
    """Lets everybody in and counts nothing: for a process whose surface is its own terminal."""

    async def leave(self, event: Event) -> Leave:
        """Go on."""
        return Leave()

    async def charge(self, event: Event, spent: Sequence[Spent]) -> None:
        """Nothing."""

    async def silent(self, event: Event) -> bool:
        """Never."""
        return False


@dataclass(frozen=True, slots=True)
class Handling:
    """Implements `bot.turns.Work`. `deps` are everybody's; each event gets them with its own turn. What a turn used is
    charged however it ends, except when it is parked: it goes on elsewhere."""

    deps: Deps
    keeper: Keeper = NoKeeper()  # noqa: RUF009 - it has no state
    meters: Meters = field(default_factory=Meters)

    async def handle(self, event: Event, turn: Turn) -> None:
        """Do what the event asks for."""
        with _named(event, turn), self.meters.turn(_about(event)) as ended:
            deps = replace(self.deps, turn=turn, withdrawn=self._withdrawn)
            ended("done" if await handlers.admitted(event, deps, self.keeper) else "failed")
            await self.keeper.charge(event, turn.purse.spent)

    async def stopped(self, event: Event, turn: Turn) -> None:
        """Say that the turn was stopped, unless its message was taken back: then nobody waits for a word."""
        with _named(event, turn):
            last_words = handlers.hushed if await self.keeper.silent(event) else handlers.stopped
            await last_words(event, replace(self.deps, turn=turn))
            self.meters.turns.labels(_about(event), "stopped").inc()
            await self.keeper.charge(event, turn.purse.spent)

    async def given_up(self, event: Event, turn: Turn) -> None:
        """Say that the turn was given up."""
        with _named(event, turn):
            await handlers.given_up(event, replace(self.deps, turn=turn))
            self.meters.turns.labels(_about(event), "given_up").inc()
            await self.keeper.charge(event, turn.purse.spent)

    async def _withdrawn(self, event: Event) -> bool:
        try:
            return await self.keeper.silent(event)
        except StoreFault as fault:
            # what was shown stays then: it is no worse than before
            log.error("whether a question was taken back cannot be read", event_key=event.key, why=str(fault))
            return False


def _about(event: Event) -> str:
    return _ABOUT.get(type(event), "other")


@contextmanager
def _named(event: Event, turn: Turn) -> Iterator[None]:
    """Every line of the log says whose turn it is about."""
    with bound_contextvars(turn=turn.id, event_key=event.key, place=place_of(event), user=event.user):
        yield
