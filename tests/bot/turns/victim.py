"""A bot that is killed at a given point of a turn, over and over, on one database.

Run as a program: python -m tests.bot.turns.victim URL LEDGER BOUNDARY… For each boundary a process is forked that first
ends what its predecessor left behind, then takes in a question and kills itself at that boundary of the question's
turn. The last one only ends what is left. What tools do and what is posted goes to the ledger, a line of JSON each.

Or: … URL LEDGER again MOST [NAME]. One question is asked, and processes are forked that kill themselves in its turn: at
each boundary of a step once (but where two run side by side, of which none could get on), or at the boundary NAME each
time, MOST times at most. The last one answers a second question. With `investigate` in place of `again` it is a cluster
that is looked into instead of the first question."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from agent.answer import Answer
from agent.chat import BYOCAgent
from agent.investigation.result import Investigation
from agent.investigation.run import Investigator
from agent.journal import Journal, Json, Work
from agent.messages import Message
from agent.model import Analyst, OnText, Reply, Request, Usage
from agent.patrol.evidence import Evidence
from agent.patrol.report import PatrolReport
from agent.tools import ToolResult, ToolSpec
from bot.clock import utc_now
from bot.investigations import Investigations
from bot.meters import Meters
from bot.prices import load_prices
from bot.store import Store, open_store
from bot.turns import TurnEngine
from bot.turns.durable import DurableOptions, durable_turns, turns_address
from bot.turns.stored import StoredInbox
from bot.work import Handling
from handlers.deps import Deps
from handlers.document import Document
from handlers.flight import Flights
from handlers.surface import Event, Investigate, Mark, Posted, Question, Said, Writing
from handlers.turn import Turn
from handlers.writing import whole
from tests.agent.doubles import call, say
from tests.agent.investigation.world import TOOLS, A, Warehouse, conclusion, fleet

QUICK = DurableOptions(poll=0.01, watch=0.2, threads=4)


class Ledger:
    """Lines in a file that outlive whoever wrote them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, **line: Any) -> None:
        with self._path.open("ab", buffering=0) as file:
            file.write(json.dumps(line).encode() + b"\n")

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._path.read_bytes().splitlines()] if self._path.exists() else []


class TwoCalls:
    """A model that asks two tools, then answers from both results."""

    name = "two-calls"
    analyst: Analyst = "claude"

    async def reply(self, request: Request, on_text: OnText | None = None) -> Reply:
        last = request.messages[-1]["content"]
        results = [block["content"] for block in last if block["type"] == "tool_result"]
        asked = sum(message["role"] == "user" for message in request.messages)
        if results:
            text = {"type": "text", "text": f"found {' and '.join(results)}"}
            return Reply((text,), "end_turn", self.name, Usage(1, 1))
        word = last[0]["text"]
        calls = tuple(
            {"type": "tool_use", "id": f"call-{asked}-{n}", "name": "look", "input": {"what": f"{word}.{n}"}}
            for n in (1, 2)
        )
        return Reply(calls, "tool_use", self.name, Usage(1, 1))


class Tools:
    """One tool, whose runs are written down."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def specs(self) -> Sequence[ToolSpec]:
        schema = {"type": "object", "properties": {"what": {"type": "string"}}, "required": ["what"]}
        return [ToolSpec("look", "look at something", schema)]

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        if name == "look":
            self._ledger.write(did="tool", what=arguments["what"])
        return ToolResult(f"the state of {arguments.get('what')}")


class Digger:
    """A model that reads alerts and operations of a cluster, then concludes."""

    name = "digger"
    analyst: Analyst = "claude"

    async def reply(self, request: Request, on_text: OnText | None = None) -> Reply:
        if request.messages[-1]["content"][0]["type"] == "tool_result":
            return say(conclusion())
        alerts = call("t1", "query_cluster_alerts", cluster=A, days=7)
        return say(alerts, call("t2", "query_cluster_operations", cluster=A, days=14))


class Site(Warehouse):
    """The tools of an investigation, whose runs are written down, and the table that it is stored in."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self._ledger = ledger

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        if name in TOOLS:
            self._ledger.write(did="tool", what=name)
        return await super().call(name, arguments)

    async def look(self, _: datetime) -> Evidence:
        self._ledger.write(did="look")
        return fleet()

    async def write_investigation(self, investigation: Investigation) -> None:
        self._ledger.write(did="row", id=investigation.id, at=investigation.created_at)


