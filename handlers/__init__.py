"""What happens on an event. This table is the whole of it; no platform and no model is known here."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Protocol

from agent.journal import Json
from handlers import ending
from handlers.ask import ask
from handlers.deps import Deps
from handlers.edge import Handler
from handlers.edge import handle as _handle
from handlers.investigate import investigate
from handlers.patrol import patrol
from handlers.purse import Leave
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
    """Who says whether an event's turn may begin."""

    async def leave(self, event: Event) -> Leave:
        """Whether the turn may begin, how thrifty it has to be, or what is said instead of an answer."""
        ...


async def admitted(event: Event, deps: Deps, keeper: Keeper) -> bool:
    """Do what the event asks for if the keeper lets it; whether that went well. A failure of either is apologised
    for."""

    async def ask_keeper(event: Any, deps: Deps) -> None:
        async def judged() -> Json:
            return asdict(await keeper.leave(event))

        # a step, so that a turn that goes on after a crash is not asked for its leave again
        leave = Leave(**await deps.turn.journal.step("leave", judged))
        if leave.allowed:
            deps.turn.purse.thrift = leave.thrift
            await HANDLERS[type(event)](event, deps)
        elif leave.say:
            await ending.refused(event, leave.say, deps)

    return await _handle(event, deps, dict.fromkeys(HANDLERS, ask_keeper))


async def stopped(event: Event, deps: Deps) -> None:
    """Tell the thread that its turn was stopped. Raises nothing but cancellation."""
    await _handle(event, deps, dict.fromkeys(HANDLERS, ending.stopped))


async def hushed(event: Event, deps: Deps) -> None:
    """End a turn without a word. Raises nothing but cancellation."""
    await _handle(event, deps, dict.fromkeys(HANDLERS, ending.hushed))


async def given_up(event: Event, deps: Deps) -> None:
    """Tell the thread that its turn was tried too often. Raises nothing but cancellation."""
    await _handle(event, deps, dict.fromkeys(HANDLERS, ending.given_up))
