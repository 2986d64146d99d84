"""Two replicas on one Postgres, one of them killed every few seconds: is anything lost, answered twice or out of order?

Run: python benchmarks/turns_kills.py [--minutes 2 --every 5 --rate 20]. This process is the chat platform: it delivers
messages to a replica that is alive, delivers again what was not acknowledged, keeps what is posted, and kills."""

import argparse
import asyncio
import contextlib
import json
import os
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from bot.clock import utc_now
from bot.store import open_store
from bot.turns.durable import DurableOptions, durable_turns, turns_address
from bot.turns.stored import StoredInbox
from handlers.surface import Event, Question
from handlers.turn import Turn
from tests.fakes import postgres

PATIENCE = 3.0
"""Seconds that a chat platform waits for the acknowledgement of a delivery."""
DOWN = 3.0
"""Seconds until a killed replica is started again; the other one may take its turns over in between."""
WORK = (0.05, 1.5)
"""Seconds that a turn thinks, at least and at most."""


class Replica:
    """The desk of a replica: thinks for a while, then posts what it answers, once under each mark."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._one = asyncio.Lock()
        self._chance = random.Random()

    async def _platform(self, **request: Any) -> bool:
        async with self._one:
            self._writer.write(json.dumps(request).encode() + b"\n")
            return bool(json.loads(await self._reader.readline()))

    async def handle(self, event: Event, turn: Turn) -> None:
        assert isinstance(event, Question)

        async def thought() -> float:
            seconds = self._chance.uniform(*WORK)
            await asyncio.sleep(seconds)
            return seconds

        await turn.journal.step("think", thought)
        texts = (event.text, *await turn.journal.heard("heard:1"))
        await self._post(event.thread, "answer", texts, turn)

    async def _post(self, thread: str, part: str, texts: tuple[str, ...], turn: Turn) -> None:
        mark = f"{turn.id}/{part}"

        async def posted() -> bool:
            # as on a real platform: nothing there refuses the second post, so whoever repeats looks first
            if turn.repeated and await self._platform(look=mark):
                return False
            return await self._platform(post=mark, thread=thread, texts=texts)

        await turn.journal.step(f"post:{part}", posted)

    async def stopped(self, event: Event, turn: Turn) -> None:
        await self._platform(fault=f"stopped: {event.key}")

    async def given_up(self, event: Event, turn: Turn) -> None:
        await self._platform(fault=f"given up: {event.key}")


async def replica(url: str, executor: str, port: int) -> None:
    """One replica: takes the deliveries of its stdin in, and names on stdout those that it acknowledges."""
    desk = Replica(*await asyncio.open_connection("127.0.0.1", port))
    loop = asyncio.get_running_loop()
    deliveries = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(deliveries), sys.stdin)
    async with open_store(url, utc_now) as store:
        inbox = StoredInbox(store.database, utc_now)
        options = DurableOptions(executor=executor, max_running=200)
        async with (
            durable_turns(desk, inbox, store.blobs, turns_address(url), options) as turns,
            asyncio.TaskGroup() as group,
        ):

            async def take(question: Question) -> None:
                await turns.submit(question)
                print(question.key, flush=True)

            print("ready", flush=True)
            while line := await deliveries.readline():
                group.create_task(take(Question(**json.loads(line))))


class Platform:
    """What is said and posted, as seen by people."""

    def __init__(self) -> None:
        self.posts: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        self.marks: set[str] = set()
        self.faults: list[str] = []
        self.acknowledged: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.taken: dict[str, int] = {}
        self.deliveries = 0
        self.kills = 0
        self.repeats = 0
        self.takeovers = 0
        self.changed = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One replica's posts."""
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                request = json.loads(line)
                if "look" in request:
                    self.repeats += 1
                    answer = request["look"] in self.marks
                elif "post" in request:
                    self.marks.add(request["post"])
                    self.posts[request["thread"]].append(tuple(request["texts"]))
                    answer = True
                else:
                    self.faults.append(request["fault"])
                    answer = True
                writer.write(b"true\n" if answer else b"false\n")
                self.changed.set()
        writer.close()

    def texts(self) -> list[str]:
        """All that was answered, by thread and in order."""
        return [text for posts in self.posts.values() for post in posts for text in post]

    def given_up(self) -> set[str]:
        """The messages whose threads were told that there will be no answer."""
        return {fault.rsplit(" ", 1)[1] for fault in self.faults}


