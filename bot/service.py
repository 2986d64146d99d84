"""The bot at work: events from the chats and the clock into the queue, the queue into the handlers, an orderly end."""

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

import structlog

from bot.admission import admission
from bot.approvals import permits_of
from bot.asked import Asked
from bot.chat import reached
from bot.clock import utc_now
from bot.compose import Starwatch
from bot.desk import desk_of, names_of, rota_of
from bot.entrance import Entrance
from bot.following import Following
from bot.gate import Gate
from bot.housekeeping import Housekeeping, ages
from bot.locales import Locales
from bot.patience import PatientSurface, Waits
from bot.patrols import ByClock, by_settings
from bot.platforms import Platform
from bot.pressing import Pressing
from bot.prices import load_prices
from bot.pulse import Pulse
from bot.reaction import Reaction
from bot.sentinel import sentinel_of
from bot.settings import Settings
from bot.store.outbox import Outbox
from bot.store.preferences import StoredPreferences
from bot.store.talk import Talk
from bot.turns import TurnEngine
from bot.turns.durable import DurableOptions, durable_turns, turns_address
from bot.turns.schedule import Clock
from bot.turns.stored import StoredInbox
from bot.work import Handling
from handlers.deps import Deps
from handlers.flight import Flights
from handlers.surface import Event

log = structlog.get_logger()

PARTING = 20.0
"""Seconds that running turns get to finish when the process is told to stop."""

LONGEST_TURN = 900.0
"""Seconds after which a turn is given up, a patrol's among them."""


async def serve(settings: Settings, starwatch: Starwatch) -> None:
    """Serve until SIGTERM or SIGINT; a second one parks at once what would get a while to finish. Raises OperatorError
    when a chat platform refuses the start."""
    # Handlers of ours instead of the default, which would end the process in the middle of a turn.
    stop, hurry = asyncio.Event(), asyncio.Event()

    def told_to_stop() -> None:
        (hurry if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, told_to_stop)
    async with reached(settings) as platform, serving(settings, platform, starwatch, hurry) as place:
        log.info("listening", place=place, analyst=starwatch.model.name, team=platform.team)
        await stop.wait()
        log.info("stopping", seconds=PARTING)


@asynccontextmanager
async def serving(
    settings: Settings, platform: Platform, starwatch: Starwatch, hurry: asyncio.Event | None = None
) -> AsyncIterator[str]:
    """The bot at work while the context is open; gives the address or the connection that events come in by. Turns
    under way get PARTING seconds to finish at the end, or until `hurry`."""
    store, opened = starwatch.store, list[TurnEngine]()
    people = platform.people
    preferences = StoredPreferences(store.database, utc_now)
    locales = Locales(people, preferences, settings.timezone)
    # only here, since what a channel prefers is in our own database, which platforms know nothing of
    platform.read_in(locales)
    rules, prices = admission(settings), load_prices(settings.prices)
    gate = Gate(lambda: opened[0], store, platform.surface, people, rules, prices=prices, locale=locales)

    def ahead(event: Event) -> int:
        return opened[0].ahead(event)

    reaction = Reaction(gate, platform.surface, locales, ahead)
    inbox, outbox = StoredInbox(store.database, utc_now), Outbox(store.database, utc_now)

    async def gone(thread: str) -> None:
        await opened[0].stop(thread)

    def wake(thread: str) -> None:
        opened[0].wake(thread)

    surface = PatientSurface(platform.surface, outbox, gone=gone)
    deps = replace(_deps(platform, starwatch), surface=surface, submit=gate.admit)
    deps = replace(deps, locale=locales, preferences=preferences, asked=Asked(store.database))
    rota = rota_of(
        store, by_settings(settings, platform.channel(settings.patrol_channel or "")), sentinel=settings.sentinel
    )
    deps = replace(deps, desk=desk_of(store, rota, utc_now, people))
    permits = permits_of(settings, store, starwatch.recorder, names_of(people), wake)
    deps = replace(deps, permits=permits)
    pressing = Pressing(gate, deps)
    work = Handling(deps, gate)
    # a turn whose platform is away waits for it behind all else that it does
    longest = max(LONGEST_TURN, settings.turn_seconds * 2) + Waits().patience
    options = DurableOptions(settings.executor_id, limit=longest, max_running=settings.turns_at_once)
    async with durable_turns(work, inbox, store.blobs, turns_address(starwatch.database), options) as turns:
        opened.append(turns)
        house = Housekeeping(store, inbox, outbox, utc_now, ages(settings))
        sentinel = sentinel_of(settings, starwatch, deps, rota, gate.admit)
        clock = Clock(ByClock(rota, gate.admit, surface, house.tidy, utc_now, locales, store.findings, sentinel))
        known, following = Talk(store.database), Following(store, preferences)
        opening: AbstractAsyncContextManager[Entrance] = platform.listening(
            settings, reaction.admit, pressing.act, following, known
        )
        async with opening as entrance:
            await clock.start(await rota.schedules())
            rota.clock = clock
            delivering = asyncio.create_task(surface.watch(), name="posts that were kept")
            pulse = asyncio.create_task(Pulse(lambda: turns.load).watch(), name="pulse")
            try:
                yield entrance.place
            finally:
                clock.stop()
                delivering.cancel()
                pulse.cancel()
                await entrance.shut()
                await asyncio.gather(pressing.close(PARTING), _part(turns, hurry or asyncio.Event()))
                await asyncio.wait({delivering, pulse})


async def _part(turns: TurnEngine, hurry: asyncio.Event) -> None:
    """Close the turns; what is parked goes on in another process, or in the next."""
    closing = asyncio.create_task(turns.close(PARTING), name="turns that finish")
    hurrying = asyncio.create_task(hurry.wait(), name="hurry")
    await asyncio.wait({closing, hurrying}, return_when=asyncio.FIRST_COMPLETED)
    hurrying.cancel()
    if not closing.done():
        await turns.close(0)
    await closing


def _deps(platform: Platform, starwatch: Starwatch) -> Deps:
    return Deps(
        surface=platform.surface,
        agents=starwatch.agents,
        patrols=starwatch.patrols,
        reports=starwatch.store,
        flights=Flights(),
        new_reference=lambda: secrets.token_hex(4),
        answers=starwatch.store.answers,
        results=starwatch.results,
    )
