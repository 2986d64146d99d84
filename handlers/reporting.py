"""Posting a report, remembering which message shows what, and drawing those again when somebody decides something."""

import asyncio
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import structlog

from agent.patrol.report import PatrolReport, report_of
from handlers.deps import Deps
from handlers.desk import Desk
from handlers.findings import UNDRAWN, Changes, Page, Plan
from handlers.locale import Locale
from handlers.opening import opening
from handlers.posting import post
from handlers.report import plan_of, report_document, report_page, report_pages, shown_on
from handlers.report_flag import Sight
from handlers.surface import Posted, SurfaceError

log = structlog.get_logger()

BLIND = "blind"
"""In place of a report's id, where a patrol saw nothing."""
_TRIES = 3
"""Times that a message is drawn when it changes while it is being drawn."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A report that is remembered, and how it compared."""

    report: PatrolReport
    changes: Changes


async def deliver(part: str, channel: str, user: str, report: PatrolReport, deps: Deps) -> Posted:
    """Post a report as the turn's `part`: the first page into the channel, the others into its thread, which is tied
    to the report. Gives the first one back. Raises SurfaceError."""
    locale = await deps.locale(channel, user)
    if deps.desk is None:
        posted = await post(part, channel, report_document(report, locale), deps)
        await deps.reports.tie(posted.thread, report, opening(report))
        return posted
    kept = Kept(report, await deps.desk.findings.record(report))
    sight = await sight_of(kept, locale, deps.desk)
    pages, plan = report_pages(sight), plan_of(sight)
    first = await post(part, channel, pages[0], deps)
    await deps.reports.tie(first.thread, report, opening(report))
    await remember(first, 0, report.report_id, locale, deps.desk, plan)
    for number, page in enumerate(pages[1:], start=1):
        posted = await post(f"{part}-{number + 1}", first.thread, page, deps)
        await remember(posted, number, report.report_id, locale, deps.desk, plan)
    return first


async def sight_of(kept: Kept, locale: Locale, desk: Desk) -> Sight:
    """The report as it is to be drawn at this moment."""
    now = await desk.findings.now([entry.key for entry in kept.changes.entries])
    return Sight(kept.report.told_in(locale.language), desk.now(), kept.changes, now, locale)


async def find(report_id: str, deps: Deps, desk: Desk) -> Kept | None:
    """A remembered report, None when it is forgotten."""
    body, changes = await asyncio.gather(deps.reports.find(report_id), desk.findings.changes(report_id))
    return Kept(report_of(body), changes) if body is not None and changes is not None else None


async def latest(deps: Deps, desk: Desk) -> Kept | None:
    """The newest report."""
    changes = await desk.findings.latest()
    return await find(changes.report_id, deps, desk) if changes else None


async def redraw(kept: Kept, cluster_id: str, deps: Deps, desk: Desk) -> frozenset[str]:
    """Draw every message again that shows a cluster of the report, or of the newest report, as things stand now. Gives
    those back that show it. One that the platform does not take is logged; the next press draws it."""
    newest = await latest(deps, desk)
    reports = [kept] if newest is None or newest.report.report_id == kept.report.report_id else [kept, newest]
    drawn = await asyncio.gather(*(_redraw(one, cluster_id, deps, desk) for one in reports))
    return frozenset().union(*drawn)


async def _redraw(kept: Kept, cluster_id: str, deps: Deps, desk: Desk) -> frozenset[str]:
    pages = await desk.findings.pages(kept.report.report_id)
    shown = [page for page in pages if page.number in shown_on(_as_posted(kept, page, desk), cluster_id)]
    drawn = await asyncio.gather(*(_draw(page, kept, deps, desk) for page in shown))
    return frozenset(page.message for page, done in zip(shown, drawn, strict=True) if done)


def _as_posted(kept: Kept, page: Page, desk: Desk) -> Sight:
    return Sight(kept.report.told_in(page.language), desk.now(), kept.changes, {}, _locale(page), page.plan)


async def _draw(page: Page, kept: Kept, deps: Deps, desk: Desk) -> bool:
    """Whether the message shows how things stand."""
    drawn: Sight | None = None
    for _ in range(_TRIES):
        sight = replace(await sight_of(kept, _locale(page), desk), plan=page.plan)
        if drawn is not None and drawn.now == sight.now:
            break
        # another replica may have decided and drawn in between, and what is drawn last stays: so look again
        drawn = sight
        try:
            await deps.surface.update(page.message, report_page(sight, page.number))
        except SurfaceError as error:
            log.warning("a message of a report could not be drawn again", message=page.message, why=str(error))
            return False
    return True


def _locale(page: Page) -> Locale:
    return Locale(page.language, ZoneInfo(page.zone))


async def remember(posted: Posted, number: int, report_id: str, locale: Locale, desk: Desk, plan: Plan = ()) -> None:
    """Keep what a message shows, and with it that the channel got its report; one that waits to be posted has a name
    by which it is found later."""
    if not posted.messages:  # a turn that began in an earlier version may have noted down a post so
        return
    # one that became several messages cannot be drawn again in place
    page = number if len(posted.messages) == 1 else UNDRAWN
    kept = Page(posted.messages[0], report_id, page, locale.language, locale.zone.key, plan)
    await desk.findings.remember([kept])
