"""The bot at work: events from Slack and the clock into the queue, the queue into the handlers, and an orderly end."""

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import structlog

from bot.clock import patrol_clock, slot_key, utc_now
from bot.compose import Starwatch
from bot.settings import Settings
from bot.slack.config import SlackConfig
from bot.slack.service import Slack, listening, reached
from bot.turns import LocalTurns, TurnsFull
from bot.work import Handling
from handlers.deps import Deps
from handlers.flight import Flights
from handlers.surface import Event, PatrolRequest

log = structlog.get_logger()

PARTING = 20.0
"""Seconds that running turns get to finish when the process is told to stop."""

BY_CLOCK = "clock"


async def serve(settings: Settings, config: SlackConfig, starwatch: Starwatch) -> None:
    """Serve until SIGTERM or SIGINT. Raises OperatorError when Slack refuses the start."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    slack = await reached(config)
    async with serving(settings, slack, starwatch) as place:
        log.info("listening", place=place, analyst=starwatch.model.name, team=slack.team)
        await stop.wait()
        log.info("stopping", seconds=PARTING)


@asynccontextmanager
async def serving(settings: Settings, slack: Slack, starwatch: Starwatch) -> AsyncIterator[str]:
    """The bot at work while the context is open; gives the address or the connection that events come in by."""
    deps = Deps(
        surface=slack.surface,
        agents=starwatch.agents,
        patrols=starwatch.patrols,
        reports=starwatch.store,
        flights=Flights(),
        new_reference=lambda: secrets.token_hex(4),
    )
    turns = LocalTurns(Handling(deps))

    async def admit(event: Event) -> bool:
        if not isinstance(event, PatrolRequest):
            # at once, so that what is said next in this thread needs no mention even while the first turn runs
            await starwatch.store.join(event.thread)
        return await turns.submit(event)

    entrance: AbstractAsyncContextManager[str] = listening(settings, slack, admit, starwatch.store)
    async with entrance as place, ticking(settings, slack, admit):
        try:
            yield place
        finally:
            await turns.close(PARTING)


@asynccontextmanager
async def ticking(settings: Settings, slack: Slack, admit: Callable[[Event], Awaitable[bool]]) -> AsyncIterator[None]:
    """The morning and evening patrols, when a channel is set for them."""
    if settings.patrol_channel is None:
        yield
        return
    channel = slack.channel(settings.patrol_channel)

    async def run(report_type: str) -> None:
        key = slot_key(report_type, utc_now())
        try:
            await admit(PatrolRequest(key=key, channel=channel, user=BY_CLOCK, words=report_type))
        except TurnsFull:
            log.error("a scheduled patrol found no room in the queue", report_type=report_type)

    scheduler = patrol_clock(settings.patrol_morning, settings.patrol_evening, settings.timezone, run)
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)