class Process:
    """A replica as the platform knows it: dead and alive by turns."""

    def __init__(self, platform: Platform, url: str, name: str, port: int) -> None:
        self.platform = platform
        self._words = (str(Path(__file__)), "replica", url, name, str(port))
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self.alive = asyncio.Event()

    async def start(self) -> None:
        """Start it; `alive` is set when it takes deliveries."""
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(sys.executable, *self._words, stdin=pipe, stdout=pipe)
        self._listening = asyncio.create_task(self._listen(self._process))

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            word = line.decode().strip()
            if word == "ready":
                self.alive.set()
            elif "took over" in word:
                self.platform.takeovers += 1
            else:
                self.platform.taken.setdefault(word, len(self.platform.taken))
                self.platform.acknowledged[word].set()

    async def kill(self) -> None:
        """kill -9, and wait until it is gone; the platform does not know before."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        self.alive.clear()

    def deliver(self, question: Question) -> None:
        """Send a message; no news is bad news."""
        assert self._process is not None and self._process.stdin is not None
        line = {name: getattr(question, name) for name in ("key", "thread", "user", "text", "order")}
        with contextlib.suppress(ConnectionError, RuntimeError):
            self._process.stdin.write(json.dumps(line).encode() + b"\n")


async def delivered(platform: Platform, replicas: list[Process], question: Question, chance: random.Random) -> None:
    """Deliver until somebody acknowledges."""
    seen = platform.acknowledged[question.key]
    while not seen.is_set():
        alive = [process for process in replicas if process.alive.is_set()]
        if alive:
            platform.deliveries += 1
            chance.choice(alive).deliver(question)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(seen.wait(), PATIENCE if alive else 0.1)


async def killing(replicas: list[Process], every: float) -> None:
    """Kill one after the other, for ever."""
    number = 0
    while True:
        await asyncio.sleep(max(0.0, every - DOWN))
        victim = replicas[number % len(replicas)]
        await victim.kill()
        victim.platform.kills += 1
        await asyncio.sleep(DOWN)
        await victim.start()
        number += 1


async def kills(url: str, minutes: float, every: float, rate: int) -> bool:
    """The whole run; whether all was answered once and in order."""
    platform, chance = Platform(), random.Random(7)
    server = await asyncio.start_server(platform.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    replicas = [Process(platform, url, f"replica-{n}", port) for n in (0, 1)]
    for process in replicas:
        await process.start()
        await process.alive.wait()
    killer = asyncio.create_task(killing(replicas, every))
    start, asked = time.monotonic(), int(minutes * 60 * rate)
    try:
        async with asyncio.TaskGroup() as group:
            for number in range(asked):
                await asyncio.sleep(max(0.0, start + number / rate - time.monotonic()))
                key = f"{number:07d}"
                question = Question(key, f"thread-{number % (4 * rate)}", "U1", key, order=key)
                group.create_task(delivered(platform, replicas, question, chance))
    finally:
        killer.cancel()
        await asyncio.gather(killer, return_exceptions=True)
    offered = time.monotonic() - start
    for process in replicas:
        if not process.alive.is_set():
            await process.kill()
            await process.start()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(60):
            while len({*platform.texts(), *platform.given_up()}) < asked:
                platform.changed.clear()
                await platform.changed.wait()
    settled = time.monotonic() - start
    await asyncio.sleep(2)  # for what would come a second time
    for process in replicas:
        await process.kill()
    server.close()
    return told(platform, asked, offered, settled)


def told(platform: Platform, asked: int, offered: float, settled: float) -> bool:
    """Print the outcome; whether it is as it should be. Who is told that a turn was given up has not lost it."""
    counts = Counter(platform.texts())
    doubled = sum(count - 1 for count in counts.values())
    given_up = platform.given_up()
    lost = sum(f"{number:07d}" not in counts and f"{number:07d}" not in given_up for number in range(asked))
    flat = [[text for post in posts for text in post] for posts in platform.posts.values()]
    unordered = sum(any(overtaken(texts, platform.taken)) for texts in flat)
    late = sum(texts != sorted(texts) for texts in flat) - unordered
    print(f"{asked} messages, {platform.deliveries} deliveries in {offered:.0f} s; {platform.kills} kills -9")
    print(f"{platform.takeovers} times the other replica took over, {platform.repeats} turns were begun again")
    print(f"all answered {settled - offered:.1f} s after the last was acknowledged")
    print(f"lost {lost}, doubled {doubled}, threads out of order {unordered}, with late deliveries {late}")
    print(f"given up in words {len(given_up)}, of them answered all the same {len(given_up & set(counts))}")
    print(f"load average {os.getloadavg()[0]:.1f}")
    return lost == doubled == unordered == 0


def overtaken(texts: Sequence[str], taken: Mapping[str, int]) -> Iterator[str]:
    """Messages that were taken in before later ones of their thread and answered after them. One that only got here
    after its successors, having been delivered to a replica that died, cannot be answered before them."""
    for number, text in enumerate(texts):
        yield from (text for earlier in texts[:number] if earlier > text and taken[text] < taken[earlier])


def main() -> None:
    if sys.argv[1:2] == ["replica"]:
        _, _, url, name, port = sys.argv
        asyncio.run(replica(url, name, int(port)))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--every", type=float, default=5)
    parser.add_argument("--rate", type=int, default=20)
    given = parser.parse_args()
    with postgres.running(durable=True) as server:
        sys.exit(not asyncio.run(kills(server.database(), given.minutes, given.every, given.rate)))


if __name__ == "__main__":
    main()
