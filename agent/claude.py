"""Claude as a model: the official SDK for the request, our own reading of the stream, our own retry.

The SDK alone would sleep through any `retry-after`, take a broken-off stream for a reply, and miss stalls."""

import asyncio
import json
import math
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, cast

import httpx2
from anthropic import AsyncAnthropic, AsyncStream, DefaultAioHttpClient
from pydantic import SecretStr

from agent.claude_faults import NETWORK_FAULTS, from_event, from_exception
from agent.errors import ModelError, ModelUnavailable
from agent.messages import Message
from agent.model import Analyst, OnText, OnWasted, Reply, Request
from agent.retry import Retry, RetryRules
from agent.sse import Events
from agent.stream import ReplyBuilder
from agent.tools import ToolSpec

T = TypeVar("T")

CACHED = {"type": "ephemeral"}
Effort = Literal["low", "medium", "high", "xhigh", "max"]


@dataclass(frozen=True, slots=True)
class StreamTimes:
    """Seconds until a silent connection is given up: connecting, before the first event, between two events, and after
    the last one."""

    connect: float = 5.0
    first_event: float = 30.0
    next_event: float = 20.0
    after_end: float = 0.5


@dataclass(frozen=True, slots=True)
class ClaudeConfig:
    """How to reach a Claude. `base_url` has no `/v1`; None is Anthropic's own. Older models and other providers may
    not take `thinking`, `effort` or prompt caching: None, None and False leave them out of the request."""

    api_key: SecretStr
    base_url: str | None = None
    model: str = "claude-sonnet-5-5"
    max_tokens: int = 16_000
    effort: Effort | None = "medium"
    thinking: Literal["adaptive"] | None = "adaptive"
    prompt_caching: bool = True
    times: StreamTimes = field(default_factory=StreamTimes)
    retry: RetryRules = field(default_factory=RetryRules)


