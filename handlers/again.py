"""Retry: a question that failed is asked again by whoever presses the button under its failure."""

from dataclasses import replace

from handlers.buttons import RETRY, retried, retry
from handlers.deps import Deps
from handlers.document import Actions, Button, Document
from handlers.locale import Locale
from handlers.preferences import channel_of
from handlers.surface import Event, PatrolRequest, Press
from handlers.views import note_document


def with_retry(document: Document, key: str, locale: Locale) -> Document:
    """The document with a button under it that asks the event `key` again."""
    button = Button(locale.say("retry.label"), RETRY, retry(key))
    return replace(document, parts=(*document.parts, Actions((button,))))


async def again(press: Press, deps: Deps) -> None:
    """Put the event into the queue once more, as this person's. Once for each failure that was posted, and only in the
    channel where it was asked. Raises ValueError for a value of no button of ours."""
    event = await deps.asked(retried(press.value))
    if event is None or channel_of(_place(event)) != channel_of(press.thread):
        locale = await deps.locale(press.thread, press.user)
        await deps.surface.whisper(press.thread, press.user, note_document(locale.say("retry.gone")))
        return
    await deps.submit(_anew(event, f"again:{press.message}", press))


def _anew(event: Event, key: str, press: Press) -> Event:
    if isinstance(event, PatrolRequest):
        return replace(event, key=key, user=press.user)
    return replace(event, key=key, user=press.user, order=press.order)


def _place(event: Event) -> str:
    return event.channel if isinstance(event, PatrolRequest) else event.thread
