"""How soon Slack hears that its events were taken in: signed HTTP, the whole way into the queue, at a steady rate.

Run: python benchmarks/http_load.py [--rate 200 --minutes 2 --database postgres]. The deliveries come from a process of
their own, which has made and signed every body before the first one leaves: its processor time is none of ours."""

import argparse
import asyncio
import json
import multiprocessing
import os
import statistics
import sys
import time
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import AsyncExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr
from slack_sdk.signature import SignatureVerifier

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.first_reaction import Members, act
from benchmarks.turns_load import Channel, Echo, database, deliveries, engine, server_seconds
from bot.admission import Admission
from bot.clock import utc_now
from bot.entrance import over_http
from bot.garbage import collect_rarely
from bot.gate import Gate
from bot.reaction import Reaction
from bot.slack.app import build_app
from bot.slack.config import SlackConfig, web_client
from bot.slack.http import build_http
from bot.store import open_store
from handlers.locale import english
from handlers.surface import Question
from tests.fakes.slack import BOT, BOT_TOKEN, SECRET, FakeSlack
from tests.fakes.slack.payloads import mention
from tests.fakes.slack.server import Post
from tests.fakes.thinking import Surface

THREADS = 6
"""Threads for each message of a second: a thread gets ten a minute then, well below what is taken for two programs."""
SLACK_WAITS = 3.0
"""Seconds after which Slack takes an event for lost."""


def signed(question: Question) -> bytes:
    """The HTTP request that Slack sends for a question."""
    number, thread = int(question.text), int(question.thread.removeprefix("thread-"))
    ts = f"{1_766_000_000 + number // 1000}.{number % 1000:06d}"
    post = Post("C0OPS", ts, f"<@{BOT}> {question.text}", [], thread_ts=f"1765000000.{thread:06d}")
    body = json.dumps(mention(post, f"Ev{question.key}")).encode()
    stamp = str(int(time.time()))
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=stamp, body=body)
    head = (
        "POST /slack/events HTTP/1.1\r\nhost: bot\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nx-slack-request-timestamp: {stamp}\r\nx-slack-signature: {signature}\r\n\r\n"
    )
    return head.encode() + body


class Wire(asyncio.Protocol):
    """One connection that is kept open: a request, then its answer. No HTTP library: the driver is not measured."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    async def ask(self, request: bytes) -> int:
        """The status of the answer."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await asyncio.wait_for(self._answer, 30)

    def data_received(self, data: bytes) -> None:
        # an answer of ours has a few bytes, which come with its head
        if not self._answer.done():
            self._answer.set_result(int(data.split(b" ", 2)[1]))


async def deliver(host: str, port: int, plan: Sequence[tuple[float, bytes]]) -> tuple[list[float], dict[int, int]]:
    """Send each request at its moment; seconds until each was answered, and how often each status came."""
    free: deque[Wire] = deque()
    taken: list[float] = []
    statuses: Counter[int] = Counter()
    loop, start = asyncio.get_running_loop(), time.perf_counter()

    async def one(request: bytes) -> None:
        begun = time.perf_counter()
        wire = free.popleft() if free else (await loop.create_connection(Wire, host, port))[1]
        statuses[await wire.ask(request)] += 1
        taken.append(time.perf_counter() - begun)
        free.append(wire)

    async with asyncio.TaskGroup() as group:
        for moment, request in plan:
            await asyncio.sleep(max(0.0, start + moment - time.perf_counter()))
            group.create_task(one(request))
    return taken, dict(statuses)


def slack(pipe: Connection, rate: int, seconds: float) -> None:
    """The process that delivers: waits for an address, tells what it saw and what it took itself."""
    plan = [(moment, signed(question)) for moment, question in deliveries(rate, seconds, 7, THREADS * rate)]
    pipe.send(len(plan))
    host, port = pipe.recv()
    cpu = time.process_time()
    taken, statuses = asyncio.run(deliver(host, port, plan))
    pipe.send((taken, statuses, time.process_time() - cpu))


async def take_in(url: str, pipe: Connection, messages: int) -> bool:
    """Serve while the other process delivers, and compare what was posted with what was asked."""
    channel = Channel()
    async with AsyncExitStack() as stack:
        fake = await stack.enter_async_context(FakeSlack().running())
        store = await stack.enter_async_context(open_store(url, utc_now))
        queue = await stack.enter_async_context(engine(url, Echo(channel), store, 64))
        surface = Surface()
        gate = Gate(lambda: queue, store, surface, Members(), Admission())
        config = SlackConfig(SecretStr(BOT_TOKEN), signing_secret=SecretStr(SECRET), api_url=fake.base_url)
        app = build_app(config, web_client(config), Reaction(gate, surface, english).admit, act, store)
        entrance = await stack.enter_async_context(
            over_http(lambda shut: build_http(config, app, shut=shut), "127.0.0.1", 0, "/slack/events")
        )
        collect_rarely()
        address = urlsplit(entrance.place)
        cpu, servers = time.process_time(), server_seconds(url)
        pipe.send((address.hostname, address.port))
        taken, statuses, theirs = await asyncio.to_thread(pipe.recv)
        await channel.until(messages, 120)
        cpu, servers = time.process_time() - cpu, server_seconds(url) - servers
    posts = [text for thread in channel.posts.values() for text in thread]
    lost, doubled = messages - len(set(posts)), len(posts) - len(set(posts))
    unordered = sum(list(thread) != sorted(thread) for thread in channel.posts.values())
    cuts = statistics.quantiles(taken, n=1000)
    late = sum(seconds > SLACK_WAITS for seconds in taken)
    print(f"{len(taken)} signed requests for {messages} messages; answers by status {statuses}; {late} after 3 s")
    print(f"acknowledged after p50 {1000 * cuts[499]:.1f}, p99 {1000 * cuts[989]:.1f}, p99.9 {1000 * cuts[998]:.1f} ms")
    print(
        f"CPU a message: bot {1000 * cpu / messages:.2f} ms, database server {1000 * servers / messages:.2f} ms", end=""
    )
    print(f"; the driver's own {1000 * theirs / messages:.2f} ms")
    print(f"lost {lost}, doubled {doubled}, threads out of order {unordered}; load average {os.getloadavg()[0]:.1f}")
    return lost == doubled == unordered == 0 and set(statuses) == {200}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="postgres")
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=2)
    given = parser.parse_args()
    seconds = 60 * given.minutes
    here, there = multiprocessing.Pipe()
    driver = multiprocessing.get_context("spawn").Process(target=slack, args=(there, given.rate, seconds), daemon=True)
    driver.start()
    here.recv()
    with database(given.database) as url:
        good = asyncio.run(take_in(url, here, int(given.rate * seconds)))
    driver.join(5)
    sys.exit(not good)


if __name__ == "__main__":
    main()
