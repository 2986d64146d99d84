"""What is forgotten at night, everywhere that Starwatch keeps something: its own tables, the queue's, the outbox."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from bot.clock import Now
from bot.settings import Settings
from bot.store import Keep, Store
from bot.store.outbox import Outbox
from bot.turns.schedule import forget
from bot.turns.stored import StoredInbox

log = structlog.get_logger()


def ages(settings: Settings) -> Keep:
    """How long each kind of row is kept, as the settings say."""
    return Keep(
        sessions=timedelta(days=settings.keep_sessions_days),
        reports=timedelta(days=settings.keep_reports_days),
        events=timedelta(days=settings.keep_events_days),
        blobs=timedelta(days=settings.keep_blobs_days),
        usage=timedelta(days=settings.keep_usage_days),
        answers=timedelta(days=settings.keep_answers_days),
        turns=timedelta(days=settings.keep_turns_days),
    )


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """`forget_queue` deletes what the queue's engine keeps of turns that ended before a moment."""

    store: Store
    inbox: StoredInbox
    outbox: Outbox
    now: Now
    keep: Keep = field(default_factory=Keep)
    forget_queue: Callable[[datetime], Awaitable[int]] = forget

    async def tidy(self) -> None:
        """Forget what is older than it may be. Raises StoreUnwritable; what was forgotten before that stays so."""
        before = self.now() - self.keep.turns
        own = await self.store.prune(self.keep)
        findings = await self.store.findings.prune(self.keep.reports)
        turns = await self.forget_queue(before)
        # after the queue's turns: one that came back without its message would find nothing to do
        messages = await self.inbox.prune(before)
        posts = await self.outbox.prune(before)
        log.info("tidied up", turns=turns, messages=messages, posts=posts, findings=findings, own=repr(own))
