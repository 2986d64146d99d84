"""The last word of a turn that has no answer: refused, stopped by somebody, or given up."""

from handlers import approvals
from handlers.again import with_retry
from handlers.deps import Deps
from handlers.document import Document
from handlers.markdown import line
from handlers.posting import post
from handlers.status import show
from handlers.surface import Event, PatrolRequest
from handlers.views import note_document

SHOWN = 8
"""Steps that are named, the latest ones."""


async def stopped(event: Event, deps: Deps) -> None:
    """Say that the turn was stopped and what was done until then."""
    await approvals.close(event, deps)
    steps = deps.turn.steps
    done = "; ".join(line(step) for step in steps[-SHOWN:])
    key = "stopped.nothing" if not done else "stopped.after" if len(steps) <= SHOWN else "stopped.after_many"
    locale = await deps.locale(_place(event), event.user)
    await _say("stopped", event, locale.say(key, done=done, count=len(steps)), deps)


async def given_up(event: Event, deps: Deps) -> None:
    """Say that the turn was begun several times and never ended."""
    await approvals.close(event, deps)
    reference = deps.new_reference()
    locale = await deps.locale(_place(event), event.user)
    document = with_retry(note_document(locale.say("given_up", reference=reference)), event.key, locale)
    await _show("given-up", event, document, deps)


async def refused(event: Event, key: str, deps: Deps) -> None:
    """Say why there is no answer: the text under this key."""
    locale = await deps.locale(_place(event), event.user)
    await _say("refused", event, locale.say(key), deps)


async def hushed(event: Event, deps: Deps) -> None:
    """Say nothing: whoever asked took the question back. What was shown as being done goes."""
    await approvals.close(event, deps)
    if not isinstance(event, PatrolRequest):
        await show(event.thread, "", deps)


async def _say(part: str, event: Event, text: str, deps: Deps) -> None:
    await _show(part, event, note_document(text), deps)


async def _show(part: str, event: Event, document: Document, deps: Deps) -> None:
    place = _place(event)
    await post(part, place, document, deps)
    if not isinstance(event, PatrolRequest):
        await show(place, "", deps)


def _place(event: Event) -> str:
    return event.channel if isinstance(event, PatrolRequest) else event.thread
