"""How the durable queue of turns holds under load: many turns that think at once, and a burst of hostile deliveries.

Run: python benchmarks/turns_load.py think [--turns 1000 --rounds 11 --seconds 2]     a model that takes its time
     python benchmarks/turns_load.py events [--rate 200 --minutes 2]                  20 % doubled, 10 % reordered
Both take --database sqlite (the default) or postgres. Everything is on loopback; the model is a process of its own."""

import argparse
import asyncio
import multiprocessing
import os
import random
import re
import resource
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import make_url

sys.path.insert(0, str(Path(__file__).parent.parent))

from agent.chat import BYOCAgent
from agent.claude import Claude, ClaudeConfig
from agent.discovery import Discovery
from agent.tools import ToolResult, ToolSpec
from benchmarks.loop_overhead import ROWS, SCHEMA, prepared
from bot.clock import utc_now
from bot.garbage import collect_rarely
from bot.store import Store, open_store
from bot.turns.durable import DurableOptions, DurableTurns, durable_turns, turns_address
from bot.turns.stored import StoredInbox
from handlers.surface import Event, Question
from handlers.turn import Turn
from tests.fakes import postgres


@contextmanager
def database(kind: str) -> Iterator[str]:
    """The address of an empty own database."""
    if kind == "postgres":
        with postgres.running(durable=True) as server:
            yield server.database()
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/own.db"


class Model(asyncio.Protocol):
    """One connection to a model that takes `seconds` for each reply. Which is due follows from the replies that a
    request shows. No HTTP library: the model is not what is measured, and has the other core to itself."""

    def __init__(self, replies: Sequence[bytes], seconds: float) -> None:
        self._replies = replies
        self._seconds = seconds
        self._request = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._request += data
        head, _, body = bytes(self._request).partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        if length is not None and len(body) == int(length[1]):
            self._request.clear()
            asyncio.get_running_loop().call_later(self._seconds, self._reply, body.count(b'"role":"assistant"'))

    def _reply(self, due: int) -> None:
        assert self._transport is not None
        body = self._replies[due]
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: %d\r\n\r\n" % len(body)
        self._transport.write(head + body)


def thinking(pipe: Connection, rounds: int, seconds: float) -> None:
    """The model's process; tells its port, and at its end the seconds of CPU that it took."""
    replies = [prepared(number) for number in range(11 - rounds, 11)]

    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Model(replies, seconds), "127.0.0.1", 0, backlog=2048)
        pipe.send(server.sockets[0].getsockname()[1])
        await loop.run_in_executor(None, pipe.poll, None)
        server.close()

    asyncio.run(main())
    pipe.send(time.process_time())


class Rows:
    """The one tool: rows without a warehouse."""

    async def specs(self) -> Sequence[ToolSpec]:
        return [ToolSpec("read_query", "runs SQL", SCHEMA)]

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        return ToolResult(ROWS)


class Channel:
    """What people would see: posts by thread, in the order in which they came."""

    def __init__(self) -> None:
        self.posts: dict[str, list[str]] = defaultdict(list)
        self.changed = asyncio.Event()

    async def post(self, event: Event, turn: Turn, text: str, step: str = "post") -> None:
        """One post, written down as done."""

        async def posted() -> str:
            self.posts[event.thread if isinstance(event, Question) else event.key].append(text)
            self.changed.set()
            return text

        await turn.journal.step(step, posted)

    async def until(self, count: int, seconds: float) -> None:
        """Wait for that many posts, or give up."""
        deadline = time.monotonic() + seconds
        while sum(map(len, self.posts.values())) < count and time.monotonic() < deadline:
            self.changed.clear()
            try:
                await asyncio.wait_for(self.changed.wait(), 1)
            except TimeoutError:
                continue


class Desk:
    """Work that posts. Stops and failures are posts too, and count as faults."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    async def stopped(self, event: Event, turn: Turn) -> None:
        await self.channel.post(event, turn, "stopped")

    async def given_up(self, event: Event, turn: Turn) -> None:
        await self.channel.post(event, turn, "given up")


class Analyst(Desk):
    """Answers each question with the whole loop, over HTTP to the model's process."""

    def __init__(self, channel: Channel, claude: Claude, store: Store) -> None:
        super().__init__(channel)
        self._claude, self._store, self._tools = claude, store, Rows()
        self._discovery = Discovery(self._tools)

    async def handle(self, event: Event, turn: Turn) -> None:
        assert isinstance(event, Question)
        agent = BYOCAgent(self._claude, self._tools, store=self._store, thread=event.thread, discovery=self._discovery)
        answer = await agent.chat(event.text, None, turn.journal)
        await self.channel.post(event, turn, "failed" if answer.failed or answer.notice else "answered")


class Echo(Desk):
    """Says what was asked, after the time of a short step."""

    async def handle(self, event: Event, turn: Turn) -> None:
        assert isinstance(event, Question)

        async def looked() -> None:
            await asyncio.sleep(0.05)

        await turn.journal.step("look", looked)
        heard = await turn.journal.heard("heard:1")
        for number, text in enumerate((event.text, *heard)):
            await self.channel.post(event, turn, text, f"post:{number}")


@asynccontextmanager
async def engine(url: str, desk: Any, store: Store, running: int) -> AsyncIterator[DurableTurns]:
    """The durable engine, with room for that many turns at once."""
    inbox = StoredInbox(store.database, utc_now)
    options = DurableOptions(max_running=running)
    async with durable_turns(desk, inbox, store.blobs, turns_address(url), options) as turns:
        yield turns


