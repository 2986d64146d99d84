"""The buttons under a flagged cluster: acknowledge, snooze, assign, known issue, reopen. Everybody sees it at once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from agent.patrol.report import FlaggedCluster
from handlers.buttons import ASSIGNED, KNOWN_NOTED, flag_of, short_id, snooze_of
from handlers.deps import Deps
from handlers.desk import Desk
from handlers.document import Document, Field, Form, Prose
from handlers.findings import SNOOZES, Decision, Tracked, keys_of
from handlers.locale import Locale
from handlers.markdown import excerpt, line
from handlers.report_flag import name_of
from handlers.reporting import Kept, find, redraw
from handlers.surface import Press, SurfaceError
from handlers.views import note_document

log = structlog.get_logger()

NOTE, WHO, PICKED, NAME = "note", "who", "person", "name"
LONGEST_NOTE = 500
LONGEST_NAME = 80
_ME, _NOBODY, _PERSON = "me", "nobody", "user:"
_USER = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Target:
    """What a press is about."""

    kept: Kept
    cluster: FlaggedCluster
    desk: Desk
    locale: Locale


async def acknowledge(press: Press, deps: Deps) -> None:
    """Somebody saw it and looks after it."""
    await _decide(press, press.value, Decision("acknowledged"), deps)


async def reopen(press: Press, deps: Deps) -> None:
    """Take back whatever kept it quiet."""
    await _decide(press, press.value, Decision("open"), deps)


async def snooze(press: Press, deps: Deps) -> None:
    """Keep it quiet for a while. Raises ValueError for a span that is on no menu."""
    span, value = snooze_of(press.value)
    if span not in SNOOZES:
        raise ValueError("a span that is on no menu")
    until = _desk(deps).now() + SNOOZES[span]
    await _decide(press, value, Decision("snoozed", until), deps)


async def ask_what_is_known(press: Press, deps: Deps) -> None:
    """A dialog that asks what is known about it."""
    if (target := await target_of(press, press.value, deps)) is None:
        return
    found = await target.desk.findings.now(keys_of(target.cluster))
    before = next((one.handling.note for one in found.values() if one.handling.note), "")
    say = target.locale.say
    field = Field(NOTE, say("known.what"), "multiline", initial=before)
    form = Form((field,), KNOWN_NOTED, press.value, say("known.send"))
    await deps.surface.dialog(press, say("button.known"), _about(target, "known.intro"), form)


async def note_what_is_known(press: Press, deps: Deps) -> None:
    """What was typed there keeps the finding quiet, and stands beside it."""
    note = excerpt(press.entered.get(NOTE, ""), LONGEST_NOTE)
    await _decide(press, press.value, Decision("known", note=note or "–"), deps)


async def ask_whom(press: Press, deps: Deps) -> None:
    """A dialog that asks who looks after it."""
    if (target := await target_of(press, press.value, deps)) is None:
        return
    say = target.locale.say
    people = [(name, user) for user, name in await target.desk.findings.people() if user != press.user]
    lately = [(name, f"{_PERSON}{user}") for name, user in people]
    options = ((say("assign.me"), _ME), *lately, (say("assign.nobody"), _NOBODY))
    fields = (
        Field(WHO, say("assign.who"), "choice", options, _ME),
        Field(PICKED, say("assign.person"), "person", tuple(people), optional=True),
        Field(NAME, say("assign.other"), optional=True),
    )
    form = Form(fields, ASSIGNED, press.value, say("assign.send"))
    await deps.surface.dialog(press, say("button.assign"), _about(target, "assign.intro"), form)


async def assign(press: Press, deps: Deps) -> None:
    """Whoever was chosen or named there looks after it."""
    if (target := await target_of(press, press.value, deps)) is None:
        return
    desk = target.desk
    own = await desk.names(press.thread, press.user)
    assignee, name = await _chosen(press, own, desk)
    changed = await desk.findings.assign(keys_of(target.cluster), assignee, name, press.user, own)
    await _show(press, target, changed, deps)
    if changed and assignee not in ("", press.user):
        await _tell(press, target, assignee, own, deps)


async def _tell(press: Press, target: Target, assignee: str, own: str, deps: Deps) -> None:
    """Let somebody know that a finding is theirs now. That they cannot be reached takes nothing back."""
    locale = await deps.locale(press.thread, assignee)
    name = line(target.cluster.cluster_name) or line(target.cluster.cluster_id)
    told = note_document(locale.say("assign.told", who=line(own), name=name))
    try:
        await deps.surface.whisper(press.thread, assignee, told)
    except SurfaceError as error:
        log.warning("somebody could not be told what was assigned to them", user=assignee, why=str(error))


async def _chosen(press: Press, own: str, desk: Desk) -> tuple[str, str]:
    """Id and name of the one chosen; a typed name has no id. Raises ValueError for a choice that was not offered."""
    if picked := press.entered.get(PICKED, ""):
        if not _USER.fullmatch(picked):
            raise ValueError("not the id of a person")
        return picked, await desk.names(press.thread, picked)
    if typed := excerpt(press.entered.get(NAME, ""), LONGEST_NAME):
        return "", typed
    match press.entered.get(WHO, ""):
        case "me":
            return press.user, own
        case "nobody":
            return "", ""
        case who:
            known = {f"{_PERSON}{user}": (user, name) for user, name in await desk.findings.people()}
            if who not in known:
                raise ValueError("somebody who was not offered")
            return known[who]


async def _decide(press: Press, value: str, decision: Decision, deps: Deps) -> None:
    if (target := await target_of(press, value, deps)) is None:
        return
    name = await target.desk.names(press.thread, press.user)
    changed = await target.desk.findings.decide(keys_of(target.cluster), decision, press.user, name)
    await _show(press, target, changed, deps)


async def target_of(press: Press, value: str, deps: Deps) -> Target | None:
    """The cluster that a button stands under; None when this person may not see the fleet here, or the report is
    forgotten, which they are told. Raises ValueError for a value of no button of ours."""
    report_id, short = flag_of(value)
    desk, locale = _desk(deps), await deps.locale(press.thread, press.user)
    if not deps.patrols.may_be_read(press.thread, press.user):
        await _whisper(press, locale.say("patrol.partial"), deps)
        return None
    if (kept := await find(report_id, deps, desk)) is None:
        await _whisper(press, locale.say("report.forgotten"), deps)
        return None
    flagged = kept.report.flagged_clusters
    cluster = next((one for one in flagged if short_id(one.cluster_id) == short), None)
    if cluster is None:
        raise ValueError("the report flags no such cluster")
    return Target(kept, cluster, desk, locale)


async def _show(press: Press, target: Target, changed: Sequence[Tracked], deps: Deps) -> None:
    drawn = await redraw(target.kept, target.cluster.cluster_id, deps, target.desk)
    name = line(target.cluster.cluster_name) or line(target.cluster.cluster_id)
    if not changed:
        await _whisper(press, target.locale.say("decision.recovered", name=name), deps)
    elif press.message not in drawn:
        # pressed on a message that is not drawn again: without a word it would look as if nothing happened
        await _whisper(press, target.locale.say("decision.done", name=name), deps)


def _about(target: Target, key: str) -> Document:
    text = target.locale.say(key, name=f"**{name_of(target.cluster.cluster_name, target.cluster.cluster_id)}**")
    return Document(text, (Prose(text),))


def _desk(deps: Deps) -> Desk:
    if deps.desk is None:
        raise ValueError("a button of a report was pressed where no findings are kept")
    return deps.desk


async def _whisper(press: Press, text: str, deps: Deps) -> None:
    await deps.surface.whisper(press.thread, press.user, note_document(text))
