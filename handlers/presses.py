"""What happens when somebody presses a button of ours, sends a dialog or opens our home: this table is the whole of it.

A press is acted on at once, beside the queue; what takes longer is put into the queue as an event of its own."""

from collections.abc import Awaitable, Callable, Mapping

import structlog

from handlers import approvals, decisions, sources
from handlers.again import again
from handlers.buttons import (
    ACKNOWLEDGE,
    ANSWER_BAD,
    ANSWER_CSV,
    ANSWER_GOOD,
    ANSWER_PAGE,
    ANSWER_SQL,
    ANSWER_WHY,
    APPROVE,
    ASSIGN,
    ASSIGNED,
    DECLINE,
    FLAG_SQL,
    HOME,
    INVESTIGATE,
    KNOWN,
    KNOWN_NOTED,
    OUTSIDE,
    REOPEN,
    RETRY,
    SNOOZE,
    WELCOME,
)
from handlers.deps import Deps
from handlers.home import home
from handlers.investigate import pressed as investigate
from handlers.look import outside
from handlers.report_why import show_why
from handlers.surface import Press, SurfaceError
from handlers.views import note_document
from handlers.welcome import welcome

log = structlog.get_logger()

Pressed = Callable[[Press, Deps], Awaitable[None]]

PRESSES: Mapping[str, Pressed] = {
    INVESTIGATE: investigate,
    HOME: home,
    WELCOME: welcome,
    OUTSIDE: outside,
    RETRY: again,
    ANSWER_SQL: sources.show_sql,
    ANSWER_PAGE: sources.show_page,
    ANSWER_CSV: sources.send_csv,
    ANSWER_GOOD: sources.like,
    ANSWER_BAD: sources.dislike,
    ANSWER_WHY: sources.explain,
    ACKNOWLEDGE: decisions.acknowledge,
    REOPEN: decisions.reopen,
    SNOOZE: decisions.snooze,
    ASSIGN: decisions.ask_whom,
    ASSIGNED: decisions.assign,
    FLAG_SQL: show_why,
    KNOWN: decisions.ask_what_is_known,
    KNOWN_NOTED: decisions.note_what_is_known,
    APPROVE: approvals.approve,
    DECLINE: approvals.decline,
}
"""Action → what is done. A value comes from outside, so each checks its own with the codec in `handlers.buttons`."""


async def act(press: Press, deps: Deps) -> None:
    """Do what was pressed. A failure is logged and told to the one who pressed; only cancellation is raised."""
    try:
        await PRESSES.get(press.action, _unknown)(press, deps)
    except SurfaceError as error:
        log.error("the chat platform refused what a button was to show", press=press.key, why=str(error))
    except ValueError as error:
        # a codec's refusal: no button of ours carries such a value
        log.warning("a button was pressed that is none of ours", press=press.key, action=press.action, why=str(error))
    except Exception:
        reference = deps.new_reference()
        log.exception("a press could not be handled", press=press.key, action=press.action, reference=reference)
        await _whisper(press, "apology", deps, reference=reference)


async def refuse(press: Press, deps: Deps) -> None:
    """Tell somebody who may not press our buttons so, and nobody else. Who only opened our home is told nothing."""
    if press.action != HOME:
        await _whisper(press, "refused.not_listed", deps)


async def _unknown(press: Press, deps: Deps) -> None:
    log.warning("a button was pressed that nothing answers to", press=press.key, action=press.action)
    await _whisper(press, "press.unknown", deps)


async def _whisper(press: Press, key: str, deps: Deps, **values: object) -> None:
    locale = await deps.locale(press.thread, press.user)
    try:
        await deps.surface.whisper(press.thread, press.user, note_document(locale.say(key, **values)))
    except SurfaceError as error:
        log.error("nothing could be told to somebody who pressed a button", press=press.key, why=str(error))
