"""What the doctor finds out about Starwatch itself: its database, turns, posts that wait, and what was spent today."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

from bot.admission import admission
from bot.clock import utc_now
from bot.errors import OperatorError
from bot.paths import default_database_url
from bot.prices import load_prices
from bot.settings import Settings
from bot.store import Store, StoreFault, Usage, migrated, open_store
from bot.store.approvals import Approvals
from bot.store.outbox import Outbox
from bot.store.usage import Scope
from bot.turns.stored import StoredInbox

Finding = tuple[str, str]
"""State (ok, warning, wrong or off) and detail of one part."""

STUCK_AFTER = timedelta(minutes=35)
"""A turn ends by itself before that, even one that waits for its platform; an older one waits for nobody."""
LATE_AFTER = timedelta(minutes=2)
"""A message that waits for longer stands behind a long turn, or nobody takes up messages."""
MINUTE = timedelta(minutes=1)


def parts(settings: Settings) -> dict[str, Callable[[], Awaitable[Finding]]]:
    """The checks by the part that they look at. Each raises OperatorError when it cannot."""
    return {
        "own database": lambda: database(settings),
        "turns": lambda: turns(settings),
        "outbox": lambda: outbox(settings),
        "approvals": lambda: approvals(settings),
        "spending": lambda: spending(settings),
    }


async def database(settings: Settings) -> Finding:
    """Whether our own database is there, its tables up to date."""
    return "ok", await migrated(_address(settings))


async def turns(settings: Settings) -> Finding:
    """Turns that do not move, and messages that nobody takes up."""
    async with _opened(settings) as store:
        inbox = StoredInbox(store.database, utc_now)
        stuck, (waiting, oldest) = await inbox.stuck(utc_now() - STUCK_AFTER), await inbox.backlog()
    if stuck:
        key, state, since = stuck[0]
        return "wrong", (
            f"{len(stuck)} did not move for {STUCK_AFTER // MINUTE} minutes, the oldest ({state}, {key[:64]}) "
            f"since {since:%Y-%m-%d %H:%M} UTC; if `starwatch serve` runs, restart it: it takes them up again"
        )
    if oldest is None:
        return "ok", "none is stuck, no message waits"
    late = utc_now() - oldest > LATE_AFTER
    return "warning" if late else "ok", f"none is stuck; {waiting} waiting, the oldest since {oldest:%H:%M:%S} UTC"


async def outbox(settings: Settings) -> Finding:
    """Posts that their platform could not be given."""
    async with _opened(settings) as store:
        waiting = await Outbox(store.database, utc_now).waiting()
    if waiting.oldest is None:
        return "ok", "nothing waits to be posted"
    return "wrong", (
        f"{waiting.count} not posted, the oldest since {waiting.oldest:%Y-%m-%d %H:%M} UTC: {waiting.why}; "
        "they are posted by themselves once the platform takes them"
    )


async def approvals(settings: Settings) -> Finding:
    """Whether anybody may approve what changes something, and what waits for them."""
    if not settings.approvers.strip(", "):
        return "off", "no STARWATCH_APPROVERS: tools that change something are not offered"
    async with _opened(settings) as store:
        waiting = await Approvals(store.database, utc_now).waiting()
    if not waiting:
        return "ok", "none waits"
    first = waiting[0]
    return "ok", f"{len(waiting)} waiting, the first in {first.thread} until {first.expires_at:%H:%M} UTC"


async def spending(settings: Settings) -> Finding:
    """What today's turns used, and whether that can be told in money."""
    async with _opened(settings) as store:
        today: Mapping[Scope, Mapping[str, Usage]] = {
            scope: await store.usage.today(scope) for scope in ("user", "channel", "workspace")
        }
    whole = [sum(getattr(usage, name) for usage in today["workspace"].values()) for name in _AMOUNTS]
    told = f"today {whole[0]} turns, {whole[1]:,} tokens, ${whole[2] / 1_000_000:,.2f}"
    limits = admission(settings).limits
    full = [name for scope, used in today.items() for name, usage in used.items() if usage.reaches(limits[scope])]
    unknown = _unpriced(settings)
    if full:
        told += f"; at a limit: {', '.join(sorted(full)[:5])}"
    if unknown:
        told += f"; no price is known for {', '.join(unknown)}: only limits of tokens hold it (STARWATCH_PRICES)"
    return "warning" if full or unknown else "ok", told


_AMOUNTS = ("turns", "tokens", "micro_dollars")


def _unpriced(settings: Settings) -> list[str]:
    prices = load_prices(settings.prices)
    models = [settings.model, settings.cheaper_model] if settings.uses_claude else []
    return [model for model in models if model is not None and prices.price(model) is None]


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Store]:
    try:
        async with open_store(_address(settings), utc_now) as store:
            yield store
    except StoreFault as fault:
        raise OperatorError(f"STARWATCH_DATABASE_URL: my own database {fault.cause.value}") from None


def _address(settings: Settings) -> str:
    return settings.database_url or default_database_url(os.environ)
