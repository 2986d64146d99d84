"""A bot with a foreign server that can delete: what outlives a process of it, and the processes one after another."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from mcp.server import MCPServer
from mcp.types import ToolAnnotations

import schema
from agent.chat import BYOCAgent
from agent.foreign import AllowedTool, ForeignServer
from agent.foreign_tools import ForeignTools
from agent.mcp_connection import ConnectionTimes, McpConnection
from agent.model import Analyst, OnText, Reply, Request, Usage
from agent.toolset import Toolset
from bot.neighbours import guarded
from bot.prices import load_prices
from bot.store import Store, open_store
from bot.store.approvals import Approvals
from bot.thinking import Agents
from bot.turns.durable import DurableOptions, DurableTurns, durable_turns, turns_address
from bot.turns.stored import StoredInbox
from bot.work import Handling
from handlers import presses
from handlers.buttons import APPROVE
from handlers.deps import Deps
from handlers.document import Actions, Button, Document, File, Heading, Note, Prose
from handlers.flight import Flights
from handlers.permits import Approval, Permits
from handlers.surface import Press, Question
from mcp_server.guard import Guard
from tests.agent.doubles import FunctionTools
from tests.bot.turns.desk import settle
from tests.fakes.thinking import Patrols, Reports, Surface

THREAD = "x:T:C:1"
ANN, BOB, EVE = "U-ann", "U-bob", "U-eve"
"""Who asks, who may approve, and somebody else."""
QUICK = DurableOptions(poll=0.01, watch=0.02, threads=4)
TIMES = ConnectionTimes(call=20.0, connect=20.0, patience=20.0, first_delay=0.01, last_delay=0.02)

Calls = list[tuple[str, dict[str, Any]]]


class Deleter:
    """A model that makes the calls of `rounds`, a round each, and then repeats what their results were. A question
    that says hello is answered at once."""

    name = "deleter"
    analyst: Analyst = "claude"

    def __init__(self, *rounds: Calls) -> None:
        self.rounds = rounds
        self.asked = 0

    async def reply(self, request: Request, on_text: OnText | None = None) -> Reply:
        self.asked += 1
        begun = max(n for n, one in enumerate(request.messages) if one["content"][0]["type"] == "text")
        if "hello" in request.messages[begun]["content"][0]["text"]:
            return Reply(({"type": "text", "text": "Hello."},), "end_turn", self.name, Usage(1, 1))
        made = (len(request.messages) - 1 - begun) // 2
        if made < len(self.rounds):
            calls = tuple(
                {"type": "tool_use", "id": f"c{begun}-{made}-{n}", "name": name, "input": arguments}
                for n, (name, arguments) in enumerate(self.rounds[made])
            )
            return Reply(calls, "tool_use", self.name, Usage(1, 1))
        told = [b["content"] for one in request.messages[begun:] for b in one["content"] if b["type"] == "tool_result"]
        return Reply(({"type": "text", "text": " | ".join(told)},), "end_turn", self.name, Usage(1, 1))


class World:
    """`deleted` is what the foreign server did; while `hold` is clear it does not answer."""

    def __init__(self, url: str, *rounds: Calls) -> None:
        self.url = url
        self.moment = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
        self.model = Deleter(*rounds)
        self.surface = Surface()
        self.deleted: list[Any] = []
        self.hold = asyncio.Event()
        self.hold.set()
        self.records: list[tuple[str, str, Mapping[str, Any]]] = []
        self.approvers = frozenset({BOB})
        self._presses = 0

    def now(self) -> datetime:
        return self.moment

    def forward(self, minutes: float) -> None:
        self.moment += timedelta(minutes=minutes)

    def record(self, approval: Approval, user: str, verdict: str, more: Mapping[str, Any]) -> None:
        self.records.append((user, verdict, more))

    @property
    def verdicts(self) -> list[str]:
        return [verdict for _, verdict, _ in self.records]

    def server(self) -> MCPServer[Any]:
        server: MCPServer[Any] = MCPServer("far")

        async def delete(name: str) -> str:
            """Delete a cluster for good."""
            self.deleted.append(name)
            await self.hold.wait()
            return f"deleted {name}"

        async def stop(names: list[str]) -> str:
            """Stop clusters."""
            self.deleted.append(names)
            return f"stopped {len(names)}"

        server.add_tool(delete)
        server.add_tool(stop, annotations=ToolAnnotations(destructive_hint=False, idempotent_hint=True))
        return server

    # What people see

    @property
    def cards(self) -> list[Document]:
        return [document for _, document in self.surface.posts if button(document, APPROVE)]

    def said(self) -> list[str]:
        return [words(document) for _, document in self.surface.posts]

    def redrawn(self) -> str:
        return words(self.surface.updates[-1][1])

    def whispered(self) -> list[str]:
        return [words(document) for _, _, document in self.surface.whispers]


class Process:
    """One process of the bot."""

    def __init__(self, world: World, store: Store, turns: DurableTurns, deps: Deps) -> None:
        self.world, self.store, self.turns, self.deps = world, store, turns, deps

    async def ask(self, key: str = "k1", text: str = "delete it", thread: str = THREAD) -> None:
        await self.turns.submit(Question(key, thread, ANN, text, order=key))

    async def carded(self, count: int = 1) -> None:
        """Wait until a card is there and its turn rests."""
        await settle(lambda: len(self.world.cards) == count and not self.turns.running.turns)

    async def press(self, user: str, action: str = APPROVE, card: int = -1, value: str = "") -> None:
        self.world._presses += 1
        found = button(self.world.cards[card], action)
        assert found is not None
        press = Press(f"p{self.world._presses}", action, value or found.value, user, THREAD, "x:T:C:1")
        await presses.act(press, self.deps)

    async def answered(self, text: str) -> None:
        await settle(lambda: any(text in one for one in self.world.said()))
        await settle(lambda: not self.turns.running.turns)


@asynccontextmanager
async def process(world: World, options: DurableOptions = QUICK) -> AsyncIterator[Process]:
    """The bot at work on the world until the context ends, when what runs is cut off as by a kill."""
    allowed = {"delete": AllowedTool(access="approval"), "stop": AllowedTool(access="approval")}
    settings = ForeignServer(name="far", url="http://127.0.0.1:9/mcp", tools=allowed)
    async with (
        open_store(world.url, world.now) as store,
        McpConnection(world.server, name="far", times=TIMES) as connection,
    ):
        far = ForeignTools(settings, connection, guarded(Guard(schema.TABLES)), approvable=bool(world.approvers))
        toolset = Toolset(FunctionTools(), [far])

        def agent_of(thread: str, user: str, thrift: str) -> BYOCAgent:
            return BYOCAgent(world.model, toolset, store=store, thread=thread, acts=toolset, now=world.now)

        opened: list[DurableTurns] = []

        def wake(thread: str) -> None:
            opened[0].wake(thread)

        ledger = Approvals(store.database, world.now)
        permits = Permits(ledger, world.approvers, world.now, record=world.record, wake=wake)
        agents = Agents(agent_of, load_prices())
        deps = Deps(world.surface, agents, Patrols(), Reports(), Flights(), lambda: "ref-1", permits=permits)
        inbox = StoredInbox(store.database, world.now)
        work = Handling(deps)
        async with durable_turns(work, inbox, store.blobs, turns_address(world.url), options) as turns:
            opened.append(turns)
            yield Process(world, store, turns, deps)


def button(document: Document, action: str) -> Button | None:
    found = [one for part in document.parts if isinstance(part, Actions) for one in part.buttons]
    return next((one for one in found if isinstance(one, Button) and one.action == action), None)


def words(document: Document) -> str:
    """All that is read in a document, escapes and all."""
    found = []
    for part in document.parts:
        match part:
            case Prose():
                found.append(part.markdown)
            case Heading() | Note():
                found.append(part.text)
            case File():
                found.append(part.content.decode())
    return "\n".join(found)
