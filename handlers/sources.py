"""The buttons under an answer: its SQL, its rows as a file, and what somebody thinks of it."""

import asyncio
import re

from handlers.answer_sql import PAGE, page_form, sql_pages
from handlers.answers import REASON, counted, reason_form
from handlers.buttons import ANSWER_WHY, answer_of, statement_of
from handlers.deps import Answers, Deps, Results
from handlers.document import Document, File, Note
from handlers.kept import KeptAnswer, ResultGone, ResultUnread, Rows, Statement, Verdict
from handlers.locale import Locale
from handlers.spreadsheet import csv_bytes, csv_name
from handlers.surface import Press
from handlers.views import note_document

LONGEST_REASON = 2_000
"""Characters of a reason that are kept."""


async def show_sql(press: Press, deps: Deps) -> None:
    """A dialog with the statements and receipts behind the answer, for those who may see what it rests on."""
    await _page(press, 0, deps)


async def show_page(press: Press, deps: Deps) -> None:
    """Another page of it. Raises ValueError for one that was not offered."""
    chosen = press.entered.get(PAGE, "")
    if not re.fullmatch(r"[0-9]{1,3}", chosen):
        raise ValueError("not the number of a page")
    await _page(press, int(chosen), deps)


async def _page(press: Press, number: int, deps: Deps) -> None:
    locale = await deps.locale(press.thread, press.user)
    if found := await _readable(press, answer_of(press.value), deps, locale):
        pages = sql_pages(found, locale)
        if number >= len(pages):
            raise ValueError("the answer has no such page")
        form = page_form(found.id, number, len(pages), locale) if len(pages) > 1 else None
        await deps.surface.dialog(press, locale.say("sql.title"), pages[number], form)


async def send_csv(press: Press, deps: Deps) -> None:
    """All rows of one statement as a file in the thread, and a word on how they came."""
    locale = await deps.locale(press.thread, press.user)
    answer_id, number = statement_of(press.value)
    found = await _readable(press, answer_id, deps, locale)
    if found is None:
        return
    if number >= len(found.statements):
        raise ValueError("the answer has no such statement")
    statement = found.statements[number]
    try:
        rows = await _results(deps).rows(press.thread, press.user, statement)
    except ResultGone:
        await _whisper(press, locale.say("csv.gone"), deps)
    except ResultUnread as reason:
        await _whisper(press, locale.say("csv.failed", why=reason), deps)
    else:
        # thousands of rows take a moment to write, which other threads need not wait for
        document = await asyncio.to_thread(_file, statement, rows, locale)
        await deps.surface.post(press.thread, document)


async def like(press: Press, deps: Deps) -> None:
    """Note that the answer helped."""
    locale = await deps.locale(press.thread, press.user)
    if await _judge(press, "good", "", deps, locale):
        await _whisper(press, locale.say("feedback.thanks"), deps)


async def dislike(press: Press, deps: Deps) -> None:
    """Note that it did not help, and ask why."""
    locale = await deps.locale(press.thread, press.user)
    if await _judge(press, "bad", "", deps, locale):
        intro = note_document(locale.say("feedback.intro"))
        form = reason_form(press.value, ANSWER_WHY, locale)
        await deps.surface.dialog(press, locale.say("feedback.title"), intro, form)


async def explain(press: Press, deps: Deps) -> None:
    """Note why it did not help."""
    locale = await deps.locale(press.thread, press.user)
    if await _judge(press, "bad", press.entered.get(REASON, "").strip()[:LONGEST_REASON], deps, locale):
        await _whisper(press, locale.say("feedback.thanks"), deps)


async def _readable(press: Press, answer_id: str, deps: Deps, locale: Locale) -> KeptAnswer | None:
    """The answer, if it is still kept and this person may see what it rests on; else they are told."""
    found = await _answers(deps).find(answer_id)
    if found is None:
        await _whisper(press, locale.say("answer.forgotten"), deps)
    # a value can be copied into another channel by whoever may write apps, where other people read
    elif not _results(deps).may_read(press.thread, press.user, found.user) or found.thread != press.thread:
        await _whisper(press, locale.say("answer.not_yours"), deps)
    else:
        return found
    return None


async def _judge(press: Press, verdict: Verdict, reason: str, deps: Deps, locale: Locale) -> bool:
    """Whether the verdict was kept; the one who pressed is told when there is nothing left to judge."""
    noted = await _answers(deps).judge(answer_of(press.value), press.user, verdict, reason)
    if not noted:
        await _whisper(press, locale.say("answer.forgotten"), deps)
    return noted


def _file(statement: Statement, rows: Rows, locale: Locale) -> Document:
    many = counted("rows", len(rows.rows), locale)
    told = locale.say(f"csv.{rows.source}", rows=many, query_id=statement.query_id)
    if rows.cut:
        told = f"{told} {locale.say('csv.cut', rows=many)}"
    name = csv_name(statement.query_id)
    return Document(told, (Note(told), File(name, name, csv_bytes(rows.columns, rows.rows))), locale.language)


async def _whisper(press: Press, text: str, deps: Deps) -> None:
    await deps.surface.whisper(press.thread, press.user, note_document(text))


def _answers(deps: Deps) -> Answers:
    if deps.answers is None:
        raise ValueError("a button of an answer was pressed where no answers are kept")
    return deps.answers


def _results(deps: Deps) -> Results:
    if deps.results is None:
        raise ValueError("a button of an answer was pressed where no results can be read")
    return deps.results
