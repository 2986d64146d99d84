"""`/patrol`: this table is all that can be typed behind it. Somebody, or the clock, wants it in a channel."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import get_args

from agent.patrol.errors import WarehouseUnreadable
from agent.patrol.report import FlaggedCluster, PatrolReport, ReportType
from handlers.ask import answer_in
from handlers.deps import Deps
from handlers.desk import Desk
from handlers.document import Document, Heading, Note, Part, Prose
from handlers.findings import UNDRAWN, Deed, key_of
from handlers.markdown import excerpt, line, literal
from handlers.notices import translated
from handlers.posting import post
from handlers.report import titled
from handlers.report_flag import flag_parts
from handlers.reporting import BLIND, Kept, deliver, latest, remember, sight_of
from handlers.standing import (
    Standing,
    handover_document,
    history,
    open_document,
    schedule_document,
    status_document,
)
from handlers.status import show, showing
from handlers.surface import PatrolRequest, Question
from handlers.timetable import FOREVER, NotATimetable, silence, told
from handlers.views import note_document

Command = Callable[[PatrolRequest, list[str], Deps], Awaitable[None]]
Reading = Callable[[PatrolRequest, list[str], Deps, Desk], Awaitable[Document | None]]

SHIFT = timedelta(hours=12)
"""How far a handover reaches back when nobody says: reports come mornings and evenings."""
_HISTORY = timedelta(days=14)
_SEVERAL = 8
_NAME = 100
_PREFIX = 6
"""Characters of an id that can mean one; the door asks for as many."""


async def patrol(request: PatrolRequest, deps: Deps) -> None:
    """Do what was typed. Unknown words get the help. Where only a part of the fleet may be seen there is no more than
    that: all the rest tells of the whole of it."""
    words = request.words.split()
    name = words[0].lower().replace("-", "_") if words else "now"
    command = COMMANDS.get(_OTHER_WORDS.get(name, name))
    locale = await deps.locale(request.channel, request.user)
    # words behind a command that takes none are more likely a question than a command
    if command is None or (len(words) > 1 and command not in _WORDY):
        await post("help", request.channel, help_document(request.words, locale.say), deps)
    elif command is not COMMANDS["help"] and not deps.patrols.may_be_read(request.channel, request.user):
        await _partial(command, request, words[1:], deps)
    else:
        await command(request, words[1:], deps)


async def _partial(command: Command, request: PatrolRequest, words: list[str], deps: Deps) -> None:
    """What is left where only a part of the fleet may be seen: the agent sees as much of a cluster as its reader."""
    if command is COMMANDS["cluster"] and words:
        await _looked_at(" ".join(words), "cluster.looking", request, deps)
        return
    locale = await deps.locale(request.channel, request.user)
    await post("partial", request.channel, note_document(locale.say("patrol.partial")), deps)


def help_document(words: str, say: Callable[..., str]) -> Document:
    """What can be typed; `words` is what was typed and is none of it, empty when the help was asked for."""
    help_ = Prose(say("patrol.help"))
    typed = excerpt(words, 80)
    if not typed:
        return Document(excerpt(help_.markdown, 300), (help_,))
    # the fall-back is plain text, in which nothing is escaped by backslashes
    unknown = Prose(say("patrol.unknown", words=literal(typed)))
    return Document(excerpt(say("patrol.unknown", words=typed), 300), (unknown, help_))


async def _help(request: PatrolRequest, words: list[str], deps: Deps) -> None:
    locale = await deps.locale(request.channel, request.user)
    await post("help", request.channel, help_document("", locale.say), deps)


def _running(report_type: ReportType) -> Command:
    async def run(request: PatrolRequest, words: list[str], deps: Deps) -> None:
        await _patrol(report_type, request, deps)

    return run


async def _patrol(report_type: ReportType, request: PatrolRequest, deps: Deps) -> None:
    """A patrol that runs already is waited for, and posted here once however many ask."""
    locale = await deps.locale(request.channel, request.user)
    begun = "patrol.joined" if report_type in await _under_way(deps) else "patrol.started"
    said = note_document(locale.say(begun, title=titled(report_type, locale)))
    thread = (await post("started", request.channel, said, deps)).thread
    try:
        await deps.flights.join((report_type, request.channel), lambda: _report(report_type, request, thread, deps))
    except WarehouseUnreadable as blind:
        await _blind(blind.user_message, request, thread, deps)
    finally:
        await show(thread, "", deps)


async def _blind(why: str, request: PatrolRequest, thread: str, deps: Deps) -> None:
    """The report of a patrol that saw nothing: why, since when nothing is known, and what was open then. One that was
    due stands in the channel, as every report does."""
    locale = await deps.locale(request.channel, request.user)
    parts: list[Part] = [Note(translated(why, locale))]
    if (desk := deps.desk) is not None:
        kept, lasting = await latest(deps, desk), await desk.findings.open()
        clusters = len({one.cluster_name for one in lasting})
        when = locale.time(kept.changes.at) if kept else ""
        key = "patrol.blind.since" if kept else "patrol.blind.never"
        parts.append(Note(locale.say(key, when=when, open=len(lasting), clusters=clusters)))
    place = request.channel if request.key.startswith("clock:") else thread
    document = Document(excerpt(translated(why, locale), 300), tuple(parts), locale.language)
    posted = await post("blind", place, document, deps)
    if desk is not None:
        await remember(posted, UNDRAWN, BLIND, locale, desk)


async def _under_way(deps: Deps) -> list[ReportType]:
    """The patrols that run now, here or in another process."""
    elsewhere = await deps.patrols.running()
    return [one for one in get_args(ReportType) if one in elsewhere or deps.flights.running(one)]


async def _report(report_type: ReportType, request: PatrolRequest, thread: str, deps: Deps) -> None:
    language = (await deps.locale(request.channel, request.user)).language

    async def run() -> PatrolReport:
        turn = deps.turn
        async with showing(thread, deps) as on_step:
            return await deps.patrols.run(report_type, request.user, on_step, turn.journal, turn.purse, language)

    report = await deps.flights.join(report_type, run)
    await deliver("report", request.channel, request.user, report, deps)


def _told(reading: Reading) -> Command:
    """A command that posts one document, out of what is remembered."""

    async def tell(request: PatrolRequest, words: list[str], deps: Deps) -> None:
        if deps.desk is None:
            locale = await deps.locale(request.channel, request.user)
            document: Document | None = note_document(locale.say("patrol.no_memory"))
        else:
            document = await reading(request, words, deps, deps.desk)
        if document is not None:
            await post("told", request.channel, document, deps)

    return tell


async def _last(request: PatrolRequest, words: list[str], deps: Deps, desk: Desk) -> Document | None:
    """The last report again, as things stand; None when it was posted."""
    if (kept := await latest(deps, desk)) is None:
        return await _note("patrol.no_report", request, deps)
    await deliver("last", request.channel, request.user, kept.report, deps)
    return None


async def _status(request: PatrolRequest, words: list[str], deps: Deps, desk: Desk) -> Document:
    locale = await deps.locale(request.channel, request.user)
    running = await _under_way(deps)
    kept = await latest(deps, desk)
    last = await sight_of(kept, locale, desk) if kept else None
    return status_document(running, await desk.timetables.of(request.channel), last, desk.now(), locale)


async def _open(request: PatrolRequest, words: list[str], deps: Deps, desk: Desk) -> Document:
    locale = await deps.locale(request.channel, request.user)
    return open_document(Standing(desk.now(), locale, await desk.findings.open()))


async def _handover(request: PatrolRequest, words: list[str], deps: Deps, desk: Desk) -> Document:
    locale, now = await deps.locale(request.channel, request.user), desk.now()
    try:
        reach = silence(words, now) - now if words else SHIFT
    except NotATimetable as wrong:
        return await _note(wrong.key, request, deps, word=excerpt(wrong.word, _NAME))
    deeds = await desk.findings.deeds(now - reach)
    return handover_document(now - reach, deeds, Standing(now, locale, await desk.findings.open()))


async def _cluster(request: PatrolRequest, words: list[str], deps: Deps, desk: Desk) -> Document | None:
    """One cluster: as the last report has it, or, when that has nothing to say, as the thread's agent finds it."""
    name = " ".join(words)
    if not name:
        return await _note("cluster.which", request, deps)
    locale = await deps.locale(request.channel, request.user)
    kept = await latest(deps, desk)
    found = _named(name, kept) if kept else []
    if len(found) > 1:
        names = ", ".join(f"{line(one.cluster_name)} ({line(one.cluster_id)})" for one in found[:_SEVERAL])
        return await _note("cluster.several", request, deps, name=excerpt(name, _NAME), names=names)
    if kept is not None and found:
        return await _flagged(request, found[0].cluster_id, kept, deps, desk)
    when = locale.time(kept.changes.at) if kept else ""
    await _looked_at(name, "cluster.calm" if kept else "cluster.unreported", request, deps, when=when)
    return None


