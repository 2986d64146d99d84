"""Somebody, or the clock, wants a patrol in a channel: run once however many ask, post the report, tie its thread."""

from typing import get_args

from agent.patrol.errors import WarehouseUnreadable
from agent.patrol.report import PatrolReport, ReportType
from handlers.deps import Deps
from handlers.opening import opening
from handlers.posting import post
from handlers.status import show, showing
from handlers.surface import PatrolRequest
from handlers.views import help_document, note_document, report_document, titled

_TYPES: dict[str, ReportType] = {name: name for name in get_args(ReportType)}

PARTIAL = (
    "A patrol reports on the whole fleet, and this channel sees only a part of it. Ask about your clusters instead."
)


async def patrol(request: PatrolRequest, deps: Deps) -> None:
    """Unknown words get the list of report types. A patrol that runs already is waited for, and posted here once.
    Where only a part of the fleet may be seen there is no patrol: a report tells of all of it."""
    report_type = asked_type(request.words)
    if report_type is None:
        await post("help", request.channel, help_document(request.words), deps)
        return
    if not deps.patrols.may_be_read(request.channel, request.user):
        await post("partial", request.channel, note_document(PARTIAL), deps)
        return
    doing = "is already running" if deps.flights.running(report_type) else "has started"
    said = note_document(f"{titled(report_type)} {doing}. The report will appear in this channel.")
    thread = (await post("started", request.channel, said, deps)).thread
    try:
        await deps.flights.join((report_type, request.channel), lambda: _report(report_type, request, thread, deps))
    except WarehouseUnreadable as blind:
        await post("blind", thread, note_document(blind.user_message), deps)
    finally:
        await show(thread, "", deps)


def asked_type(words: str) -> ReportType | None:
    """The report type that was typed behind the command; nothing typed means an on-demand one, nonsense None."""
    return _TYPES.get(words.strip().lower().replace("-", "_") or "on_demand")


async def _report(report_type: ReportType, request: PatrolRequest, thread: str, deps: Deps) -> None:
    async def run() -> PatrolReport:
        async with showing(thread, deps) as on_step:
            return await deps.patrols.run(report_type, request.user, on_step, deps.turn.journal, deps.turn.purse)

    report = await deps.flights.join(report_type, run)
    posted = await post("report", request.channel, report_document(report), deps)
    await deps.reports.tie(posted.thread, report, opening(report))
