"""How soon people see something: from an event to the first sign of it, and from a model's first word to the first that
is shown. Our own share alone: the chat platform is on loopback, and not waited for in the first figure.

Run: python benchmarks/first_reaction.py [--events 300]"""

import argparse
import asyncio
import logging
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import structlog
from pydantic import SecretStr

sys.path.insert(0, str(Path(__file__).parent.parent))

from bot.admission import Admission, Role
from bot.clock import utc_now
from bot.gate import Gate
from bot.reaction import Reaction
from bot.slack.app import build_app
from bot.slack.config import SlackConfig, web_client
from bot.slack.http import build_http
from bot.slack.surface import SlackSurface
from bot.store import open_store
from bot.turns.durable import durable_turns, turns_address
from bot.turns.stored import StoredInbox
from handlers.document import Document, Prose
from handlers.locale import english
from handlers.surface import Control, Event, Press
from handlers.turn import Turn
from tests.fakes.slack import BOT, BOT_TOKEN, SECRET, TEAM, FakeSlack, SignedDoor
from tests.fakes.slack.payloads import mention
from tests.fakes.thinking import Surface

SPACE = 0.05
"""Seconds between two events: twenty in a second, more than a busy workspace says to a bot."""


class Stopwatch(Surface):
    """Notes when each thread got its first sign."""

    def __init__(self) -> None:
        super().__init__()
        self.at: dict[str, float] = {}

        self._signed: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def status(self, thread: str, text: str) -> None:
        self.at.setdefault(thread, time.perf_counter())
        self._signed[thread].set()

    async def signed(self, thread: str) -> None:
        """Wait for a thread's first sign."""
        await self._signed[thread].wait()


class Members:
    """Everybody is one, and known already."""

    async def of(self, user: str) -> Role:
        return Role.MEMBER


class Nothing:
    """Turns that end as they begin: what they do is not measured here."""

    async def handle(self, event: Event, turn: Turn) -> None:
        """Nothing."""

    stopped = given_up = hushed = handle

    async def charge(self, event: Event, turn: Turn) -> None:
        """Nothing."""


@asynccontextmanager
async def entrance(slack: FakeSlack, surface: Surface) -> AsyncIterator[SignedDoor]:
    """The real way in: signed HTTP, the app, the gate, the stored inbox and the durable queue."""
    config = SlackConfig(SecretStr(BOT_TOKEN), signing_secret=SecretStr(SECRET), api_url=slack.base_url)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        address = f"sqlite+aiosqlite:///{folder}/own.db"
        store = await stack.enter_async_context(open_store(address, utc_now))
        inbox = StoredInbox(store.database, utc_now)
        turns = await stack.enter_async_context(durable_turns(Nothing(), inbox, store.blobs, turns_address(address)))
        gate = Gate(lambda: turns, store, surface, Members(), Admission())
        reaction = Reaction(gate, surface, english)

        async def act(one: Control | Press) -> None:
            """Nothing is stopped or pressed here."""

        app = build_app(config, web_client(config), reaction.admit, act, store)
        door = SignedDoor(build_http(config, app), int(time.time()))
        stack.push_async_callback(door.close)
        yield door


async def reactions(slack: FakeSlack, events: int) -> tuple[Sequence[float], Sequence[float]]:
    """Seconds from each event to its first sign, one event after the other; and how much of each was computing, the
    stand-in's part among it: on a machine with other work the rest is waiting for a processor."""
    surface, took, computed = Stopwatch(), list[float](), list[float]()
    async with entrance(slack, surface) as door:
        for number in range(events + 20):
            post = slack.said(f"<@{BOT}> how is prod-{number}?")
            payload = mention(post, f"Ev{number}")
            began, computing = time.perf_counter(), time.process_time()
            await door.event(payload)
            thread = f"slack:{TEAM}:C0OPS:{post.ts}"
            await surface.signed(thread)
            if number >= 20:  # the first ones fill caches and open connections
                took.append(surface.at[thread] - began)
                computed.append(time.process_time() - computing)
            await asyncio.sleep(SPACE)
    return took, computed


async def flushes(slack: FakeSlack, answers: int) -> Sequence[float]:
    """Seconds from a model's first word to the call that shows it, while a status is on its way."""
    surface, took = SlackSurface(web_client(SlackConfig(SecretStr(BOT_TOKEN), api_url=slack.base_url))), list[float]()
    for number in range(answers):
        root = slack.said(f"question {number}")
        async with surface.writing(f"slack:{TEAM}:C0OPS:{root.ts}", None, "U0ANNA") as writing:
            before = len(slack.called("chat.startStream"))
            began = time.perf_counter()
            await writing.text("prod-0 is well.")
            await slack.until(lambda before=before: len(slack.called("chat.startStream")) > before)
            took.append(time.perf_counter() - began)
            await writing.finish(Document("x", (Prose("prod-0 is well."),)))
    return took


def told(name: str, took: Sequence[float], limit: float) -> str:
    ordered = sorted(took)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    verdict = "ok" if p99 <= limit else "TOO SLOW"
    median = statistics.median(took)
    return f"{name}: median {median * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms (limit {limit * 1000:.0f} ms): {verdict}"


async def first_signs(events: int) -> None:
    """Print the first figure."""
    async with FakeSlack().running() as slack:
        took, computed = await reactions(slack, events)
        print(told("event to first sign", took, 0.010))
        print(told("of which computing", computed, 0.010))


async def first_words() -> None:
    """Print the second figure."""
    async with FakeSlack().running() as slack:
        print(told("first word to first words shown", await flushes(slack, 8), 0.300))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=300)
    logging.disable(logging.WARNING)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    # two loops: the queue takes the first one's threads with it when it ends
    asyncio.run(first_signs(parser.parse_args().events))
    asyncio.run(first_words())
