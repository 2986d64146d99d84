"""Our page, for one person: the fleet, what is open, what is theirs, what comes next, and what we are and are not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from handlers.deps import Deps
from handlers.document import Divider, Document, Heading, Note, Part, Prose
from handlers.findings import Tracked, worst_first
from handlers.locale import Locale
from handlers.markdown import literal
from handlers.report import counts_of, titled
from handlers.report_changes import summary
from handlers.report_flag import Sight
from handlers.reporting import latest, sight_of
from handlers.standing import Standing, listed
from handlers.surface import Press
from handlers.timetable import FOREVER, Timetable

APPROVALS = 10
"""Approvals on a page, those that wait longest."""


@dataclass(frozen=True, slots=True)
class Home:
    """What one person's page is drawn from. `sees_all` = they may see the whole fleet here; `remembers` = findings are
    kept at all. `last` is the newest report. `approvals` wait for somebody, `changes` = there may be some."""

    user: str
    standing: Standing
    last: Sight | None = None
    timetables: Sequence[Timetable] = ()
    sees_all: bool = True
    remembers: bool = True
    approvals: Sequence[str] = ()
    changes: bool = False


async def home(press: Press, deps: Deps) -> None:
    """Draw the page of whoever opened it. Raises SurfaceError."""
    await deps.surface.home(press.user, home_document(await _with_approvals(await _of(press, deps), deps)))


async def _of(press: Press, deps: Deps) -> Home:
    locale = await deps.locale(press.thread, press.user)
    sees_all = deps.patrols.may_be_read(press.thread, press.user)
    if (desk := deps.desk) is None:
        return Home(press.user, Standing(FOREVER, locale), sees_all=sees_all, remembers=False)
    if not sees_all:
        return Home(press.user, Standing(desk.now(), locale), sees_all=False)
    kept = await latest(deps, desk)
    last = await sight_of(kept, locale, desk) if kept else None
    standing = Standing(desk.now(), locale, await desk.findings.open())
    return Home(press.user, standing, last, await desk.timetables.all())


async def _with_approvals(page: Home, deps: Deps) -> Home:
    """Approvers see all that waits, others what they asked for."""
    if (permits := deps.permits) is None or not permits.approvers:
        return page
    waiting = [one for one in await permits.ledger.waiting() if permits.may_decline(page.user, one)]
    lines = []
    for one in waiting[:APPROVALS]:
        tools = ", ".join(dict.fromkeys(literal(each.tool) for each in one.proposals))
        asker = literal(await permits.names(one.thread, one.asker))
        when = page.standing.locale.time(one.expires_at)
        lines.append(page.standing.locale.say("home.approvals.line", tools=tools, asker=asker, time=when, id=one.id))
    return replace(page, approvals=lines, changes=True)


def home_document(page: Home) -> Document:
    """The page."""
    locale = page.standing.locale
    parts: list[Part] = [Heading(locale.say("home.title"))]
    if not page.sees_all:
        parts.append(Prose(locale.say("home.partial")))
    elif page.remembers:
        parts.extend(_fleet(page))
        parts.extend(_findings(page))
        parts.append(Prose(_next(page)))
    if page.approvals:
        parts.append(Heading(locale.say("home.approvals")))
        parts.append(Prose("\n".join(f"- {one}" for one in page.approvals)))
    parts.extend(_about(locale, changes=page.changes))
    return Document(locale.say("home.title"), tuple(parts), locale.language)


def _fleet(page: Home) -> Iterator[Part]:
    locale, last = page.standing.locale, page.last
    yield Heading(locale.say("home.fleet"))
    if last is None or last.changes is None:
        yield Prose(locale.say("patrol.no_report"))
        return
    yield Prose(f"**{literal(counts_of(last))}**")
    title, when = titled(last.report.report_type, locale), locale.time(last.changes.at)
    yield Note(locale.say("status.last", title=title, when=when, counts=summary(last.changes, locale)))


def _findings(page: Home) -> Iterator[Part]:
    standing, locale = page.standing, page.standing.locale
    mine = [one for one in standing.found if one.assignee == page.user]
    yield Heading(locale.say("home.mine"))
    yield Prose(listed(worst_first(mine), standing) if mine else locale.say("home.mine.none"))
    loud = [one for one in standing.found if not standing.quiet(one)]
    yield Heading(locale.say("home.open"))
    yield Prose(_open(loud, standing))


def _open(loud: Sequence[Tracked], standing: Standing) -> str:
    return listed(worst_first(loud), standing) if loud else standing.locale.say("open.none")


def _next(page: Home) -> str:
    locale = page.standing.locale
    coming = [found for one in page.timetables if (found := one.following(page.standing.moment)) is not None]
    if not coming:
        return locale.say("home.next.none")
    name, moment = min(coming, key=lambda one: one[1])
    return locale.say("home.next", title=titled(name, locale), when=locale.time(moment))


def _about(locale: Locale, *, changes: bool) -> Iterator[Part]:
    yield Divider()
    yield Heading(locale.say("home.about"))
    yield Prose(locale.say("home.may"))
    if changes:
        yield Note(locale.say("home.changes"))
    yield Note(locale.say("home.data"))
    yield Note(locale.say("home.wrong"))
