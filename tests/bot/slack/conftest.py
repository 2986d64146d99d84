"""A whole bot on a fake workspace: real app, turns, handlers and surface; only thinking is a stand-in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from pydantic import SecretStr
from slack_bolt.async_app import AsyncApp

from bot.following import Following
from bot.pace import Pace
from bot.slack.api import BUDGETS, OTHERWISE
from bot.slack.app import build_app
from bot.slack.config import SlackConfig, web_client
from bot.slack.http import build_http
from bot.slack.surface import SlackSurface
from bot.slack.writing import Times
from bot.turns import LocalTurns
from bot.work import Handling, NoKeeper
from handlers import presses
from handlers.deps import Deps
from handlers.flight import Flights
from handlers.surface import Control, Deleted, Edited, Event, PatrolRequest, Press, Stop
from tests.fakes import thinking
from tests.fakes.investigations import Investigations
from tests.fakes.slack import APP_TOKEN, BOT_TOKEN, SECRET, FakeSlack, SignedDoor

NOW = 1_766_000_000


class Time:
    """A clock that only sleeping moves on."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def clock(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)


@dataclass
class Bot:
    """The bot's parts that tests look at. `slept` are the seconds that rate limits asked for."""

    slack: FakeSlack
    config: SlackConfig
    app: AsyncApp
    door: SignedDoor
    surface: SlackSurface
    turns: LocalTurns
    agents: thinking.Agents
    patrols: thinking.Patrols
    reports: thinking.Reports
    time: Time
    slept: list[float] = field(default_factory=list)
    investigations: Investigations = field(default_factory=Investigations)

    def words(self, thread_ts: str) -> list[str]:
        """What we posted in a thread, as it is read."""
        return [post.words for post in self.slack.thread(thread_ts)]


def surface_on(config: SlackConfig, time: Time | None = None) -> SlackSurface:
    """A surface with nothing of another one's memory."""
    time = time or Time()
    pace = Pace(BUDGETS, OTHERWISE, clock=time.clock, sleep=time.sleep)
    times = Times(time.clock, time.sleep)
    client = web_client(config, time.sleep)
    return SlackSurface(client, config.allowed_link_hosts, pace=pace, times=times, now=lambda: NOW)


@dataclass
class Known:
    """Threads that were asked in or are tied to a report."""

    reports: thinking.Reports
    joined: set[str] = field(default_factory=set)

    async def knows(self, thread: str) -> bool:
        return thread in self.joined or thread in self.reports.tied


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK would send even loopback traffic through a proxy named in the environment."""
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack().running() as fake:
        yield fake


@pytest.fixture
def config(slack: FakeSlack) -> SlackConfig:
    return SlackConfig(
        bot_token=SecretStr(BOT_TOKEN),
        app_token=SecretStr(APP_TOKEN),
        signing_secret=SecretStr(SECRET),
        api_url=slack.base_url,
        allowed_link_hosts=frozenset({"grafana.example.com"}),
    )


class Keeper(NoKeeper):
    """Lets everybody in, and remembers what was taken back as the gate does."""

    def __init__(self) -> None:
        self.taken_back: set[str] = set()

    async def silent(self, event: Event) -> bool:
        return event.key in self.taken_back


@pytest.fixture
async def bot(slack: FakeSlack, config: SlackConfig) -> AsyncIterator[Bot]:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    client = web_client(config, sleep)
    time = Time()
    pace = Pace(BUDGETS, OTHERWISE, clock=time.clock, sleep=time.sleep)
    times = Times(time.clock, time.sleep)
    surface = SlackSurface(client, config.allowed_link_hosts, pace=pace, times=times, now=lambda: NOW)
    agents, patrols, reports = thinking.Agents(), thinking.Patrols(), thinking.Reports()
    references = (f"ref-{n}" for n in count(1))
    taken: dict[str, Event] = {}

    async def asked(key: str) -> Event | None:
        return taken.get(key)

    async def submit(event: Event) -> bool:
        if not isinstance(event, PatrolRequest):
            known.joined.add(event.thread)
        taken[event.key] = event
        return await turns.submit(event)

    known = Known(reports)
    investigations = Investigations()
    deps = Deps(
        surface,
        agents,
        patrols,
        reports,
        Flights(),
        lambda: next(references),
        submit=submit,
        asked=asked,
        investigations=investigations,
    )

    keeper = Keeper()
    turns = LocalTurns(Handling(deps, keeper))

    async def act(control: Control | Press) -> None:
        match control:
            case Press():
                await presses.act(control, deps)
            case Edited():
                await turns.edit(control.key, control.text)
            case Deleted():
                keeper.taken_back.add(control.key)
                await turns.withdraw(control.key)
            case Stop():
                await turns.stop(control.thread)

    app = build_app(config, client, submit, act, Following(known, deps.preferences), rooms=surface)
    door = SignedDoor(build_http(config, app, now=lambda: NOW), NOW)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(door.close)
        stack.push_async_callback(turns.close, 5)
        yield Bot(slack, config, app, door, surface, turns, agents, patrols, reports, time, slept, investigations)


def buttons(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All buttons of a message."""
    return [element for block in blocks if block["type"] == "actions" for element in block["elements"]]