def _named(name: str, kept: Kept) -> list[FlaggedCluster]:
    """The flagged clusters that are meant: by id, by the beginning of one, or by name."""
    wanted, flagged = name.lower(), kept.report.flagged_clusters
    exact = [one for one in flagged if wanted in (one.cluster_id.lower(), one.cluster_name.lower())]
    close = [one for one in flagged if len(wanted) >= _PREFIX and one.cluster_id.lower().startswith(wanted)]
    return exact or close


async def _flagged(request: PatrolRequest, cluster_id: str, kept: Kept, deps: Deps, desk: Desk) -> Document:
    locale = await deps.locale(request.channel, request.user)
    sight = await sight_of(kept, locale, desk)
    cluster = next(one for one in kept.report.flagged_clusters if one.cluster_id == cluster_id)
    deeds = [one for one in await desk.findings.deeds(desk.now() - _HISTORY) if _is_of(one, cluster_id)]
    as_of = Note(locale.say("cluster.flagged", when=locale.time(kept.changes.at)))
    parts: list[Part] = [Heading(cluster.cluster_name or cluster_id), as_of, *flag_parts(cluster, sight)]
    if deeds:
        parts.append(Prose(f"**{locale.say('cluster.history')}**\n\n{history(deeds, locale)}"))
    return Document(excerpt(f"{cluster.cluster_name}: {cluster.reason}", 300), tuple(parts), locale.language)


