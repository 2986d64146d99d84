"""Somebody said something in a thread: answer it there."""

from dataclasses import replace

from handlers.again import with_retry
from handlers.answers import answer_document
from handlers.approvals import asking
from handlers.commands import command_of, obey
from handlers.deps import Deps
from handlers.keeping import keep
from handlers.notices import in_words
from handlers.overheard import overheard, remember
from handlers.posting import once
from handlers.purse import with_thrift
from handlers.surface import Question
from handlers.telling import Telling
from handlers.withdrawal import writing_to


async def ask(question: Question, deps: Deps) -> None:
    """One turn: steps and words while it lasts, the answer as a post in the same thread. Words that are no question but
    a command are obeyed instead."""
    if (command := command_of(question.text)) is not None:
        await obey(*command, question, deps)
        return
    heard = await overheard(question, deps)
    await answer_in(question, question.text, deps, heard)
    await remember(question, deps)


async def answer_in(event: Question, text: str, deps: Deps, heard: str = "") -> None:
    """Answer `text` in the thread of the event. The answer takes the place of what was shown of it; one that failed can
    be asked for again. `heard` is JSON of what others said there before."""
    thread, user = event.thread, event.user
    locale = await deps.locale(thread, user)
    async with writing_to(event, thread, deps) as writing:
        telling = Telling(writing, deps.turn, locale)
        turn, approvals = deps.turn, asking(thread, user, deps)
        answer = await deps.agents.chat(thread, text, user, telling, turn.journal, turn.purse, heard, approvals)
        answer = in_words(answer, locale)
        answer = replace(answer, notice=with_thrift(answer.notice, deps.turn.purse, locale))
        kept_as = await keep(thread, user, text, answer, deps)
        document = answer_document(answer, locale, kept_as)
        if answer.failed:
            document = with_retry(document, event.key, locale)
        await once("answer", lambda: writing.finish(document), deps)
