"""`starwatch ask`: one question, one answer, in a thread that can be gone on with."""

import dataclasses
import json
import os
import secrets
import sys
from pathlib import Path

from agent.answer import Answer
from bot import running
from bot.compose import Starwatch, opened
from bot.settings import load
from bot.terminal import Terminal, console
from handlers.answers import answer_document
from handlers.progress import told


def run(*, question: str, thread: str | None, as_json: bool) -> int:
    """0 when there is an answer, 1 when the turn failed."""
    return running.run(_ask(question, thread or f"terminal:{secrets.token_hex(3)}", as_json))


async def _ask(question: str, thread: str, as_json: bool) -> int:
    terminal = Terminal(console(), console(stream_is_error=True))
    settings = load(os.environ, Path.cwd())
    async with opened(settings, terminal.show) as starwatch:
        answer = await _chat(starwatch, terminal, thread, question)
    if as_json:
        terminal.show("")
        print(json.dumps(answer_json(thread, answer), ensure_ascii=False, default=str))
    else:
        await terminal.post(thread, answer_document(answer))
        print(f'go on with: starwatch ask --thread {thread} "…"', file=sys.stderr)
    return int(answer.failed)


async def _chat(starwatch: Starwatch, terminal: Terminal, thread: str, question: str) -> Answer:
    async def on_step(text: str) -> None:
        terminal.show(text)

    return await starwatch.agents.chat(thread, question, os.environ.get("USER", ""), told(on_step))


def answer_json(thread: str, answer: Answer) -> dict[str, object]:
    """The answer as plain JSON values, with the statements that it rests on."""
    queries = [
        {"tool": t.name, "is_error": t.is_error, "seconds": round(t.seconds, 3)}
        | {key: (t.data or {}).get(key) for key in ("query_id", "sql", "row_count")}
        for t in answer.tools
    ]
    return {
        "thread": thread,
        "text": answer.text,
        "notice": answer.notice,
        "failed": answer.failed,
        "analyst": answer.analyst,
        "model": answer.model,
        "queries": queries,
        "figures": {
            "stated": answer.receipts.stated,
            "unbound": len(answer.receipts.unbound),
            "receipts": [dataclasses.asdict(one) for one in answer.receipts.bound],
        },
        "usage": {
            "rounds": answer.rounds,
            "tool_calls": len(answer.tools),
            "input_tokens": answer.usage.input_tokens,
            "output_tokens": answer.usage.output_tokens,
            "seconds": round(answer.seconds, 3),
        },
    }
