"""The two platforms as one stage for the contract of surfaces: a strict fake, our surface on it, what people see."""

import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import SecretStr

from bot.lark.api import LarkApi
from bot.lark.config import LarkConfig
from bot.lark.delivery import Delivery
from bot.lark.surface import LarkSurface
from bot.slack.config import SlackConfig
from handlers.surface import Press, Surface
from tests.bot.lark.conftest import Time as LarkTime
from tests.bot.slack.conftest import Time as SlackTime
from tests.bot.slack.conftest import surface_on
from tests.fakes.lark import APP, FakeLark
from tests.fakes.lark import SECRET as LARK_SECRET
from tests.fakes.lark import Scripted as LarkScripted
from tests.fakes.lark import problems as card_problems
from tests.fakes.lark.cards import pressable
from tests.fakes.slack import BOT_TOKEN, TEAM, FakeSlack, Post
from tests.fakes.slack import problems as block_problems
from tests.fakes.slack.server import Scripted as SlackScripted

LISTED = "dash.example"


@dataclass(frozen=True)
class Seen:
    """One message as people see it. `root` is the thread that it stands in, itself when it starts one."""

    reference: str
    root: str
    words: str


class Stage(Protocol):
    """What the contract needs of a platform."""

    channel: str
    user: str

    @property
    def surface(self) -> Surface:
        """Ours, as long as nobody restarted."""
        ...

    def restarted(self) -> Surface:
        """Another process's surface on the same platform: it has nothing of the first one's memory."""
        ...

    def asked(self, text: str, root: str = "") -> str:
        """A person says something; gives the thread that hangs under it."""
        ...

    def seen(self) -> Sequence[Seen]:
        """Our messages in the channel, oldest first."""
        ...

    def alone(self) -> str:
        """All that this one person sees of us and nobody else."""
        ...

    def files(self) -> dict[str, bytes]:
        """What was uploaded and shared."""
        ...

    def harm(self) -> list[str]:
        """Payloads that the platform would take exception to, and mentions that came about."""
        ...

    def values(self) -> list[dict[str, Any]]:
        """What the buttons of the newest message carry."""
        ...

    def pressed(self, thread: str, key: str = "k") -> Press:
        """A press in a thread that may be answered with a dialog."""
        ...

    def limited(self, seconds: int) -> None:
        """Answer the next post with a rate limit."""
        ...

    def away(self) -> None:
        """Answer the next posts with nothing that helps."""
        ...

    def gone(self) -> None:
        """Answer the next post with a place that is there no longer."""
        ...

    def slept(self) -> float:
        """Seconds that were waited."""
        ...

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that people see."""
        ...


class SlackStage:
    """Slack."""

    user = "U0ANNA"

    def __init__(self, slack: FakeSlack) -> None:
        self.slack = slack
        self.channel = f"slack:{TEAM}:C0OPS"
        self._time = SlackTime()
        hosts = frozenset({LISTED})
        self._config = SlackConfig(SecretStr(BOT_TOKEN), api_url=slack.base_url, allowed_link_hosts=hosts)
        self.surface: Surface = surface_on(self._config, self._time)

    def restarted(self) -> Surface:
        return surface_on(self._config, self._time)

    def asked(self, text: str, root: str = "") -> str:
        post = self.slack.said(text, thread_ts=root.rpartition(":")[2])
        return root or f"{self.channel}:{post.ts}"

    def seen(self) -> Sequence[Seen]:
        posts = [post for post in self.slack.posts if post.channel == "C0OPS"]
        return [
            Seen(f"{self.channel}:{post.ts}", f"{self.channel}:{post.thread_ts or post.ts}", _read(post))
            for post in posts
        ]

    def alone(self) -> str:
        whispers = [post.words for user, post in self.slack.whispers if user == self.user]
        return "\n".join([*whispers, *map(str, self.slack.modals), str(self.slack.homes.get(self.user, ""))])

    def files(self) -> dict[str, bytes]:
        return self.slack.files

    def harm(self) -> list[str]:
        found = [
            problem for post in self.slack.posts for problem in block_problems(post.blocks or [{"type": "divider"}])
        ]
        tokens = ("<!", "<@", "<#", "<http")
        told = [text for post in self.slack.posts for text in (post.text, *_parsed(post.blocks))]
        return found + [text for text in told if any(token in text for token in tokens)]

    def values(self) -> list[dict[str, Any]]:
        rows = [block for block in self.slack.posts[-1].blocks if block["type"] == "actions"]
        return [{"action": one["action_id"], "value": one["value"]} for row in rows for one in row["elements"]]

    def pressed(self, thread: str, key: str = "k") -> Press:
        return Press(key, "why", "v", self.user, thread, thread, "13345.67890.def")

    def limited(self, seconds: int) -> None:
        self.slack.fail("chat.postMessage", SlackScripted(429, "ratelimited", {"Retry-After": str(seconds)}))

    def away(self) -> None:
        self.slack.fail("chat.postMessage", *[SlackScripted(503, html=True)] * 5)

    def gone(self) -> None:
        self.slack.fail("chat.postMessage", SlackScripted(200, "channel_not_found"))

    def slept(self) -> float:
        return self._time.seconds

    async def until(self, condition: Callable[[], bool]) -> None:
        await self.slack.until(condition)


def _read(post: Post) -> str:
    """What is read in a post, the titles of its charts and tables with it."""
    titles = [str(block.get("title") or block.get("caption") or "") for block in post.blocks]
    return "\n".join(filter(None, [post.words, *titles]))


def _parsed(value: Any) -> list[str]:
    """The texts of blocks that Slack looks through for mentions and links; it takes all others letter by letter."""
    if isinstance(value, dict):
        own = [value["text"]] if value.get("type") in ("mrkdwn", "markdown") else []
        return own + [text for inner in value.values() for text in _parsed(inner)]
    return [text for inner in value for text in _parsed(inner)] if isinstance(value, list) else []


class LarkStage:
    """Lark."""

    user = "ou_anna"

    def __init__(self, lark: FakeLark, time: LarkTime) -> None:
        self.lark = lark
        self.channel = f"lark:{APP}:oc_ops"
        self._time = time
        self._numbers = itertools.count()
        self._apis: list[LarkApi] = []
        self._surfaces: list[LarkSurface] = []
        self.surface: Surface = self.restarted()

    def restarted(self) -> Surface:
        config = LarkConfig(APP, SecretStr(LARK_SECRET), domain=self.lark.domain)
        api = LarkApi(config, clock=self._time.clock, sleep=self._time.sleep)
        delivery = Delivery(api, {LISTED}, new_id=lambda: f"id-{next(self._numbers)}")
        self._apis.append(api)
        self._surfaces.append(LarkSurface(api, delivery, APP, now=self._time.epoch))
        return self._surfaces[-1]

    def asked(self, text: str, root: str = "") -> str:
        message = self.lark.said(text, root=root.rpartition(":")[2])
        return root or f"{self.channel}:{message.id}"

    def seen(self) -> Sequence[Seen]:
        return [
            Seen(f"{self.channel}:{post.id}", f"{self.channel}:{post.root or post.id}", self.lark.words(post))
            for post in self.lark.posts
            if post.chat == "oc_ops" and post.kind != "file"
        ]

    def alone(self) -> str:
        posts = [post for post in self.lark.posts if post.chat == f"oc_p2p_{self.user}"]
        return "\n".join(self.lark.words(post) for post in posts)

    def files(self) -> dict[str, bytes]:
        return dict(self.lark.files.values())

    def harm(self) -> list[str]:
        found = [problem for post in self.lark.posts if post.shows for problem in card_problems(post.shows)]
        return found + [self.lark.words(post) for post in self.lark.mentioned]

    def values(self) -> list[dict[str, Any]]:
        told = [one["behaviors"][0]["value"] for one in pressable(self.lark.posts[-1].shows)]
        return [{"action": value["action"], "value": value["value"]} for value in told]

    def pressed(self, thread: str, key: str = "k") -> Press:
        return Press(key, "why", "v", self.user, thread, thread, "c-1")

    def limited(self, seconds: int) -> None:
        wait = {"x-ogw-ratelimit-reset": str(seconds)}
        for call in ("messages.create", "messages.reply"):
            self.lark.fail(call, LarkScripted(99991400, "limit", 429, wait))

    def away(self) -> None:
        for call in ("messages.create", "messages.reply"):
            self.lark.fail(call, *[LarkScripted(status=503, html=True)] * 5)

    def gone(self) -> None:
        for call in ("messages.create", "messages.reply"):
            self.lark.fail(call, LarkScripted(230002, "not in the chat"))

    def slept(self) -> float:
        return sum(self._time.slept)

    async def until(self, condition: Callable[[], bool]) -> None:
        await self.lark.until(condition)

    async def close(self) -> None:
        """Let go of everything."""
        for surface in self._surfaces:
            await surface.idle()
        for api in self._apis:
            await api.close()


@asynccontextmanager
async def slack_stage() -> AsyncIterator[SlackStage]:
    """Slack, set up."""
    async with FakeSlack().running() as slack:
        yield SlackStage(slack)


@asynccontextmanager
async def lark_stage() -> AsyncIterator[LarkStage]:
    """Lark, set up."""
    time = LarkTime()
    async with FakeLark(clock=time.clock).running() as lark:
        stage = LarkStage(lark, time)
        try:
            yield stage
        finally:
            await stage.close()


STAGES = {"slack": slack_stage, "lark": lark_stage}
