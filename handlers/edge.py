"""The outermost edge of every event: a fault is logged with a reference id, and the person gets one apology."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import structlog

from agent.journal import UNWRITTEN
from handlers.again import with_retry
from handlers.deps import Deps
from handlers.posting import post
from handlers.surface import Event, PatrolRequest, SurfaceError
from handlers.views import note_document

log = structlog.get_logger()

Handler = Callable[[Any, Deps], Awaitable[None]]


async def handle(event: Event, deps: Deps, handlers: Mapping[type[Any], Handler]) -> bool:
    """Run the event's handler; whether it went well. Nothing but cancellation leaves this function."""
    try:
        await handlers[type(event)](event, deps)
        return True
    except SurfaceError as error:
        # the same platform would have to carry the apology, so this one is for the operator alone
        log.error("the chat platform refused what was to be shown", event_key=event.key, why=str(error))
    except Exception:
        reference = deps.new_reference()
        log.exception("an event could not be handled", event_key=event.key, reference=reference)
        await _apologise(event, reference, deps)
    return False


async def _apologise(event: Event, reference: str, deps: Deps) -> None:
    place = event.channel if isinstance(event, PatrolRequest) else event.thread
    locale = await deps.locale(place, event.user)
    document = with_retry(note_document(locale.say("apology", reference=reference)), event.key, locale)
    # no step of the turn: a turn that fails may fail because its steps no longer are what they were
    aside = replace(deps, turn=replace(deps.turn, journal=UNWRITTEN))
    try:
        await post("apology", place, document, aside)
    except SurfaceError as error:
        log.error("an apology could not be posted", reference=reference, why=str(error))
