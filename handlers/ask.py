"""Somebody said something in a thread: answer it there."""

from handlers.deps import Deps
from handlers.posting import post
from handlers.status import showing
from handlers.surface import Question
from handlers.views import answer_document


async def ask(question: Question, deps: Deps) -> None:
    """One turn: status while thinking, the answer as a post in the same thread."""
    await answer_in(question.thread, question.text, question.user, deps)


async def answer_in(thread: str, text: str, user: str, deps: Deps) -> None:
    """Answer what `user` said in `thread`. The post takes the place of the status."""
    async with showing(thread, deps) as on_step:
        answer = await deps.agents.chat(thread, text, user, on_step, deps.turn.journal)
    usage = answer.usage
    deps.turn.tokens.append(
        usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens + usage.output_tokens
    )
    await post("answer", thread, answer_document(answer), deps)
