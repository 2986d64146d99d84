"""Investigate under a flagged cluster, pressed by somebody or by the sentinel: a turn about it in that thread."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from agent.investigation.run import Case
from handlers.again import with_retry
from handlers.buttons import investigated
from handlers.conclusions import investigation_document
from handlers.deps import Deps
from handlers.keeping import keep
from handlers.notices import in_words
from handlers.posting import once
from handlers.purse import with_thrift
from handlers.surface import Investigate, Press
from handlers.telling import Telling
from handlers.withdrawal import writing_to
from handlers.words import Language

_TOLD = (
    *("cluster_name", "customer", "tier", "severity", "reason", "since", "key_metrics", "findings"),
    "lowered_because",
)


async def pressed(press: Press, deps: Deps) -> None:
    """Queue the turn that the button asks for. Raises ValueError for a value of no button of ours."""
    report_id, cluster_id = investigated(press.value)
    await deps.submit(Investigate(press.key, press.thread, press.user, cluster_id, report_id, order=press.order))


async def investigate(pressed: Investigate, deps: Deps) -> None:
    """Look into the cluster, given what the report said of it; works without the report too. Steps are shown while it
    lasts, the conclusion takes their place. One that failed, or that rules did for a model, can be asked for again."""
    thread, user = pressed.thread, pressed.user
    report = await deps.reports.find(pressed.report_id)
    locale = await deps.locale(thread, user)
    case = case_of(pressed, report, locale.language)
    async with writing_to(pressed, thread, deps) as writing:
        telling, turn = Telling(writing, deps.turn, locale), deps.turn
        done = await deps.investigations.investigate(case, thread, user, telling, turn.journal, turn.purse)
        answer = in_words(done.answer, locale)
        done = replace(done, answer=replace(answer, notice=with_thrift(answer.notice, turn.purse, locale)))
        kept_as = await keep(thread, user, case.question(), done.answer, deps)
        document = investigation_document(done, locale, kept_as)
        if done.answer.failed or done.degraded:
            document = with_retry(document, pressed.key, locale)
        await once("answer", lambda: writing.finish(document), deps)


def case_of(pressed: Investigate, report: Mapping[str, Any] | None, language: Language = "en") -> Case:
    """The cluster, with what the report said of it."""
    flagged: Sequence[Mapping[str, Any]] = (report or {}).get("flagged_clusters", ())
    found: Mapping[str, Any] = next((one for one in flagged if one["cluster_id"] == pressed.cluster_id), {})
    told: dict[str, Any] = {"report_id": pressed.report_id}
    told |= {key: found[key] for key in _TOLD if key in found}
    return Case(pressed.cluster_id, told, language, task=pressed.key)
