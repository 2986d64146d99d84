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
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import structlog
from pydantic import SecretStr

sys.path.insert(0, str(Path(__file__).parent.parent))

from bot.admission import Admission, Role
from bot.clock import utc_now
from bot.gate import Gate
from bot.lark.api import LarkApi
from bot.lark.config import LarkConfig
from bot.lark.delivery import Delivery
from bot.lark.http import build_http as build_lark_http
from bot.lark.receiver import Receiver
from bot.lark.surface import LarkSurface
from bot.reaction import Reaction
from bot.slack.app import build_app
from bot.slack.config import SlackConfig, web_client
from bot.slack.http import build_http
from bot.slack.surface import SlackSurface
from bot.store import Store, open_store
from bot.turns.durable import durable_turns, turns_address
from bot.turns.stored import StoredInbox
from handlers.document import Document, Prose
from handlers.locale import english
from handlers.surface import Control, Event, Press
from handlers.turn import Turn
from tests.fakes.lark import APP, ENCRYPT_KEY, VERIFICATION, EncryptedDoor, FakeLark
from tests.fakes.lark import BOT as LARK_BOT
from tests.fakes.lark import SECRET as LARK_SECRET
from tests.fakes.lark.payloads import message
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


class Notices:
    """Which message a status belongs to is not asked here."""

    def heard(self, message: str, thread: str) -> None:
        """See `bot.lark.receiver.Notices`."""


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


Send = Callable[[int], Awaitable[str]]
"""Delivers a question with this number to the bot, and gives its thread."""


@asynccontextmanager
async def intake(surface: Surface) -> AsyncIterator[tuple[Reaction, Store]]:
    """The real way in behind both platforms: the gate, the stored inbox and the durable queue."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        address = f"sqlite+aiosqlite:///{folder}/own.db"
        store = await stack.enter_async_context(open_store(address, utc_now))
        inbox = StoredInbox(store.database, utc_now)
        turns = await stack.enter_async_context(durable_turns(Nothing(), inbox, store.blobs, turns_address(address)))
        gate = Gate(lambda: turns, store, surface, Members(), Admission())
        yield Reaction(gate, surface, english), store


async def act(one: Control | Press) -> None:
    """Nothing is stopped or pressed here."""


@asynccontextmanager
async def slack_events(surface: Stopwatch) -> AsyncIterator[Send]:
    """Questions over Slack's signed HTTP."""
    async with FakeSlack().running() as slack, intake(surface) as (reaction, store):
        config = SlackConfig(SecretStr(BOT_TOKEN), signing_secret=SecretStr(SECRET), api_url=slack.base_url)
        app = build_app(config, web_client(config), reaction.admit, act, store)
        door = SignedDoor(build_http(config, app), int(time.time()))

        async def send(number: int) -> str:
            post = slack.said(f"<@{BOT}> how is prod-{number}?")
            await door.event(mention(post, f"Ev{number}"))
            return f"slack:{TEAM}:C0OPS:{post.ts}"

        yield send
        await door.close()


@asynccontextmanager
async def lark_events(surface: Stopwatch) -> AsyncIterator[Send]:
    """Questions over Lark's encrypted HTTP."""
    async with intake(surface) as (reaction, store):
        lark = FakeLark()
        receiver = Receiver(APP, LARK_BOT, reaction.admit, act, store, Notices())
        door = EncryptedDoor(build_lark_http(lark_config(lark), receiver), int(time.time()))

        async def send(number: int) -> str:
            said = lark.said(f"@_user_1 how is prod-{number}?")
            await door.event(message(said, f"ev-{number}"))
            return f"lark:{APP}:{said.chat}:{said.id}"

        yield send
        await door.close()


def lark_config(lark: FakeLark) -> LarkConfig:
    """The settings of the fake's app."""
    key, token = SecretStr(ENCRYPT_KEY), SecretStr(VERIFICATION)
    return LarkConfig(APP, SecretStr(LARK_SECRET), encrypt_key=key, verification_token=token, domain=lark.domain)


async def reactions(send: Send, surface: Stopwatch, events: int) -> tuple[Sequence[float], Sequence[float]]:
    """Seconds from each event to its first sign, one event after the other; and how much of each was computing, the
    stand-in's part among it: on a machine with other work the rest is waiting for a processor."""
    took, computed = list[float](), list[float]()
    for number in range(events + 20):
        began, computing = time.perf_counter(), time.process_time()
        thread = await send(number)
        await surface.signed(thread)
        if number >= 20:  # the first ones fill caches and open connections
            took.append(surface.at[thread] - began)
            computed.append(time.process_time() - computing)
        await asyncio.sleep(SPACE)
    return took, computed


async def slack_flushes(answers: int) -> Sequence[float]:
    """Seconds from a model's first word to the call that shows it, while a status is on its way."""
    took = list[float]()
    async with FakeSlack().running() as slack:
        surface = SlackSurface(web_client(SlackConfig(SecretStr(BOT_TOKEN), api_url=slack.base_url)))
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


async def lark_flushes(answers: int) -> Sequence[float]:
    """The same for the card that Lark shows, which has to be made and sent first."""
    took = list[float]()
    async with FakeLark().running() as lark:
        api = LarkApi(lark_config(lark))
        surface = LarkSurface(api, Delivery(api, frozenset()), APP)
        for number in range(answers):
            # a chat each: of one chat Lark takes five messages in a second, and what waits for that is not ours
            root = lark.said(f"question {number}", chat=f"oc_ops{number}")
            async with surface.writing(f"lark:{APP}:{root.chat}:{root.id}", None, "ou_anna") as writing:
                before = len(lark.posts)
                began = time.perf_counter()
                await writing.text("prod-0 is well.")
                await lark.until(lambda at=before: len(lark.posts) > at and "well" in lark.words(lark.posts[at]))
                took.append(time.perf_counter() - began)
                await writing.finish(Document("x", (Prose("prod-0 is well."),)))
        await surface.idle()
        await api.close()
    return took


def told(name: str, took: Sequence[float], limit: float) -> str:
    ordered = sorted(took)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    verdict = "ok" if p99 <= limit else "TOO SLOW"
    median = statistics.median(took)
    return f"{name}: median {median * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms (limit {limit * 1000:.0f} ms): {verdict}"


PLATFORMS = {"Slack": (slack_events, slack_flushes), "Lark": (lark_events, lark_flushes)}


async def first_signs(platform: str, events: int) -> None:
    """Print the first figure."""
    surface = Stopwatch()
    async with PLATFORMS[platform][0](surface) as send:
        took, computed = await reactions(send, surface, events)
    print(told(f"{platform}: event to first sign", took, 0.010))
    print(told("  of which computing", computed, 0.010))


async def first_words(platform: str) -> None:
    """Print the second figure."""
    print(told(f"{platform}: first word to first words shown", await PLATFORMS[platform][1](8), 0.300))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=300)
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    for each in PLATFORMS:
        # two loops: the queue takes the first one's threads with it when it ends
        asyncio.run(first_signs(each, asked.events))
        asyncio.run(first_words(each))
