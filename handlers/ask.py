"""Somebody said something in a thread: answer it there."""

from handlers.answers import answer_document
from handlers.deps import Deps
from handlers.keeping import keep
from handlers.posting import mark_of, once
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
        answer = await deps.agents.chat(thread, text, user, telling, deps.turn.journal)
        usage = answer.usage
        deps.turn.tokens.append(
            usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens + usage.output_tokens
        )
        kept_as = await keep(thread, user, text, answer, deps)
        await once("answer", lambda: writing.finish(answer_document(answer, locale, kept_as)), deps)
