"""A patrol that is asked for in several processes at once is done by one of them, and all have its report."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import select

from agent.catalogue import Language
from agent.journal import UNWRITTEN, Journal
from agent.patrol.report import REPORT_TYPES, PatrolReport, ReportType, report_of
from bot.clock import Now
from bot.store import BlobGone, Blobs, StoreFault
from bot.store.database import Database
from bot.store.tables import PatrolRunRow
from handlers.deps import OnStep, Patrols
from handlers.purse import Purse

log = structlog.get_logger()

BEAT = 3.0
"""Seconds between two signs of life of who does a patrol, and between two looks of who waits for one."""
DEAD = timedelta(seconds=30)
"""Without a sign for so long, somebody else does it. Far more than the clocks of two replicas may differ by."""


class SharedPatrols:
    """Implements `handlers.deps.Patrols` over one that knows nothing of other processes."""

    def __init__(
        self,
        patrols: Patrols,
        database: Database,
        blobs: Blobs,
        now: Now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._patrols = patrols
        self._database = database
        self._blobs = blobs
        self._now = now
        self._sleep = sleep

    def may_be_read(self, place: str, user: str) -> bool:
        """See `Patrols`."""
        return self._patrols.may_be_read(place, user)

    async def run(
        self,
        report_type: ReportType,
        triggered_by: str,
        on_step: OnStep,
        journal: Journal = UNWRITTEN,
        purse: Purse | None = None,
        language: Language = "en",
    ) -> PatrolReport:
        """See `Patrols`. Raises what the patrol raises, and StoreFault when it cannot be said who does it."""

        async def named() -> str:
            return secrets.token_hex(16)

        # the same in each attempt, so that a turn that was cut off goes on with its own patrol and waits for nobody
        me = str(await journal.step("patrol run", named))
        while True:
            holder, mine = await self._claimed(report_type, me)
            if mine:
                work = self._patrols.run(report_type, triggered_by, on_step, journal, purse, language)
                return await self._done(report_type, me, work)
            if (report := await self._report_of(report_type, holder)) is not None:
                return report

    async def running(self) -> Collection[ReportType]:
        """See `Patrols`. Raises StoreUnreadable."""
        async with self._database.reading() as session:
            rows = (await session.scalars(select(PatrolRunRow).where(PatrolRunRow.report.is_(None)))).all()
        lively = {row.report_type for row in rows if not self._silent(row)}
        return [one for one in REPORT_TYPES if one in lively]

    async def _claimed(self, report_type: str, me: str) -> tuple[str, bool]:
        """Who does the patrol or has done it, and whether it is to be done by us now."""
        new = {"report_type": report_type, "holder": me, "beat_at": self._now(), "report": None}
        async with self._database.writing() as session:
            await self._database.add_new(session, PatrolRunRow, new)
            row = await session.get_one(PatrolRunRow, report_type, with_for_update=True)
            if row.holder != me and (row.report is not None or self._silent(row)):
                row.holder, row.report = me, None
            if row.holder == me:
                row.beat_at = self._now()
            return row.holder, row.holder == me and row.report is None

    def _silent(self, row: PatrolRunRow) -> bool:
        return self._now() - _aware(row.beat_at) > DEAD

    async def _done(self, report_type: str, me: str, work: Awaitable[PatrolReport]) -> PatrolReport:
        """Do the patrol, giving signs of life; whoever waits has its report, or learns that there will be none."""
        living = asyncio.create_task(self._live(report_type, me), name=f"patrol:{report_type}")
        handle: str | None = None
        try:
            report = await work
            handle = await self._blobs.put(report.to_json())
            return report
        finally:
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)
            try:
                await self._write(report_type, me, handle)
            except StoreFault as fault:
                log.warning("others cannot be told how a patrol ended", why=str(fault))

    async def _live(self, report_type: str, me: str) -> None:
        while True:
            await self._sleep(BEAT)
            try:
                async with self._database.writing() as session:
                    row = await session.get(PatrolRunRow, report_type, with_for_update=True)
                    if row is not None and row.holder == me:
                        row.beat_at = self._now()
            except StoreFault as fault:
                log.warning("others cannot be told that a patrol is under way", why=str(fault))

    async def _write(self, report_type: str, me: str, handle: str | None) -> None:
        async with self._database.writing() as session:
            row = await session.get(PatrolRunRow, report_type, with_for_update=True)
            if row is not None and row.holder == me:
                row.report = handle
                # without a report the next who looks may do it at once
                row.beat_at = self._now() if handle else self._now() - 2 * DEAD

    async def _report_of(self, report_type: str, holder: str) -> PatrolReport | None:
        """The report that this holder writes; None when somebody else has to do the patrol."""
        while True:
            async with self._database.reading() as session:
                row = await session.get(PatrolRunRow, report_type)
            if row is None or row.holder != holder:
                return None
            if row.report is not None:
                try:
                    return report_of(await self._blobs.get(row.report))
                except (BlobGone, ValueError):
                    return None
            if self._silent(row):
                return None
            await self._sleep(BEAT)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)  # SQLite keeps no zones
