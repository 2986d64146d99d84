"""`starwatch demo`: the whole of Starwatch on one machine, the terminal as its channel, over the embedded warehouse."""

import asyncio
import os
import secrets
import sys
import tempfile
from pathlib import Path

from bot import running
from bot.clock import utc_now
from bot.compose import Starwatch, opened
from bot.desk import desk_of, rota_of
from bot.errors import OperatorError
from bot.settings import load
from bot.terminal import Terminal, console
from handlers.ask import ask
from handlers.deps import Deps
from handlers.document import Divider, Document, Heading, Note
from handlers.flight import Flights
from handlers.patrol import patrol
from handlers.surface import PatrolRequest, Question
from sandbox.launch import Options

CHANNEL = "terminal:demo"
COMMAND = "/patrol"
ONCE = ("Which clusters are closest to their breaking point?", "And what alerts did the first one have?")
"""The two questions of `--once`; the second can only be answered from the thread."""


def run(*, once: bool, seed: int, scenario: str) -> int:
    """0 when the patrol and every question were answered. Raises OperatorError when nobody is there to ask any."""
    if not once and not sys.stdin.isatty():
        raise OperatorError("no terminal to take questions from; use `starwatch demo --once`")
    return running.run(_demo(once, Options(seed=seed, scenario=scenario)))


async def _demo(once: bool, options: Options) -> int:
    settings = load(os.environ, Path.cwd())
    terminal = Terminal(console(), console(stream_is_error=True))
    with tempfile.TemporaryDirectory(prefix="starwatch-demo-") as folder:
        own = {"starrocks_host": None, "starrocks_user": None, "database_url": f"sqlite+aiosqlite:///{folder}/demo.db"}
        async with opened(settings.model_copy(update=own), terminal.show, options) as starwatch:
            deps = _deps(starwatch, terminal)
            await _welcome(terminal, starwatch)
            await patrol(PatrolRequest(key="demo", channel=CHANNEL, user="demo", words="morning"), deps)
            if once:
                for question in ONCE:
                    await _ask(question, terminal, deps)
            else:
                await _converse(terminal, deps)
    return 0


def _deps(starwatch: Starwatch, terminal: Terminal) -> Deps:
    return Deps(
        surface=terminal,
        agents=starwatch.agents,
        patrols=starwatch.patrols,
        reports=starwatch.store,
        flights=Flights(),
        new_reference=lambda: secrets.token_hex(4),
        investigations=starwatch.investigations,
        desk=desk_of(starwatch.store, rota_of(starwatch.store), utc_now),
    )


async def _welcome(terminal: Terminal, starwatch: Starwatch) -> None:
    place = starwatch.place
    who = f"analyst: {starwatch.model.name}"
    how = "" if starwatch.model.analyst == "claude" else " (set ANTHROPIC_API_KEY for Claude)"
    note = Note(f"simulated fleet on {place.host}:{place.port} · {who}{how}")
    await terminal.post(CHANNEL, Document("Starwatch demo", (Heading("Starwatch demo"), note)))


async def _ask(text: str, terminal: Terminal, deps: Deps) -> None:
    await terminal.post(CHANNEL, Document(text, (Divider(), Heading(f"> {text}"))))
    await ask(Question(key=secrets.token_hex(4), thread=CHANNEL, user="demo", text=text), deps)


async def _converse(terminal: Terminal, deps: Deps) -> None:
    hint = Note("Ask about the fleet in your own words, or type /patrol help; an empty line or Ctrl-D ends the demo.")
    await terminal.post(CHANNEL, Document("Ask", (Divider(), hint)))
    while (text := await asyncio.to_thread(_line)).strip():
        if text.split()[0] == COMMAND:
            words = text.strip().removeprefix(COMMAND)
            await patrol(PatrolRequest(key=secrets.token_hex(4), channel=CHANNEL, user="demo", words=words), deps)
            continue
        await ask(Question(key=secrets.token_hex(4), thread=CHANNEL, user="demo", text=text), deps)


def _line() -> str:
    try:
        return input("> ")
    except EOFError:
        return ""