class Claude:
    """Implements `agent.model.Model`. Close it, or use it as a context manager."""

    def __init__(
        self,
        config: ClaudeConfig,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._config = config
        self._clock = clock
        self._retry = Retry(config.retry, clock, sleep, jitter)
        # The watchdog below sees to silence long before this timeout of the transport does.
        timeout = httpx2.Timeout(600.0, connect=config.times.connect)
        self._client = AsyncAnthropic(
            api_key=config.api_key.get_secret_value(),
            base_url=config.base_url,
            # Retries of its own would be counted neither against the turn nor in the log.
            max_retries=0,
            timeout=timeout,
            http_client=DefaultAioHttpClient(timeout=timeout),
        )

    @property
    def name(self) -> str:
        """The configured model id."""
        return self._config.model

    @property
    def analyst(self) -> Analyst:
        """Which kind of analyst this is."""
        return "claude"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def reply(self, request: Request, on_text: OnText | None = None) -> Reply:
        """One whole reply. A reply that breaks off is asked for again as a whole; `on_text` is then told to start over.

        Raises a branch of `agent.errors.ModelError`.
        """
        body = request_body(request, self._config)
        shown = _Shown(on_text)

        async def attempt(seconds_left: float | None) -> Reply:
            await shown.take_back()
            return await self._once(body, seconds_left, shown, request.on_wasted)

        return await self._retry.run(attempt, request.seconds_left)

    async def _once(
        self, body: dict[str, Any], seconds_left: float | None, shown: "_Shown", on_wasted: OnWasted | None
    ) -> Reply:
        """One request, read to its end. Every fault of the provider or the network leaves as a `ModelError`."""
        times, builder = self._config.times, ReplyBuilder()
        deadline = math.inf if seconds_left is None else self._clock() + seconds_left
        async with AsyncExitStack() as stack:
            stack.push(_telling(builder, on_wasted))
            # Opening counts as the first event: a provider that takes the request and stays silent is found out here.
            response = await self._within(times.first_event, deadline, self._open(body))
            stack.push_async_callback(response.aclose)
            chunks, events = response.aiter_bytes(), Events()
            # The first event may wait in the provider's queue; between two there is no reason for silence.
            patience = times.first_event
            while not builder.complete:
                chunk = await self._within(patience, deadline, anext(chunks, None))
                if chunk is None:
                    break
                for name, data in events.take(chunk):
                    if piece := _taken(builder, name, data):
                        await shown.show(piece)
                    patience = times.next_event
            with suppress(ModelError):
                # What is left is the end of the body; having read it, the connection can be used again.
                await self._within(times.after_end, deadline, anext(chunks, None))
            return builder.reply()

    async def _open(self, body: dict[str, Any]) -> httpx2.Response:
        """The response to a request, not yet read. The SDK's typed call would copy the whole history first."""
        content = json.dumps(
            {**body, "stream": True}, ensure_ascii=False, separators=(",", ":"), allow_nan=False
        ).encode()
        response: object = await self._client.post(
            "/v1/messages",
            content=content,
            cast_to=httpx2.Response,
            options={"headers": {"Content-Type": "application/json"}},
            stream=True,
            stream_cls=AsyncStream[Any],
        )
        # asked for like this, it is the response itself; the SDK's types know streams of events only
        return cast(httpx2.Response, response)

    async def _within(self, patience: float, deadline: float, waiting: Awaitable[T]) -> T:
        """The watchdog: whatever is awaited of the network is awaited here, and fails as a `ModelError`."""
        try:
            async with asyncio.timeout(max(min(patience, deadline - self._clock()), 0.0)):
                return await waiting
        except NETWORK_FAULTS as error:
            raise from_exception(error) from error


def _telling(builder: ReplyBuilder, on_wasted: OnWasted | None) -> Callable[..., None]:
    """An exit that tells what a stream took that ends in an exception, a cancellation among them."""

    def told(kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and on_wasted is not None and builder.model:
            on_wasted(builder.model, builder.spent())

    return told


class _Shown:
    """The text of the current try as the caller sees it, and taken back when the try failed."""

    def __init__(self, on_text: OnText | None) -> None:
        self._on_text = on_text
        self._any = False

    async def show(self, piece: str) -> None:
        if self._on_text is not None:
            self._any = True
            await self._on_text(piece)

    async def take_back(self) -> None:
        if self._on_text is not None and self._any:
            self._any = False
            await self._on_text("")


def _taken(builder: ReplyBuilder, name: str, data: bytes) -> str:
    """The text that an event brought. Raises the `ModelError` that the event is, or that a garbled one amounts to."""
    if not data or name == "ping":
        return ""
    try:
        event = json.loads(data)
        if name == "error":
            raise from_event(event)
        return builder.take(event)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelUnavailable(f"an event of the stream is garbled: {type(error).__name__}") from error


def request_body(request: Request, config: ClaudeConfig) -> dict[str, Any]:
    """The request as the Messages API takes it. The three cache markers stand behind what changes never (the tools),
    per role (the system prompt) and per round (the history)."""
    mark = {"cache_control": CACHED} if config.prompt_caching else {}
    body: dict[str, Any] = {
        "model": config.model,
        "max_tokens": config.max_tokens,
        "system": [{"type": "text", "text": request.system, **mark}],
        "messages": _marked(request.messages, mark),
    }
    if request.tools:
        tools = [_tool(spec) for spec in request.tools]
        body["tools"] = [*tools[:-1], {**tools[-1], **mark}]
        body["tool_choice"] = {"type": "auto" if request.may_call_tools else "none"}
    if config.thinking is not None:
        # Summarised, because the text between tool calls comes back as thinking and is all there is to see of it.
        body["thinking"] = {"type": config.thinking, "display": "summarized"}
    if config.effort is not None:
        body["output_config"] = {"effort": config.effort}
    return body


def _tool(spec: ToolSpec) -> dict[str, Any]:
    return {"name": spec.name, "description": spec.description, "input_schema": dict(spec.input_schema)}


def _marked(messages: Sequence[Message], mark: dict[str, Any]) -> list[Message]:
    """The messages with the mark on the last block; the history itself is never touched."""
    *earlier, last = messages
    *blocks, final = last["content"]
    return [*earlier, {"role": last["role"], "content": [*blocks, {**final, **mark}]}]
