"""What happens on an event. This table is the whole of it; no platform and no model is known here."""

from collections.abc import Mapping
from typing import Any, Protocol

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


class Keeper(Protocol):
    """Who says whether an event's turn may begin, and hears what it used."""

    async def refusal(self, event: Event) -> str | None:
        """None to go on, an empty text for silence, any other to be said instead of an answer."""
        ...

    async def charge(self, event: Event, tokens: int) -> None:
        """Note what the turn used, once per event."""
        ...


async def admitted(event: Event, deps: Deps, keeper: Keeper) -> None:
    """Do what the event asks for if the keeper lets it. A failure of either is apologised for."""

    async def ask_keeper(event: Any, deps: Deps) -> None:
        async def judged() -> str | None:
            return await keeper.refusal(event)

        refusal = await deps.turn.journal.step("admitted", judged)
        if refusal is None:
            await HANDLERS[type(event)](event, deps)
            await keeper.charge(event, sum(deps.turn.tokens))
        elif refusal:
            await ending.refused(event, refusal, deps)

    await _handle(event, deps, dict.fromkeys(HANDLERS, ask_keeper))


async def stopped(event: Event, deps: Deps) -> None:
    """Tell the thread that its turn was stopped. Raises nothing but cancellation."""
    await _handle(event, deps, dict.fromkeys(HANDLERS, ending.stopped))


async def given_up(event: Event, deps: Deps) -> None:
    """Tell the thread that its turn was tried too often. Raises nothing but cancellation."""
    await _handle(event, deps, dict.fromkeys(HANDLERS, ending.given_up))
