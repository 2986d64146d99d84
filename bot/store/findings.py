"""Findings and what people decided about them, over reports, restarts and replicas."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import TypeAdapter
from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from agent.patrol.earlier import Earlier
from agent.patrol.report import PatrolReport
from agent.patrol.week import Past, Sighting
from bot.clock import Now
from bot.store.database import Database
from bot.store.finding_tables import ChangesRow, DeedRow, FindingRow, PageRow
from bot.store.outbox import STAND_IN, is_stand_in, waits_as
from bot.store.tables import OutboxRow, ReportRow
from handlers.findings import (
    Act,
    Changes,
    Decision,
    Deed,
    Page,
    Tracked,
    changes_json,
    changes_of,
    compare,
    decided,
    tracked_json,
    tracked_of,
)

Delivery = Literal["posted", "waiting", "none"]
"""Whether a report stands in its channel, waits for the platform to take it, or is not there."""

MOST = 2_000
"""Rows that a list gives at most."""
_COMPARED = 20_000
"""Open findings that a report is compared with; past that many the fleet has other worries."""

_DEED: TypeAdapter[Deed] = TypeAdapter(Deed)
_FOUND: Mapping[str, Act] = {"new": "new", "returned": "returned", "worse": "worse", "recovered": "recovered"}


class Findings:
    """Implements `handlers.desk.Findings`. What writes raises StoreUnwritable, what reads StoreUnreadable."""

    def __init__(self, database: Database, now: Now) -> None:
        self._database = database
        self._now = now

    async def record(self, report: PatrolReport) -> Changes:
        """Compare a report with the last one and keep both sides. The same report again gives the same comparison."""
        async with self._database.writing() as session:
            await self._alone(session)
            if (row := await session.get(ChangesRow, report.report_id)) is not None:
                return changes_of(row.body)
            now = self._now()
            changes, tracked = compare(report, await self._known(session), now, await self._last(session))
            for one in tracked:
                await session.merge(_row(one))
            for entry in changes.entries:
                if entry.change in _FOUND and not entry.quiet:
                    session.add(_deed(now, entry.tracked, _FOUND[entry.change]))
            session.add(ChangesRow(report_id=report.report_id, created_at=now, body=changes_json(changes)))
            # a button must find its report from the first moment that it is seen
            await session.merge(ReportRow(report_id=report.report_id, created_at=now, body=report.to_json()))
        return changes

    async def changes(self, report_id: str) -> Changes | None:
        """How a report compared with the one before it; None for an unknown one."""
        async with self._database.reading() as session:
            row = await session.get(ChangesRow, report_id)
        return changes_of(row.body) if row else None

    async def latest(self) -> Changes | None:
        """The comparison of the newest report."""
        query = select(ChangesRow).order_by(ChangesRow.created_at.desc()).limit(1)
        async with self._database.reading() as session:
            row = (await session.scalars(query)).one_or_none()
        return changes_of(row.body) if row else None

    async def flagged_since(self, since: datetime) -> Past:
        """Implements `agent.patrol.week.PastReports`: what each report since then flagged, the oldest first."""
        query = select(ChangesRow).where(ChangesRow.created_at >= since).order_by(ChangesRow.created_at).limit(MOST)
        async with self._database.reading() as session:
            found = [changes_of(row.body) for row in (await session.scalars(query)).all()]
        return Past(
            tuple(one for changes in found for one in _sightings(changes)), tuple(one.report_id for one in found)
        )

    async def now(self, keys: Collection[str]) -> Mapping[str, Tracked]:
        """Those findings as they stand; unknown ones are left out."""
        async with self._database.reading() as session:
            rows = (await session.scalars(select(FindingRow).where(FindingRow.key.in_(keys)))).all()
        return {row.key: tracked_of(row.body) for row in rows}

    async def open(self) -> Sequence[Tracked]:
        """All findings that last, at most MOST."""
        async with self._database.reading() as session:
            return list((await self._known(session)).values())[:MOST]

    async def left_open(self) -> Mapping[str, Earlier] | None:
        """See `agent.patrol.earlier.LastReport`."""
        async with self._database.reading() as session:
            if await self._last(session) is None:
                return None
            known = (await self._known(session)).values()
        return {f"{one.cluster_id}/{one.dimension}": Earlier(one.severity, one.value) for one in known}

    async def decide(self, keys: Collection[str], decision: Decision, user: str, name: str) -> Sequence[Tracked]:
        """Put a decision on those of the findings that last; gives them back."""
        now = self._now()

        def change(one: Tracked) -> Tracked:
            return decided(one, decision, user, name, now)

        note = decision.note or (decision.until.isoformat() if decision.until else "")
        return await self._changed(keys, change, decision.mode, (user, name, note))

    async def assign(
        self, keys: Collection[str], assignee: str, assignee_name: str, user: str, name: str
    ) -> Sequence[Tracked]:
        """Give those of the findings that last to somebody, or to nobody; gives them back."""

        def change(one: Tracked) -> Tracked:
            return replace(one, assignee=assignee, assignee_name=assignee_name)

        return await self._changed(keys, change, "assigned", (user, name, assignee_name))

    async def deeds(self, since: datetime) -> Sequence[Deed]:
        """What happened from a moment on, oldest first; the latest MOST."""
        query = select(DeedRow).where(DeedRow.at >= since).order_by(DeedRow.number.desc()).limit(MOST)
        async with self._database.reading() as session:
            rows = (await session.scalars(query)).all()
        return [_DEED.validate_python(row.body) for row in reversed(rows)]

    async def people(self, most: int = 20) -> Sequence[tuple[str, str]]:
        """Who decided something lately: ids and names, the latest first."""
        newest = select(func.max(DeedRow.number)).where(DeedRow.user != "").group_by(DeedRow.user)
        query = select(DeedRow).where(DeedRow.number.in_(newest)).order_by(DeedRow.number.desc()).limit(most)
        async with self._database.reading() as session:
            rows = (await session.scalars(query)).all()
        return [(row.user, str(row.body["name"])) for row in rows]

    async def remember(self, pages: Iterable[Page]) -> None:
        """Keep which messages show a report. Twice is as once."""
        async with self._database.writing() as session:
            for page in pages:
                row = {"message": page.message, "report_id": page.report_id, "number": page.number}
                row |= {"language": page.language, "zone": page.zone, "posted_at": self._now(), "plan": page.plan}
                if is_stand_in(page.message) and (out := await session.get(OutboxRow, waits_as(page.message))):
                    # it may have been posted in the meantime
                    row["message"] = out.message or page.message
                await self._database.add_new(session, PageRow, row)

    async def pages(self, report_id: str) -> Sequence[Page]:
        """The messages that show a report, wherever it was posted."""
        query = select(PageRow).where(PageRow.report_id == report_id).order_by(PageRow.posted_at, PageRow.number)
        async with self._database.reading() as session:
            rows = (await session.scalars(query)).all()
        return [_page(row) for row in rows]

    async def delivery(self, place: str, since: datetime) -> Delivery:
        """What became of the reports for a channel from a moment on; what waits in the outbox has not arrived."""
        here = PageRow.message.startswith(f"{place}:", autoescape=True)
        waits = PageRow.message.startswith(f"{place}:{STAND_IN}", autoescape=True)
        query = select(waits).where(PageRow.posted_at >= since, here).distinct()
        async with self._database.reading() as session:
            found = set((await session.scalars(query)).all())
        if not found:
            return "none"
        return "waiting" if found == {True} else "posted"

    async def page(self, message: str) -> Page | None:
        """What a message shows, if it is a page of a report."""
        async with self._database.reading() as session:
            row = await session.get(PageRow, message)
        return _page(row) if row else None

    async def prune(self, keep: timedelta) -> int:
        """Forget closed findings, history and comparisons that are older than `keep`; how many rows went. An open
        finding is never forgotten."""
        before, gone = self._now() - keep, 0
        async with self._database.writing() as session:
            for statement in (
                delete(FindingRow).where(FindingRow.closed_at < before),
                delete(DeedRow).where(DeedRow.at < before),
                delete(ChangesRow).where(ChangesRow.created_at < before),
                delete(PageRow).where(PageRow.posted_at < before),
            ):
                result: Any = await session.execute(statement)
                gone += int(result.rowcount)
        return gone

    async def _changed(
        self, keys: Collection[str], change: Callable[[Tracked], Tracked], act: Act, by: tuple[str, str, str]
    ) -> Sequence[Tracked]:
        now, found = self._now(), list[Tracked]()
        async with self._database.writing() as session:
            wanted = select(FindingRow).where(FindingRow.key.in_(keys), FindingRow.closed_at.is_(None))
            # in one order, so that two who press at once wait for each other instead of blocking each other
            for row in (await session.scalars(wanted.order_by(FindingRow.key).with_for_update())).all():
                one = change(tracked_of(row.body))
                row.body = tracked_json(one)
                session.add(_deed(now, one, act, *by))
                found.append(one)
        return found

    async def _known(self, session: AsyncSession) -> dict[str, Tracked]:
        query = select(FindingRow).where(FindingRow.closed_at.is_(None)).order_by(FindingRow.key).limit(_COMPARED)
        return {row.key: tracked_of(row.body) for row in (await session.scalars(query)).all()}

    async def _last(self, session: AsyncSession) -> datetime | None:
        at = (await session.scalars(select(func.max(ChangesRow.created_at)))).one()
        # SQLite gives the time back without its zone
        return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at

    async def _alone(self, session: AsyncSession) -> None:
        """Two reports at once are compared one after the other; SQLite has one writer anyway."""
        if self._database.engine.dialect.name == "postgresql":
            await session.execute(text("LOCK TABLE findings IN SHARE ROW EXCLUSIVE MODE"))


def _sightings(changes: Changes) -> Iterator[Sighting]:
    at = changes.at.astimezone(UTC).replace(tzinfo=None)
    for entry in changes.entries:
        if entry.change not in ("recovered", "lost"):
            one = entry.tracked
            yield Sighting(one.cluster_id, one.dimension, at, one.severity, entry.change == "new")


def _row(one: Tracked) -> FindingRow:
    return FindingRow(key=one.key, closed_at=one.closed_at, body=tracked_json(one))


def _deed(at: datetime, one: Tracked, act: Act, user: str = "", name: str = "", note: str = "") -> DeedRow:
    deed = Deed(at, one.key, one.cluster_name, one.dimension, act, user, name, note)
    return DeedRow(at=at, user=user, body=_DEED.dump_python(deed, mode="json"))


def _page(row: PageRow) -> Page:
    plan = tuple(map(tuple, row.plan or ()))
    return Page(row.message, row.report_id, row.number, "zh" if row.language == "zh" else "en", row.zone, plan)