def megabytes() -> float:
    """The most memory that this process had, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def think(url: str, model: str, turns: int, rounds: int, seconds: float) -> bool:
    """Submit all turns at once, one thread each, and wait for their posts."""
    channel = Channel()
    async with (
        open_store(url, utc_now) as store,
        Claude(ClaudeConfig(SecretStr("k"), base_url=model)) as claude,
        engine(url, Analyst(channel, claude, store), store, turns) as queue,
    ):
        collect_rarely()
        start, cpu = time.perf_counter(), time.process_time()
        questions = [Question(f"q{number}", f"thread-{number}", "U1", "what is wrong?") for number in range(turns)]
        await asyncio.gather(*map(queue.submit, questions))
        admitted = time.perf_counter() - start
        await channel.until(turns, 20 * rounds * seconds)
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    posts = [text for thread in channel.posts.values() for text in thread]
    good, ideal = posts.count("answered"), rounds * seconds
    print(f"{turns} turns at once, {rounds} model requests of {seconds:g} s each, every round and post checkpointed")
    print(f"wall {wall:.1f} s, ideal {ideal:.1f} s, stretch {wall / ideal:.2f}; all admitted after {admitted:.1f} s")
    each = f"{1000 * cpu / turns:.1f} ms a turn, {1000 * cpu / turns / rounds:.2f} ms a round"
    print(
        f"CPU {each}; most memory {megabytes():.0f} MB; failures {turns - good}; load average {os.getloadavg()[0]:.1f}"
    )
    return good == turns == len(posts)


def server_seconds(url: str) -> float:
    """Seconds of CPU that the Postgres server at an address took so far, all its processes; 0 for a file."""
    port, ticks = make_url(url).port, 0
    processes = [path.parent for path in Path("/proc").glob("[0-9]*/stat")] if port else []
    heads = [one.name for one in processes if f"-p\0{port}\0" in read(one / "cmdline")]
    for process in processes:
        # the fields behind the name, which may itself hold anything
        fields = read(process / "stat").rpartition(")")[2].split()
        if process.name in heads:
            ticks += sum(map(int, fields[11:15]))
        elif fields and fields[1] in heads:
            ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def read(file: Path) -> str:
    """What a process tells of itself; nothing once it is gone."""
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""


def deliveries(rate: int, seconds: float, seed: int, threads: int = 0) -> list[tuple[float, Question]]:
    """(moment, question): a fifth delivered twice, a tenth behind its successor; in two threads for each message of a
    second, if not told otherwise."""
    chance = random.Random(seed)
    plan: list[tuple[float, Question]] = []
    for number in range(int(rate * seconds)):
        moment, thread = number / rate, f"thread-{number % (threads or 2 * rate)}"
        question = Question(f"e{number:07d}", thread, "U1", f"{number:07d}", order=f"{number:010d}")
        late = chance.random()
        plan.append((moment + (1.5 / rate if late < 0.1 else 0), question))
        if chance.random() < 0.2:
            plan.append((moment + chance.random() * 3, question))
    return sorted(plan, key=lambda due: due[0])


async def events(url: str, rate: int, seconds: float) -> bool:
    """Deliver at a steady rate, whatever the queue does, and compare what was posted with what was asked."""
    channel = Channel()
    taken: list[float] = []
    plan = deliveries(rate, seconds, 7)
    wanted = {question.key: question for _, question in plan}
    async with open_store(url, utc_now) as store, engine(url, Echo(channel), store, 64) as queue:
        collect_rarely()
        start, cpu, servers = time.perf_counter(), time.process_time(), server_seconds(url)

        async def deliver(question: Question) -> None:
            begun = time.perf_counter()
            await store.join(question.thread)
            await queue.submit(question)
            taken.append(time.perf_counter() - begun)

        async with asyncio.TaskGroup() as group:
            for moment, question in plan:
                await asyncio.sleep(max(0.0, start + moment - time.perf_counter()))
                group.create_task(deliver(question))
        offered = time.perf_counter() - start
        await channel.until(len(wanted), 120)
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
        servers = server_seconds(url) - servers
    posts = [text for thread in channel.posts.values() for text in thread]
    lost, doubled = len(wanted) - len(set(posts)), len(posts) - len(set(posts))
    unordered = sum(list(thread) != sorted(thread) for thread in channel.posts.values())
    cuts = statistics.quantiles(taken, n=100)
    print(f"{len(plan)} deliveries of {len(wanted)} messages in {offered:.0f} s ({len(plan) / offered:.0f} a second)")
    print(
        f"acknowledged after {1000 * cuts[49]:.1f} ms p50, {1000 * cuts[98]:.1f} ms p99; "
        f"all answered after {wall:.0f} s; CPU {1000 * cpu / len(wanted):.1f} ms a message, "
        f"and the database server's {1000 * servers / len(wanted):.1f} ms"
    )
    print(f"lost {lost}, doubled {doubled}, threads out of order {unordered}; most memory {megabytes():.0f} MB")
    print(f"load average {os.getloadavg()[0]:.1f}")
    return lost == doubled == unordered == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("load", choices=["think", "events"])
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--turns", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=2)
    given = parser.parse_args()
    with database(given.database) as url:
        if given.load == "events":
            sys.exit(not asyncio.run(events(url, given.rate, 60 * given.minutes)))
        here, there = multiprocessing.Pipe()
        start = multiprocessing.get_context("spawn").Process
        server = start(target=thinking, args=(there, given.rounds, given.seconds), daemon=True)
        server.start()
        try:
            model = f"http://127.0.0.1:{here.recv()}"
            sys.exit(not asyncio.run(think(url, model, given.turns, given.rounds, given.seconds)))
        finally:
            here.send("end")
            print(f"CPU of the model's own process: {here.recv():.1f} s")
            server.join(5)


if __name__ == "__main__":
    main()
