"""The Web API and the Socket Mode endpoint, and the channels behind them as people would see them."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes.slack.methods import ARGUMENTS, EVENT_SCOPES, SCOPES
from tests.fakes.slack.post import BOT, BOT_ID, TEAM, Post
from tests.fakes.slack.streams import Streams
from tests.fakes.slack.validity import letters, problems
from tests.fakes.slack.views import view_problems

BOT_TOKEN, APP_TOKEN, SECRET = "xoxb-fake-bot", "xapp-fake-app", "the-signing-secret"


@dataclass(slots=True)
class Scripted:
    """An answer to give instead of the real one."""

    status: int = 200
    error: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    html: bool = False


class FakeSlack(Streams):
    """One workspace with one installed app. `posts` is what our bot wrote; `statuses` what it showed, in order."""

    def __init__(self, channels: tuple[str, ...] = ("C0OPS", "C0OTHER", "D0DIRECT")) -> None:
        self.channels = set(channels)
        self.posts: list[Post] = []
        self.people: list[Post] = []
        self.statuses: list[tuple[str, str, str]] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.acks: list[dict[str, Any]] = []
        self.sessions: list[tuple[str, str, str]] = []
        self.prompts: dict[str, list[dict[str, str]]] = {}
        self.files: dict[str, bytes] = {}
        """Name → content of what was uploaded and shared."""
        self._uploads: dict[str, tuple[str, int, bytes]] = {}
        self.whispers: list[tuple[str, Post]] = []
        self.modals: list[dict[str, Any]] = []
        self.homes: dict[str, dict[str, Any]] = {}
        self.triggers: set[str] = {"13345.67890.def"}
        """Trigger ids that a dialog may still be opened with, each once."""
        self.scopes = set(SCOPES.values()) | EVENT_SCOPES
        self.members: dict[str, dict[str, Any]] = {}
        """What is special about people, in the fields of `users.info`."""
        self.base_url = ""
        self._scripts: dict[str, deque[Scripted | None]] = {}
        self._sockets: list[web.WebSocketResponse] = []
        self._tickets: set[str] = set()
        self._clock = 1_766_000_000_000_000
        self._changed = asyncio.Condition()

    def fail(self, method: str, *answers: Scripted) -> None:
        """Answer the next calls of `method` with these, in order."""
        self._scripts.setdefault(method, deque()).extend(answers)

    def fail_after(self, method: str, calls: int, *answers: Scripted) -> None:
        """The same, after that many calls went through."""
        self._scripts.setdefault(method, deque()).extend([*([None] * calls), *answers])

    def recover(self) -> None:
        """Answer as usual from now on, whatever was to come."""
        self._scripts.clear()

    def said(self, text: str, *, channel: str = "C0OPS", thread_ts: str = "", user: str = "U0ANNA") -> Post:
        """A person writes something; the post exists from now on."""
        post = Post(channel, self._ts(), text, [], thread_ts, user=user)
        self.people.append(post)
        return post

    def set_clock(self, seconds: float) -> None:
        """Number messages from this moment on, in seconds since the epoch."""
        self._clock = int(seconds * 1_000_000)

    def end_streams(self) -> None:
        """Slack ends all streams, as it does after some minutes and when people press stop."""
        for post in self.posts:
            post.streaming = False

    def thread(self, ts: str) -> list[Post]:
        """Our posts in the thread of the message `ts`."""
        return [post for post in self.posts if post.thread_ts == ts]

    def answers(self, ts: str) -> list[Post]:
        """The same once nothing there is on its way any more: no stream, and no plan, which a slow machine shows and a
        fast one does not. None before."""
        posts = self.thread(ts)
        return [] if any(post.streaming or post.is_plan for post in posts) else posts

    def called(self, method: str) -> list[dict[str, Any]]:
        """The arguments of all calls of a method, refused ones included."""
        return [arguments for name, arguments in self.calls if name == method]

    async def until(self, condition: Callable[[], bool], seconds: float = 40) -> None:
        """Wait until something that Slack was told makes `condition` true. Raises TimeoutError after `seconds`."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(condition)

    async def deliver(
        self, kind: str, payload: dict[str, Any], envelope_id: str, *, seconds: float = 40, line: int = -1
    ) -> dict[str, Any]:
        """Send an envelope over the newest socket, or another, and give back its acknowledgement; TimeoutError without
        one."""
        await self.until(lambda: bool(self._sockets))
        before = len(self.acks)
        envelope = {"envelope_id": envelope_id, "type": kind, "payload": payload, "accepts_response_payload": True}
        await self._sockets[line].send_json(envelope)
        await self.until(lambda: any(ack["envelope_id"] == envelope_id for ack in self.acks[before:]), seconds)
        return next(ack for ack in self.acks[before:] if ack["envelope_id"] == envelope_id)

    @property
    def links(self) -> list[bool]:
        """Each connection that was made, oldest first: whether it is still open."""
        return [not socket.closed for socket in self._sockets]

    async def hang_up(self) -> None:
        """End the newest connection, as a restart on Slack's side does."""
        await self._sockets[-1].close()

    async def ask_to_reconnect(self, reason: str = "refresh_requested") -> None:
        """Tell the app that its connection is about to be replaced, and wait until it made a new one."""
        old = self._sockets[-1]
        await old.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "fake"}})
        await self.until(lambda: bool(self._sockets) and self._sockets[-1] is not old)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["FakeSlack"]:
        """Serve on loopback."""
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_get("/link", self._link)
        app.router.add_post("/upload/{id}", self._uploaded)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
        try:
            yield self
        finally:
            for socket in self._sockets:
                await socket.close()
            await runner.cleanup()

    async def _api(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        arguments = await _merged(request)
        self.calls.append((method, arguments))
        answer = self._scripts[method].popleft() if self._scripts.get(method) else None
        if answer is not None:
            response = _scripted(answer)
        else:
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            error = self._refusal(method, token, arguments)
            told = {"ok": False, "error": error} if error else self._done(method, arguments)
            response = web.json_response(told, headers={"x-oauth-scopes": ",".join(sorted(self.scopes))})
        async with self._changed:
            self._changed.notify_all()
        return response

    def _refusal(self, method: str, token: str, arguments: dict[str, Any]) -> str:
        if method not in ARGUMENTS:
            return "unknown_method"
        if not token:
            return "not_authed"
        right = APP_TOKEN if method == "apps.connections.open" else BOT_TOKEN
        if token != right:
            return "not_allowed_token_type" if token in (APP_TOKEN, BOT_TOKEN) else "invalid_auth"
        if set(arguments) - ARGUMENTS[method]:
            return "invalid_arguments"
        if SCOPES.get(method, next(iter(self.scopes), "")) not in self.scopes and method in SCOPES:
            return "missing_scope"
        match method:
            case "chat.postMessage" | "chat.postEphemeral":
                return self._post_refusal(arguments)
            case "chat.startStream" | "chat.appendStream" | "chat.stopStream":
                return self._stream_refusal(method, arguments)
            case "agents.sessions.setStatus":
                return self._session_refusal(arguments)
            case "assistant.threads.setSuggestedPrompts":
                return "" if 0 < len(arguments.get("prompts", ())) <= 4 else "invalid_arguments"
            case "files.getUploadURLExternal":
                return "" if arguments.get("filename") and int(arguments.get("length", 0)) > 0 else "invalid_arguments"
            case "files.completeUploadExternal":
                return self._share_refusal(arguments)
            case "chat.update" | "chat.delete" if (ours := self._ours(arguments)) is not None and ours.streaming:
                return "streaming_state_conflict"
            case "chat.update":
                return _form_refusal(arguments) if self._ours(arguments) else "message_not_found"
            case "chat.delete":
                return "" if self._ours(arguments) else "message_not_found"
            case "views.open" if arguments.get("trigger_id") not in self.triggers:
                return "expired_trigger_id"
            case "views.open" | "views.publish":
                return "invalid_arguments" if view_problems(arguments.get("view")) else ""
            case "assistant.threads.setStatus":
                return self._status_refusal(arguments)
            case "conversations.replies" | "conversations.history":
                return self._look_refusal(method, arguments)
            case _:
                return ""

    def _post_refusal(self, arguments: dict[str, Any]) -> str:
        if arguments.get("channel") not in self.channels:
            return "channel_not_found"
        if "thread_ts" in arguments and not self._exists(arguments["channel"], arguments["thread_ts"]):
            return "thread_not_found"
        return _form_refusal(arguments)

    def _ours(self, arguments: dict[str, Any]) -> Post | None:
        """The message that an update or a deletion names, when it is there and our own."""
        there = (post for post in self.posts if (post.channel, post.ts) == (arguments["channel"], arguments["ts"]))
        return next(there, None)

    def _status_refusal(self, arguments: dict[str, Any]) -> str:
        if not {"channel_id", "thread_ts", "status"} <= set(arguments):
            return "invalid_arguments"
        if arguments["channel_id"] not in self.channels:
            return "channel_not_found"
        return "" if self._exists(arguments["channel_id"], arguments["thread_ts"]) else "invalid_thread_ts"

    def _look_refusal(self, method: str, arguments: dict[str, Any]) -> str:
        if arguments.get("channel") not in self.channels:
            return "channel_not_found"
        if method == "conversations.replies" and not self._exists(arguments["channel"], arguments.get("ts", "")):
            return "thread_not_found"
        return ""

    def _found(self, method: str, arguments: dict[str, Any]) -> list[dict[str, Any]]:
        """Messages as Slack lists them: a thread from its root on, a channel's own messages newest first."""
        here = [post for post in (*self.posts, *self.people) if post.channel == arguments["channel"]]
        if method == "conversations.replies":
            root = arguments["ts"]
            shown = sorted((post for post in here if root in (post.ts, post.thread_ts)), key=lambda post: post.ts)
            # the root always comes along, however old it is
            shown = [post for post in shown if post.ts > arguments.get("oldest", "") or post.ts == root]
        else:
            shown = sorted((post for post in here if not post.thread_ts), key=lambda post: post.ts, reverse=True)
            shown = [post for post in shown if post.ts > arguments.get("oldest", "")]
        with_metadata = arguments.get("include_all_metadata") in (True, "true", "1", "True")
        return [
            {"type": "message", "ts": post.ts, "text": post.text, "user": post.user}
            | self._family(post)
            | ({"bot_id": BOT_ID} if post.user == BOT else {})
            | ({"files": [{"name": name} for name in post.files]} if post.files else {})
            | ({"metadata": post.metadata} if with_metadata and post.metadata else {})
            for post in shown[: int(arguments.get("limit", 100))]
        ]

    def _family(self, post: Post) -> dict[str, Any]:
        """Replies name their thread, and so does its root once there are some."""
        replied = any(other.thread_ts == post.ts for other in (*self.posts, *self.people))
        return {"thread_ts": post.thread_ts or post.ts} if post.thread_ts or replied else {}

    def _exists(self, channel: str, ts: str) -> bool:
        """Whether `ts` may be a thread's root: a message of the channel that is no reply itself."""
        return any(p.channel == channel and p.ts == ts and not p.thread_ts for p in (*self.posts, *self.people))

    def _done(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        match method:
            case "auth.test":
                return {"ok": True, "team_id": TEAM, "user_id": BOT, "bot_id": BOT_ID, "team": "ops", "user": "bot"}
            case "apps.connections.open":
                ticket = f"ticket-{len(self._tickets)}"
                self._tickets.add(ticket)
                link = self.base_url.replace("http://", "ws://").replace("/api/", f"/link?ticket={ticket}")
                return {"ok": True, "url": link}
            case "users.info":
                known = {"id": arguments["user"], "team_id": TEAM} | self.members.get(arguments["user"], {})
                return {"ok": True, "user": known}
            case "assistant.threads.setStatus":
                self.statuses.append((arguments["channel_id"], arguments["thread_ts"], arguments["status"]))
                return {"ok": True}
            case _ if (streamed := self.streamed(method, arguments)) is not None:
                return streamed
            case "chat.update":
                post = self._ours(arguments)
                assert post is not None
                post.text, post.blocks = arguments.get("text", ""), arguments.get("blocks", [])
                post.metadata = arguments.get("metadata", post.metadata)
                return {"ok": True, "channel": post.channel, "ts": post.ts, "text": post.text}
            case "chat.delete":
                self.posts.remove(self._ours(arguments))  # type: ignore[arg-type]
                return {"ok": True, "channel": arguments["channel"], "ts": arguments["ts"]}
            case "chat.postEphemeral":
                whisper = Post(arguments["channel"], self._ts(), arguments["text"], arguments.get("blocks", []))
                whisper.thread_ts = arguments.get("thread_ts", "")
                self.whispers.append((arguments["user"], whisper))
                return {"ok": True, "message_ts": whisper.ts}
            case "views.open":
                self.triggers.discard(arguments["trigger_id"])
                self.modals.append(arguments["view"])
                return {"ok": True, "view": arguments["view"] | {"id": f"V{len(self.modals)}"}}
            case "views.publish":
                self.homes[arguments["user_id"]] = arguments["view"]
                return {"ok": True, "view": arguments["view"] | {"id": "V0HOME"}}
            case "conversations.replies" | "conversations.history":
                return {"ok": True, "messages": self._found(method, arguments), "has_more": False}
            case _:
                post = Post(arguments["channel"], self._ts(), arguments.get("text", ""), arguments.get("blocks", []))
                post.thread_ts = arguments.get("thread_ts", "")
                post.metadata = arguments.get("metadata", {})
                self.posts.append(post)
                return {"ok": True, "channel": post.channel, "ts": post.ts, "message": {"text": post.text}}

    def wait(self, seconds: int) -> None:
        """Let that time pass on Slack's clock."""
        self._clock += seconds * 1_000_000

    def _ts(self) -> str:
        self._clock += 1_000_101
        return f"{self._clock // 1_000_000}.{self._clock % 1_000_000:06d}"

    async def _link(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("ticket") not in self._tickets:
            return web.Response(status=403)
        self._tickets.discard(request.query["ticket"])  # an address serves one connection
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A0APP"}})
        self._sockets.append(socket)
        async with self._changed:
            self._changed.notify_all()
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self.acks.append(json.loads(message.data))
                async with self._changed:
                    self._changed.notify_all()
        return socket


def _form_refusal(arguments: dict[str, Any]) -> str:
    """What is wrong with the text and blocks of a message."""
    blocks = arguments.get("blocks")
    if isinstance(blocks, str):
        blocks = json.loads(blocks)
    if not arguments.get("text") and not blocks:
        return "no_text"
    if len(arguments.get("text", "")) > 40_000:
        return "msg_too_long"
    if blocks and problems(blocks):
        return "invalid_blocks"
    return "msg_blocks_too_long" if blocks and letters(blocks) > 13_200 else ""


async def _merged(request: web.Request) -> dict[str, Any]:
    """Arguments come in the address, as a form or as JSON, depending on the SDK's method."""
    if request.content_type == "application/json":
        text = await request.text()
        return dict(request.query) | (json.loads(text) if text else {})
    return dict(request.query) | dict(await request.post())


def _scripted(answer: Scripted) -> web.Response:
    if answer.html:
        return web.Response(status=answer.status, text="<html>down</html>", content_type="text/html")
    return web.json_response({"ok": False, "error": answer.error}, status=answer.status, headers=answer.headers)