def investigations(site: Site, store: Store) -> Investigations:
    """The investigations of one model and one site."""
    return Investigations(
        lambda thread, *_: Investigator(Digger(), site, look=site.look, store=store, thread=thread, writer=site),
        load_prices(),
        Meters(),
    )


class Channel:
    """A surface kept in the ledger; like a real one it looks for a marked post before it posts again."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def post(self, place: str, document: Document, mark: Mark | None = None) -> Posted:
        assert mark is not None
        there = [line for line in self._ledger.lines() if line.get("mark") == [mark.turn, mark.part]]
        if not (mark.repeated and there):
            self._ledger.write(did="post", place=place, text=repr(document), mark=[mark.turn, mark.part])
        return Posted(place, (f"{place}:{mark.turn}",))

    async def status(self, thread: str, text: str) -> None:
        """Shown nowhere."""

    def writing(self, thread: str, mark: Mark | None, user: str) -> AbstractAsyncContextManager[Writing]:
        return whole(self, thread, mark)

    async def update(self, *_: object) -> None:
        raise NotImplementedError

    async def said(self, *_: object) -> Sequence[Said]:
        return ()

    whisper = dialog = home = update


class Thinking:
    """The `handlers.deps.Agents` of one model and one set of tools."""

    def __init__(self, tools: Tools, store: Store) -> None:
        self._tools = tools
        self._store = store

    async def chat(self, thread: str, text: str, _user: str, on_progress: Any, journal: Journal, *_: Any) -> Answer:
        agent = BYOCAgent(TwoCalls(), self._tools, store=self._store, thread=thread)
        return await agent.chat(text, on_progress, journal)


class NoPatrols:
    """Patrols and reports that nobody asks for."""

    async def run(self, *_: Any) -> PatrolReport:
        raise NotImplementedError

    async def tie(self, thread: str, report: PatrolReport, opening: Sequence[Message]) -> None:
        raise NotImplementedError

    async def find(self, report_id: str) -> Mapping[str, Any] | None:
        return None


Deadly = Callable[[int, str], bool]
"""Whether a boundary, by its number in this attempt and by its name, is one to die at."""


class DeadlyJournal:
    """A journal that kills the process at a boundary: before a step, behind its work, behind its checkpoint."""

    def __init__(self, journal: Any, ledger: Ledger, deadly: Deadly) -> None:
        self._journal = journal
        self._ledger = ledger
        self._deadly = deadly
        self._passed = count()

    def _pass(self, name: str, where: str) -> None:
        if self._deadly(next(self._passed), f"{where} {name}"):
            self._ledger.write(did="die", at=f"{where} {name}")
            os.kill(os.getpid(), signal.SIGKILL)

    async def step(self, name: str, work: Work) -> Json:
        async def deadly() -> Json:
            result = await work()
            self._pass(name, "done, not kept:")
            return result

        self._pass(name, "before")
        result = await self._journal.step(name, deadly)
        self._pass(name, "kept:")
        return result

    async def heard(self, name: str) -> Sequence[str]:
        self._pass(name, "before")
        heard: Sequence[str] = await self._journal.heard(name)
        self._pass(name, "kept:")
        return heard


class Doomed:
    """The handlers' work, deadly for the turn of one event."""

    def __init__(self, work: Handling, ledger: Ledger, key: str, deadly: Deadly) -> None:
        self._work = work
        self._ledger = ledger
        self._key = key
        self._deadly = deadly

    async def handle(self, event: Event, turn: Turn) -> None:
        if event.key == self._key:
            turn = replace(turn, journal=DeadlyJournal(turn.journal, self._ledger, self._deadly))
        await self._work.handle(event, turn)
        self._ledger.write(did="end", key=event.key)

    async def stopped(self, event: Event, turn: Turn) -> None:
        raise NotImplementedError

    async def given_up(self, event: Event, turn: Turn) -> None:
        await self._work.given_up(event, turn)
        self._ledger.write(did="give up", key=event.key)


