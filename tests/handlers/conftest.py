"""Handlers with everything around them in memory."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.desk import desk_of, rota_of
from bot.store import Store, open_store
from handlers import presses
from handlers.deps import Deps
from handlers.document import Actions, Document, Prose
from handlers.flight import Flights
from handlers.surface import Event, Press
from handlers.timetable import Timetable
from tests.fakes.investigations import Investigations
from tests.fakes.thinking import Agents, Patrols, Reports, Surface
from tests.handlers.reports import MOMENT
from tests.stores import newest_tables, own_database

__all__ = ["newest_tables", "own_database"]


class Bench:
    """The deps and their parts."""

    def __init__(self) -> None:
        self.surface = Surface()
        self.agents = Agents()
        self.patrols = Patrols()
        self.reports = Reports()
        self.investigations = Investigations()
        self.deps = Deps(
            self.surface,
            self.agents,
            self.patrols,
            self.reports,
            Flights(),
            lambda: "ref-1",
            investigations=self.investigations,
        )


@pytest.fixture
def bench() -> Bench:
    return Bench()


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.moment = MOMENT

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **by: float) -> None:
        self.moment += timedelta(**by)


class Names:
    """Knows two people by name."""

    async def named(self, user: str) -> str:
        return {"U1": "Anna", "U2": "Bob"}.get(user, "")


class Desk(Bench):
    """A bench with a memory: our own database, and the channel `x:C` with two reports a day."""

    def __init__(self, store: Store, clock: Clock) -> None:
        super().__init__()
        self.store, self.clock, self.queued, self._presses = store, clock, list[Event](), 0
        rota = rota_of(store, Timetable("x:C", "08:00", "18:00"))
        desk = desk_of(store, rota, clock, Names())
        self.deps = replace(self.deps, reports=store, desk=desk, submit=self.submit)

    async def submit(self, event: Event) -> None:
        self.queued.append(event)

    async def press(self, action: str, value: str, user: str = "U1", message: str = "", **entered: str) -> None:
        self._presses += 1
        thread = message or "x:C:1"
        press = Press(f"p-{self._presses}", action, value, user, thread, message, "t", entered)
        await presses.act(press, self.deps)

    def whispered(self) -> list[str]:
        return [words(document) for _, _, document in self.surface.whispers]


def words(document: Document) -> str:
    """All that is read in a document."""
    shown = (part.markdown if isinstance(part, Prose) else getattr(part, "text", "") for part in document.parts)
    return "\n".join(text for text in shown if text)


def offered(document: Document) -> dict[str, str]:
    """The value of each button and of the first option of each menu, by action; of several alike the first."""
    found: dict[str, str] = {}
    for part in document.parts:
        for one in part.buttons if isinstance(part, Actions) else ():
            found.setdefault(one.action, getattr(one, "value", "") or one.options[0][1])
    return found


@pytest.fixture
async def desk(own_database: str) -> AsyncIterator[Desk]:
    clock = Clock()
    async with open_store(own_database, clock) as store:
        yield Desk(store, clock)
