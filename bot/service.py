"""The bot at work: events from the chats and the clock into the queue, the queue into the handlers, an orderly end."""

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace

import structlog

from bot.admission import admission
from bot.approvals import permits_of
from bot.asked import Asked
from bot.chat import reached
from bot.clock import utc_now
from bot.compose import Starwatch
from bot.desk import desk_of, names_of, rota_of
from bot.entrance import Entrance
from bot.exposition import Exposition, exposed
from bot.following import Following
from bot.gate import Gate
from bot.housekeeping import Housekeeping, ages
from bot.locales import Locales
from bot.patience import PatientSurface, Waits
from bot.patrols import ByClock, Rota, by_settings
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
    opened = list[TurnEngine]()
    bot = _bot(settings, platform, starwatch, lambda: opened[0])
    store, pressing = starwatch.store, Pressing(bot.gate, bot.deps)
    # a turn whose platform is away waits for it behind all else that it does
    longest = max(LONGEST_TURN, settings.turn_seconds * 2) + Waits().patience
    options = DurableOptions(settings.executor_id, limit=longest, max_running=settings.turns_at_once)
    address = turns_address(starwatch.database)
    async with durable_turns(
        Handling(bot.deps, bot.gate, starwatch.meters), bot.inbox, store.blobs, address, options
    ) as turns:
        opened.append(turns)
        reaction = Reaction(bot.gate, platform.surface, bot.locales, turns.ahead)
        opening: AbstractAsyncContextManager[Entrance] = platform.listening(
            settings, reaction.admit, pressing.act, Following(store, bot.preferences), Talk(store.database)
        )
        exposition = Exposition(starwatch.meters, starwatch.door, lambda: turns.load, store, bot.outbox, utc_now)
        async with opening as entrance, exposed(settings, exposition.text) as metrics:
            log.info("metrics are served", place=metrics or "nowhere")
            clock = Clock(_by_clock(settings, starwatch, bot))
            await clock.start(await bot.rota.schedules())
            bot.rota.clock = clock
            delivering = asyncio.create_task(bot.surface.watch(), name="posts that were kept")
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


@dataclass(frozen=True, slots=True)
class _Bot:
    """What stands between a platform and the queue of turns, put together before either is open."""

    gate: Gate
    surface: PatientSurface
    deps: Deps
    inbox: StoredInbox
    outbox: Outbox
    rota: Rota
    locales: Locales
    preferences: StoredPreferences


def _bot(settings: Settings, platform: Platform, starwatch: Starwatch, turns: Callable[[], TurnEngine]) -> _Bot:
    store, people = starwatch.store, platform.people
    preferences = StoredPreferences(store.database, utc_now)
    locales = Locales(people, preferences, settings.timezone)
    # only here, since what a channel prefers is in our own database, which platforms know nothing of
    platform.read_in(locales)
    rules, prices = admission(settings), load_prices(settings.prices)
    gate = Gate(turns, store, platform.surface, people, rules, prices=prices, locale=locales)
    outbox = Outbox(store.database, utc_now)

    async def gone(thread: str) -> None:
        await turns().stop(thread)

    surface = PatientSurface(platform.surface, outbox, gone=gone, meters=starwatch.meters)
    patrols = by_settings(settings, platform.channel(settings.patrol_channel or ""))
    rota = rota_of(store, patrols, sentinel=settings.sentinel)
    deps = replace(
        _deps(platform, starwatch),
        surface=surface,
        submit=gate.admit,
        locale=locales,
        preferences=preferences,
        asked=Asked(store.database),
        desk=desk_of(store, rota, utc_now, people),
        permits=permits_of(settings, store, starwatch.recorder, names_of(people), lambda thread: turns().wake(thread)),
    )
    return _Bot(gate, surface, deps, StoredInbox(store.database, utc_now), outbox, rota, locales, preferences)


def _by_clock(settings: Settings, starwatch: Starwatch, bot: _Bot) -> ByClock:
    store = starwatch.store
    house = Housekeeping(store, bot.inbox, bot.outbox, utc_now, ages(settings))
    sentinel = sentinel_of(settings, starwatch, bot.deps, bot.rota, bot.gate.admit)
    return ByClock(
        bot.rota,
        bot.gate.admit,
        bot.surface,
        house.tidy,
        utc_now,
        bot.locales,
        store.findings,
        sentinel,
        starwatch.meters,
    )


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
        investigations=starwatch.investigations,
        answers=starwatch.store.answers,
        results=starwatch.results,
    )
