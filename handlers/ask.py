"""Somebody said something in a thread: answer it there."""

from dataclasses import replace

from handlers.answers import answer_document
from handlers.deps import Deps
from handlers.keeping import keep
from handlers.posting import mark_of, once
from handlers.purse import with_thrift
from handlers.surface import Question
from handlers.telling import Telling


async def ask(question: Question, deps: Deps) -> None:
    """One turn: steps and words while it lasts, the answer as a post in the same thread."""
    await answer_in(question.thread, question.text, question.user, deps)


async def answer_in(thread: str, text: str, user: str, deps: Deps) -> None:
    """Answer what `user` said in `thread`. The answer takes the place of what was shown of it."""
    locale = await deps.locale(thread, user)
    async with deps.surface.writing(thread, mark_of("answer", deps), user) as writing:
        telling = Telling(writing, deps.turn, locale)
        answer = await deps.agents.chat(thread, text, user, telling, deps.turn.journal, deps.turn.purse)
        answer = replace(answer, notice=with_thrift(answer.notice, deps.turn.purse, locale))
        kept_as = await keep(thread, user, text, answer, deps)
        await once("answer", lambda: writing.finish(answer_document(answer, locale, kept_as)), deps)
