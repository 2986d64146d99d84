"""`starwatch feedback`: what people thought of answers, with the question, the reason and where it was asked."""

import asyncio
import json
import os
from collections.abc import Iterable
from pathlib import Path

from agent.untrusted import visible
from bot.clock import utc_now
from bot.errors import OperatorError
from bot.paths import default_database_url
from bot.settings import load
from bot.store import open_store
from bot.store.answers import told
from bot.store.errors import StoreFault
from handlers.kept import Judgement, Verdict
from handlers.markdown import excerpt

_CHARS = 200


def run(*, verdict: Verdict | None, limit: int, as_json: bool) -> int:
    """Always 0: no feedback is an answer. Raises OperatorError when the own database cannot be read."""
    settings = load(os.environ, Path.cwd())
    found = asyncio.run(_found(settings.database_url or default_database_url(os.environ), verdict, limit))
    if as_json:
        print(json.dumps([told(one) for one in found], ensure_ascii=False))
    else:
        print("\n".join(_lines(found)) or "no feedback yet")
    return 0


async def _found(url: str, verdict: Verdict | None, limit: int) -> list[Judgement]:
    try:
        async with open_store(url, utc_now) as store:
            return list(await store.answers.judgements(limit, verdict))
    except StoreFault as fault:
        raise OperatorError(f"{fault} Check STARWATCH_DATABASE_URL.") from None


def _lines(found: Iterable[Judgement]) -> Iterable[str]:
    """A line for each verdict, then the question, the answer's beginning and the reason."""
    for one in found:
        answer = one.answer
        yield visible(f"{one.at}  {one.verdict}  {one.user}  {answer.thread}  {answer.model}  {answer.id}")
        told_of = (("asked", answer.question), ("answered", answer.text), ("reason", one.reason))
        for name, text in told_of:
            if text:
                yield visible(f"    {name}: {excerpt(text, _CHARS)}")
