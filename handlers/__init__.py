"""What happens on an event. This table is the whole of it; no platform and no model is known here."""

from collections.abc import Mapping
from typing import Any

from handlers import ending
from handlers.ask import ask
from handlers.deps import Deps
from handlers.edge import Handler
from handlers.edge import handle as _handle
from handlers.investigate import investigate
from handlers.patrol import patrol
from handlers.surface import Event, Investigate, PatrolRequest, Question

HANDLERS: Mapping[type[Any], Handler] = {
    Question: ask,
    PatrolRequest: patrol,
    Investigate: investigate,
}


async def handle(event: Event, deps: Deps) -> None:
    """Do what the event asks for. A failure is logged and apologised for; only cancellation is raised."""
    await _handle(event, deps, HANDLERS)


async def stopped(event: Event, deps: Deps) -> None:
    """Tell the thread that its turn was stopped. Raises nothing but cancellation."""
    await _handle(event, deps, dict.fromkeys(HANDLERS, ending.stopped))


async def given_up(event: Event, deps: Deps) -> None:
    """Tell the thread that its turn was tried too often. Raises nothing but cancellation."""
    await _handle(event, deps, dict.fromkeys(HANDLERS, ending.given_up))