@asynccontextmanager
async def at_work(url: str, ledger: Ledger, key: str, deadly: Deadly) -> AsyncIterator[TurnEngine]:
    """A bot that dies in the turn of one event."""
    async with open_store(url, utc_now) as store:
        tools = Tools(ledger)
        agents = Thinking(tools, store)
        nobody = NoPatrols()
        lookers = investigations(Site(ledger), store)
        deps = Deps(Channel(ledger), agents, nobody, nobody, Flights(), lambda: "ref", investigations=lookers)
        work = Doomed(Handling(deps), ledger, key, deadly)
        inbox = StoredInbox(store.database, utc_now)
        async with asyncio.timeout(120), durable_turns(work, inbox, store.blobs, turns_address(url), QUICK) as turns:
            yield turns


async def over(ledger: Ledger, keys: Sequence[str]) -> None:
    """Wait until the turns of these questions are."""
    while {line["key"] for line in ledger.lines() if line["did"] in ("end", "give up")} < set(keys):
        await asyncio.sleep(0.01)


def asked(key: str) -> Event:
    """A question, or what is pressed under a cluster."""
    if key.startswith("i"):
        return Investigate(key, "t", "U1", A, "R-1", order=key)
    return Question(key, "t", "U1", key, order=key)


async def live(url: str, ledger: Ledger, boundary: int, known: Sequence[str]) -> None:
    """End the turns of the `known` questions; then, unless the boundary is negative, ask the next one and die."""
    key = f"q{len(known):03d}"
    async with at_work(url, ledger, key, lambda number, _: number == boundary) as turns:
        await over(ledger, known)
        if boundary >= 0:
            await turns.submit(asked(key))
            await asyncio.Event().wait()


async def live_again(url: str, ledger: Ledger, first: str, most: int, name: str | None) -> None:
    """Ask the first one and die in its turn, unless that was done often enough; then ask the second one."""
    deaths = [line["at"] for line in ledger.lines() if line["did"] == "die"]
    alive = len(deaths) >= most

    def deadly(_: int, at: str) -> bool:
        once = at not in deaths and not at.startswith("done, not kept: tool") and " heard" not in at
        return not alive and (at == name if name else once)

    async with at_work(url, ledger, first, deadly) as turns:
        await turns.submit(asked(first))
        await over(ledger, [first])
        await turns.submit(asked("q001"))
        await over(ledger, [first, "q001"])


def forked(life: Coroutine[Any, Any, None]) -> int:
    """The exit code of a process that lives this life."""
    child = os.fork()
    if child == 0:
        asyncio.run(life)
        os._exit(0)
    life.close()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def again(url: str, ledger: Ledger, first: str, most: int, name: str | None) -> None:
    while (code := forked(live_again(url, ledger, first, most, name))) == -signal.SIGKILL:
        continue
    sys.exit(code)


def main() -> None:
    url, ledger = sys.argv[1], Ledger(Path(sys.argv[2]))
    if (first := {"again": "q000", "investigate": "i000"}.get(sys.argv[3])) is not None:
        again(url, ledger, first, int(sys.argv[4]), " ".join(sys.argv[5:]) or None)
    known: list[str] = []
    for boundary in [*map(int, sys.argv[3:]), -1]:
        code = forked(live(url, ledger, boundary, known))
        if code != (-signal.SIGKILL if boundary >= 0 else 0):
            sys.exit(f"boundary {boundary}: ended with {code}")
        known.append(f"q{len(known):03d}")


if __name__ == "__main__":
    main()
