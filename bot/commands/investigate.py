"""`starwatch investigate`: look into one cluster, in a thread that can be gone on with."""

import json
import os
import secrets
import sys
from pathlib import Path

from agent.investigation.result import Investigation
from agent.investigation.run import Case
from bot import running
from bot.commands.ask import answer_json
from bot.compose import opened
from bot.settings import load
from bot.terminal import Terminal, console
from handlers.conclusions import investigation_document
from handlers.progress import told


def run(*, cluster: str, as_json: bool) -> int:
    """0 when there is a conclusion about a cluster that is known, else 1."""
    return running.run(_investigate(cluster, as_json))


async def _investigate(cluster: str, as_json: bool) -> int:
    terminal = Terminal(console(), console(stream_is_error=True))
    thread = f"terminal:{secrets.token_hex(3)}"

    async def on_step(text: str) -> None:
        terminal.show(text)

    async with opened(load(os.environ, Path.cwd()), terminal.show) as starwatch:
        user = os.environ.get("USER", "")
        done = await starwatch.investigations.investigate(Case(cluster), thread, user, told(on_step))
    if as_json:
        terminal.show("")
        print(json.dumps(investigation_json(thread, done), ensure_ascii=False, default=str))
    else:
        await terminal.post(thread, investigation_document(done))
        print(_next(done, thread), file=sys.stderr)
    return int(done.scene is None or not done.scene.known)


def _next(done: Investigation, thread: str) -> str:
    """What to do next: ask on, or name a cluster that there is."""
    if done.scene is not None and not done.scene.known:
        return "starwatch: this names no active cluster, or several; `starwatch patrol` tells the names"
    return f'go on with: starwatch ask --thread {thread} "…"'


def investigation_json(thread: str, done: Investigation) -> dict[str, object]:
    """The investigation as plain JSON values: the conclusion, what code did to it, and the calls that it rests on."""
    scene, checked = done.scene, done.checked
    return {
        "investigation_id": done.id,
        "created_at": done.created_at,
        "cluster_id": scene.cluster_id if scene else "",
        "cluster_name": scene.name if scene else "",
        "since": str(scene.onset) if scene and scene.onset else None,
        "conclusion": checked.conclusion.model_dump() | {"label": checked.conclusion.label} if checked else None,
        "doubts": list(checked.doubts) if checked else [],
        "refused": checked.refused if checked else 0,
        "stored": done.stored,
        **answer_json(thread, done.answer),
    }