def _is_of(deed: Deed, cluster_id: str) -> bool:
    return deed.key == key_of(cluster_id, deed.dimension)


async def _looked_at(name: str, key: str, request: PatrolRequest, deps: Deps, **values: object) -> None:
    locale = await deps.locale(request.channel, request.user)
    said = locale.say(key, name=excerpt(name, _NAME), **values)
    posted = await post("looking", request.channel, note_document(said), deps)
    asked = Question(request.key, posted.thread, request.user, f"How is the cluster {excerpt(name, _NAME)} doing?")
    await answer_in(asked, asked.text, deps)


async def _schedule(request: PatrolRequest, words: list[str], deps: Deps, desk: Desk) -> Document:
    locale = await deps.locale(request.channel, request.user)
    timetable = await desk.timetables.of(request.channel)
    if not timetable.name and not list(timetable.slots()):
        # nobody said a zone yet, so times are meant as they are read here
        timetable = replace(timetable, zone=locale.zone.key)
    if words:
        name = await desk.names(request.channel, request.user)
        try:
            timetable = told([word.lower() for word in words], timetable, name)
        except NotATimetable as wrong:
            return note_document(locale.say(wrong.key, word=excerpt(wrong.word, _NAME)))
        await desk.timetables.put(timetable)
    return schedule_document(timetable, locale)


async def _mute(request: PatrolRequest, words: list[str], deps: Deps, desk: Desk) -> Document:
    try:
        until = silence([word.lower() for word in words], desk.now())
    except NotATimetable as wrong:
        return await _note(wrong.key, request, deps, word=excerpt(wrong.word, _NAME))
    await _silent(until, request, desk)
    if until >= FOREVER:
        return await _note("mute.schedule.forever", request, deps)
    locale = await deps.locale(request.channel, request.user)
    return note_document(locale.say("mute.schedule", until=locale.time(until)))


async def _unmute(request: PatrolRequest, words: list[str], deps: Deps, desk: Desk) -> Document:
    await _silent(None, request, desk)
    return await _note("unmute.schedule", request, deps)


async def _silent(until: datetime | None, request: PatrolRequest, desk: Desk) -> None:
    timetable = await desk.timetables.of(request.channel)
    await desk.timetables.put(replace(timetable, muted_until=until))


async def _note(key: str, request: PatrolRequest, deps: Deps, **values: object) -> Document:
    locale = await deps.locale(request.channel, request.user)
    return note_document(locale.say(key, **values))


COMMANDS: Mapping[str, Command] = {
    "now": _running("on_demand"),
    "morning": _running("morning"),
    "evening": _running("evening"),
    "weekly": _running("weekly"),
    "last": _told(_last),
    "status": _told(_status),
    "cluster": _told(_cluster),
    "open": _told(_open),
    "schedule": _told(_schedule),
    "handover": _told(_handover),
    "mute": _told(_mute),
    "unmute": _told(_unmute),
    "help": _help,
}
"""What is typed → what is done."""

_WORDY = frozenset(COMMANDS[name] for name in ("cluster", "schedule", "handover", "mute"))
"""Commands that take further words."""

_OTHER_WORDS = {
    "on_demand": "now",
    "现在": "now",
    "早间": "morning",
    "晚间": "evening",
    "每周": "weekly",
    "上次": "last",
    "状态": "status",
    "集群": "cluster",
    "未解决": "open",
    "时间": "schedule",
    "交接": "handover",
    "静音": "mute",
    "取消静音": "unmute",
    "帮助": "help",
}
