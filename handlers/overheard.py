"""What was said in a thread beside the questions put to us: read along with a question, as other people's words."""

import json
from collections.abc import Sequence

import structlog

from agent.journal import Json
from handlers.deps import Deps
from handlers.preferences import CONTEXT, OFF, TOLD, channel_of
from handlers.surface import Question, Said, SurfaceError

log = structlog.get_logger()

MESSAGES = 40
CHARACTERS = 6_000
"""Of all messages together; the latest ones are kept, and of the oldest of those the beginning."""
WORTH = 100
"""Characters below which there is no room for one more message."""


async def overheard(question: Question, deps: Deps) -> str:
    """JSON of what others said in the thread since we last looked, empty when there is nothing. It is read once for a
    turn: one that is repeated reads the same. A platform that does not tell costs the answer nothing."""

    async def read() -> Json:
        return _told(await _heard(question, deps))

    # the first message of a thread has nothing before it, and a surface without an order nothing to sort by
    if not question.order or question.thread.endswith(f":{question.order}"):
        return ""
    if (await deps.preferences.of(channel_of(question.thread))).get(CONTEXT) == OFF:
        return ""
    told: str = await deps.turn.journal.step("overheard", read)
    return told


async def remember(question: Question, deps: Deps) -> None:
    """From now on only what is said behind this question is new."""
    if question.order:
        await deps.preferences.put(question.thread, TOLD, question.order)


async def _heard(question: Question, deps: Deps) -> Sequence[Said]:
    after = (await deps.preferences.of(question.thread)).get(TOLD, "")
    try:
        said = await deps.surface.said(question.thread, after)
    except SurfaceError as error:
        log.warning("what was said in a thread could not be read", thread=question.thread, why=str(error))
        return ()
    others = [one for one in said if not one.ours and after < one.order < question.order]
    return [one for one in others[-MESSAGES:] if not await _was_asked(one, question, deps)]


async def _was_asked(one: Said, question: Question, deps: Deps) -> bool:
    """Whether a message was put to us: it has a turn of its own, and stands in the thread's history."""
    return await deps.asked(f"{channel_of(question.thread)}:{one.order}") is not None


def _told(said: Sequence[Said]) -> str:
    kept: list[dict[str, str]] = []
    room = CHARACTERS
    for one in reversed(said[-MESSAGES:]):
        # a pasted log is read by its beginning: it is often just what the question is about
        text = one.text if len(one.text) <= room else f"{one.text[: room - 1]}…"
        kept.append({"user": one.user, "said": text})
        room -= len(text)
        if room < WORTH:
            break
    # `<` only as an escape, so that no text in it can end the block that it is quoted in
    return json.dumps(kept[::-1], ensure_ascii=False).replace("<", "\\u003c") if kept else ""
