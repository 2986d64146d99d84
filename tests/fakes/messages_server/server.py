"""The fake's socket: checks each request, keeps it, and plays the next step of the script."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from aiohttp import web

from tests.fakes.messages_server.refusal import Refused
from tests.fakes.messages_server.rules import KEY, MAX_BYTES, check_body, check_headers
from tests.fakes.messages_server.script import (
    Break,
    HttpFault,
    Say,
    Step,
    Thinking,
    ToolUse,
    encoded,
    events,
    signature,
)

NextStep = Callable[[dict[str, Any]], Step]


class MessagesServer:
    """Answers from `script`, one step per accepted request, or from `decide` once the script is used up."""

    key = KEY

    def __init__(self, script: Iterable[Step] = (), decide: NextStep | None = None) -> None:
        self.script = deque(script)
        self.decide = decide
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.refusals: list[str] = []
        self.url = ""
        self._issued: dict[str, tuple[str, ...]] = {}
        self._calls = 0
        self._closing = asyncio.Event()
        self.left = 0
        """Replies whose client went away before they were whole."""
        self.thinking = 0
        """Requests that are held back at present."""
        self._held: Callable[[dict[str, Any]], bool] = _none

    def hold(self, which: Callable[[dict[str, Any]], bool] = lambda body: True) -> None:
        """Think about these requests from now on, those under way among them: the stream is open, and nothing comes."""
        self._held = which

    def go_on(self) -> None:
        """Answer what is held back, and all that comes."""
        self._held = _none

    def app(self) -> web.Application:
        """The routes of the API that Starwatch uses."""
        app = web.Application(client_max_size=2 * MAX_BYTES)
        app.router.add_post("/v1/messages", self._messages)
        app.router.add_post("/v1/messages/count_tokens", self._count)
        return app

    def release(self) -> None:
        """End all stalled streams, so that the server can stop at once."""
        self._closing.set()
        self.go_on()

    async def _accepted(self, request: web.Request, *, counting: bool) -> dict[str, Any]:
        raw = await request.read()
        check_headers({name.lower(): value for name, value in request.headers.items()}, len(raw))
        try:
            body = json.loads(raw)
        except ValueError:
            raise Refused("The request body is not valid JSON") from None
        check_body(body, request.headers.get("anthropic-beta", ""), self._issued, counting=counting)
        accepted: dict[str, Any] = body
        return accepted

    async def _count(self, request: web.Request) -> web.Response:
        try:
            body = await self._accepted(request, counting=True)
        except Refused as refused:
            return self._refusal(refused)
        return web.json_response({"input_tokens": len(json.dumps(body)) // 4})

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await self._accepted(request, counting=False)
        except Refused as refused:
            return self._refusal(refused)
        self.requests.append(body)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        step = self.script.popleft() if self.script else self._decided(body)
        if isinstance(step, HttpFault):
            return web.json_response(step.body, status=step.status, headers=dict(step.headers))
        if isinstance(step, Break):
            step = replace(step, say=self._numbered(step.say))
            return await self._play(request, body["model"], step.say, step)
        say = self._numbered(step)
        self._remember(say, body["model"])
        return await self._play(request, body["model"], say, None)

    def _decided(self, body: dict[str, Any]) -> Step:
        if self.decide is None:
            return HttpFault(500, "api_error", "the script of the fake is used up")
        return self.decide(body)

    def _numbered(self, say: Say) -> Say:
        blocks = []
        for block in say.blocks:
            self._calls += 1
            unnamed = isinstance(block, ToolUse) and not block.id
            blocks.append(replace(block, id=f"toolu_{self._calls:04}") if unnamed else block)
        return replace(say, blocks=tuple(blocks))

    def _remember(self, say: Say, model: str) -> None:
        signed = tuple(signature(model, block.thinking) for block in say.blocks if isinstance(block, Thinking))
        for block in say.blocks:
            if isinstance(block, ToolUse):
                self._issued[block.id] = signed

    def _refusal(self, refused: Refused) -> web.Response:
        self.refusals.append(refused.message)
        fault = HttpFault(refused.status, refused.kind, refused.message)
        return web.json_response(fault.body, status=fault.status)

    async def _play(self, request: web.Request, model: str, say: Say, broken: Break | None) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream", "request-id": "req_fake"})
        await response.prepare(request)
        if not await self._thought(request, await request.json()):
            return response
        for number, event in enumerate(events(say, model, f"msg_{len(self.requests)}")):
            if broken is not None and number >= broken.after:
                await self._break(request, response, broken, encoded(event))
                return response
            await response.write(encoded(event))
        return response

    async def _thought(self, request: web.Request, body: dict[str, Any]) -> bool:
        """Wait while requests are held; False when the client has gone meanwhile."""
        self.thinking += 1
        try:
            while self._held(body):
                if request.transport is None or request.transport.is_closing():
                    self.left += 1
                    return False
                await asyncio.sleep(0.005)
        finally:
            self.thinking -= 1
        return True

    async def _break(self, request: web.Request, response: web.StreamResponse, broken: Break, event: bytes) -> None:
        match broken.how:
            case "error":
                error = {"type": "error", "error": {"type": broken.kind, "message": broken.message}}
                await response.write(encoded(("error", error)))
            case "garbage":
                await response.write(b"event: content_block_delta\ndata: {oops\n\n")
            case "drop":
                await response.write(event[: len(event) // 2])
                if request.transport is not None:
                    request.transport.abort()
            case "stall":
                await self._closing.wait()


def _none(body: dict[str, Any]) -> bool:
    return False


@asynccontextmanager
async def serving(server: MessagesServer) -> AsyncIterator[MessagesServer]:
    """The server on a free loopback port; `server.url` is its base URL."""
    runner = web.AppRunner(server.app(), shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    server.url = f"http://127.0.0.1:{port}"
    try:
        yield server
    finally:
        server.release()
        await runner.cleanup()
